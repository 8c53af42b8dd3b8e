/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Golden decision traces of the planner: tests/trace/planner; trace_help.h says how they work. A
 * trace is a fleet, then events.
 *
 *   backend NAME [weight N] [capacity N] [v4] [v6] [gone]     (weight 10, capacity 100, v4)
 *   policy NAME [ttl S] [min_healthy N] [removal PERMILLE MS] [answers N]
 *   endpoint NAME POLICY [orphan] BACKEND…
 *   changed PERMILLE MS                                        (no limit)
 *   begin [head GEN]
 *   adopt ENDPOINT GEN TTL [retired] [claimed] [pinned] BACKEND…
 *   MS up|down|unknown|drain|undrain BACKEND
 *   MS tick | published ok|refused|unknown | freeze | thaw | approve | approve stale
 *   MS pin ENDPOINT BACKEND… | unpin|retire|unretire|claimed ENDPOINT
 *   MS forget|stamp ENDPOINT GEN | ahead GEN
 *   explain ENDPOINT
 */
#include "trace_help.h"

#include <inttypes.h>

#include "planner_help.h"

struct trace {
    struct text text;
    struct help help;
    char backend_names[HELP_BACKENDS][NAME_SIZE];
    char policy_names[HELP_POLICIES][NAME_SIZE];
    char endpoint_names[HELP_ENDPOINTS][NAME_SIZE];
    uint32_t digests[HELP_ENDPOINTS]; /* of holds, as last said */
    uint8_t holds[HELP_ENDPOINTS];
    uint64_t due_ms; /* as last said */
};

static uint32_t find(char names[][NAME_SIZE], uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    fail_msg("'%s' is no name", name);
    return 0;
}

static uint32_t find_backend(struct trace *trace, const char *name)
{
    return find(trace->backend_names, trace->help.fleet.backend_count, name);
}

static uint32_t find_endpoint(struct trace *trace, const char *name)
{
    return find(trace->endpoint_names, trace->help.fleet.endpoint_count, name);
}

static void read_backend(struct trace *trace)
{
    struct hf_fleet_backend backend = {.capacity = 100, .weight = 10};
    for (uint32_t i = 2; i < trace->text.word_count; i++) {
        if (strcmp(word(&trace->text, i), "weight") == 0) {
            backend.weight = (uint16_t)number(&trace->text, ++i);
        } else if (strcmp(word(&trace->text, i), "capacity") == 0) {
            backend.capacity = (uint32_t)number(&trace->text, ++i);
        } else if (strcmp(word(&trace->text, i), "v4") == 0) {
            backend.flags |= HF_FLEET_HAS_A;
        } else if (strcmp(word(&trace->text, i), "v6") == 0) {
            backend.flags |= HF_FLEET_HAS_AAAA;
        } else {
            assert_string_equal(word(&trace->text, i), "gone");
            backend.flags |= HF_FLEET_GONE;
        }
    }
    if ((backend.flags & (HF_FLEET_HAS_A | HF_FLEET_HAS_AAAA)) == 0) {
        backend.flags |= HF_FLEET_HAS_A;
    }
    uint32_t at = help_backend(&trace->help, backend.capacity, backend.weight, backend.flags);
    (void)snprintf(trace->backend_names[at], NAME_SIZE, "%s", word(&trace->text, 1));
}

static void read_policy(struct trace *trace)
{
    struct hf_fleet_policy policy = {.ttl_s = 30,
                                     .min_healthy = 1,
                                     .max_removal_ms = 60000,
                                     .max_removal_permille = 1000,
                                     .answers_max = 8};
    for (uint32_t i = 2; i < trace->text.word_count; i++) {
        if (strcmp(word(&trace->text, i), "ttl") == 0) {
            policy.ttl_s = (uint32_t)number(&trace->text, ++i);
        } else if (strcmp(word(&trace->text, i), "min_healthy") == 0) {
            policy.min_healthy = (uint32_t)number(&trace->text, ++i);
        } else if (strcmp(word(&trace->text, i), "answers") == 0) {
            policy.answers_max = (uint16_t)number(&trace->text, ++i);
        } else {
            assert_string_equal(word(&trace->text, i), "removal");
            policy.max_removal_permille = (uint16_t)number(&trace->text, ++i);
            policy.max_removal_ms = (uint32_t)number(&trace->text, ++i);
        }
    }
    uint32_t at = help_policy(&trace->help, policy);
    (void)snprintf(trace->policy_names[at], NAME_SIZE, "%s", word(&trace->text, 1));
}

static void read_endpoint(struct trace *trace)
{
    uint32_t policy =
        find(trace->policy_names, trace->help.fleet.policy_count, word(&trace->text, 2));
    uint32_t members[WORDS_MAX];
    uint32_t count = 0;
    bool orphan = strcmp(word(&trace->text, 3), "orphan") == 0;
    for (uint32_t i = orphan ? 4 : 3; i < trace->text.word_count; i++) {
        members[count++] = find_backend(trace, word(&trace->text, i));
    }
    uint32_t at = help_endpoint(&trace->help, policy, members, count);
    trace->help.endpoints[at].orphan = orphan;
    (void)snprintf(trace->endpoint_names[at], NAME_SIZE, "%s", word(&trace->text, 1));
}

/* Bits of the endpoint's members that are named from a word on. */
static uint8_t read_members(struct trace *trace, uint32_t endpoint, uint32_t from)
{
    const struct hf_fleet_endpoint *shape = &trace->help.endpoints[endpoint];
    uint8_t bits = 0;
    for (; from < trace->text.word_count; from++) {
        uint32_t backend = find_backend(trace, word(&trace->text, from));
        uint32_t i = 0;
        while (i < shape->member_count && trace->help.members[shape->member_first + i] != backend) {
            i++;
        }
        assert_true(i < shape->member_count && i < 8);
        bits |= (uint8_t)(1U << i);
    }
    return bits;
}

static void read_adopt(struct trace *trace)
{
    uint32_t endpoint = find_endpoint(trace, word(&trace->text, 1));
    struct hf_planner_row row = {.gen = number(&trace->text, 2),
                                 .ttl_s = (uint32_t)number(&trace->text, 3),
                                 .cause_backend = UINT32_MAX};
    uint32_t i = 4;
    for (; i < trace->text.word_count; i++) {
        if (strcmp(word(&trace->text, i), "retired") == 0) {
            row.flags |= HF_ROW_RETIRED;
        } else if (strcmp(word(&trace->text, i), "claimed") == 0) {
            row.flags |= HF_ROW_CLAIMED;
        } else if (strcmp(word(&trace->text, i), "pinned") == 0) {
            row.flags |= HF_ROW_PINNED;
        } else {
            break;
        }
    }
    uint8_t in = read_members(trace, endpoint, i), a = 0, aaaa = 0;
    const struct hf_fleet_endpoint *shape = &trace->help.endpoints[endpoint];
    for (uint32_t m = 0; m < shape->member_count; m++) {
        uint8_t flags = trace->help.backends[trace->help.members[shape->member_first + m]].flags;
        uint8_t bit = (uint8_t)(in & 1U << m);
        a |= (flags & HF_FLEET_HAS_A) != 0 ? bit : 0;
        aaaa |= (flags & HF_FLEET_HAS_AAAA) != 0 ? bit : 0;
    }
    hf_planner_adopt(&trace->help.planner, endpoint, &row, &in, &a, &aaaa);
}

static void say_members(struct trace *trace, const struct hf_planner_entry *entry,
                        const char *title, uint64_t bits)
{
    if (bits != 0) {
        say(&trace->text, " %s", title);
    }
    for (uint32_t i = 0; i < entry->member_count; i++) {
        if ((bits >> i & 1) != 0) {
            say(&trace->text, " %s", trace->backend_names[entry->members[i]]);
        }
    }
}

static void say_entry(struct trace *trace, uint32_t endpoint)
{
    struct hf_planner_entry entry;
    hf_planner_next(&trace->help.planner, endpoint, &entry);
    const struct hf_planner_row *row = entry.row;
    say(&trace->text, "  %s gen %" PRIu64 "%s, %s", trace->endpoint_names[endpoint], row->gen,
        entry.same_answer ? " as before" : "", hf_cause_name(entry.cause));
    if (entry.cause != HF_CAUSE_CLAIMED && row->cause_backend != UINT32_MAX) {
        say(&trace->text, " of %s", trace->backend_names[row->cause_backend]);
    }
    static const struct {
        uint8_t flag;
        const char *name;
    } flags[] = {{HF_ROW_URGENT, "urgent"},
                 {HF_ROW_CLAIMED, "claimed"},
                 {HF_ROW_PINNED, "pinned"},
                 {HF_ROW_RETIRED, "tombstone"},
                 {HF_ROW_FORGOTTEN, "leaves"}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((row->flags & flags[i].flag) != 0) {
            say(&trace->text, ", %s", flags[i].name);
        }
    }
    uint64_t in = entry.member_count > 0 ? entry.in[0] : 0;
    uint64_t a = in == 0 ? 0 : entry.pick_a[0], aaaa = in == 0 ? 0 : entry.pick_aaaa[0];
    if (in != 0) {
        say(&trace->text, ", ttl %u:", row->ttl_s);
    }
    say_members(trace, &entry, "A", a);
    say_members(trace, &entry, "AAAA", aaaa);
    say_members(trace, &entry, "resting", in & ~(a | aaaa));
    say(&trace->text, "\n");
}

static void say_actions(struct trace *trace)
{
    const struct hf_planner *planner = &trace->help.planner;
    for (uint32_t i = 0; i < trace->help.outbox.count; i++) {
        const struct hf_planner_action *action = &trace->help.outbox.actions[i];
        if (action->type == HF_PLANNER_PUBLISH) {
            say(&trace->text, "  publish generation %" PRIu64 "\n", action->gen);
            for (uint32_t e = hf_bitset_next(&planner->publishing, 0); e != HF_BITSET_NONE;
                 e = hf_bitset_next(&planner->publishing, e + 1)) {
                say(&trace->text, "  ");
                say_entry(trace, e);
            }
        } else if (action->type == HF_PLANNER_RELOAD) {
            say(&trace->text, "  reload\n");
        } else {
            say(&trace->text, "  stop: generation %" PRIu64 " is ahead\n", action->gen);
        }
    }
    trace->help.outbox.count = 0;
}

/* What is held back, and when to TICK, where that is news. */
static void say_changes(struct trace *trace)
{
    const struct hf_planner *planner = &trace->help.planner;
    for (uint32_t e = 0; e < trace->help.fleet.endpoint_count; e++) {
        const struct hf_planner_row *row = &planner->rows[e];
        if (row->hold != trace->holds[e] || row->hold_digest != trace->digests[e]) {
            say(&trace->text,
                row->hold == HF_HOLD_NONE ? "  nothing of %s is held back\n"
                                          : "  %s is held back: %s\n",
                trace->endpoint_names[e], hf_hold_name((enum hf_hold)row->hold));
            trace->holds[e] = row->hold;
            trace->digests[e] = row->hold_digest;
        }
        assert_int_equal(hf_bitset_has(&planner->held, e), row->hold != HF_HOLD_NONE);
    }
    uint64_t due_ms = hf_planner_deadline_ms(planner);
    if (due_ms == trace->due_ms) {
        return;
    }
    if (due_ms == HF_NEVER) {
        say(&trace->text, "  nothing is due\n");
    } else if (due_ms == 0) {
        say(&trace->text, "  due now\n");
    } else {
        say(&trace->text, "  due at %" PRIu64 "\n", due_ms - HELP_BEGIN_MS);
    }
    trace->due_ms = due_ms;
}

static void say_reasons(struct trace *trace)
{
    uint32_t endpoint = find_endpoint(trace, word(&trace->text, 1));
    const struct hf_fleet_endpoint *shape = &trace->help.endpoints[endpoint];
    for (uint32_t i = 0; i < shape->member_count; i++) {
        say(&trace->text, "  %s %s\n",
            trace->backend_names[trace->help.members[shape->member_first + i]],
            hf_reason_name(hf_planner_reason(&trace->help.planner, endpoint, i)));
    }
}

static void begin(struct trace *trace)
{
    help_start(&trace->help, trace->text.word_count > 1 ? number(&trace->text, 2) : 0);
    trace->due_ms = hf_planner_deadline_ms(&trace->help.planner);
}

static void step(struct trace *trace)
{
    static const struct {
        const char *name, *detail;
        struct hf_planner_event event;
        bool of_backend, of_endpoint;
    } events[] = {
        {"tick", "", {.type = HF_PLANNER_TICK}, false, false},
        {"up", NULL, {.type = HF_PLANNER_VERDICT, .verdict = HF_VERDICT_UP}, true, false},
        {"down", NULL, {.type = HF_PLANNER_VERDICT, .verdict = HF_VERDICT_DOWN}, true, false},
        {"unknown", NULL, {.type = HF_PLANNER_VERDICT}, true, false},
        {"drain", NULL, {.type = HF_PLANNER_DRAIN, .on = true}, true, false},
        {"undrain", NULL, {.type = HF_PLANNER_DRAIN}, true, false},
        {"published", "ok", {.type = HF_PLANNER_PUBLISHED}, false, false},
        {"published",
         "refused",
         {.type = HF_PLANNER_PUBLISHED, .result = HF_RESULT_REFUSED},
         false,
         false},
        {"published",
         "unknown",
         {.type = HF_PLANNER_PUBLISHED, .result = HF_RESULT_UNKNOWN},
         false,
         false},
        {"freeze", "", {.type = HF_PLANNER_FREEZE, .on = true}, false, false},
        {"thaw", "", {.type = HF_PLANNER_FREEZE}, false, false},
        {"approve", "", {.type = HF_PLANNER_APPROVE}, false, false},
        {"approve", "stale", {.type = HF_PLANNER_APPROVE}, false, false},
        {"pin", NULL, {.type = HF_PLANNER_PIN}, false, true},
        {"unpin", NULL, {.type = HF_PLANNER_UNPIN}, false, true},
        {"retire", NULL, {.type = HF_PLANNER_RETIRE}, false, true},
        {"unretire", NULL, {.type = HF_PLANNER_UNRETIRE}, false, true},
        {"claimed", NULL, {.type = HF_PLANNER_CLAIMED}, false, true},
        {"forget", NULL, {.type = HF_PLANNER_FORGET}, false, true},
        {"stamp", NULL, {.type = HF_PLANNER_STAMP}, false, true},
        {"ahead", NULL, {.type = HF_PLANNER_AHEAD}, false, false},
    };
    size_t i = 0, count = sizeof events / sizeof events[0];
    while (i < count &&
           (strcmp(events[i].name, word(&trace->text, 1)) != 0 ||
            (events[i].detail != NULL && strcmp(events[i].detail, word(&trace->text, 2)) != 0))) {
        i++;
    }
    if (i == count) {
        fail_msg("'%s' is no event", word(&trace->text, 1));
    }
    struct hf_planner_event event = events[i].event;
    trace->help.now_ms = HELP_BEGIN_MS + number(&trace->text, 0);
    event.backend = events[i].of_backend ? find_backend(trace, word(&trace->text, 2)) : 0;
    event.endpoint = events[i].of_endpoint ? find_endpoint(trace, word(&trace->text, 2)) : 0;
    event.op = trace->help.planner.op;
    event.serial = trace->help.planner.hold_serial + (word(&trace->text, 2)[0] == 's' ? 1 : 0);
    uint8_t bits = 0;
    if (event.type == HF_PLANNER_PIN) {
        bits = read_members(trace, event.endpoint, 3);
        event.bits = &bits;
    } else if (event.type == HF_PLANNER_FORGET || event.type == HF_PLANNER_STAMP) {
        event.gen = number(&trace->text, 3);
    } else if (event.type == HF_PLANNER_AHEAD) {
        event.gen = number(&trace->text, 2);
    }
    help_step(&trace->help, event);
}

static void replay_line(void *context)
{
    struct trace *trace = context;
    static const struct {
        const char *name;
        void (*read)(struct trace *trace);
    } readers[] = {
        {"backend", read_backend}, {"policy", read_policy}, {"endpoint", read_endpoint},
        {"begin", begin},          {"adopt", read_adopt},   {"explain", say_reasons},
    };
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(word(&trace->text, 0), readers[i].name) == 0) {
            readers[i].read(trace);
            return;
        }
    }
    if (strcmp(word(&trace->text, 0), "changed") == 0) {
        trace->help.fleet.max_changed_permille = (uint16_t)number(&trace->text, 1);
        trace->help.fleet.max_changed_ms = (uint32_t)number(&trace->text, 2);
        return;
    }
    step(trace);
    say_actions(trace);
    say_changes(trace);
}

static void replay(void **state)
{
    struct trace *trace = calloc(1, sizeof *trace);
    assert_non_null(trace);
    help_init(&trace->help);
    text_replay(&trace->text, *state, trace, replay_line);
    help_release(&trace->help);
    free(trace);
}

#define TRACE(name)                                                                                \
    {                                                                                              \
#name, replay, NULL, NULL, (void *)(uintptr_t) "tests/trace/planner/" #name ".trace"       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACE(creation),    TRACE(min_healthy), TRACE(family), TRACE(max_removal),
        TRACE(max_changed), TRACE(approval),    TRACE(config), TRACE(drain),
        TRACE(pin),         TRACE(retire),      TRACE(ahead),  TRACE(claimed),
        TRACE(rotation),    TRACE(refused),     TRACE(freeze), TRACE(clock),
    };
    return cmocka_run_group_tests_name("trace planner", tests, NULL, NULL);
}
