/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server answers now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libknot/libknot.h>

#include "base/error.h"
#include "holdfast/explain.h"
#include "io/ask.h"

enum { TRIES_MAX = 4 }; /* until fence, records, fence were read without a write in between */

static int ask(struct hf_explain *explain, struct hf_ask *client, const uint8_t *owner,
               uint16_t type, struct hf_answer *answer)
{
    struct hf_explain_server *server = &explain->server;
    int error = hf_ask_rrset(client, owner, type, answer);
    if (error != HF_OK) {
        const char *why = hf_ask_why(client);
        (void)snprintf(server->why, sizeof(server->why), "%s",
                       why[0] != 0 ? why : hf_strerror(error));
    }
    return error;
}

/* Adds an RRset to the records, in canonical order. */
static void take_rrset(struct hf_explain_server *server, uint16_t type,
                       const struct hf_answer *answer)
{
    size_t size = type == KNOT_RRTYPE_A ? 4 : 16;
    uint8_t *at = server->bytes + hf_records_size(&server->records);
    uint16_t count = 0;
    for (uint32_t i = 0; i < answer->count; i++) {
        const struct hf_ask_record *record = &answer->records[i];
        bool is_first = server->records.a_count + server->records.aaaa_count + count == 0;
        if (record->type != type || record->rdata_size != size || count == HF_RECORDS_MAX ||
            (!is_first && record->ttl_s != server->records.ttl_s)) {
            server->is_odd = true;
            continue;
        }
        server->records.ttl_s = record->ttl_s;
        memcpy(at + count * size, record->rdata, size);
        count++;
    }
    count = hf_records_sort(at, count, size);
    if (type == KNOT_RRTYPE_A) {
        server->records.a_count = count;
    } else {
        server->records.aaaa_count = count;
    }
}

static void take_fence(const struct hf_explain *explain, struct hf_explain_server *server,
                       const struct hf_answer *answer)
{
    server->fence = (struct hf_fence){.kind = HF_FENCE_ABSENT};
    server->text[0] = 0;
    if (answer->count == 0) {
        return;
    }
    const struct hf_ask_record *record = &answer->records[0];
    if (answer->count > 1) {
        server->fence.kind = HF_FENCE_DAMAGED;
    } else {
        hf_fence_parse(explain->look->config->installation, record->rdata, record->rdata_size,
                       &server->fence, server->writer);
    }
    size_t size = record->rdata_size > 0 ? record->rdata[0] : 0;
    if (size < record->rdata_size) {
        (void)snprintf(server->text, sizeof(server->text), "%.*s", (int)size,
                       (const char *)record->rdata + 1);
    }
}

static int read_once(struct hf_explain *explain, struct hf_ask *client, const uint8_t *fence_owner,
                     struct hf_answer *answer)
{
    struct hf_explain_server *server = &explain->server;
    server->records = (struct hf_records){.bytes = server->bytes};
    server->is_odd = false;
    int error = ask(explain, client, explain->owner, KNOT_RRTYPE_A, answer);
    if (error == HF_OK) {
        take_rrset(server, KNOT_RRTYPE_A, answer);
        error = ask(explain, client, explain->owner, KNOT_RRTYPE_AAAA, answer);
    }
    if (error == HF_OK) {
        take_rrset(server, KNOT_RRTYPE_AAAA, answer);
        error = ask(explain, client, fence_owner, KNOT_RRTYPE_TXT, answer);
    }
    return error;
}

static int read_all(struct hf_explain *explain, struct hf_ask *client, struct hf_answer *answer)
{
    uint8_t fence_owner[HF_NAME_MAX];
    struct hf_explain_server *server = &explain->server;
    if (hf_name_fence_of(explain->owner, fence_owner) != HF_OK) {
        return HF_ELIMIT;
    }
    int error = ask(explain, client, fence_owner, KNOT_RRTYPE_TXT, answer);
    for (int i = 0; i < TRIES_MAX && error == HF_OK; i++) {
        char before[HF_FENCE_RDATA_MAX];
        take_fence(explain, server, answer);
        memcpy(before, server->text, sizeof(before));
        error = read_once(explain, client, fence_owner, answer);
        if (error == HF_OK) {
            take_fence(explain, server, answer);
        }
        if (strcmp(before, server->text) == 0) {
            break;
        }
    }
    return error;
}

void hf_explain_ask(struct hf_explain *explain, uint32_t limit_ms)
{
    struct hf_explain_server *server = &explain->server;
    const struct hf_config *config = explain->look->config;
    if (explain->zone == UINT32_MAX) {
        (void)snprintf(server->why, sizeof(server->why), "its zone is not in the configuration");
        return;
    }
    struct hf_ask *client;
    int error = hf_ask_open(config, explain->zone, &client);
    if (error != HF_OK) {
        const struct hf_config_target *target =
            &config->targets[config->zones[explain->zone].target];
        (void)snprintf(server->why, sizeof(server->why), "target %s: %s", target->name,
                       error == HF_ENOENT ? "its key is not there yet" : hf_strerror(error));
        return;
    }
    if (limit_ms > 0) {
        hf_ask_limit(client, limit_ms);
    }
    struct hf_answer *answer = calloc(1, sizeof(*answer));
    if (answer == NULL) {
        abort();
    }
    server->asked = read_all(explain, client, answer) == HF_OK;
    server->sum = server->asked ? hf_records_sum(explain->owner, &server->records) : 0;
    free(answer);
    hf_ask_close(client);
}
