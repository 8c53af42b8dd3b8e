/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Golden decision traces of the enactor: tests/trace/enactor; trace_help.h says how they work. The
 * runner is the driver: it numbers the operations that the machine begins and hands in what the
 * trace says of them.
 *
 *   options [window N] [batch N] [offset N] [audit MS]        (8, 4, 0 of 65536, 60000)
 *   lanes LANE…                                                (e0..e99: a hundred of them)
 *   grow                                                       (into memory twice as large)
 *   MS entry LANE gone | GEN CONTENT [claimed] [retired] [urgent]
 *   MS head GEN | head #OP GEN | head #OP unknown
 *   MS tick | freeze | thaw | adopt LANE | disown LANE
 *   MS guard #OP open|frozen FLOOR | absent | alien | damaged
 *   MS seen #OP LANE FENCE [CONTENT of the records]
 *        FENCE: absent | alien | damaged | ours GEN CONTENT WRITER.COUNT (0 is this enactor)
 *   MS stray #OP GEN [foreign]
 *   MS done #OP ok [LATENCY] | unchanged | moving | refused | unknown
 *   show                                                       (what adapts, and sums)
 *
 * CONTENT is a word for RRsets; nothing: no records; odd: what no entry can be; -: not read.
 */
#include "trace_enactor.h"

/* --- what the trace says --- */

static void read_options(struct trace *trace)
{
    for (uint32_t i = 1; i < trace->text.word_count; i += 2) {
        uint64_t value = number(&trace->text, i + 1);
        if (is(&trace->text, i, "window")) {
            trace->options.window_max = (uint16_t)value;
        } else if (is(&trace->text, i, "batch")) {
            trace->options.batch = (uint16_t)value;
        } else if (is(&trace->text, i, "offset")) {
            trace->options.offset = (uint32_t)value;
        } else if (is(&trace->text, i, "share")) {
            trace->options.share = (uint32_t)value;
        } else {
            assert_true(is(&trace->text, i, "audit"));
            trace->options.audit_ms = (uint32_t)value;
        }
    }
}

static void grow(struct trace *trace)
{
    uint32_t room = trace->machine.lane_room * 2;
    size_t size = hf_enactor_layout(&trace->options, room);
    void *memory = calloc(1, size);
    assert_non_null(memory);
    hf_enactor_grow(&trace->machine, memory, room);
    free(trace->memory);
    trace->memory = memory;
}

static void begin(struct trace *trace)
{
    if (!trace->begun) {
        trace->memory = calloc(1, hf_enactor_layout(&trace->options, LANES_FIRST));
        assert_non_null(trace->memory);
        hf_enactor_init(&trace->machine, &trace->options, trace->memory, LANES_FIRST);
        trace->begun = true;
    }
}

static void add_lane(struct trace *trace, const char *name, size_t size)
{
    assert_in_range(trace->machine.lane_count, 0, LANES - 1);
    if (trace->machine.lane_count == trace->machine.lane_room) {
        grow(trace);
    }
    uint32_t lane = hf_enactor_add_lane(&trace->machine);
    (void)snprintf(trace->names[lane], NAME_SIZE, "%.*s", (int)size, name);
}

static void read_lanes(struct trace *trace)
{
    begin(trace);
    for (uint32_t i = 1; i < trace->text.word_count; i++) {
        const char *name = word(&trace->text, i);
        const char *dots = strstr(name, "..");
        if (dots == NULL) {
            add_lane(trace, name, strlen(name));
            continue;
        }
        unsigned long at = strtoul(name + 1, NULL, 10), last = strtoul(dots + 3, NULL, 10);
        for (; at <= last; at++) {
            char made[NAME_SIZE];
            int size = snprintf(made, sizeof made, "%c%lu", name[0], at);
            add_lane(trace, made, (size_t)size);
        }
    }
}

static void show(struct trace *trace)
{
    const struct hf_enactor *machine = &trace->machine;
    const struct hf_enactor_counters *sums = &machine->counters;
    say(&trace->text,
        "  window %" PRIu32 ".%02" PRIu32 " batch %" PRIu32 " latency %" PRIu32 " back-off %" PRIu32
        ", in flight %" PRIu32 " writes %" PRIu32 " reads\n",
        machine->window_256 / 256, machine->window_256 % 256 * 100 / 256, machine->batch,
        machine->latency_ms, machine->backoff_ms, machine->writes, machine->reads);
    say(&trace->text,
        "  sums: messages %" PRIu64 " written %" PRIu64 " refused %" PRIu64 " unknown %" PRIu64
        " read %" PRIu64 " healed %" PRIu64 " audits %" PRIu64 "\n",
        sums->messages, sums->written, sums->refused, sums->unknown, sums->read, sums->healed,
        sums->audits);
}

static void feed(struct trace *trace, struct hf_enactor_event *event)
{
    struct hf_enactor_outbox outbox;
    do {
        event->now_ms = number(&trace->text, 0);
        hf_enactor_step(&trace->machine, event, &outbox);
        for (uint32_t i = 0; i < outbox.count; i++) {
            say_action(trace, &outbox.actions[i]);
        }
        *event = (struct hf_enactor_event){.type = HF_ENACTOR_EV_TICK};
    } while (outbox.count == HF_ENACTOR_OUTBOX_MAX);
}

static void on_entry(struct trace *trace, struct hf_enactor_event *event)
{
    event->type = HF_ENACTOR_EV_ENTRY;
    if (!is(&trace->text, 3, "gone")) {
        event->gen = number(&trace->text, 3);
        event->sum = content(trace, word(&trace->text, 4));
    }
    for (uint32_t i = 5; i < trace->text.word_count; i++) {
        if (is(&trace->text, i, "claimed")) {
            event->flags |= HF_LANE_CLAIMED;
        } else if (is(&trace->text, i, "retired")) {
            event->flags |= HF_LANE_RETIRED;
        } else {
            assert_true(is(&trace->text, i, "urgent"));
            event->flags |= HF_LANE_URGENT;
        }
    }
}

static void on_head(struct trace *trace, struct hf_enactor_event *event)
{
    event->type = HF_ENACTOR_EV_HEAD;
    uint32_t i = 2;
    if (word(&trace->text, i)[0] == '#') {
        event->op = find_op(trace, i++);
    }
    if (is(&trace->text, i, "unknown")) {
        event->result = HF_RESULT_UNKNOWN;
    } else {
        event->gen = number(&trace->text, i);
    }
}

static void on_guard(struct trace *trace, struct hf_enactor_event *event)
{
    event->type = HF_ENACTOR_EV_GUARD;
    event->op = find_op(trace, 2);
    if (is(&trace->text, 3, "absent")) {
        event->guard.kind = HF_FENCE_ABSENT;
    } else if (is(&trace->text, 3, "alien")) {
        event->guard.kind = HF_FENCE_ALIEN;
    } else if (is(&trace->text, 3, "damaged")) {
        event->guard.kind = HF_FENCE_DAMAGED;
    } else {
        assert_true(is(&trace->text, 3, "open") || is(&trace->text, 3, "frozen"));
        event->guard = (struct hf_zone_guard){.kind = HF_FENCE_OURS,
                                              .instance = trace->options.instance,
                                              .frozen = is(&trace->text, 3, "frozen"),
                                              .floor = number(&trace->text, 4)};
    }
}

static void on_seen(struct trace *trace, struct hf_enactor_event *event)
{
    event->type = HF_ENACTOR_EV_SEEN;
    event->op = find_op(trace, 2);
    uint32_t i = 5;
    if (is(&trace->text, 4, "ours")) {
        char *dot = NULL;
        event->fence =
            (struct hf_fence){.kind = HF_FENCE_OURS,
                              .gen = number(&trace->text, 5),
                              .sum = content(trace, word(&trace->text, 6)),
                              .writer = (uint32_t)strtoul(word(&trace->text, 7), &dot, 10)};
        assert_int_equal(*dot, '.');
        event->fence.count = strtoull(dot + 1, NULL, 10);
        i = 8;
    } else if (is(&trace->text, 4, "absent")) {
        event->fence.kind = HF_FENCE_ABSENT;
    } else if (is(&trace->text, 4, "alien")) {
        event->fence.kind = HF_FENCE_ALIEN;
    } else {
        assert_true(is(&trace->text, 4, "damaged"));
        event->fence.kind = HF_FENCE_DAMAGED;
    }
    if (is(&trace->text, i, "odd")) {
        event->records = HF_RECORDS_OTHER;
    } else if (i < trace->text.word_count && !is(&trace->text, i, "-")) {
        event->sum = content(trace, word(&trace->text, i));
        event->records = event->sum == HF_SUM_EMPTY ? HF_RECORDS_NONE : HF_RECORDS_SUM;
    }
}

static void on_done(struct trace *trace, struct hf_enactor_event *event)
{
    event->type = HF_ENACTOR_EV_DONE;
    event->op = find_op(trace, 2);
    if (is(&trace->text, 3, "refused")) {
        event->result = HF_RESULT_REFUSED;
    } else if (is(&trace->text, 3, "unknown")) {
        event->result = HF_RESULT_UNKNOWN;
    } else {
        event->unchanged = is(&trace->text, 3, "unchanged");
        event->moving = is(&trace->text, 3, "moving");
        assert_true(event->unchanged || event->moving || is(&trace->text, 3, "ok"));
        event->latency_ms = trace->text.word_count > 4 ? (uint32_t)number(&trace->text, 4) : 10;
    }
}

static void on_stray(struct trace *trace, struct hf_enactor_event *event)
{
    event->type = HF_ENACTOR_EV_STRAY;
    event->op = find_op(trace, 2);
    event->gen = number(&trace->text, 3);
    event->foreign = is(&trace->text, 4, "foreign");
}

static void on_plain(struct trace *trace, struct hf_enactor_event *event)
{
    if (is(&trace->text, 1, "freeze") || is(&trace->text, 1, "thaw")) {
        event->type = HF_ENACTOR_EV_FREEZE;
        event->on = is(&trace->text, 1, "freeze");
    } else if (is(&trace->text, 1, "adopt") || is(&trace->text, 1, "disown")) {
        event->type = HF_ENACTOR_EV_ADOPT;
        event->on = is(&trace->text, 1, "adopt");
    } else {
        assert_true(is(&trace->text, 1, "tick"));
    }
}

static void step(struct trace *trace)
{
    static const struct {
        const char *name;
        void (*read)(struct trace *trace, struct hf_enactor_event *event);
        uint32_t lane; /* word that names lanes, 0: none */
    } events[] = {
        {"entry", on_entry, 2}, {"head", on_head, 0},    {"guard", on_guard, 0},
        {"seen", on_seen, 3},   {"stray", on_stray, 0},  {"done", on_done, 0},
        {"adopt", on_plain, 2}, {"disown", on_plain, 2}, {"", on_plain, 0},
    };
    size_t i = 0;
    while (events[i].name[0] != 0 && !is(&trace->text, 1, events[i].name)) {
        i++;
    }
    uint32_t lane = 0, last = 0;
    if (events[i].lane != 0) {
        find_lanes(trace, word(&trace->text, events[i].lane), &lane, &last);
    }
    for (; lane <= last; lane++) {
        struct hf_enactor_event event = {.type = HF_ENACTOR_EV_TICK, .lane = lane};
        events[i].read(trace, &event);
        feed(trace, &event);
    }
}

static void replay_line(void *context)
{
    struct trace *trace = context;
    if (is(&trace->text, 0, "options")) {
        read_options(trace);
    } else if (is(&trace->text, 0, "lanes")) {
        read_lanes(trace);
    } else if (is(&trace->text, 0, "grow")) {
        grow(trace);
    } else if (is(&trace->text, 0, "show")) {
        show(trace);
    } else {
        step(trace);
        say_needs(trace);
        say_changes(trace);
    }
}

static void replay(void **state)
{
    struct trace *trace = calloc(1, sizeof *trace);
    assert_non_null(trace);
    trace->options = (struct hf_enactor_options){
        .write_count = 1, .instance = 7, .audit_ms = 60000, .batch = 4, .window_max = 8};
    trace->due_ms = HF_NEVER;
    text_replay(&trace->text, *state, trace, replay_line);
    free(trace->memory);
    free(trace);
}

#define TRACE(name)                                                                                \
    {                                                                                              \
#name, replay, NULL, NULL, (void *)(uintptr_t) "tests/trace/enactor/" #name ".trace"       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACE(claim),
        TRACE(claim_race),
        TRACE(create),
        TRACE(change),
        TRACE(refused),
        TRACE(unknown),
        TRACE(heal),
        TRACE(heal_lost),
        TRACE(foreign),
        TRACE(missing),
        TRACE(floor),
        TRACE(ahead),
        TRACE(stray),
        TRACE(guard),
        TRACE(guard_new_life),
        TRACE(not_ours),
        TRACE(fences_no_guard),
        TRACE(freeze),
        TRACE(freeze_seen),
        TRACE(retire),
        TRACE(audit),
        TRACE(look),
        TRACE(crowd),
        TRACE(patience),
        TRACE(adapt),
        TRACE(poison),
        TRACE(pace),
        TRACE(offset),
        TRACE(turn),
        TRACE(flight),
        TRACE(flight_claim),
        TRACE(forgotten),
        TRACE(grow),
        TRACE(store),
        TRACE(deadlines),
        TRACE(refusals),
    };
    return cmocka_run_group_tests_name("trace enactor", tests, NULL, NULL);
}
