/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "codec/name.h"
#include "io/dns.h"
#include "io/target.h"

struct hf_ask {
    uv_loop_t loop;
    const struct hf_config *config;
    const struct hf_config_zone *zone;
    struct hf_dns *dns;
    knot_tsig_key_t key;
    bool has_key;
    struct hf_answer *answer; /* of the question under way */
    uint8_t guard[HF_ASK_RECORDS_MAX * 2 + HF_FENCE_RDATA_MAX * 4];
    size_t guard_size;
    int result;
    uint16_t rcode;
    uv_timer_t limit;
    bool is_limited, is_over;
    char why[HF_ASK_WHY_MAX];
};

int hf_ask_open(const struct hf_config *config, uint32_t zone, struct hf_ask **ret_ask)
{
    struct hf_ask *ask = calloc(1, sizeof(*ask));
    if (ask == NULL) {
        abort();
    }
    ask->config = config;
    ask->zone = &config->zones[zone];
    uv_loop_init(&ask->loop);
    int error = hf_target_open(&ask->loop, &config->targets[ask->zone->target], ask->zone->apex,
                               &ask->key, &ask->has_key, &ask->dns);
    if (error != HF_OK) {
        (void)uv_loop_close(&ask->loop);
        if (ask->has_key) {
            hf_tsig_release(&ask->key);
        }
        free(ask);
        return error;
    }
    *ret_ask = ask;
    return HF_OK;
}

static void on_closed(void *context)
{
    (void)context;
}

void hf_ask_close(struct hf_ask *ask)
{
    if (ask == NULL) {
        return;
    }
    if (ask->is_limited) {
        uv_close((uv_handle_t *)&ask->limit, NULL);
    }
    hf_dns_close(ask->dns, on_closed, NULL);
    uv_run(&ask->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&ask->loop);
    if (ask->has_key) {
        hf_tsig_release(&ask->key);
    }
    free(ask);
}

const char *hf_ask_why(const struct hf_ask *ask)
{
    return ask->why;
}

static void on_limit(uv_timer_t *timer)
{
    struct hf_ask *ask = timer->data;
    ask->is_over = true;
    ask->answer = NULL; /* what comes now is nobody's */
    ask->result = HF_ETIMEOUT;
    (void)snprintf(ask->why, sizeof(ask->why), "%s: no answer in time", ask->zone->name);
    uv_stop(&ask->loop);
}

void hf_ask_limit(struct hf_ask *ask, uint32_t limit_ms)
{
    uv_timer_init(&ask->loop, &ask->limit);
    ask->limit.data = ask;
    ask->is_limited = true;
    uv_timer_start(&ask->limit, on_limit, limit_ms, 0);
}

static void on_record(void *context, const struct hf_dns_record *record)
{
    struct hf_answer *answer = ((struct hf_ask *)context)->answer;
    if (answer == NULL || answer->count == HF_ASK_RECORDS_MAX ||
        record->rdata_size > HF_ASK_RDATA_MAX) {
        return;
    }
    struct hf_ask_record *copy = &answer->records[answer->count++];
    copy->type = record->type;
    copy->ttl_s = record->ttl_s;
    copy->rdata_size = record->rdata_size;
    memcpy(copy->rdata, record->rdata, record->rdata_size);
}

static void on_done(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_ask *ask = context;
    if (ask->is_over) {
        return;
    }
    ask->result = outcome->result;
    ask->rcode = outcome->rcode;
    (void)snprintf(ask->why, sizeof(ask->why), "%s", outcome->why != NULL ? outcome->why : "");
    uv_stop(&ask->loop);
}

int hf_ask_rrset(struct hf_ask *ask, const uint8_t *owner, uint16_t type,
                 struct hf_answer *ret_answer)
{
    ret_answer->count = 0;
    if (ask->is_over) {
        return HF_ETIMEOUT;
    }
    ask->answer = ret_answer;
    int error = hf_dns_query(ask->dns, owner, type, on_record, on_done, ask);
    if (error != HF_OK) {
        return error;
    }
    uv_run(&ask->loop, UV_RUN_DEFAULT);
    ret_answer->rcode = ask->rcode;
    if (ask->result != HF_OK) {
        return ask->result;
    }
    return ask->rcode == KNOT_RCODE_NOERROR || ask->rcode == KNOT_RCODE_NXDOMAIN ? HF_OK
                                                                                 : HF_EREFUSED;
}

static void keep_guard(struct hf_ask *ask, const struct hf_answer *answer)
{
    ask->guard_size = 0;
    for (uint32_t i = 0; i < answer->count; i++) {
        const struct hf_ask_record *record = &answer->records[i];
        size_t size = record->rdata_size + 2U;
        if (size > sizeof(ask->guard) - ask->guard_size) {
            return;
        }
        ask->guard[ask->guard_size] = (uint8_t)(record->rdata_size >> 8);
        ask->guard[ask->guard_size + 1] = (uint8_t)record->rdata_size;
        memcpy(ask->guard + ask->guard_size + 2, record->rdata, record->rdata_size);
        ask->guard_size += size;
    }
}

int hf_ask_guard(struct hf_ask *ask, uint32_t instance, struct hf_zone_guard *ret_guard,
                 char ret_owner[HF_OWNER_MAX + 1])
{
    uint8_t owner[HF_NAME_MAX];
    struct hf_answer *answer = calloc(1, sizeof(*answer));
    if (answer == NULL) {
        abort();
    }
    int error = hf_name_guard_of(ask->zone->apex, owner);
    if (error == HF_OK) {
        error = hf_ask_rrset(ask, owner, KNOT_RRTYPE_TXT, answer);
    }
    if (error == HF_OK) {
        keep_guard(ask, answer);
        *ret_guard = (struct hf_zone_guard){.kind = HF_FENCE_ABSENT};
        ret_owner[0] = 0;
        if (answer->count == 1) {
            hf_zone_guard_parse(ask->config->installation, instance, answer->records[0].rdata,
                                answer->records[0].rdata_size, ret_guard, ret_owner);
        } else if (answer->count > 1) {
            ret_guard->kind = HF_FENCE_DAMAGED;
        }
    }
    free(answer);
    return error;
}

int hf_ask_guard_replace(struct hf_ask *ask, const struct hf_zone_guard *after)
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size;
    struct hf_txt_set before = {.bytes = ask->guard, .size = ask->guard_size};
    hf_zone_guard_format(ask->config->installation, after, rdata, &size);
    struct hf_update *update =
        hf_update_begin(ask->zone->apex, &before, rdata, size, ask->has_key ? &ask->key : NULL);
    int error = hf_dns_update(ask->dns, update, on_done, ask);
    hf_update_free(update);
    if (error != HF_OK) {
        return error;
    }
    uv_run(&ask->loop, UV_RUN_DEFAULT);
    struct hf_dns_outcome outcome = {.result = ask->result, .rcode = ask->rcode};
    switch (hf_target_result(&outcome)) {
    case HF_RESULT_OK:
        return HF_OK;
    case HF_RESULT_REFUSED:
        return HF_ESTALE;
    default:
        return ask->result != HF_OK ? ask->result : HF_EREFUSED;
    }
}
