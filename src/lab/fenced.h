/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fenced: Holdfast's own enactors (core/enactor.h) under a schedule of the cloud (cloud.h). Each
 * happening there has its counterpart here: a plan is published; an enactor takes the latest one;
 * where an enactor of the cloud wins the lock and installs, the write that waits of the same
 * enactor here arrives at the server, however late; where clean-up deletes a plan, it is deleted
 * from the store. Reads are answered at once.
 *
 * The enactors are the production code, writing one endpoint at a time and all beginning with the
 * first; the server is server.h, which checks the prerequisites.
 */
#ifndef HF_LAB_FENCED_H
#define HF_LAB_FENCED_H

#include "core/enactor.h"
#include "lab/cloud.h"
#include "lab/server.h"
#include "lab/timeline.h"

enum { HF_FENCED_TODO_MAX = 16, HF_FENCED_MEMORY_WORDS = 256 };

struct hf_fenced_member {
    struct hf_enactor machine;
    uint64_t memory[HF_FENCED_MEMORY_WORDS];
    struct hf_enactor_action todo[HF_FENCED_TODO_MAX]; /* reads */
    uint32_t todo_count;
    struct hf_server_message write; /* under way */
    uint32_t write_op;              /* 0: none is */
    uint32_t write_endpoint;
    uint64_t write_plan;
    uint64_t write_over; /* the plan that the fence must name */
};

/* Not to be moved once it is begun: machines point into it. */
struct hf_fenced {
    struct hf_server_zone zone;
    struct hf_fenced_member members[HF_CLOUD_ENACTORS_MAX];
    struct hf_timeline *timeline;
    struct hf_buf *text; /* scratch */
    uint64_t now_ms;
    uint32_t enactors, endpoints;
    uint32_t published;
    uint32_t refused; /* writes */
    uint8_t row;
    bool telling;
    bool careless; /* a canary: writes are sent without prerequisites */
};

/* Plan 1 is everywhere, and everybody is in step. timeline and text stay the caller's. */
void hf_fenced_init(struct hf_fenced *fenced, uint32_t enactors, uint32_t endpoints,
                    struct hf_timeline *timeline, struct hf_buf *text);

/* The counterpart of a happening: one or more lines of that row. */
void hf_fenced_happen(struct hf_fenced *fenced, const struct hf_cloud_event *event, uint32_t row);

/* Whatever waits arrives, everybody takes the latest plan; the last line says who is in step. */
void hf_fenced_finish(struct hf_fenced *fenced, uint32_t row);

/* Whether every enactor is in step with the latest plan, and every endpoint answers it. */
bool hf_fenced_is_in_step(const struct hf_fenced *fenced);

#endif
