/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * World: Holdfast's own world as a model. Planner, enactors and janitor are the production
 * machines of src/core; around them are one zone on a server (server.h), a store with
 * compare-and-swap, a network, clocks and people. docs/internals/lab.md is its manual.
 *
 * Two ways to live in it:
 *   explore   there is no time: a timer that is armed may fire at any moment, which includes every
 *             clock that any process could have. What may happen how often is bounded by options.
 *   simulate  (option random) there is time, each process has a clock of its own, and shape,
 *             weights and bounds are drawn from the seed.
 *
 * Pauses that end at once lose little: what is sent after them may still be served at any later
 * moment, and nothing is written before it was. The same holds for a process that starts again and
 * reads the head in one move: what it does before is served later, too.
 *
 * A move is one atomic thing: a request is served and its answer arrives, a timer fires, a plan is
 * published, somebody edits. That serving and answering are one move loses nothing but answers that
 * overtake each other, which are moves of their own (late_replies).
 */
#ifndef HF_LAB_WORLD_H
#define HF_LAB_WORLD_H

#include "lab/model.h"

/* All are uint32_t: one table of names makes flags, help and trace files of them. */
struct hf_world_options {
    uint32_t enactors;  /* 1 to 3 */
    uint32_t planners;  /* 1 or 2 */
    uint32_t endpoints; /* 1 to 3 */
    uint32_t strangers; /* of the enactors, the last: 1 of another store, with a plan of its own */
    uint32_t members;   /* backends of an endpoint, 2 or 3; all but one are shared */
    uint32_t batch;     /* endpoints in one UPDATE */
    uint32_t window;    /* UPDATEs of an enactor under way; those of the fast lane come on top */
    uint32_t generations; /* plans that changes of health may cause, after the first */
    uint32_t objects;     /* 1: the janitor deletes objects, too; they can be lost one by one */
    uint32_t pauses;      /* 1: a pause ends at any later moment; 0: at once */
    uint32_t cold;        /* 1: from an empty zone and store; 0: from a world that is in step */
    uint32_t random;      /* 1: time, and everything below drawn from the seed, below its bound */
    uint32_t canary;      /* enum hf_world_canary */
    /* How often each may happen. */
    uint32_t retires;      /* retirement of an endpoint; it may be created anew afterwards */
    uint32_t cleans;       /* rounds of the janitor */
    uint32_t crashes;      /* of an enactor, which starts again and reads the head */
    uint32_t warm_crashes; /* of an enactor, which starts again with the plan that it had */
    uint32_t planner_ends; /* crashes of a planner */
    uint32_t lost_replies; /* the server did it, and the enactor hears UNKNOWN */
    uint32_t late_replies; /* the server did it, and the answer arrives at any later moment */
    uint32_t timeouts;     /* UNKNOWN, and it may still happen at any later moment */
    uint32_t duplicates;   /* a message arrives again, at any later moment */
    uint32_t untrue;       /* REFUSED although every prerequisite holds */
    uint32_t torn;         /* a READ that sees some names now and the others later */
    uint32_t stale;        /* a read that is answered by a secondary */
    uint32_t audits;       /* periodic transfers, beyond those that a doubt asks for */
    uint32_t restarts;     /* the server loses what it has not synced */
    uint32_t edits;        /* of records or fences by hand */
    uint32_t guard_edits;  /* of the zone guard: another installation's, none, damaged */
    uint32_t freezes;      /* holdfast freeze, thaw */
    uint32_t drains;       /* of a backend, and back */
    uint32_t rollbacks;    /* an endpoint is pinned to what it answered before, and released */
    uint32_t restores;     /* of the store to an older state */
    uint32_t lost_stores;  /* a new, empty store takes the place of the old one */
    uint32_t corruptions;  /* of an object in the store */
};

/* What is left out on purpose, so that the lab must find out. */
enum hf_world_canary {
    HF_WORLD_SOUND,
    HF_WORLD_NO_GUARD,   /* the server does not check the guard */
    HF_WORLD_NO_FENCE,   /* nor the fences */
    HF_WORLD_NO_RECORDS, /* nor the records of a creation */
    HF_WORLD_NO_CAS,     /* the store moves the head without a compare */
    HF_WORLD_CANARIES,
};

/* options stay the caller's, and live as long as the model. */
void hf_world_model(struct hf_model *ret_model, const struct hf_world_options *options);

/* What is wrong with them, or NULL. */
const char *hf_world_options_check(const struct hf_world_options *options);

#endif
