/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/fenced.h"

#include <assert.h>
#include <string.h>

#include "lab/fenced_zone.h"

enum {
    AUDIT_MS = 3600000, /* not within a schedule */
    SOON_MS = 10000,    /* what an enactor waits for that long is waited for */
    TICKS_MAX = 100,
    LATENCY_MS = 10,
    WRITE_COUNT = 1,
};

/* --- lines --- */

static void add_line(struct hf_fenced *fenced, uint32_t lane, enum hf_timeline_kind kind)
{
    struct hf_timeline_line line = {
        .row = fenced->row, .lane = (uint8_t)lane, .kind = (uint8_t)kind};
    for (uint32_t e = 0; e < fenced->endpoints; e++) {
        line.answers[e] = (uint8_t)hf_fenced_zone_answer(&fenced->zone, e);
    }
    if (fenced->telling) {
        hf_timeline_add(fenced->timeline, &line, fenced->text);
    }
    hf_buf_clear(fenced->text);
}

static uint32_t number_of(const struct hf_fenced *fenced, const struct hf_fenced_member *member)
{
    return (uint32_t)(member - fenced->members) + 1;
}

/* --- what an enactor asks for --- */

static void feed(struct hf_fenced *fenced, struct hf_fenced_member *member,
                 struct hf_enactor_event *event)
{
    struct hf_enactor_outbox outbox;
    event->now_ms = ++fenced->now_ms;
    hf_enactor_step(&member->machine, event, &outbox);
    for (uint32_t i = 0; i < outbox.count; i++) {
        const struct hf_enactor_action *action = &outbox.actions[i];
        if (action->kind == HF_ENACTOR_WRITE) {
            const struct hf_lane *lane = &member->machine.lanes[action->lane_first];
            assert(member->write_op == 0 && action->lane_count == 1);
            hf_fenced_zone_message(&member->machine, action, &member->write);
            if (fenced->careless) {
                hf_fenced_zone_trust(&member->write);
            }
            member->write_op = action->op;
            member->write_endpoint = action->lane_first;
            member->write_plan = lane->sent_gen;
            member->write_over = lane->fence.gen;
        } else {
            assert(member->todo_count < HF_FENCED_TODO_MAX);
            member->todo[member->todo_count++] = *action;
        }
    }
}

static void feed_seen(struct hf_fenced *fenced, struct hf_fenced_member *member, uint32_t op,
                      uint32_t endpoint)
{
    struct hf_enactor_event seen = {.type = HF_ENACTOR_EV_SEEN, .op = op, .lane = endpoint};
    uint32_t answer = hf_fenced_zone_answer(&fenced->zone, endpoint);
    seen.fence = hf_fenced_zone_fence(&fenced->zone, endpoint);
    seen.records = HF_RECORDS_SUM;
    seen.sum = hf_fenced_zone_sum(answer, endpoint);
    feed(fenced, member, &seen);
}

static void read_back(struct hf_fenced *fenced, struct hf_fenced_member *member,
                      const struct hf_enactor_action *action)
{
    uint32_t lanes[HF_CLOUD_ENDPOINTS_MAX], count = 0;
    if (action->kind == HF_ENACTOR_READ_ZONE) {
        for (; count < fenced->endpoints; count++) {
            lanes[count] = count;
        }
    } else {
        for (uint32_t e = action->lane_first; e != HF_BITSET_NONE;
             e = member->machine.lanes[e].next) {
            lanes[count++] = e;
        }
    }
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_GUARD,
                                     .op = action->op,
                                     .guard = hf_fenced_zone_guard(&fenced->zone)};
    feed(fenced, member, &event);
    for (uint32_t i = 0; i < count; i++) {
        feed_seen(fenced, member, action->op, lanes[i]);
        if (action->kind == HF_ENACTOR_READ) {
            hf_buf_printf(fenced->text, "enactor %u reads the fence of %s: plan %u",
                          number_of(fenced, member), hf_cloud_endpoint_name(lanes[i]),
                          (uint32_t)hf_fenced_zone_fence(&fenced->zone, lanes[i]).gen);
            add_line(fenced, number_of(fenced, member), HF_TIMELINE_NORMAL);
        }
    }
    event = (struct hf_enactor_event){
        .type = HF_ENACTOR_EV_DONE, .op = action->op, .latency_ms = LATENCY_MS};
    feed(fenced, member, &event);
}

/* The latest plan: asked for (op), or told. */
static void feed_head(struct hf_fenced *fenced, struct hf_fenced_member *member, uint32_t op)
{
    uint32_t plan = fenced->published;
    for (uint32_t e = 0; e < fenced->endpoints; e++) {
        struct hf_enactor_event entry = {.type = HF_ENACTOR_EV_ENTRY,
                                         .lane = e,
                                         .gen = plan,
                                         .sum = hf_fenced_zone_sum(plan, e),
                                         .flags = HF_LANE_CLAIMED};
        if (member->machine.lanes[e].want_gen != plan) {
            feed(fenced, member, &entry);
        }
    }
    struct hf_enactor_event head = {.type = HF_ENACTOR_EV_HEAD, .op = op, .gen = plan};
    feed(fenced, member, &head);
    if (op != 0) {
        hf_buf_printf(fenced->text, "enactor %u asks the store: plan %u is the latest",
                      number_of(fenced, member), plan);
        add_line(fenced, number_of(fenced, member), HF_TIMELINE_NORMAL);
    }
}

/* Answers reads and lets time pass until the enactor waits for its write, or for nothing. */
static void settle(struct hf_fenced *fenced, struct hf_fenced_member *member)
{
    for (uint32_t i = 0; i < TICKS_MAX; i++) {
        if (member->todo_count > 0) {
            struct hf_enactor_action action = member->todo[0];
            memmove(member->todo, member->todo + 1, --member->todo_count * sizeof(action));
            if (action.kind == HF_ENACTOR_HEAD) {
                feed_head(fenced, member, action.op);
            } else {
                read_back(fenced, member, &action);
            }
            continue;
        }
        uint64_t due_ms = hf_enactor_deadline_ms(&member->machine);
        if (due_ms == HF_NEVER || due_ms > fenced->now_ms + SOON_MS) {
            return;
        }
        fenced->now_ms = due_ms > fenced->now_ms ? due_ms : fenced->now_ms;
        struct hf_enactor_event tick = {.type = HF_ENACTOR_EV_TICK};
        feed(fenced, member, &tick);
    }
}

/* The write that is under way arrives at the server. */
static void arrive(struct hf_fenced *fenced, struct hf_fenced_member *member)
{
    const char *endpoint = hf_cloud_endpoint_name(member->write_endpoint);
    uint32_t number = number_of(fenced, member);
    uint32_t found = (uint32_t)hf_fenced_zone_fence(&fenced->zone, member->write_endpoint).gen;
    bool done = hf_server_update(&fenced->zone, &member->write) == 0;
    if (done) {
        hf_buf_printf(fenced->text, "the server writes plan %u to %s for enactor %u",
                      (uint32_t)member->write_plan, endpoint, number);
    } else {
        fenced->refused++;
        hf_buf_printf(fenced->text,
                      "the server refuses enactor %u: plan %u was to replace plan %u on %s, which "
                      "has plan %u",
                      number, (uint32_t)member->write_plan, (uint32_t)member->write_over, endpoint,
                      found);
    }
    add_line(fenced, number, done ? HF_TIMELINE_NORMAL : HF_TIMELINE_REFUSED);
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_DONE,
                                     .op = member->write_op,
                                     .result = done ? HF_RESULT_OK : HF_RESULT_REFUSED,
                                     .latency_ms = LATENCY_MS};
    member->write_op = 0;
    feed(fenced, member, &event);
    settle(fenced, member);
}

/* --- happenings --- */

static bool is_in_step(const struct hf_fenced *fenced, const struct hf_fenced_member *member)
{
    return member->machine.plan_gen == fenced->published &&
           member->machine.in_step == fenced->endpoints && member->write_op == 0;
}

static void tell_intent(struct hf_fenced *fenced, const struct hf_fenced_member *member)
{
    uint32_t number = number_of(fenced, member);
    if (member->write_op == 0) {
        hf_buf_printf(fenced->text, "enactor %u is in step with plan %u and writes nothing", number,
                      (uint32_t)member->machine.plan_gen);
    } else {
        hf_buf_printf(fenced->text, "enactor %u sends plan %u for %s, to replace plan %u only",
                      number, (uint32_t)member->write_plan,
                      hf_cloud_endpoint_name(member->write_endpoint), (uint32_t)member->write_over);
    }
    add_line(fenced, number, HF_TIMELINE_NORMAL);
}

static void publish(struct hf_fenced *fenced, uint32_t plan)
{
    fenced->published = plan;
    hf_buf_printf(fenced->text, "planner publishes plan %u", plan);
    add_line(fenced, 0, HF_TIMELINE_NORMAL);
}

static void take(struct hf_fenced *fenced, struct hf_fenced_member *member)
{
    uint32_t number = number_of(fenced, member);
    hf_buf_printf(fenced->text, "enactor %u takes plan %u", number, fenced->published);
    add_line(fenced, number, HF_TIMELINE_NORMAL);
    feed_head(fenced, member, 0);
    settle(fenced, member);
}

void hf_fenced_happen(struct hf_fenced *fenced, const struct hf_cloud_event *event, uint32_t row)
{
    uint32_t number = event->actor;
    fenced->row = (uint8_t)row;
    if (event->what == HF_CLOUD_PUBLISHED) {
        publish(fenced, event->plan);
        return;
    }
    assert(number >= 1 && number <= fenced->enactors);
    struct hf_fenced_member *member = &fenced->members[number - 1];
    switch (event->what) {
    case HF_CLOUD_TOOK:
        take(fenced, member);
        break;
    case HF_CLOUD_INSTALLED:
    case HF_CLOUD_FAILED:
    case HF_CLOUD_FENCED:
        if (member->write_op != 0) {
            arrive(fenced, member);
        } else {
            tell_intent(fenced, member);
        }
        break;
    case HF_CLOUD_DELETED:
        hf_buf_printf(fenced->text, "plan %u is deleted from the store: no answer refers to it",
                      event->plan);
        add_line(fenced, number, HF_TIMELINE_NORMAL);
        break;
    case HF_CLOUD_LOST:
        hf_buf_printf(fenced->text,
                      member->write_op != 0 ? "the write of enactor %u is still on its way"
                                            : "enactor %u needs no lock",
                      number);
        add_line(fenced, number, HF_TIMELINE_NORMAL);
        break;
    case HF_CLOUD_CLEANED:
        hf_buf_put_text(fenced->text, "nothing is left to delete");
        add_line(fenced, number, HF_TIMELINE_NORMAL);
        break;
    default: /* the one check */
        tell_intent(fenced, member);
        break;
    }
}

bool hf_fenced_is_in_step(const struct hf_fenced *fenced)
{
    bool all = true;
    for (uint32_t i = 0; i < fenced->enactors; i++) {
        all = all && is_in_step(fenced, &fenced->members[i]);
    }
    for (uint32_t e = 0; e < fenced->endpoints; e++) {
        all = all && hf_fenced_zone_answer(&fenced->zone, e) == fenced->published;
    }
    return all;
}

void hf_fenced_finish(struct hf_fenced *fenced, uint32_t row)
{
    fenced->row = (uint8_t)row;
    for (uint32_t i = 0; i < fenced->enactors; i++) {
        struct hf_fenced_member *member = &fenced->members[i];
        feed_head(fenced, member, 0);
        settle(fenced, member);
        for (uint32_t n = 0; n < TICKS_MAX && member->write_op != 0; n++) {
            arrive(fenced, member);
        }
    }
    bool all = hf_fenced_is_in_step(fenced);
    hf_buf_printf(fenced->text,
                  all ? "all enactors are in step with plan %u"
                      : "not everybody is in step with plan %u",
                  fenced->published);
    add_line(fenced, 0, all ? HF_TIMELINE_NORMAL : HF_TIMELINE_DANGER);
}

void hf_fenced_init(struct hf_fenced *fenced, uint32_t enactors, uint32_t endpoints,
                    struct hf_timeline *timeline, struct hf_buf *text)
{
    assert(enactors <= HF_CLOUD_ENACTORS_MAX && endpoints <= HF_CLOUD_ENDPOINTS_MAX);
    memset(fenced, 0, sizeof(*fenced));
    fenced->enactors = enactors;
    fenced->endpoints = endpoints;
    fenced->published = 1;
    fenced->timeline = timeline;
    fenced->text = text;
    hf_fenced_zone_init(&fenced->zone, endpoints);
    for (uint32_t i = 0; i < enactors; i++) {
        struct hf_fenced_member *member = &fenced->members[i];
        struct hf_enactor_options options = {.write_count = WRITE_COUNT,
                                             .instance = HF_FENCED_INSTANCE,
                                             .writer = i + 1,
                                             .audit_ms = AUDIT_MS,
                                             .batch = 1,
                                             .window_max = 1};
        assert(hf_enactor_layout(&options, endpoints) <= sizeof(member->memory));
        hf_enactor_init(&member->machine, &options, member->memory, endpoints);
        for (uint32_t e = 0; e < endpoints; e++) {
            (void)hf_enactor_add_lane(&member->machine);
        }
        feed_head(fenced, member, 0);
        settle(fenced, member);
    }
    assert(hf_fenced_is_in_step(fenced));
    fenced->telling = true;
}
