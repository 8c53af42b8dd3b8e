/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traces of the enactor: what the machine says, in the words of test_trace_enactor.c. */
#ifndef HF_TESTS_TRACE_ENACTOR_H
#define HF_TESTS_TRACE_ENACTOR_H

#include "trace_help.h"

#include <inttypes.h>

#include "core/enactor.h"

enum { LANES = 1200, LANES_FIRST = 4, OPS = 2000, CONTENTS = 40 };

struct trace {
    struct text text;
    struct hf_enactor machine;
    struct hf_enactor_options options;
    void *memory;
    char names[LANES][NAME_SIZE];
    char contents[CONTENTS][NAME_SIZE];
    uint32_t content_count;
    uint8_t needs[LANES]; /* as last said */
    uint32_t ops[OPS];    /* the machine's numbers of operations, by ours */
    uint32_t op_count;
    uint64_t due_ms, ahead_gen; /* as last said */
    uint8_t state;
    bool begun;
};

static const char *const need_names[HF_NEEDS] = {
    [HF_NEED_NOTHING] = "not in the plan",
    [HF_NEED_BUSY] = "under way",
    [HF_NEED_IN_STEP] = "in step",
    [HF_NEED_GONE] = "gone: to forget",
    [HF_NEED_READ] = "to read",
    [HF_NEED_WRITE] = "to write",
    [HF_NEED_FAST] = "to write fast",
    [HF_NEED_CROWD] = "to write soon",
    [HF_NEED_HEAD] = "ahead: ask head",
    [HF_NEED_CLAIM] = "in step, to claim",
    [HF_NEED_STAMP] = "to stamp",
    [HF_NEED_HISTORY] = "ahead: history lost",
    [HF_NEED_ADOPT] = "foreign",
    [HF_NEED_PEACE] = "contested",
};

/* --- words --- */

static inline uint64_t content(struct trace *trace, const char *name)
{
    if (strcmp(name, "nothing") == 0) {
        return HF_SUM_EMPTY;
    }
    for (uint32_t i = 0; i < trace->content_count; i++) {
        if (strcmp(trace->contents[i], name) == 0) {
            return i + 1;
        }
    }
    assert_in_range(trace->content_count, 0, CONTENTS - 1);
    (void)snprintf(trace->contents[trace->content_count], NAME_SIZE, "%s", name);
    return ++trace->content_count;
}

static inline const char *content_name(const struct trace *trace, uint64_t sum)
{
    if (sum == HF_SUM_EMPTY) {
        return "nothing";
    }
    assert_in_range(sum, 1, trace->content_count);
    return trace->contents[sum - 1];
}

static inline uint32_t find_lane(const struct trace *trace, const char *name, size_t size)
{
    for (uint32_t i = 0; i < trace->machine.lane_count; i++) {
        if (strlen(trace->names[i]) == size && memcmp(trace->names[i], name, size) == 0) {
            return i;
        }
    }
    fail_msg("'%s' is no lane", name);
    return 0;
}

/* LANE, or FIRST..LAST. */
static inline void find_lanes(const struct trace *trace, const char *name, uint32_t *first,
                              uint32_t *last)
{
    const char *dots = strstr(name, "..");
    *first = find_lane(trace, name, dots != NULL ? (size_t)(dots - name) : strlen(name));
    *last = dots != NULL ? find_lane(trace, dots + 2, strlen(dots + 2)) : *first;
}

static inline uint32_t find_op(const struct trace *trace, uint32_t i)
{
    const char *name = word(&trace->text, i);
    assert_int_equal(name[0], '#');
    unsigned long at = strtoul(name + 1, NULL, 10);
    assert_in_range(at, 1, trace->op_count);
    return trace->ops[at - 1];
}

/* --- what the machine says --- */

static inline void say_lanes(struct trace *trace, uint32_t first, uint32_t last)
{
    say(&trace->text, "%s", trace->names[first]);
    if (last > first) {
        say(&trace->text, last > first + 1 ? "..%s" : " %s", trace->names[last]);
    }
}

static inline void say_fence(struct trace *trace, const struct hf_fence *fence)
{
    static const char *const kinds[] = {"unknown", "no fence", "", "an alien fence",
                                        "a damaged fence"};
    if (fence->kind == HF_FENCE_OURS) {
        say(&trace->text, "%" PRIu64 " %s %" PRIu32 ".%" PRIu64, fence->gen,
            content_name(trace, fence->sum), fence->writer, fence->count);
    } else {
        say(&trace->text, "%s", kinds[fence->kind]);
    }
}

static inline void say_guard(struct trace *trace, const struct hf_zone_guard *guard)
{
    if (guard->kind == HF_FENCE_OURS) {
        assert_int_equal(guard->instance, trace->options.instance);
        say(&trace->text, "%s %" PRIu64, guard->frozen ? "frozen" : "open", guard->floor);
    } else {
        assert_int_equal(guard->kind, HF_FENCE_ABSENT);
        say(&trace->text, "no guard");
    }
}

static inline bool like(const struct hf_lane *a, const struct hf_lane *b)
{
    return a->sent_gen == b->sent_gen && a->sent_sum == b->sent_sum &&
           a->fence.kind == b->fence.kind && a->fence.gen == b->fence.gen &&
           a->fence.sum == b->fence.sum && a->fence.count == b->fence.count;
}

/* The lanes of an operation, runs of them together; for a WRITE also what it does. */
static inline void say_chain(struct trace *trace, const struct hf_enactor_action *action)
{
    const struct hf_lane *lanes = trace->machine.lanes;
    bool write = action->kind == HF_ENACTOR_WRITE;
    uint32_t at = action->lane_first;
    uint32_t seen = 0;
    while (at != HF_BITSET_NONE) {
        uint32_t last = at;
        seen++;
        while (lanes[last].next == last + 1 && (!write || like(&lanes[at], &lanes[last + 1]))) {
            last++;
            seen++;
        }
        say(&trace->text, " ");
        say_lanes(trace, at, last);
        if (write) {
            say(&trace->text, " %" PRIu64 " %s 0.%" PRIu64 " over ", lanes[at].sent_gen,
                content_name(trace, lanes[at].sent_sum), action->count);
            say_fence(trace, &lanes[at].fence);
            assert_int_not_equal(lanes[at].fence.kind, HF_FENCE_UNKNOWN);
        }
        at = lanes[last].next;
        say(&trace->text, write && at != HF_BITSET_NONE ? "," : "");
    }
    assert_int_equal(seen, action->lane_count);
}

static inline void say_action(struct trace *trace, const struct hf_enactor_action *action)
{
    assert_in_range(trace->op_count, 0, OPS - 1);
    trace->ops[trace->op_count++] = action->op;
    say(&trace->text, "  #%" PRIu32, trace->op_count);
    switch (action->kind) {
    case HF_ENACTOR_READ_ZONE:
        say(&trace->text, " transfer the zone%s%s", action->whole ? ", whole" : "",
            action->at_rest ? ", if it rests" : "");
        break;
    case HF_ENACTOR_READ:
        say(&trace->text, " read guard");
        say_chain(trace, action);
        break;
    case HF_ENACTOR_WRITE:
        say(&trace->text, " if ");
        say_guard(trace, &action->guard);
        say(&trace->text, " write");
        say_chain(trace, action);
        break;
    case HF_ENACTOR_WRITE_GUARD:
        say(&trace->text, " if ");
        say_guard(trace, &action->guard);
        say(&trace->text, " write guard ");
        say_guard(trace, &action->guard_after);
        break;
    default:
        assert_int_equal(action->kind, HF_ENACTOR_HEAD);
        say(&trace->text, " read head");
        break;
    }
    say(&trace->text, "\n");
}

/* Needs that are news; what is under way has just been said. */
static inline void say_needs(struct trace *trace)
{
    const struct hf_lane *lanes = trace->machine.lanes;
    uint32_t in_step = 0;
    for (uint32_t at = 0; at < trace->machine.lane_count; at++) {
        uint8_t need = lanes[at].need;
        in_step += need == HF_NEED_IN_STEP || need == HF_NEED_CLAIM || need == HF_NEED_GONE;
        assert_int_equal(need, hf_lane_need(&trace->machine, &lanes[at], trace->machine.now_ms));
    }
    assert_int_equal(in_step, trace->machine.in_step);
    for (uint32_t at = 0; at < trace->machine.lane_count; at++) {
        uint8_t need = lanes[at].need;
        uint32_t last = at;
        while (need != trace->needs[at] && last + 1 < trace->machine.lane_count &&
               lanes[last + 1].need == need && trace->needs[last + 1] != need) {
            last++;
        }
        if (need != trace->needs[at] && need != HF_NEED_BUSY) {
            say(&trace->text, "  ");
            say_lanes(trace, at, last);
            say(&trace->text, ": %s\n", need_names[need]);
        }
        for (; at < last; at++) {
            trace->needs[at] = need;
        }
        trace->needs[at] = need;
    }
}

static inline void say_changes(struct trace *trace)
{
    static const char *const states[] = {"starting", "open", "frozen", "refused"};
    const struct hf_enactor *machine = &trace->machine;
    if (machine->state != trace->state) {
        say(&trace->text, "  the zone is %s\n", states[machine->state]);
        trace->state = machine->state;
    }
    if (machine->ahead_gen != trace->ahead_gen) {
        say(&trace->text, "  ahead of the head: %" PRIu64 "\n", machine->ahead_gen);
        trace->ahead_gen = machine->ahead_gen;
    }
    uint64_t due_ms = hf_enactor_deadline_ms(machine);
    assert_true(due_ms > machine->now_ms);
    if (due_ms != trace->due_ms) {
        say(&trace->text, due_ms == HF_NEVER ? "  nothing is due\n" : "  due at %" PRIu64 "\n",
            due_ms);
        trace->due_ms = due_ms;
    }
}

#endif
