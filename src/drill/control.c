/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions, at their time or by rule. */
#include <assert.h>

#include "drill/internal.h"

static void answer(struct hf_drill *drill, uint16_t number, enum hf_drill_answer answer)
{
    struct hf_drill_name_now *name = &drill->names[number];
    bool was_wrong = name->wrong_since_us != HF_DRILL_NEVER;
    bool is_wrong = answer != HF_DRILL_RIGHT && answer != HF_DRILL_STALE;
    name->answer = (uint8_t)answer;
    if (was_wrong && !is_wrong) {
        name->wrong_us += drill->now_us - name->wrong_since_us;
        name->wrong_since_us = HF_DRILL_NEVER;
    } else if (!was_wrong && is_wrong) {
        name->wrong_since_us = drill->now_us;
    }
}

/* What the resolver says is looked at anew by those who do not ask for every renewal. */
static void cells_look(struct hf_drill *drill)
{
    for (uint32_t i = 0; i < drill->cell_count; i++) {
        hf_cell_update(drill, i);
    }
}

static void lose(struct hf_link *link, double share)
{
    link->cache_filled *= 1 - share;
}

static void act_on_service(struct hf_drill *drill, const struct hf_drill_action *action)
{
    struct hf_drill_service_now *service = &drill->services[action->target];
    uint32_t queue_max = drill->scenario.services[action->target].queue_max;
    switch ((enum hf_drill_verb)action->verb) {
    case HF_DRILL_WORKERS:
        service->workers_set = (uint32_t)action->value;
        break;
    case HF_DRILL_SPEED:
        service->speed = action->value;
        break;
    case HF_DRILL_SLOW_NEXT:
        service->slow = action->value;
        service->slow_left = action->count;
        break;
    case HF_DRILL_THROTTLE:
        service->rate_max = action->value;
        service->tokens = 0;
        service->tokens_us = drill->now_us;
        break;
    case HF_DRILL_QUEUE_BOUND:
        service->bound = action->value < queue_max ? (uint32_t)action->value : queue_max;
        break;
    case HF_DRILL_DISCIPLINE:
        service->discipline = (uint8_t)action->value;
        break;
    case HF_DRILL_RESTART:
        hf_service_restart(drill, action->target);
        break;
    default:
        for (uint8_t i = 0; i < drill->scenario.services[action->target].call_count; i++) {
            lose(&drill->links[drill->service_links[action->target][i]], action->value);
        }
        break;
    }
    hf_service_follow(drill, action->target);
}

static void act_on_fleet(struct hf_drill *drill, const struct hf_drill_action *action)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[action->target];
    struct hf_fleet_now *fleet = &drill->fleets[action->target];
    switch ((enum hf_drill_verb)action->verb) {
    case HF_DRILL_LAUNCH:
        for (uint32_t i = 0; i < action->count; i++) {
            hf_nodes_launch(drill, action->target, i % facts->nodes);
        }
        break;
    case HF_DRILL_FAIL:
        hf_nodes_fail(drill, action->target, action->value);
        break;
    case HF_DRILL_FAILOVER:
        hf_nodes_failover(drill, action->target, action->value);
        break;
    case HF_DRILL_READY_RATE:
        fleet->ready_per_s = action->value;
        break;
    default:
        hf_nodes_checkers(drill, action->target, (uint32_t)action->value);
        break;
    }
}

static void act_on_manager(struct hf_drill *drill, const struct hf_drill_action *action)
{
    struct hf_drill_manager_now *manager = &drill->managers[action->target];
    if (action->verb == HF_DRILL_MANAGER_STOP) {
        manager->is_stopped = action->value > 0;
    } else {
        manager->claims_per_s = action->value;
    }
    manager->claim_next_us = (double)drill->now_us;
    hf_manager_kick(drill, action->target);
}

static void act_on_name_or_resolver(struct hf_drill *drill, const struct hf_drill_action *action)
{
    switch ((enum hf_drill_verb)action->verb) {
    case HF_DRILL_ANSWER:
        answer(drill, action->target, (enum hf_drill_answer)action->value);
        return;
    case HF_DRILL_TTL:
        drill->names[action->target].ttl_s = (uint32_t)action->value;
        return;
    case HF_DRILL_FLUSH:
        hf_resolver_flush(drill, action->target, action->count);
        break;
    default:
        drill->resolvers[action->target].is_overridden = action->value > 0;
        break;
    }
    cells_look(drill);
}

static void act(struct hf_drill *drill, const struct hf_drill_action *action)
{
    uint8_t link;
    switch ((enum hf_drill_part)action->part) {
    case HF_DRILL_PART_NAME:
    case HF_DRILL_PART_RESOLVER:
        act_on_name_or_resolver(drill, action);
        return;
    case HF_DRILL_PART_SERVICE:
        act_on_service(drill, action);
        return;
    case HF_DRILL_PART_FLEET:
        act_on_fleet(drill, action);
        return;
    case HF_DRILL_PART_MANAGER:
        if (action->verb != HF_DRILL_RETRIES) {
            act_on_manager(drill, action);
            return;
        }
        link = drill->managers[action->target].link;
        break;
    default:
        link = drill->client_links[action->target];
        break;
    }
    if (action->verb == HF_DRILL_RETRIES) {
        drill->links[link].call.retries_max =
            action->value < UINT32_MAX ? (uint32_t)action->value : UINT32_MAX;
    } else if (action->verb == HF_DRILL_RATE) {
        hf_client_rate(drill, action->target, action->value);
    } else {
        lose(&drill->links[link], action->value);
    }
}

void hf_control_act(struct hf_drill *drill, const struct hf_drill_action *action, uint16_t index,
                    bool by_rule)
{
    if (drill->note_count < HF_DRILL_NOTES_MAX) {
        drill->notes[drill->note_count++] =
            (struct hf_drill_note){.at_us = drill->now_us, .index = index, .by_rule = by_rule};
    }
    act(drill, action);
}

/* Shares of nothing say nothing: they pass no limit. */
static bool share(double part, double whole, double *ret_share)
{
    *ret_share = whole > 0 ? part / whole : 0;
    return whole > 0;
}

static bool measure(const struct hf_drill *drill, const struct hf_drill_rule *rule,
                    double *ret_measure)
{
    uint16_t subject = rule->subject;
    switch ((enum hf_drill_measure)rule->measure) {
    case HF_DRILL_QUEUE_LENGTH:
        *ret_measure = drill->services[subject].length;
        return true;
    case HF_DRILL_GOODPUT_SHARE:
        return share(drill->clients[subject].second_succeeded, drill->clients[subject].second_ended,
                     ret_measure);
    case HF_DRILL_WASTE_SHARE: {
        const struct hf_drill_service_now *service = &drill->services[subject];
        return share(service->second_wasted_us, service->second_wasted_us + service->second_good_us,
                     ret_measure);
    }
    case HF_DRILL_HELD_SHARE:
        return share(drill->managers[subject].held, drill->scenario.managers[subject].holders,
                     ret_measure);
    case HF_DRILL_SERVING_SHARE:
        return share(drill->fleets[subject].serving, drill->scenario.fleets[subject].nodes,
                     ret_measure);
    default:
        return share(drill->names[subject].second_answered, drill->names[subject].second_asked,
                     ret_measure);
    }
}

static void look_at(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_rule *rule = &drill->scenario.rules[number];
    struct hf_rule_now *now = &drill->rules[number];
    uint64_t until_us = rule->until_us == 0 ? HF_DRILL_NEVER : rule->until_us;
    double found;
    bool passes =
        measure(drill, rule, &found) && (rule->above ? found > rule->limit : found < rule->limit);
    if (!passes) {
        now->since_us = HF_DRILL_NEVER;
        return;
    }
    now->since_us = now->since_us == HF_DRILL_NEVER ? drill->now_us : now->since_us;
    bool may = drill->now_us >= rule->from_us && drill->now_us <= until_us &&
               drill->now_us >= now->pause_until_us &&
               (rule->firings_max == 0 || now->firings < rule->firings_max);
    if (may && drill->now_us - now->since_us >= rule->for_us) {
        now->firings++;
        now->pause_until_us = drill->now_us + rule->pause_us;
        hf_control_act(drill, &rule->action, number, true);
    }
}

void hf_control_look(struct hf_drill *drill)
{
    for (uint16_t i = 0; i < drill->scenario.rule_count; i++) {
        look_at(drill, i);
    }
    for (int i = 0; i < HF_DRILL_CLIENTS_MAX; i++) {
        drill->clients[i].second_succeeded = drill->clients[i].second_ended = 0;
    }
    for (int i = 0; i < HF_DRILL_SERVICES_MAX; i++) {
        drill->services[i].second_good_us = drill->services[i].second_wasted_us = 0;
    }
    for (int i = 0; i < HF_DRILL_NAMES_MAX; i++) {
        drill->names[i].second_answered = drill->names[i].second_asked = 0;
    }
    hf_drill_at(drill, drill->now_us + HF_DRILL_SECOND_US, HF_EVENT_SECOND, 0);
}
