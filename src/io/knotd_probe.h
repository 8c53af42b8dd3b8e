/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a private knotd is asked whether it answers for all of its zones. The rest is in knotd.h.
 */
#ifndef HF_IO_KNOTD_PROBE_H
#define HF_IO_KNOTD_PROBE_H

#include "io/knotd.h"

/* Notes the zones of the target. */
void hf_knotd_probe_init(struct hf_knotd *knotd, const struct hf_config *config, uint32_t target);
void hf_knotd_probe_release(struct hf_knotd *knotd);

#endif
