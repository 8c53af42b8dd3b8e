/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much memory everything takes, and where it lies. */
#include "drill/internal.h"

/* An op is one line of the machine's caches, and not parts of two: half of the speed. */
enum { ALIGNMENT = 64, EVENTS_SLACK = 2 };
_Static_assert(sizeof(struct hf_op) == ALIGNMENT, "an op is a line");

static uint64_t place(struct hf_layout *layout, uint64_t count, uint64_t size)
{
    uint64_t at = layout->octets;
    layout->octets += (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return at;
}

static uint64_t raised(uint64_t most, const struct hf_drill_action *action, enum hf_drill_verb verb,
                       uint16_t target)
{
    bool is_it = action->verb == verb && action->target == target;
    return is_it && action->value > (double)most ? (uint64_t)action->value : most;
}

static uint64_t most_of(const struct hf_drill_scenario *scenario, enum hf_drill_verb verb,
                        uint16_t target, uint64_t most)
{
    for (uint16_t i = 0; i < scenario->action_count; i++) {
        most = raised(most, &scenario->actions[i], verb, target);
    }
    for (uint16_t i = 0; i < scenario->rule_count; i++) {
        most = raised(most, &scenario->rules[i].action, verb, target);
    }
    return most;
}

uint64_t hf_layout_workers(const struct hf_drill_scenario *scenario, uint16_t service)
{
    return most_of(scenario, HF_DRILL_WORKERS, service, scenario->services[service].workers);
}

static void place_services(const struct hf_drill_scenario *scenario, struct hf_layout *layout)
{
    for (uint16_t i = 0; i < scenario->service_count; i++) {
        const struct hf_drill_service *service = &scenario->services[i];
        uint64_t workers = hf_layout_workers(scenario, i);
        /* Twice the workers: what was stopped stays until its event comes. */
        uint64_t attempts = service->queue_max + 2 * workers;
        attempts += service->free_worker ? service->queue_max + workers : 0;
        layout->service_attempts[i] = attempts;
        layout->attempt_count += attempts;
        layout->event_count += 3 * workers + 2;
        layout->queues[i] = place(layout, service->queue_max, sizeof(uint32_t));
        layout->service_buckets[i] =
            place(layout, layout->bucket_count, sizeof(struct hf_drill_service_bucket));
    }
}

static uint64_t calls_at_once(const struct hf_drill_scenario *scenario,
                              const struct hf_layout *layout, uint16_t service)
{
    const struct hf_drill_service *facts = &scenario->services[service];
    uint64_t workers = hf_layout_workers(scenario, service);
    return facts->free_worker ? layout->service_attempts[service] : 2 * workers;
}

/* In the order in which hf_drill_init numbers links: clients, managers, services' calls. */
static void count_ops(const struct hf_drill_scenario *scenario, struct hf_layout *layout)
{
    uint32_t link = 0;
    for (uint16_t i = 0; i < scenario->client_count; i++, link++) {
        const struct hf_drill_client *client = &scenario->clients[i];
        uint64_t most = client->under_way_max > 0 ? client->under_way_max : HF_DRILL_UNDER_WAY;
        layout->link_ops[link] = client->users > 0 ? client->users : most;
        layout->instance_count += client->call.instances;
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++, link++) {
        layout->holder_count += scenario->managers[i].holders;
        layout->instance_count += scenario->managers[i].claim.instances;
        layout->cell_count += scenario->managers[i].cells;
    }
    for (uint16_t i = 0; i < scenario->service_count; i++) {
        for (uint8_t k = 0; k < scenario->services[i].call_count; k++, link++) {
            layout->link_ops[link] = calls_at_once(scenario, layout, i);
            layout->instance_count += scenario->services[i].calls[k].instances;
        }
    }
    layout->op_count = layout->holder_count;
    for (uint32_t i = 0; i < link; i++) {
        layout->op_count += layout->link_ops[i];
    }
}

static void place_series(const struct hf_drill_scenario *scenario, struct hf_layout *layout)
{
    uint64_t buckets = layout->bucket_count;
    for (uint16_t i = 0; i < scenario->name_count; i++) {
        layout->name_buckets[i] = place(layout, buckets, sizeof(struct hf_drill_name_bucket));
    }
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        layout->client_buckets[i] = place(layout, buckets, sizeof(struct hf_drill_client_bucket));
        layout->latencies[i] = place(layout, HF_DRILL_LATENCIES, sizeof(uint32_t));
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        layout->manager_buckets[i] = place(layout, buckets, sizeof(struct hf_drill_manager_bucket));
    }
    for (uint16_t i = 0; i < scenario->fleet_count; i++) {
        uint64_t checkers = most_of(scenario, HF_DRILL_CHECKERS, i, scenario->fleets[i].checkers);
        layout->node_count += scenario->fleets[i].nodes;
        layout->checkers[i] = place(layout, checkers, sizeof(uint64_t));
        layout->fleet_buckets[i] = place(layout, buckets, sizeof(struct hf_drill_fleet_bucket));
    }
}

void hf_layout_of(const struct hf_drill_scenario *scenario, struct hf_layout *ret_layout)
{
    *ret_layout = (struct hf_layout){0};
    struct hf_layout *layout = ret_layout;
    (void)place(layout, 1, sizeof(struct hf_drill));
    uint64_t buckets = (scenario->length_us + scenario->bucket_us - 1) / scenario->bucket_us;
    layout->bucket_count = (uint32_t)buckets;
    place_services(scenario, layout);
    count_ops(scenario, layout);
    place_series(scenario, layout);
    for (uint16_t i = 0; i < scenario->resolver_count; i++) {
        layout->cache_count += (uint64_t)scenario->resolvers[i].instances * scenario->name_count;
    }
    layout->ops = place(layout, layout->op_count, sizeof(struct hf_op));
    layout->attempts = place(layout, layout->attempt_count, sizeof(struct hf_attempt));
    layout->instances = place(layout, layout->instance_count, sizeof(struct hf_instance));
    layout->caches = place(layout, layout->cache_count, sizeof(struct hf_cache));
    layout->cells = place(layout, layout->cell_count, sizeof(struct hf_cell));
    layout->nodes = place(layout, layout->node_count, sizeof(struct hf_node));
    layout->event_count += layout->op_count + scenario->client_count + 2 * layout->cell_count +
                           scenario->manager_count + HF_DRILL_ACTIONS_MAX + 2 * layout->node_count +
                           16;
    layout->event_count *= EVENTS_SLACK; /* so that sweeping is seldom */
    layout->events = place(layout, hf_events_layout(layout->event_count, scenario->length_us), 1);
}
