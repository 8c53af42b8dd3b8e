/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moves as lines for people: who did what, and what came of it. */
#include <inttypes.h>

#include "lab/world_internal.h"

enum { WHO_SHIFT = 3, WHO_MASK = 7 };

static const char *const results[] = {"done", "REFUSED", "unknown"};
static const char *const timer_names[HF_TIMERS] = {
    "its pause ends", "it is time for an audit", "it is time to look at the guard again",
    "it may ask the store again", "a window of repairs ends"};
static const char *const edit_names[] = {"its records are deleted",
                                         "its records are replaced by others",
                                         "a CNAME is put there",
                                         "its fence is deleted",
                                         "its fence is damaged",
                                         "another's fence is put there",
                                         "all but one of its records are deleted"};
static const char *const guard_names[] = {"is deleted", "is replaced by another installation's",
                                          "is damaged"};

/* The members that a content answers with, as letters. */
static void put_content(struct hf_buf *line, uint32_t content)
{
    if (content == HF_CONTENT_EMPTY) {
        hf_buf_put_text(line, "nothing");
        return;
    }
    if (content == HF_CONTENT_ALIEN) {
        hf_buf_put_text(line, "others' addresses");
        return;
    }
    for (uint32_t i = 0; i < HF_WORLD_MEMBERS_MAX; i++) {
        if (hf_bit8(content | content >> 4, i)) {
            hf_buf_printf(line, "%c", 'A' + (int)i);
        }
    }
}

static void put_fence(struct hf_buf *line, hf_world_value value)
{
    switch (hf_world_value_kind(value)) {
    case HF_FENCE_OURS:
        hf_buf_printf(line, "%" PRIu32 " ", hf_world_value_gen(value));
        put_content(line, hf_world_value_content(value));
        break;
    case HF_FENCE_ABSENT:
        hf_buf_put_text(line, "no fence");
        break;
    case HF_FENCE_ALIEN:
        hf_buf_put_text(line, "another's fence");
        break;
    default:
        hf_buf_put_text(line, "a damaged fence");
        break;
    }
}

static void put_guard(struct hf_buf *line, hf_world_value value)
{
    if (hf_world_value_kind(value) != HF_FENCE_OURS) {
        hf_buf_put_text(line, "no guard");
        return;
    }
    hf_buf_printf(line, "%s, floor %" PRIu32,
                  hf_world_value_content(value) != 0 ? "frozen" : "open",
                  hf_world_value_gen(value));
}

/* What a message asks for. */
static void put_request(struct hf_buf *line, const struct hf_world *world,
                        const struct hf_world_flight *flight)
{
    const char *between = "";
    switch (flight->kind) {
    case HF_ENACTOR_READ_ZONE:
        hf_buf_printf(line, "transfer of the zone%s", flight->whole ? ", whole" : "");
        return;
    case HF_ENACTOR_HEAD:
        hf_buf_put_text(line, "question for the head");
        return;
    case HF_ENACTOR_READ:
        hf_buf_put_text(line, "question for the guard");
        for (uint32_t e = 0; e < world->shape.endpoints; e++) {
            if (hf_bit8(flight->lanes, e)) {
                hf_buf_printf(line, " and e%" PRIu32, e + 1);
            }
        }
        return;
    case HF_ENACTOR_WRITE_GUARD:
        hf_buf_put_text(line, flight->janitor ? "removal of tombstones, guard " : "guard ");
        put_guard(line, flight->guard_after);
        hf_buf_put_text(line, " if it is ");
        put_guard(line, flight->guard);
        between = ", ";
        break;
    default:
        hf_buf_put_text(line, "write of ");
        break;
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (!hf_bit8(flight->lanes, e)) {
            continue;
        }
        hf_buf_printf(line, "%se%" PRIu32, between, e + 1);
        if (flight->after[e] != 0) {
            hf_buf_put_text(line, " = ");
            put_fence(line, flight->after[e]);
        }
        hf_buf_put_text(line, " if it is ");
        put_fence(line, flight->before[e]);
        between = ", ";
    }
}

static void put_zone(struct hf_buf *line, const struct hf_world *world)
{
    hf_buf_put_text(line, " [guard ");
    put_guard(line, hf_world_look_guard(&world->zone));
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        struct hf_world_view view;
        hf_world_look(&world->zone, e, &view);
        hf_buf_printf(line, "; e%" PRIu32 " ", e + 1);
        put_fence(line, view.fence);
        if (view.content != hf_world_value_content(view.fence)) {
            hf_buf_put_text(line, ", answers ");
            put_content(line, view.content);
        }
    }
    hf_buf_put_text(line, "]");
}

static void put_plan(struct hf_buf *line, const struct hf_world *world)
{
    const struct hf_world_plan *plan = &world->store.plan;
    hf_buf_printf(line, " [plan %" PRIu32, plan->gen);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        const struct hf_world_entry *entry = &plan->entries[e];
        if (entry->gen != 0) {
            hf_buf_printf(line, "; e%" PRIu32 " %" PRIu32 " ", e + 1, entry->gen);
            put_content(line, entry->content);
        }
    }
    hf_buf_put_text(line, "]");
}

static void tell_flight(const struct hf_world *before, const struct hf_world *after,
                        struct hf_buf *line)
{
    const struct hf_world_move *move = &after->last;
    uint32_t number = move->who >> WHO_SHIFT;
    const struct hf_world_flight *flight = &before->enactors[number].flights[move->who & WHO_MASK];
    bool is_write = flight->kind == HF_ENACTOR_WRITE || flight->kind == HF_ENACTOR_WRITE_GUARD;
    hf_buf_printf(line, "enactor %" PRIu32 ": ", number + 1);
    put_request(line, before, flight);
    switch (move->kind) {
    case HF_MOVE_SERVE:
        hf_buf_printf(line, ": %s", is_write ? results[after->last_result] : "answered");
        break;
    case HF_MOVE_DELIVER:
        hf_buf_put_text(line, ": the late answer arrives");
        break;
    case HF_MOVE_LATE:
        hf_buf_printf(line, ": %s, the answer is late",
                      is_write ? results[after->last_result] : "answered");
        break;
    case HF_MOVE_LOSE:
        hf_buf_put_text(line, ": the server acts, the answer is lost");
        break;
    case HF_MOVE_TIMEOUT:
        hf_buf_put_text(line, is_write ? ": given up, and still on its way" : ": given up");
        break;
    case HF_MOVE_DUPLICATE:
        hf_buf_put_text(line, ": a copy is on its way");
        break;
    case HF_MOVE_UNTRUE:
        hf_buf_put_text(line, ": REFUSED untruly");
        break;
    case HF_MOVE_TEAR:
        hf_buf_put_text(line, ": answered in part");
        break;
    default:
        hf_buf_put_text(line, ": answered by a secondary that lags");
        break;
    }
    if (is_write) {
        put_zone(line, after);
    }
}

static void tell_janitor(const struct hf_world *before, const struct hf_world *after,
                         struct hf_buf *line)
{
    static const char *const actions[] = {"lists objects", "reads what the head leads to",
                                          "deletes an object", "decides about tombstones"};
    hf_buf_put_text(line, "janitor: ");
    if (before->janitor.flight.state != HF_FLIGHT_FREE) {
        put_request(line, before, &before->janitor.flight);
        hf_buf_printf(line, ": %s", results[after->last_result]);
        put_zone(line, after);
    } else if (before->janitor.action.op == 0) {
        hf_buf_put_text(line, "a round begins");
    } else {
        hf_buf_put_text(line, actions[before->janitor.action.kind]);
    }
}

static void tell_process(const struct hf_world *before, const struct hf_world *after,
                         struct hf_buf *line)
{
    const struct hf_world_move *move = &after->last;
    uint32_t one = move->who + 1U, of = (uint32_t)(move->who >> WHO_SHIFT) + 1;
    switch (move->kind) {
    case HF_MOVE_TIMER:
        hf_buf_printf(line, "enactor %" PRIu32 ": %s", of, timer_names[move->who & WHO_MASK]);
        return;
    case HF_MOVE_LOAD:
        hf_buf_printf(line, "enactor %" PRIu32 ": loads plan %" PRIu32, one,
                      after->enactors[move->who].image.gen);
        return;
    case HF_MOVE_REPORT:
        hf_buf_printf(line, "planner: hears from enactor %" PRIu32, one);
        break;
    case HF_MOVE_CRASH:
    case HF_MOVE_CRASH_CACHED:
        hf_buf_printf(line, "enactor %" PRIu32 ": crashes and starts again%s", one,
                      move->kind == HF_MOVE_CRASH ? "" : " with the plan that it had");
        return;
    case HF_MOVE_CHECK:
        hf_buf_printf(
            line, "planner %" PRIu32 ": backend %" PRIu32 " is %s", of, (move->who & WHO_MASK) + 1U,
            after->planners[of - 1].seen[move->who & WHO_MASK] == HF_VERDICT_UP ? "up" : "down");
        break;
    case HF_MOVE_PLANNER:
        hf_buf_printf(line, "planner %" PRIu32 ": goes on", one);
        break;
    case HF_MOVE_WINDOW:
        hf_buf_printf(line, "planner %" PRIu32 ": its next deadline passes", one);
        break;
    case HF_MOVE_PLANNER_CRASH:
        hf_buf_printf(line, "planner %" PRIu32 ": crashes and starts again", one);
        break;
    default:
        hf_buf_put_text(line, "janitor: crashes and starts again");
        return;
    }
    if (before->store.head != after->store.head) {
        put_plan(line, after);
    }
}

static void tell_people(const struct hf_world *before, const struct hf_world *after,
                        struct hf_buf *line)
{
    static const char *const said[HF_MOVES] = {
        [HF_MOVE_RETIRE] = "retire e%u",         [HF_MOVE_RECREATE] = "retire --undo e%u",
        [HF_MOVE_ROLLBACK] = "rollback e%u",     [HF_MOVE_RELEASE] = "release e%u",
        [HF_MOVE_ADOPT] = "adopt e%u",           [HF_MOVE_DRAIN] = "drain backend %u",
        [HF_MOVE_UNDRAIN] = "undrain backend %u"};
    static const char *const others[HF_MOVES] = {
        [HF_MOVE_FREEZE] = "operator: freeze",
        [HF_MOVE_THAW] = "operator: thaw",
        [HF_MOVE_APPROVE] = "operator: approve",
        [HF_MOVE_ADOPT_ZONE] = "operator: adopt --zone",
        [HF_MOVE_RESTORE] = "by hand: the store is restored to an older state",
        [HF_MOVE_LOSE_STORE] = "by hand: the store is lost, an empty one takes its place",
        [HF_MOVE_CORRUPT] = "by hand: the head's object is corrupted",
        [HF_MOVE_RESTART] = "server: starts again and has lost what it had not synced"};
    const struct hf_world_move *move = &after->last;
    if (move->kind == HF_MOVE_EDIT) {
        hf_buf_printf(line, "by hand: e%u, %s", move->who + 1U, edit_names[move->what]);
    } else if (move->kind == HF_MOVE_EDIT_GUARD) {
        hf_buf_printf(line, "by hand: the zone guard %s", guard_names[move->what]);
    } else if (said[move->kind] != NULL) {
        hf_buf_put_text(line, "operator: ");
        for (const char *at = said[move->kind]; *at != 0; at++) {
            if (at[0] == '%' && at[1] == 'u') {
                hf_buf_printf(line, "%u", move->who + 1U);
                at++;
            } else {
                hf_buf_put(line, at, 1);
            }
        }
    } else {
        hf_buf_put_text(line, others[move->kind]);
    }
    if (before->store.head != after->store.head) {
        put_plan(line, after);
    }
}

void hf_world_tell(const struct hf_model *model, const void *before, const struct hf_choice *choice,
                   const void *after, struct hf_buf *ret_line)
{
    const struct hf_world *was = before, *is = after;
    uint8_t kind = is->last.kind;
    (void)model;
    (void)choice;
    if (kind <= HF_MOVE_STALE) {
        tell_flight(was, is, ret_line);
    } else if (kind == HF_MOVE_GHOST || kind == HF_MOVE_DROP) {
        hf_buf_put_text(ret_line, "network: ");
        put_request(ret_line, was, &was->ghosts[is->last.who]);
        hf_buf_printf(ret_line, ": %s",
                      kind == HF_MOVE_DROP              ? "lost for ever"
                      : is->last_result == HF_RESULT_OK ? "arrives late: done"
                                                        : "arrives late: REFUSED");
        put_zone(ret_line, is);
    } else if (kind == HF_MOVE_JANITOR) {
        tell_janitor(was, is, ret_line);
    } else if (kind == HF_MOVE_TIME) {
        hf_buf_printf(ret_line, "time: %" PRIu64 " ms%s", is->now_ms - was->now_ms,
                      is->last.what == HF_TIME_FORWARD ? ", the planner's clock jumps ahead"
                      : is->last.what == HF_TIME_BACK  ? ", the planner's clock jumps back"
                                                       : "");
    } else if (kind < HF_MOVE_RETIRE) {
        tell_process(was, is, ret_line);
    } else {
        tell_people(was, is, ret_line);
    }
}
