/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Overrides: what operators have said, as one JSON object in the store under the ref "overrides".
 *
 * Commands read it, change it, put it and move the ref by compare-and-swap; planner and enactors
 * follow it. Every item carries who said it, when, and why, and stays until it is taken back.
 * An unreadable or missing object is an error for whoever reads it, never "no overrides": the
 * reader goes on with the last good ones.
 */
#ifndef HF_CODEC_OVERRIDES_H
#define HF_CODEC_OVERRIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum {
    HF_OVERRIDES_MAX = 100000,
    HF_OVERRIDES_BYTES_MAX = 32 * 1024 * 1024, /* of the object, and of all texts in memory */
};

enum hf_override_kind {
    HF_OVERRIDE_DRAIN_BACKEND, /* subject: backend's name */
    HF_OVERRIDE_DRAIN_SITE,    /* subject: site's name */
    HF_OVERRIDE_FREEZE,        /* subject: zone, or "*" for all */
    HF_OVERRIDE_PIN,           /* subject: endpoint; text: lines of "name address [address]" */
    HF_OVERRIDE_RETIRE,        /* subject: endpoint */
    HF_OVERRIDE_ADOPT,         /* subject: endpoint: take over foreign records, leave contested */
    HF_OVERRIDE_ADOPT_ZONE,    /* subject: zone: take over its guard; text: the value seen */
    HF_OVERRIDE_APPROVE,       /* subject: digest of the held plan */
};

struct hf_override {
    enum hf_override_kind kind;
    const char *subject;
    const char *text; /* or "" */
    const char *who;
    const char *why;
    uint64_t at_ms;
    uint64_t gen; /* PIN: the generation rolled back to */
};

struct hf_overrides {
    struct hf_override *items; /* in order of at_ms */
    uint32_t count, room;
    uint64_t revision;     /* rises by one with every hf_overrides_save: no two objects are alike */
    struct hf_arena arena; /* owns all texts */
};

void hf_overrides_init(struct hf_overrides *overrides);
void hf_overrides_release(struct hf_overrides *overrides);

/*
 * Adds a copy of the item; one of the same kind and subject is taken out before. NULL texts count
 * as "". HF_EINVAL: no subject, or a text that is not UTF-8; HF_ELIMIT:
 * HF_OVERRIDES_MAX items, or HF_OVERRIDES_BYTES_MAX of texts since init. Costs a walk over all.
 */
int hf_overrides_set(struct hf_overrides *overrides, const struct hf_override *item);
/* HF_ENOENT if there is none. */
int hf_overrides_remove(struct hf_overrides *overrides, enum hf_override_kind kind,
                        const char *subject);
/* The item, or NULL; a walk over all. Valid until the next change. */
const struct hf_override *hf_overrides_find(const struct hf_overrides *overrides,
                                            enum hf_override_kind kind, const char *subject);

/* The kind as objects and commands write it: "drain-backend". */
const char *hf_override_kind_name(enum hf_override_kind kind);

/*
 * {"version":1,"revision":7,"items":[{"kind":"drain-backend","subject":"web-1","text":"",
 * "who":"ann","why":"disk","at_ms":1700000000000,"gen":0},...]}, appended. HF_ELIMIT of the buf is
 * sticky in it.
 */
void hf_overrides_encode(const struct hf_overrides *overrides, struct hf_buf *ret_json);
/*
 * HF_EMALF for anything that hf_overrides_encode does not write (an unknown key or kind too: it
 * would be lost on saving), and untouched then. ret_overrides is initialized here, and is to be
 * released.
 */
int hf_overrides_decode(const void *bytes, size_t size, struct hf_overrides *ret_overrides);

#endif
