/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports: what an enactor sees becomes events of the planners, as io/lead_follow.c does it. */
#include "core/planner_internal.h"
#include "lab/world_internal.h"

enum { REPORT_EVENTS_MAX = 3 * HF_WORLD_ENDPOINTS_MAX + 1 };

struct report {
    struct hf_planner_event events[REPORT_EVENTS_MAX];
    uint32_t count;
};

static void add(struct report *report, enum hf_planner_event_type type, uint32_t e, uint64_t gen)
{
    report->events[report->count++] =
        (struct hf_planner_event){.type = (uint8_t)type, .endpoint = e, .gen = gen};
}

/* A lane that says something of its endpoint that the planner does not know yet. */
static void read_lane(const struct hf_world_enactor *enactor, const struct hf_planner_row *row,
                      uint32_t e, struct report *report)
{
    const struct hf_world_machine *machine = &enactor->machine;
    bool is_retired = (row->flags & HF_ROW_RETIRED) != 0;
    bool is_stamped = (row->want & HF_WANT_STAMP) != 0;
    bool was_known = row->gen != 0 && row->gen <= machine->plan_gen;
    switch (machine->lanes[e].need) {
    case HF_NEED_CLAIM:
        if (row->gen != 0 && (row->flags & HF_ROW_CLAIMED) == 0 &&
            (row->want & HF_WANT_CLAIMED) == 0) {
            add(report, HF_PLANNER_CLAIMED, e, 0);
        }
        break;
    case HF_NEED_GONE:
        if (was_known && is_retired && (row->want & HF_WANT_FORGOTTEN) == 0 &&
            row->gen <= machine->guard.floor) {
            add(report, HF_PLANNER_FORGET, e, machine->guard.floor);
        }
        break;
    case HF_NEED_STAMP:
        if (was_known && !is_stamped && row->gen <= machine->guard.floor) {
            add(report, HF_PLANNER_STAMP, e, machine->guard.floor);
        }
        break;
    case HF_NEED_HISTORY:
        if (was_known && !is_stamped) {
            add(report, HF_PLANNER_STAMP, e, machine->plan_gen);
        }
        break;
    default:
        break;
    }
}

/* Nothing is planned: there is nothing to stamp. */
static bool is_empty(const struct hf_world_planner *facts)
{
    for (uint32_t e = 0; e < HF_WORLD_ENDPOINTS_MAX; e++) {
        if (facts->rows[e].gen != 0) {
            return false;
        }
    }
    return true;
}

/* What of this enactor's is news to a planner. */
static void read(const struct hf_world *world, uint32_t number, uint32_t planner,
                 struct report *report)
{
    const struct hf_world_enactor *enactor = &world->enactors[number];
    const struct hf_world_planner *facts = &world->planners[planner];
    uint32_t ahead_gen = enactor->machine.ahead_gen;
    report->count = 0;
    if (!facts->loaded || facts->reload || enactor->instance != facts->instance) {
        return;
    }
    if (ahead_gen > facts->head_gen) {
        bool was_heard = facts->ahead_gen >= ahead_gen;
        bool is_known = facts->stopped || (was_heard && (facts->stamp_all || is_empty(facts))) ||
                        (facts->op != 0 && facts->publish_gen > ahead_gen);
        if (!is_known) {
            add(report, HF_PLANNER_AHEAD, 0, ahead_gen);
        }
        return;
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        read_lane(enactor, &facts->rows[e], e, report);
    }
}

bool hf_world_has_news(const struct hf_world *world, uint32_t number)
{
    struct report report;
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        read(world, number, p, &report);
        if (report.count > 0) {
            return true;
        }
    }
    return false;
}

void hf_world_report(struct hf_world *world, uint32_t number)
{
    struct report report;
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        read(world, number, p, &report);
        for (uint32_t i = 0; i < report.count; i++) {
            hf_world_planner_feed(world, p, &report.events[i]);
        }
    }
}
