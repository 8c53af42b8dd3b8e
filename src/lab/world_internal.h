/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of Holdfast's world do for each other.
 *
 *   world.c          the model: first state, one step
 *   world_value.c    TXT values as numbers
 *   world_zone.c     UPDATE messages, what is read of the zone, what must hold of it
 *   world_law.c, world_law_plan.c   what must hold of enactors, and of plans
 *   world_store.c    plans, objects, overrides
 *   world_machine.c  an enactor's facts become the machine, and back
 *   world_enactor.c  the process around it: events in, requests out
 *   world_serve.c    what becomes of a request
 *   world_plan.c, world_planner.c, world_report.c, world_janitor.c   the other processes
 *   world_people.c   operators and other hands
 *   world_move.c     which moves there are
 *   world_draw.c, world_time.c   what a seed decides; clocks
 *   world_heal.c     faults stop: must everything come to rest?
 *   world_code*.c    states as octets
 *   world_parts.c    the world as parts, for weave.h
 *   world_tell.c     moves as lines
 */
#ifndef HF_LAB_WORLD_INTERNAL_H
#define HF_LAB_WORLD_INTERNAL_H

#include "lab/world_state.h"

/* --- world.c --- */
void hf_world_broken(struct hf_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The wall clock of a process; monotonic clocks are read from it, too. */
uint64_t hf_world_clock(const struct hf_world *world, int32_t skew_ms);
/* A number that makes the values of a write of these lanes unlike any that is left anywhere. */
uint64_t hf_world_token(struct hf_world *world, const struct hf_world_plan *plan, uint32_t lanes);
/* Where there is no time: those in use, and those that writes of a plan look at, in bits. */
uint64_t hf_world_tokens_of_rest(const struct hf_world *world);
uint64_t hf_world_tokens_of(const struct hf_world *world, uint32_t enactor);
uint64_t hf_world_tokens_for(const struct hf_world *world, const struct hf_world_plan *plan);
/* One move of those whose turn it is. */
enum hf_step hf_world_step(struct hf_world *world, struct hf_choice *choice);
/* world_parts.c: the world as parts, for weave.h. */
const struct hf_model_parts *hf_world_parts(uint32_t enactors);

/* --- world_zone.c --- */
struct hf_world_view { /* an endpoint, as it lies in a zone */
    hf_world_value fence;
    uint16_t content;
    uint8_t records; /* enum hf_records_kind */
};
void hf_world_look(const struct hf_server_zone *zone, uint32_t endpoint,
                   struct hf_world_view *ret_view);
hf_world_value hf_world_look_guard(const struct hf_server_zone *zone);
/* What an UPDATE does, and whether an invariant breaks by it. */
uint8_t hf_world_update(struct hf_world *world, const struct hf_world_flight *flight);
/* By hand: puts fence, guard, or records there. */
void hf_world_put_fence(struct hf_world *world, uint32_t endpoint, hf_world_value fence);
void hf_world_put_guard(struct hf_world *world, hf_world_value guard);
void hf_world_put_records(struct hf_world *world, uint32_t endpoint, uint32_t content, bool cname);
void hf_world_serial_up(struct hf_world *world); /* after the changes of one hand */
/* Hands are at the zone: keeps the copies that a secondary and the disk have. */
void hf_world_before_change(struct hf_world *world);

/* --- world_store.c --- */
/* Whether a reader that has this object (0: none) can read what the head leads to. */
bool hf_world_readable(const struct hf_world_store *store, uint32_t have);
bool hf_world_reached(const struct hf_world_store *store, uint32_t name);
/* Whether it matters which object is which: else a plan's object is named by its generation. */
bool hf_world_has_objects(const struct hf_world *world);
/* Whether a fence can be ahead of the head, or a floor. */
bool hf_world_may_be_ahead(const struct hf_world *world);
/* Puts the object of a plan; returns its name. parent 0: a snapshot. */
uint32_t hf_world_put(struct hf_world *world, const struct hf_world_plan *plan, uint32_t parent);
/* How many deltas lie on the snapshot below an object; more than can be where it is broken. */
uint32_t hf_world_chain(const struct hf_world_store *store, uint32_t name);
/* But for why it is so. */
bool hf_world_same_entry(const struct hf_world_entry *a, const struct hf_world_entry *b);
bool hf_world_same_overrides(const struct hf_world_overrides *a,
                             const struct hf_world_overrides *b);
/* The store changed: who watches it hears of it. */
void hf_world_store_changed(struct hf_world *world);

/* --- world_machine.c --- */
enum { HF_WORLD_BENCH_WORDS = 160 };
struct hf_world_bench {
    struct hf_enactor machine;
    uint64_t memory[HF_WORLD_BENCH_WORDS];
};
enum { HF_WORLD_MARK_PLAN_KNOWN = 1024 }; /* of struct hf_world_machine.marks */
/* The machine of an enactor, whole; then, its facts again. */
void hf_world_take(const struct hf_world *world, uint32_t enactor, struct hf_world_bench *bench);
void hf_world_lay(struct hf_world *world, uint32_t enactor, const struct hf_world_bench *bench);

/* --- world_enactor.c --- */
/* Whether it belongs to another store: it knows one plan and nothing of ours. */
bool hf_world_is_strange(const struct hf_world *world, uint32_t enactor);
void hf_world_start(struct hf_world *world, uint32_t enactor, bool with_plan);
void hf_world_feed(struct hf_world *world, uint32_t enactor, struct hf_world_bench *bench,
                   struct hf_enactor_event *event);
void hf_world_feed_entry(struct hf_world *world, uint32_t enactor, struct hf_world_bench *bench,
                         uint32_t endpoint);
void hf_world_tick(struct hf_world *world, uint32_t enactor);
/* The watched store has news. */
void hf_world_load(struct hf_world *world, uint32_t enactor);
/* The answer to a HEAD, as the flight says; ends the flight. */
void hf_world_answer_head(struct hf_world *world, uint32_t enactor, uint32_t flight);
bool hf_world_is_loaded(const struct hf_world *world, uint32_t enactor);
uint32_t hf_world_timers(const struct hf_world *world, uint32_t enactor); /* armed, bits */
void hf_world_fire(struct hf_world *world, uint32_t enactor, uint32_t timer);

/* --- world_serve.c --- */
void hf_world_serve(struct hf_world *world, uint32_t enactor, uint32_t flight, uint8_t how);
void hf_world_deliver(struct hf_world *world, uint32_t enactor, uint32_t flight);
bool hf_world_add_ghost(struct hf_world *world, const struct hf_world_flight *flight);
void hf_world_drop_hopeless(struct hf_world *world);

/* --- world_plan.c: planners as machines --- */
struct hf_world_fleet {
    struct hf_fleet fleet;
    struct hf_fleet_backend backends[HF_WORLD_BACKENDS];
    struct hf_fleet_policy policy;
    struct hf_fleet_endpoint endpoints[HF_WORLD_ENDPOINTS_MAX];
    uint32_t members[HF_WORLD_ENDPOINTS_MAX * HF_WORLD_MEMBERS_MAX];
    struct hf_fleet_run user_runs[HF_WORLD_BACKENDS];
    uint32_t users[HF_WORLD_ENDPOINTS_MAX * HF_WORLD_MEMBERS_MAX];
};
enum { HF_WORLD_DESK_WORDS = 192 };
struct hf_world_desk {
    struct hf_world_fleet fleet;
    struct hf_planner machine;
    uint64_t memory[HF_WORLD_DESK_WORDS];
};
uint32_t hf_world_removal_ms(const struct hf_world *world); /* the guards' window */
uint32_t hf_world_backends(const struct hf_world *world);
uint32_t hf_world_backend(const struct hf_world *world, uint32_t endpoint, uint32_t member);
void hf_world_fleet_build(const struct hf_world *world, struct hf_world_fleet *fleet);
void hf_world_sit(const struct hf_world *world, uint32_t planner, struct hf_world_desk *desk);
void hf_world_rise(struct hf_world *world, uint32_t planner, const struct hf_world_desk *desk);

/* --- world_planner.c: the process around it --- */
void hf_world_planner_start(struct hf_world *world, uint32_t planner);
bool hf_world_planner_due(const struct hf_world *world, uint32_t planner);
void hf_world_planner_act(struct hf_world *world, uint32_t planner);
/* Time passes for it until its deadline; false: it has none. */
bool hf_world_planner_waits(const struct hf_world *world, uint32_t planner);
void hf_world_planner_wake(struct hf_world *world, uint32_t planner);
void hf_world_check(struct hf_world *world, uint32_t planner, uint32_t backend);
void hf_world_planner_feed(struct hf_world *world, uint32_t planner,
                           const struct hf_planner_event *event);
/* --- world_report.c --- */
/* What an enactor sees is told to the planners; false: nothing of it is news to any. */
bool hf_world_has_news(const struct hf_world *world, uint32_t enactor);
void hf_world_report(struct hf_world *world, uint32_t enactor);

/* --- world_janitor.c --- */
bool hf_world_janitor_due(const struct hf_world *world);
void hf_world_janitor_act(struct hf_world *world);
void hf_world_janitor_start(struct hf_world *world);

/* Whether only so many endpoints may change in a window. */
static inline bool hf_world_is_paced(const struct hf_world *world)
{
    return world->shape.random && world->shape.endpoints > HF_WORLD_CHANGES_MAX &&
           world->shape.planners == 1;
}

/* --- world_law.c: breaks the world where a law does not hold --- */
void hf_world_law_begin(struct hf_world *world, uint32_t enactor, const struct hf_enactor *machine,
                        const struct hf_enactor_action *action);
void hf_world_law_write(struct hf_world *world, const struct hf_lane *lane, uint32_t endpoint);
void hf_world_law_doubt(struct hf_world *world, const struct hf_enactor *machine,
                        const struct hf_world_flight *flight); /* after its DONE */
bool hf_world_is_right(const struct hf_world *world, const struct hf_lane *lane, uint32_t endpoint);
void hf_world_law_news(struct hf_world *world, const struct hf_lane *lane, uint32_t endpoint,
                       bool was_right); /* after its SEEN */
void hf_world_law_healed(struct hf_world *world, uint32_t enactor,
                         const struct hf_world_flight *flight);
void hf_world_law_planned(struct hf_world *world, const struct hf_planner *machine);
void hf_world_law_plan(struct hf_world *world, const struct hf_world_plan *plan, uint64_t now_ms);

/* --- world_people.c --- */
uint32_t hf_world_people_may(const struct hf_world *world, enum hf_world_move_kind kind);
void hf_world_people(struct hf_world *world, const struct hf_world_move *move);
uint32_t hf_world_edits(const struct hf_world *world, enum hf_world_move_kind kind);

/* --- world_move.c --- */
/* The targets of a kind of move that are possible now, in bits. */
uint64_t hf_world_targets(const struct hf_world *world, enum hf_world_move_kind kind);
void hf_world_perform(struct hf_world *world, const struct hf_world_move *move);

/* How likely it is to be this target's turn: 1 where all are equal. */
uint32_t hf_world_haste(const struct hf_world *world, enum hf_world_move_kind kind, uint32_t who);
void hf_world_draw(struct hf_world *world, uint64_t seed); /* world_draw.c: the shape of it */

/* --- world_time.c --- */
enum hf_world_time { /* details of a move of time; the others, too, wait for what comes next */
                     HF_TIME_FORWARD, /* clocks jump */
                     HF_TIME_BACK,
                     HF_TIME_A_LITTLE,
                     HF_TIME_A_LITTLE_MORE,
                     HF_TIME_UNTIL_DUE,
                     HF_TIMES = 16
};
void hf_world_pass_time(struct hf_world *world, uint32_t what);
void hf_world_tick_all(struct hf_world *world);

/* --- world_heal.c --- */
uint32_t hf_world_own(const struct hf_world *world); /* how many enactors are ours */
/* Fair turns of these enactors (bits) and everything else until nothing is left to do. */
bool hf_world_come_to_rest(struct hf_world *world, uint32_t alive);
enum hf_step hf_world_heal(const struct hf_model *model, void *state, struct hf_choice *choice);

/* --- world_code.c, world_tell.c --- */
size_t hf_world_encoded_max(const struct hf_world_options *options);
size_t hf_world_encode(const struct hf_model *model, const void *state, uint8_t *ret_bytes);
size_t hf_world_encode_rest(const struct hf_world *world, uint8_t *ret_bytes);
size_t hf_world_encode_enactor(const struct hf_world *world, uint32_t enactor, uint8_t *ret_bytes);
/* An empty world, then each part of it, from what was written; returns where the octets end. */
void hf_world_decode_init(const struct hf_world_options *options, struct hf_world *world);
const uint8_t *hf_world_decode_rest(const uint8_t *bytes, struct hf_world *world);
const uint8_t *hf_world_decode_enactor(const uint8_t *bytes, struct hf_world *world,
                                       uint32_t enactor);
void hf_world_decode(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state);
void hf_world_tell(const struct hf_model *model, const void *before, const struct hf_choice *choice,
                   const void *after, struct hf_buf *ret_line);

#endif
