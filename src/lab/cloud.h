/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cloud: the protocol by which a large cloud kept its endpoints in DNS until October 2025, as far
 * as it published it. Holdfast is built so that what this model shows cannot happen to it.
 *
 * A planner publishes numbered plans. Each enactor takes the latest one, checks once that it is
 * newer than what is applied, then walks the endpoints. Each endpoint is one DNS transaction, all
 * or nothing: replace the lock record by one's own (compare-and-swap; whoever knows an old value
 * loses, reads it again and tries later), install the plan's tree of records, point the rollback
 * record at the tree that was answered with until now, point the endpoint's alias to the plan's
 * tree. Where the tree for the rollback record does not exist, the transaction fails and the
 * enactor gives the plan up. After its last endpoint it cleans up: one transaction each, under the
 * lock, deletes the trees of the oldest plan that is at least age generations older than its own.
 *
 * A step is one message or one transaction of one of them; any may be delayed for any time. The
 * lock record's content is known by who knows it. The rollback record's content is left out:
 * nobody reads it. At the start, plan 1 is installed everywhere.
 */
#ifndef HF_LAB_CLOUD_H
#define HF_LAB_CLOUD_H

#include "lab/model.h"

enum {
    HF_CLOUD_ENACTORS_MAX = 4,
    HF_CLOUD_ENDPOINTS_MAX = 4,
    HF_CLOUD_PLANS_MAX = 15,
};

enum hf_cloud_goal {
    HF_CLOUD_GOAL_EMPTY, /* broken: an endpoint that has answered answers nothing */
    HF_CLOUD_GOAL_WEDGE, /* broken: no transaction of any enactor will ever succeed there again */
    HF_CLOUD_GOAL_NONE,  /* nothing is: the whole space */
};

enum hf_cloud_at { HF_CLOUD_IDLE, HF_CLOUD_TAKEN, HF_CLOUD_WALKING, HF_CLOUD_CLEANING };

struct hf_cloud_enactor {
    uint8_t at; /* enum hf_cloud_at */
    uint8_t plan;
    uint8_t endpoint; /* the next one of the walk */
    bool knows_lock;
    bool failed; /* its last transaction for an endpoint failed at the rollback record */
};

struct hf_cloud {
    uint16_t trees[HF_CLOUD_ENDPOINTS_MAX]; /* a bit for each plan whose tree is there */
    uint8_t alias[HF_CLOUD_ENDPOINTS_MAX];  /* the plan whose tree is answered */
    uint8_t published;                      /* the latest plan */
    struct hf_cloud_enactor enactors[HF_CLOUD_ENACTORS_MAX];
};

struct hf_cloud_options {
    uint32_t enactors, endpoints;
    uint32_t plans; /* that are ever published, with the one that is there at the start */
    uint32_t age;   /* at least 1 */
    uint32_t goal;  /* enum hf_cloud_goal */
    uint32_t fence; /* 1: freshness is checked once more inside the transaction. Not the cloud's. */
};

/* Options with a first state of one's own. */
struct hf_cloud_from {
    struct hf_cloud_options options;
    struct hf_cloud start;
};

/* What happened in a step. */
enum hf_cloud_what {
    HF_CLOUD_PUBLISHED,
    HF_CLOUD_TOOK,
    HF_CLOUD_NEWER, /* the one check */
    HF_CLOUD_NOT_NEWER,
    HF_CLOUD_LOST, /* the lock */
    HF_CLOUD_INSTALLED,
    HF_CLOUD_FAILED, /* the tree for the rollback record is not there */
    HF_CLOUD_FENCED, /* refused by option fence */
    HF_CLOUD_DELETED,
    HF_CLOUD_CLEANED, /* found nothing left to delete */
};

struct hf_cloud_event {
    uint8_t what;     /* enum hf_cloud_what */
    uint8_t actor;    /* 0: the planner; else the enactor's number */
    uint8_t plan;     /* that it is about */
    uint8_t endpoint; /* INSTALLED, FAILED, FENCED */
    uint8_t other;    /* the plan that was compared with, replaced, or cleaned up after */
    uint8_t emptied;  /* a bit for each endpoint that answers nothing since this step */
};

/* options stay the caller's. */
void hf_cloud_model(struct hf_model *ret_model, const struct hf_cloud_options *options);

/* from stays the caller's. */
void hf_cloud_model_from(struct hf_model *ret_model, const struct hf_cloud_from *from);

/* The step of an actor: false when it has none. */
bool hf_cloud_move(const struct hf_cloud_options *options, struct hf_cloud *cloud, uint32_t actor,
                   struct hf_cloud_event *ret_event);

/* What happened in a step of the model that was taken from before. */
void hf_cloud_look(const struct hf_model *model, const struct hf_cloud *before,
                   const struct hf_choice *choice, struct hf_cloud_event *ret_event);

/* The plan that an endpoint answers with; 0: nothing is answered. */
uint32_t hf_cloud_answer(const struct hf_cloud *cloud, uint32_t endpoint);

/* "api", "db", ... */
const char *hf_cloud_endpoint_name(uint32_t endpoint);

/* One line for people. */
void hf_cloud_tell(const struct hf_cloud_event *event, struct hf_buf *ret_line);

#endif
