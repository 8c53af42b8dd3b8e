/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a private knotd is told: its knot.conf and the first content of its zones.
 */
#ifndef HF_IO_KNOTD_CONF_H
#define HF_IO_KNOTD_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/config.h"

enum {
    HF_KNOTD_JOURNAL_DEPTH = 20000, /* changes; each costs some 0.1 ms at a start */
    HF_KNOTD_USAGE_MIN_MIB = 64,    /* of a zone's journal; it must hold the zone twice */
    HF_KNOTD_USAGE_MAX_MIB = 4096,
    HF_KNOTD_DB_MIN_MIB = 20480, /* of all journals: address space, not disk */
    HF_KNOTD_NEGATIVE_TTL_S = 5,
    HF_KNOTD_FILE_NAME_MAX = 255,
};

/*
 * Appends knot.conf for a target. secret: base64; disk_bytes: size of the file system that the
 * journal lies on. ret_head_size: octets before the templates and zones; a change in them needs a
 * restart of knotd, a change behind them only a reload. HF_EINVAL: a zone's name cannot be a file.
 */
int hf_knotd_conf_put(struct hf_buf *buf, const struct hf_config *config, uint32_t target,
                      const char *secret, uint64_t disk_bytes, size_t *ret_head_size);

/* Name of a zone's file: the zone's name without its final dot, '/' as "%2f", and ".zone". */
int hf_knotd_zone_file(const char *zone, char ret_name[HF_KNOTD_FILE_NAME_MAX + 1]);

/*
 * Appends the first content of a zone: SOA and NS. The journal's changes apply to exactly these
 * records, so this text must never change for an existing zone; a lost file is written again.
 */
void hf_knotd_zone_put(struct hf_buf *buf, const char *zone);

#endif
