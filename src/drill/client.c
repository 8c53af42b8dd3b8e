/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where operations begin, and what becomes of them. */
#include <assert.h>

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

static void think(struct hf_drill *drill, uint16_t number, uint32_t user)
{
    struct hf_rng *rng = &drill->clients[number].rng;
    double think_us = hf_rng_dist(rng, &drill->scenario.clients[number].think);
    hf_drill_at(drill, hf_drill_after(drill, think_us), HF_EVENT_USER, user);
}

void hf_client_init(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_client *client = &drill->scenario.clients[number];
    if (client->users == 0) {
        hf_client_rate(drill, number, client->rate_per_s);
        return;
    }
    for (uint32_t i = 0; i < client->users; i++) {
        think(drill, number, drill->clients[number].user_first + i);
    }
}

static void begin(struct hf_drill *drill, uint16_t number, uint32_t op)
{
    drill->clients[number].buckets[drill->bucket].offered++;
    drill->ops[op].begun_us = drill->now_us;
    hf_call_begin(drill, op);
}

void hf_client_user(struct hf_drill *drill, uint32_t user)
{
    uint16_t number = 0;
    while (user - drill->clients[number].user_first >= drill->scenario.clients[number].users) {
        number++;
    }
    uint32_t op = hf_op_new(drill, drill->client_links[number]);
    assert(op != HF_DRILL_NOBODY); /* there is one for each user */
    drill->ops[op].host = user;
    begin(drill, number, op);
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
        begin(drill, number, op);
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
    uint32_t host = drill->ops[op].host;
    hf_op_free(drill, op);
    if (link->is_hosts) {
        think(drill, number, host);
    }
}
