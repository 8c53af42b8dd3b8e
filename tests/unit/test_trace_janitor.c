/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Golden decision traces of the janitor: tests/trace/janitor; trace_help.h says how they work.
 *
 *   options interval MS retention MS tombstones MS
 *   MS tick
 *   MS object #OP NAME PUT_NUMBER PUT_MS | objects #OP COUNT PUT_MS   (names 000, 001, …)
 *   MS listed #OP [more] | listed #OP unknown
 *   MS reached #OP NAME
 *   MS done #OP ok|refused|unknown
 */
#include "trace_help.h"

#include <inttypes.h>

#include "core/janitor.h"

enum { OPS = 2000 };

struct trace {
    struct text text;
    struct hf_janitor machine;
    uint32_t ops[OPS]; /* the machine's numbers of operations, by ours */
    uint32_t op_count;
    uint64_t due_ms; /* as last said */
};

static void set_name(struct hf_janitor_event *event, const char *name)
{
    assert_in_range(strlen(name), 1, HF_JANITOR_NAME_SIZE - 1);
    memcpy(event->name, name, strlen(name));
}

static void say_action(struct trace *trace, const struct hf_janitor_action *action)
{
    assert_in_range(trace->op_count, 0, OPS - 1);
    trace->ops[trace->op_count++] = action->op;
    say(&trace->text, "  #%" PRIu32, trace->op_count);
    switch (action->kind) {
    case HF_JANITOR_LIST:
        say(&trace->text, " list %s%s\n", action->page_first ? "from the start" : "after ",
            action->page_first ? "" : (const char *)action->name);
        break;
    case HF_JANITOR_REACH:
        say(&trace->text, " reach\n");
        break;
    case HF_JANITOR_DELETE:
        say(&trace->text, " delete %s if put number %" PRIu64 "\n", (const char *)action->name,
            action->put_number);
        break;
    default:
        assert_int_equal(action->kind, HF_JANITOR_CLEAN);
        say(&trace->text, " clean tombstones older than %" PRIu64 "\n", action->before_ms);
        break;
    }
}

static void feed(struct trace *trace, struct hf_janitor_event *event)
{
    struct hf_janitor_action action;
    event->now_ms = number(&trace->text, 0);
    if (event->type != HF_JANITOR_TICK) {
        unsigned long at = strtoul(word(&trace->text, 2) + 1, NULL, 10);
        assert_in_range(at, 1, trace->op_count);
        event->op = trace->ops[at - 1];
    }
    if (hf_janitor_step(&trace->machine, event, &action)) {
        say_action(trace, &action);
    }
    uint64_t due_ms = hf_janitor_deadline_ms(&trace->machine);
    if (due_ms != trace->due_ms) {
        say(&trace->text, due_ms == HF_NEVER ? "  nothing is due\n" : "  due at %" PRIu64 "\n",
            due_ms);
        trace->due_ms = due_ms;
    }
}

static void feed_objects(struct trace *trace)
{
    uint64_t count = number(&trace->text, 3);
    for (uint64_t i = 0; i < count; i++) {
        struct hf_janitor_event event = {
            .type = HF_JANITOR_OBJECT, .put_number = i, .put_ms = number(&trace->text, 4)};
        char name[NAME_SIZE + 4];
        (void)snprintf(name, sizeof name, "%03" PRIu64, i);
        set_name(&event, name);
        feed(trace, &event);
    }
}

static uint8_t result_of(const struct trace *trace, uint32_t i)
{
    if (is(&trace->text, i, "unknown")) {
        return HF_RESULT_UNKNOWN;
    }
    return is(&trace->text, i, "refused") ? HF_RESULT_REFUSED : HF_RESULT_OK;
}

static void replay_line(void *context)
{
    struct trace *trace = context;
    struct hf_janitor_event event = {.type = HF_JANITOR_TICK};
    if (is(&trace->text, 0, "options")) {
        hf_janitor_init(&trace->machine, (uint32_t)number(&trace->text, 2),
                        (uint32_t)number(&trace->text, 4), (uint32_t)number(&trace->text, 6));
        return;
    }
    if (is(&trace->text, 1, "objects")) {
        feed_objects(trace);
        return;
    }
    if (is(&trace->text, 1, "object")) {
        event.type = HF_JANITOR_OBJECT;
        event.put_number = number(&trace->text, 4);
        event.put_ms = number(&trace->text, 5);
        set_name(&event, word(&trace->text, 3));
    } else if (is(&trace->text, 1, "listed")) {
        event.type = HF_JANITOR_LISTED;
        event.more = is(&trace->text, 3, "more");
        event.result = result_of(trace, 3);
    } else if (is(&trace->text, 1, "reached")) {
        event.type = HF_JANITOR_REACHED;
        set_name(&event, word(&trace->text, 3));
    } else if (is(&trace->text, 1, "done")) {
        event.type = HF_JANITOR_DONE;
        event.result = result_of(trace, 3);
    } else {
        assert_true(is(&trace->text, 1, "tick"));
    }
    feed(trace, &event);
}

static void replay(void **state)
{
    struct trace *trace = calloc(1, sizeof *trace);
    assert_non_null(trace);
    text_replay(&trace->text, *state, trace, replay_line);
    free(trace);
}

#define TRACE(name)                                                                                \
    {                                                                                              \
#name, replay, NULL, NULL, (void *)(uintptr_t) "tests/trace/janitor/" #name ".trace"       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACE(round),    TRACE(pages), TRACE(put_again),
        TRACE(failures), TRACE(clock), TRACE(forgotten),
    };
    return cmocka_run_group_tests_name("trace janitor", tests, NULL, NULL);
}
