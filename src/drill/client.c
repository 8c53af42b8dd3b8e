/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where operations begin, and what becomes of them. */
#include "drill/internal.h"

static void next_arrival(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_client_now *client = &drill->clients[number];
    double mean_us = HF_DRILL_SECOND_US / client->rate_per_s;
    client->next_us += drill->scenario.clients[number].regular
                           ? mean_us
                           : hf_rng_exponential(&client->rng, mean_us);
    double now_us = (double)drill->now_us;
    client->due_us = hf_drill_after(drill, client->next_us - now_us);
    hf_drill_at(drill, client->due_us, HF_EVENT_ARRIVAL, number);
}

void hf_client_rate(struct hf_drill *drill, uint16_t number, double rate_per_s)
{
    struct hf_drill_client_now *client = &drill->clients[number];
    client->rate_per_s = rate_per_s;
    client->next_us = (double)drill->now_us;
    client->due_us = HF_DRILL_NEVER;
    if (rate_per_s > 0) {
        next_arrival(drill, number);
    }
}

static void think(struct hf_drill *drill, uint16_t number, uint32_t op)
{
    struct hf_drill_client_now *client = &drill->clients[number];
    drill->ops[op].state = HF_OP_IDLE;
    hf_op_arm(
        drill, op,
        hf_drill_after(drill, hf_rng_dist(&client->rng, &drill->scenario.clients[number].think)));
}

void hf_client_init(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_client *client = &drill->scenario.clients[number];
    if (client->users == 0) {
        hf_client_rate(drill, number, client->rate_per_s);
        return;
    }
    for (uint32_t i = 0; i < client->users; i++) {
        think(drill, number, drill->clients[number].op_first + i);
    }
}

void hf_client_begin(struct hf_drill *drill, uint32_t op)
{
    hf_drill_counts(drill, &drill->links[drill->ops[op].link])->offered++;
    drill->ops[op].begun_us = drill->now_us;
    hf_call_begin(drill, op);
}

void hf_client_arrival(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_client_now *client = &drill->clients[number];
    if (client->due_us != drill->now_us) {
        return; /* the rate has changed meanwhile */
    }
    uint32_t op = hf_op_new(drill, drill->client_links[number]);
    if (op == HF_DRILL_NOBODY) {
        struct hf_drill_client_bucket *counts = &client->buckets[drill->bucket];
        counts->offered++;
        counts->failed++;
        client->second_ended++;
    } else {
        hf_client_begin(drill, op);
    }
    next_arrival(drill, number);
}

void hf_client_ended(struct hf_drill *drill, uint32_t op, bool is_good)
{
    struct hf_link *link = &drill->links[drill->ops[op].link];
    uint16_t number = link->owner;
    struct hf_drill_client_now *client = &drill->clients[number];
    struct hf_drill_client_bucket *counts = &client->buckets[drill->bucket];
    uint64_t latency_us = drill->now_us - drill->ops[op].begun_us;
    uint64_t tail_us = drill->scenario.clients[number].tail_us;
    client->tail += drill->is_measuring && tail_us > 0 && latency_us > tail_us;
    client->second_ended++;
    if (is_good) {
        uint32_t shown_us = latency_us < UINT32_MAX ? (uint32_t)latency_us : UINT32_MAX;
        counts->succeeded++;
        counts->latency_sum_us += latency_us;
        counts->latency_max_us =
            shown_us > counts->latency_max_us ? shown_us : counts->latency_max_us;
        client->second_succeeded++;
        if (drill->is_measuring) {
            client->latencies[hf_tally_class(latency_us)]++;
        }
    } else {
        counts->failed++;
    }
    if (link->is_lasting) {
        think(drill, number, op);
    } else {
        hf_op_free(drill, op);
    }
}
