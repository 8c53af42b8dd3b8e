/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Janitor: retires what nothing refers to any more. Pure.
 *
 * Objects. A round goes through the store page by page: LIST a page, then REACH everything that a
 * ref leads to (read after the page was listed), then DELETE, one by one, what was listed, is
 * older than the retention, and was not reached. Each listing carries the object's put number,
 * which changes whenever the object is put again, and the store deletes only under that number: a
 * janitor that slept between deciding and deleting deletes nothing that came back to life.
 *
 * Tombstones. CLEAN asks the driver to remove the fences of one zone's retired entries that are
 * older than their retention, and to raise the zone's floor to the highest of their generations,
 * in one UPDATE that is conditional on all these fences and on the guard. After anything but OK
 * nothing is assumed: the next round reads them again.
 *
 * Whatever it deletes, no answer changes: answers never refer to plans.
 */
#ifndef HF_CORE_JANITOR_H
#define HF_CORE_JANITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/step.h"

enum {
    HF_JANITOR_PAGE_MAX = 256, /* objects of one LIST */
    HF_JANITOR_NAME_SIZE = 32,
    HF_JANITOR_RETRY_MS = 5000, /* after a failure the round ends and another begins so late */
};

enum hf_janitor_event_type {
    HF_JANITOR_TICK,
    HF_JANITOR_OBJECT,  /* op of LIST: name, put_number, put_ms */
    HF_JANITOR_LISTED,  /* op, result, more: OBJECTs of the page came before */
    HF_JANITOR_REACHED, /* op of REACH: name */
    HF_JANITOR_DONE,    /* op of REACH, DELETE or CLEAN: result */
};

struct hf_janitor_event {
    uint64_t now_ms; /* wall clock */
    uint64_t put_number, put_ms;
    uint32_t op;
    uint8_t type;
    uint8_t result;
    bool more;
    uint8_t name[HF_JANITOR_NAME_SIZE];
};

enum hf_janitor_action_kind {
    HF_JANITOR_LIST,   /* the page after the name; page_first: from the start */
    HF_JANITOR_REACH,  /* everything that the refs lead to */
    HF_JANITOR_DELETE, /* name, if it still has put_number */
    HF_JANITOR_CLEAN,  /* tombstones retired before before_ms, in every zone */
};

struct hf_janitor_action {
    uint64_t put_number;
    uint64_t before_ms;
    uint32_t op;
    uint8_t kind;
    bool page_first;
    uint8_t name[HF_JANITOR_NAME_SIZE];
};

struct hf_janitor_object {
    uint64_t put_number;
    uint8_t name[HF_JANITOR_NAME_SIZE];
    bool reached;
};

enum hf_janitor_phase {
    HF_JANITOR_IDLE,
    HF_JANITOR_CLEANING,
    HF_JANITOR_LISTING,
    HF_JANITOR_REACHING,
    HF_JANITOR_DELETING,
};

struct hf_janitor {
    struct hf_janitor_object page[HF_JANITOR_PAGE_MAX]; /* in order of name */
    uint8_t last[HF_JANITOR_NAME_SIZE];                 /* listed last */
    uint64_t due_ms;                                    /* next round */
    uint64_t deleted, rounds, cleaned_rounds;           /* sums since start */
    uint32_t interval_ms, retention_ms, tombstone_ms;
    uint32_t count, at; /* of page */
    uint32_t op, next_op;
    uint8_t phase;
    bool more, first;
};

void hf_janitor_init(struct hf_janitor *janitor, uint32_t interval_ms, uint32_t retention_ms,
                     uint32_t tombstone_ms);

/* True when ret_action is to be performed. At most one action is under way. */
bool hf_janitor_step(struct hf_janitor *janitor, const struct hf_janitor_event *event,
                     struct hf_janitor_action *ret_action);

/* When the driver must TICK at the latest (wall clock). */
uint64_t hf_janitor_deadline_ms(const struct hf_janitor *janitor);

#endif
