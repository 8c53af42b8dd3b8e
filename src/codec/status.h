/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Status: what the planner and the janitor tell under "status/planner", "status/backends" and
 * "status/janitor", as JSON documents in the store. `holdfast status` and `holdfast explain` read
 * them; a planner that starts takes the verdicts of the one before it from them.
 */
#ifndef HF_CODEC_STATUS_H
#define HF_CODEC_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/health.h"

enum { HF_STATUS_BYTES_MAX = 64 * 1024 * 1024 };

#define HF_STATUS_PLANNER "status/planner"
#define HF_STATUS_BACKENDS "status/backends"
#define HF_STATUS_JANITOR "status/janitor"

struct hf_planner_status {
    const char *planner;
    uint64_t at_ms, started_ms;
    int64_t pid;
    uint64_t head_gen;
    uint64_t published;     /* plans since start */
    bool frozen;            /* publishes nothing: the operator said so */
    bool stopped;           /* publishes nothing: the store lost history too often */
    const char *trouble;    /* with the store or a file, "" when none */
    const char *held_id;    /* name of the held plan, "" when nothing is held */
    const char *held_lines; /* as hf_planning_held, cut at 64 kB */
    uint32_t held_count;
    uint32_t endpoints, backends, up, down, unknown, drained;
};

struct hf_backend_status {
    const char *name;
    const char *pool;
    const char *site;
    const char *why;       /* last result in words */
    const char *addresses; /* that the verdict is about: "192.0.2.1 2001:db8::1"; "" unknown */
    enum hf_verdict verdict;
    bool drained;
    uint64_t since_ms;      /* wall clock of the verdict's last change, 0 unknown */
    uint64_t checked_ms;    /* wall clock of the last result, 0: never */
    uint64_t held_until_ms; /* wall clock: hold-down */
    uint64_t duration_us;
    uint32_t flaps;
};

struct hf_janitor_status {
    uint64_t at_ms, started_ms;
    int64_t pid;
    uint64_t rounds, deleted, cleaned;
    const char *trouble;
};

void hf_planner_status_encode(const struct hf_planner_status *status, struct hf_buf *ret_json);
/* Texts are in arena. */
int hf_planner_status_decode(const void *bytes, size_t size, struct hf_arena *arena,
                             struct hf_planner_status *ret_status);

void hf_backends_status_encode(uint64_t at_ms, const struct hf_backend_status *rows, uint32_t count,
                               struct hf_buf *ret_json);
int hf_backends_status_decode(const void *bytes, size_t size, struct hf_arena *arena,
                              uint64_t *ret_at_ms, struct hf_backend_status **ret_rows,
                              uint32_t *ret_count);

void hf_janitor_status_encode(const struct hf_janitor_status *status, struct hf_buf *ret_json);
int hf_janitor_status_decode(const void *bytes, size_t size, struct hf_arena *arena,
                             struct hf_janitor_status *ret_status);

const char *hf_verdict_name(enum hf_verdict verdict); /* "up", "down", "unknown" */

#endif
