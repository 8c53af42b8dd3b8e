/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drill/drill.h"

#include <assert.h>

#include "drill/internal.h"

/* Streams of chance: one for each part, so that a change to one leaves the others' draws alone. */
enum {
    STREAM_CLIENTS = 1000,
    STREAM_SERVICES = 2000,
    STREAM_MANAGERS = 3000,
    STREAM_FLEETS = 4000,
    STREAM_LINKS = 5000,
};

size_t hf_drill_memory(const struct hf_drill_scenario *scenario)
{
    struct hf_layout layout;
    hf_layout_of(scenario, &layout);
    return (size_t)layout.octets;
}

static bool is_live(void *owner, const struct hf_event *event)
{
    struct hf_drill *drill = owner;
    if (event->kind == HF_EVENT_OP) {
        struct hf_op *op = &drill->ops[event->subject];
        if (op->event_us == event->at_us && op->due_us == HF_DRILL_NEVER) {
            op->event_us = HF_DRILL_NEVER;
        }
        return op->event_us == event->at_us;
    }
    switch ((enum hf_drill_event_kind)event->kind) {
    case HF_EVENT_ARRIVAL:
        return drill->clients[event->subject].due_us == event->at_us;
    case HF_EVENT_CELL:
        return drill->cells[event->subject].due_us == event->at_us;
    case HF_EVENT_READY:
        return drill->nodes[event->subject].ready_us == event->at_us;
    default:
        return true;
    }
}

void hf_drill_at(struct hf_drill *drill, uint64_t at_us, enum hf_drill_event_kind kind,
                 uint32_t subject)
{
    if (at_us >= drill->scenario.length_us) {
        return; /* it never comes */
    }
    struct hf_event event = {
        .at_us = at_us > drill->now_us ? at_us : drill->now_us, .subject = subject, .kind = kind};
    if (!hf_events_add(&drill->events, &event)) {
        hf_events_sweep(&drill->events, is_live, drill);
        bool added = hf_events_add(&drill->events, &event);
        assert(added);
        (void)added;
    }
}

uint64_t hf_drill_after(const struct hf_drill *drill, double delay_us)
{
    if (delay_us >= (double)HF_DRILL_TIME_MAX_US) {
        return HF_DRILL_NEVER;
    }
    return drill->now_us + (uint64_t)(delay_us > 0 ? delay_us + 0.5 : 0);
}

static void apply_layout(struct hf_drill *drill, const struct hf_layout *layout)
{
    unsigned char *base = (unsigned char *)drill;
    const struct hf_drill_scenario *scenario = &drill->scenario;
    drill->ops = (void *)(base + layout->ops);
    drill->attempts = (void *)(base + layout->attempts);
    drill->instances = (void *)(base + layout->instances);
    drill->caches = (void *)(base + layout->caches);
    drill->cells = (void *)(base + layout->cells);
    drill->nodes = (void *)(base + layout->nodes);
    drill->bucket_count = layout->bucket_count;
    drill->cell_count = (uint32_t)layout->cell_count;
    drill->holder_count = (uint32_t)layout->holder_count;
    for (uint16_t i = 0; i < scenario->service_count; i++) {
        drill->services[i].queue = (void *)(base + layout->queues[i]);
        drill->services[i].buckets = (void *)(base + layout->service_buckets[i]);
    }
    for (uint16_t i = 0; i < scenario->name_count; i++) {
        drill->names[i].buckets = (void *)(base + layout->name_buckets[i]);
    }
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        drill->clients[i].buckets = (void *)(base + layout->client_buckets[i]);
        drill->clients[i].latencies = (void *)(base + layout->latencies[i]);
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        drill->managers[i].buckets = (void *)(base + layout->manager_buckets[i]);
    }
    for (uint16_t i = 0; i < scenario->fleet_count; i++) {
        drill->fleets[i].buckets = (void *)(base + layout->fleet_buckets[i]);
        drill->fleets[i].checker_free_us = (void *)(base + layout->checkers[i]);
    }
    hf_events_init(&drill->events, base + layout->events, layout->event_count, scenario->length_us);
    unsigned char *ops = (unsigned char *)drill->ops;
    drill->events.subjects[HF_EVENT_OP] =
        (struct hf_events_subjects){.base = ops, .stride = sizeof(struct hf_op)};
    drill->events.subjects[HF_EVENT_FINISH] =
        (struct hf_events_subjects){.base = (unsigned char *)drill->attempts,
                                    .stride = sizeof(struct hf_attempt),
                                    .then_base = ops,
                                    .offset = offsetof(struct hf_attempt, op),
                                    .then_stride = sizeof(struct hf_op)};
}

/* Ops that stay for ever. */
static uint32_t holders_new(struct hf_drill *drill, uint32_t first, uint32_t count, uint8_t link)
{
    for (uint32_t i = first; i < first + count; i++) {
        drill->ops[i] = (struct hf_op){.due_us = HF_DRILL_NEVER,
                                       .event_us = HF_DRILL_NEVER,
                                       .attempt = HF_DRILL_NOBODY,
                                       .hedge = HF_DRILL_NOBODY,
                                       .parent = HF_DRILL_NOBODY,
                                       .next = HF_DRILL_NOBODY,
                                       .host = i,
                                       .link = link,
                                       .state = HF_OP_IDLE};
    }
    drill->links[link].is_hosts = true;
    return first + count;
}

static uint8_t link_new(struct hf_drill *drill, const struct hf_drill_call *call,
                        enum hf_drill_part part, uint16_t owner, uint64_t seed)
{
    uint8_t number = (uint8_t)drill->link_count++;
    struct hf_link *link = &drill->links[number];
    uint32_t instances = 0;
    for (uint8_t i = 0; i < number; i++) {
        instances += drill->links[i].call.instances;
    }
    *link = (struct hf_link){.call = *call,
                             .part = (uint8_t)part,
                             .owner = owner,
                             .free_first = HF_DRILL_NOBODY,
                             .instance_first = instances,
                             .cache_filled = call->cache_filled * (double)call->cache_keys};
    hf_rng_init(&link->rng, seed, STREAM_LINKS + number);
    for (uint32_t i = 0; i < call->instances; i++) {
        drill->instances[instances + i] = (struct hf_instance){
            .tokens = call->bucket_size,
            .window_256 = call->window_max < 16 ? call->window_max * 256 : 16 * 256};
    }
    return number;
}

static void init_links(struct hf_drill *drill, const struct hf_layout *layout, uint64_t seed)
{
    const struct hf_drill_scenario *scenario = &drill->scenario;
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        drill->client_links[i] =
            link_new(drill, &scenario->clients[i].call, HF_DRILL_PART_CLIENT, i, seed);
    }
    uint32_t op = 0;
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        struct hf_drill_call claim = scenario->managers[i].claim;
        uint64_t lifetime_us = scenario->managers[i].lifetime_us;
        claim.timeout_us = claim.timeout_us == 0 ? lifetime_us : claim.timeout_us;
        drill->managers[i].link = link_new(drill, &claim, HF_DRILL_PART_MANAGER, i, seed);
        drill->managers[i].op_first = op;
        op = holders_new(drill, op, scenario->managers[i].holders, drill->managers[i].link);
    }
    uint32_t user = op;
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        drill->clients[i].user_first = user;
        drill->links[drill->client_links[i]].is_hosts = scenario->clients[i].users > 0;
        user += scenario->clients[i].users;
    }
    for (uint16_t i = 0; i < scenario->service_count; i++) {
        for (uint8_t k = 0; k < scenario->services[i].call_count; k++) {
            drill->service_links[i][k] =
                link_new(drill, &scenario->services[i].calls[k], HF_DRILL_PART_SERVICE, i, seed);
        }
    }
    for (uint32_t i = 0; i < drill->link_count; i++) {
        drill->links[i].op_first = op;
        drill->links[i].op_count = (uint32_t)layout->link_ops[i];
        op += drill->links[i].op_count;
    }
}

static void init_services(struct hf_drill *drill, const struct hf_layout *layout, uint64_t seed)
{
    uint32_t attempt = 0;
    for (uint16_t i = 0; i < drill->scenario.service_count; i++) {
        const struct hf_drill_service *facts = &drill->scenario.services[i];
        struct hf_drill_service_now *service = &drill->services[i];
        hf_rng_init(&service->rng, seed, STREAM_SERVICES + i);
        service->room = service->bound = facts->queue_max;
        service->workers = service->workers_set = facts->workers;
        service->slow = service->speed = 1;
        service->rate_max = facts->rate_max_per_s;
        service->tokens = facts->rate_max_per_s;
        service->discipline = facts->queue;
        service->attempt_first = attempt;
        service->attempt_count = (uint32_t)layout->service_attempts[i];
        service->attempt_free = HF_DRILL_NOBODY;
        attempt += service->attempt_count;
    }
}

static void init_actions(struct hf_drill *drill)
{
    const struct hf_drill_action *actions = drill->scenario.actions;
    for (uint16_t i = 0; i < drill->scenario.action_count; i++) {
        hf_drill_at(drill, actions[i].at_us, HF_EVENT_ACTION, i);
    }
    for (uint16_t i = 0; i < drill->scenario.rule_count; i++) {
        drill->rules[i].since_us = HF_DRILL_NEVER;
    }
    if (drill->scenario.rule_count > 0) {
        hf_drill_at(drill, HF_DRILL_SECOND_US, HF_EVENT_SECOND, 0);
    }
}

static void init_names(struct hf_drill *drill)
{
    const struct hf_drill_scenario *scenario = &drill->scenario;
    for (uint16_t i = 0; i < scenario->name_count; i++) {
        struct hf_drill_name_now *name = &drill->names[i];
        uint8_t answer = scenario->names[i].first;
        name->ttl_s = scenario->names[i].ttl_s;
        name->answer = answer;
        name->wrong_since_us =
            answer == HF_DRILL_RIGHT || answer == HF_DRILL_STALE ? HF_DRILL_NEVER : 0;
    }
    uint64_t cache = 0;
    for (uint16_t i = 0; i < scenario->resolver_count; i++) {
        drill->resolvers[i].cache_first = cache;
        cache += (uint64_t)scenario->resolvers[i].instances * scenario->name_count;
    }
    hf_resolver_warm(drill);
}

struct hf_drill *hf_drill_init(const struct hf_drill_scenario *scenario, uint64_t seed, void *block,
                               size_t size)
{
    struct hf_drill *drill = block;
    struct hf_layout layout;
    hf_layout_of(scenario, &layout);
    assert(size >= layout.octets);
    (void)size;
    drill->scenario = *scenario;
    apply_layout(drill, &layout);
    drill->is_measuring = scenario->measure_from_us == 0;
    drill->bucket_end_us = scenario->bucket_us;
    init_actions(drill); /* at time 0, they come first */
    init_names(drill);
    init_links(drill, &layout, seed);
    init_services(drill, &layout, seed);
    uint32_t cell = 0, node = 0;
    for (uint16_t i = 0; i < scenario->fleet_count; i++) {
        drill->fleets[i].node_first = node;
        node += scenario->fleets[i].nodes;
        hf_rng_init(&drill->fleets[i].rng, seed, STREAM_FLEETS + i);
        hf_nodes_init(drill, i);
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        drill->managers[i].cell_first = cell;
        cell += scenario->managers[i].cells;
        hf_rng_init(&drill->managers[i].rng, seed, STREAM_MANAGERS + i);
        hf_manager_init(drill, i);
    }
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        hf_rng_init(&drill->clients[i].rng, seed, STREAM_CLIENTS + i);
        hf_client_init(drill, i);
    }
    return drill;
}

static void dispatch(struct hf_drill *drill, const struct hf_event *event)
{
    uint32_t subject = event->subject;
    switch ((enum hf_drill_event_kind)event->kind) {
    case HF_EVENT_OP:
        if (hf_op_fires(drill, subject)) {
            hf_call_timer(drill, subject);
        }
        break;
    case HF_EVENT_FINISH:
        hf_service_finish(drill, subject);
        break;
    case HF_EVENT_ARRIVAL:
        hf_client_arrival(drill, (uint16_t)subject);
        break;
    case HF_EVENT_USER:
        hf_client_user(drill, subject);
        break;
    case HF_EVENT_PULL:
        hf_service_pull(drill, (uint16_t)subject);
        break;
    case HF_EVENT_UP:
        hf_service_up(drill, (uint16_t)subject);
        break;
    case HF_EVENT_CELL:
        if (drill->cells[subject].due_us == drill->now_us) {
            hf_cell_update(drill, subject);
        }
        break;
    case HF_EVENT_LAPSE:
        hf_cell_lapse(drill, subject);
        break;
    case HF_EVENT_CLAIM:
        hf_manager_claim(drill, (uint16_t)subject);
        break;
    case HF_EVENT_ACTION:
        hf_control_act(drill, &drill->scenario.actions[subject], (uint16_t)subject, false);
        break;
    case HF_EVENT_SECOND:
        hf_control_look(drill);
        break;
    case HF_EVENT_CHECK:
        hf_nodes_check(drill, subject);
        break;
    case HF_EVENT_RESULT:
        hf_nodes_result(drill, subject);
        break;
    default:
        hf_nodes_ready(drill, subject);
        break;
    }
}

bool hf_drill_run(struct hf_drill *drill, uint64_t until_us, uint64_t events_max)
{
    uint64_t length_us = drill->scenario.length_us;
    until_us = until_us < length_us ? until_us : length_us - 1;
    struct hf_event event;
    for (uint64_t i = 0; i < events_max; i++) {
        if (!hf_events_next(&drill->events, until_us, &event)) {
            drill->now_us = until_us + 1 >= length_us ? length_us : until_us;
            drill->is_over = drill->now_us == length_us;
            break;
        }
        drill->now_us = event.at_us;
        drill->done++;
        if (drill->now_us >= drill->bucket_end_us) {
            hf_tally_roll(drill);
        }
        dispatch(drill, &event);
    }
    hf_tally_roll(drill);
    return !drill->is_over;
}

uint64_t hf_drill_now_us(const struct hf_drill *drill)
{
    return drill->now_us;
}

uint64_t hf_drill_events(const struct hf_drill *drill)
{
    return drill->done;
}
