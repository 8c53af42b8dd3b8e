/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * raw: what the DNS server itself can take. Sends UPDATE messages that were built before the clock
 * started, with the prerequisites and results of an enactor's, and does nothing else.
 *
 *   raw HOST PORT ZONE KEY ALGORITHM SECRET_FILE PREFIX COUNT
 *
 * The endpoints are PREFIX0, PREFIX1, … of ZONE, COUNT of them. An even generation answers with
 * five IPv4 and five IPv6 addresses, an odd one with four of each. The zone's guard is used as it
 * is, or made. Reads commands, one a line, and answers each with one line of JSON:
 *
 *   create BATCH WINDOW         generation 0 of all
 *   whole BATCH WINDOW          the next generation of all: both RRsets deleted and added
 *   differ BATCH WINDOW         the same; only the records that differ
 *   single COUNT PAUSE_MS       the next generation of one endpoint, COUNT times: each after the
 *                               one before was acknowledged and a pause
 *   transfer                    reads the whole zone by AXFR and counts its records
 *
 * BATCH is endpoints in a message, WINDOW messages in flight. Any refusal ends it with status 1.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "codec/fence.h"
#include "codec/name.h"
#include "codec/update.h"
#include "io/address.h"
#include "io/dns.h"

enum {
    COUNT_MAX = 1000000,
    MESSAGES_MAX = COUNT_MAX,
    SINGLES_MAX = 10000,
    TIMEOUT_MS = 20000,
    TTL_S = 30,
    SECRET_MAX = 256,
    GUARD_MAX = 2 + HF_FENCE_RDATA_MAX,
};

struct raw {
    uv_loop_t loop;
    struct hf_dns *dns;
    knot_tsig_key_t key;
    uint8_t zone[HF_NAME_MAX];
    const char *zone_text;
    const char *prefix;
    uint32_t count;
    uint64_t *gens; /* of each endpoint; UINT64_MAX: not there yet */
    uint8_t guard[GUARD_MAX];
    size_t guard_size;
    struct hf_update **messages;
    uint32_t message_count, sent, done, window;
    uint64_t record_count;
    uint64_t begun_ns, ended_ns;
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "raw: %s: %s\n", what, why);
    exit(1);
}

static void check(int error, const char *what)
{
    if (error != HF_OK) {
        fail(what, hf_strerror(error));
    }
}

/* --- one endpoint's change --- */

/* A backend less in odd generations: the first. */
static struct hf_records records_of(uint64_t gen, uint8_t bytes[5 * 20])
{
    uint8_t skipped = (uint8_t)(gen % 2);
    uint16_t count = (uint16_t)(5 - skipped);
    uint8_t *at = bytes;
    for (uint8_t i = skipped; i < 5; i++, at += 4) {
        const uint8_t a[4] = {192, 0, 2, (uint8_t)(i + 1)};
        memcpy(at, a, sizeof(a));
    }
    for (uint8_t i = skipped; i < 5; i++, at += 16) {
        const uint8_t aaaa[16] = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)(i + 1)};
        memcpy(at, aaaa, sizeof(aaaa));
    }
    return (struct hf_records){
        .bytes = bytes, .ttl_s = TTL_S, .a_count = count, .aaaa_count = count};
}

static size_t fence_of(const uint8_t *owner, uint64_t gen, uint8_t ret_rdata[HF_FENCE_RDATA_MAX])
{
    uint8_t bytes[5 * 20];
    struct hf_records records = records_of(gen, bytes);
    struct hf_fence fence = {.kind = HF_FENCE_OURS,
                             .gen = gen + 1,
                             .sum = hf_records_sum(owner, &records),
                             .count = gen + 1};
    size_t size;
    hf_fence_format("raw", "raw", &fence, ret_rdata, &size);
    return size;
}

static int add_endpoint(struct raw *raw, struct hf_update *update, uint32_t number, bool differ)
{
    char text[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    uint8_t set[2 + HF_FENCE_RDATA_MAX];
    uint8_t fence[HF_FENCE_RDATA_MAX];
    uint8_t before[5 * 20];
    uint8_t after[5 * 20];
    uint64_t gen = raw->gens[number];
    (void)snprintf(text, sizeof(text), "%s%u.%s", raw->prefix, number, raw->zone_text);
    check(hf_name_parse(text, owner), text);
    struct hf_update_change change = {.endpoint = owner, .fence_after = fence};
    change.expect = HF_EXPECT_NONE;
    if (gen != UINT64_MAX) {
        size_t size = fence_of(owner, gen, set + 2);
        set[0] = (uint8_t)(size >> 8);
        set[1] = (uint8_t)size;
        change.fence_before = (struct hf_txt_set){.bytes = set, .size = size + 2};
        change.before = records_of(gen, before);
        change.expect = differ ? HF_EXPECT_AUDITED : HF_EXPECT_ANY;
    }
    change.after = records_of(gen + 1, after); /* UINT64_MAX + 1 is 0 */
    change.fence_after_size = fence_of(owner, gen + 1, fence);
    int error = hf_update_add(update, &change);
    if (error == HF_OK) {
        raw->gens[number] = gen + 1;
    }
    return error;
}

static struct hf_update *begin(struct raw *raw)
{
    struct hf_txt_set guard = {.bytes = raw->guard, .size = raw->guard_size};
    return hf_update_begin(raw->zone, &guard, NULL, 0, &raw->key);
}

static void build(struct raw *raw, uint32_t batch, bool differ)
{
    struct hf_update *update = begin(raw);
    raw->message_count = 0;
    for (uint32_t i = 0; i < raw->count;) {
        int error =
            hf_update_count(update) == batch ? HF_ELIMIT : add_endpoint(raw, update, i, differ);
        if (error == HF_OK) {
            i++;
            continue;
        }
        if (error != HF_ELIMIT || hf_update_count(update) == 0) {
            check(error, "message");
        }
        raw->messages[raw->message_count++] = update;
        update = begin(raw);
    }
    raw->messages[raw->message_count++] = update;
}

/* --- sending --- */

static void on_updated(void *context, const struct hf_dns_outcome *outcome);

static void send_next(struct raw *raw)
{
    while (raw->sent < raw->message_count && raw->sent - raw->done < raw->window) {
        struct hf_update *update = raw->messages[raw->sent++];
        check(hf_dns_update(raw->dns, update, on_updated, raw), "send");
        hf_update_free(update);
    }
}

static void on_updated(void *context, const struct hf_dns_outcome *outcome)
{
    struct raw *raw = context;
    if (outcome->result != HF_OK || outcome->rcode != KNOT_RCODE_NOERROR) {
        (void)fprintf(stderr, "rcode %u, ", outcome->rcode);
        fail("update", outcome->why != NULL ? outcome->why : "refused");
    }
    raw->done++;
    raw->ended_ns = uv_hrtime();
    send_next(raw);
    if (raw->done == raw->message_count) {
        uv_stop(&raw->loop);
    }
}

/* Sends what was built; how long it took, in nanoseconds. */
static uint64_t send_all(struct raw *raw, uint32_t window)
{
    raw->sent = 0;
    raw->done = 0;
    raw->window = window;
    raw->begun_ns = uv_hrtime();
    send_next(raw);
    (void)uv_run(&raw->loop, UV_RUN_DEFAULT);
    return raw->ended_ns - raw->begun_ns;
}

static void roll(struct raw *raw, uint32_t batch, uint32_t window, bool differ)
{
    build(raw, batch, differ);
    uint64_t ns = send_all(raw, window);
    (void)printf("{\"seconds\": %.6f, \"messages\": %u}\n", (double)ns / 1e9, raw->message_count);
}

static void singles(struct raw *raw, uint32_t times, uint32_t pause_ms)
{
    struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000L};
    (void)printf("{\"us\": [");
    for (uint32_t i = 0; i < times; i++) {
        (void)nanosleep(&pause, NULL);
        struct hf_update *update = begin(raw);
        check(add_endpoint(raw, update, 0, false), "message");
        raw->messages[0] = update;
        raw->message_count = 1;
        (void)printf("%s%.1f", i == 0 ? "" : ", ", (double)send_all(raw, 1) / 1e3);
    }
    (void)printf("]}\n");
}

/* --- reading --- */

static void on_record(void *context, const struct hf_dns_record *record)
{
    struct raw *raw = context;
    (void)record;
    raw->record_count++;
}

static void on_transferred(void *context, const struct hf_dns_outcome *outcome)
{
    struct raw *raw = context;
    if (outcome->result != HF_OK) {
        fail("transfer", outcome->why != NULL ? outcome->why : "failed");
    }
    raw->ended_ns = uv_hrtime();
    uv_stop(&raw->loop);
}

static void transfer(struct raw *raw)
{
    raw->record_count = 0;
    raw->begun_ns = uv_hrtime();
    check(hf_dns_axfr(raw->dns, on_record, on_transferred, raw), "transfer");
    (void)uv_run(&raw->loop, UV_RUN_DEFAULT);
    (void)printf("{\"seconds\": %.6f, \"records\": %llu}\n",
                 (double)(raw->ended_ns - raw->begun_ns) / 1e9,
                 (unsigned long long)raw->record_count);
}

/* --- start --- */

static void on_guard(void *context, const struct hf_dns_record *record)
{
    struct raw *raw = context;
    if (record->type == KNOT_RRTYPE_TXT && record->rdata_size <= HF_FENCE_RDATA_MAX) {
        raw->guard[0] = (uint8_t)(record->rdata_size >> 8);
        raw->guard[1] = (uint8_t)record->rdata_size;
        memcpy(raw->guard + 2, record->rdata, record->rdata_size);
        raw->guard_size = record->rdata_size + 2U;
    }
}

static void on_guard_read(void *context, const struct hf_dns_outcome *outcome)
{
    struct raw *raw = context;
    if (outcome->result != HF_OK) {
        fail("guard", outcome->why != NULL ? outcome->why : "cannot be read");
    }
    uv_stop(&raw->loop);
}

static void ensure_guard(struct raw *raw)
{
    char text[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    (void)snprintf(text, sizeof(text), "_holdfast-zone.%s", raw->zone_text);
    check(hf_name_parse(text, owner), text);
    check(hf_dns_query(raw->dns, owner, KNOT_RRTYPE_TXT, on_guard, on_guard_read, raw), "query");
    (void)uv_run(&raw->loop, UV_RUN_DEFAULT);
    if (raw->guard_size > 0) {
        return;
    }
    struct hf_zone_guard guard = {.kind = HF_FENCE_OURS, .instance = 1};
    size_t size;
    hf_zone_guard_format("raw", &guard, raw->guard + 2, &size);
    struct hf_txt_set none = {0};
    raw->messages[0] = hf_update_begin(raw->zone, &none, raw->guard + 2, size, &raw->key);
    raw->message_count = 1;
    (void)send_all(raw, 1);
    raw->guard[0] = (uint8_t)(size >> 8);
    raw->guard[1] = (uint8_t)size;
    raw->guard_size = size + 2;
}

static void read_key(struct raw *raw, const char *name, const char *algorithm, const char *path)
{
    char secret[SECRET_MAX] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(secret, sizeof(secret), file) == NULL) {
        fail(path, "cannot be read");
    }
    (void)fclose(file);
    secret[strcspn(secret, "\n")] = 0;
    check(hf_tsig_init(name, algorithm, secret, &raw->key), "key");
}

static void open_server(struct raw *raw, const char *host, const char *port)
{
    struct hf_dns_options options = {.key = &raw->key, .zone = raw->zone, .timeout_ms = TIMEOUT_MS};
    check(hf_address_parse(host, (uint16_t)strtoul(port, NULL, 10), &options.server), host);
    check(hf_name_parse(raw->zone_text, raw->zone), raw->zone_text);
    (void)uv_loop_init(&raw->loop);
    check(hf_dns_open(&raw->loop, &options, &raw->dns), "client");
}

static void obey(struct raw *raw, const char *line)
{
    size_t word_size = strcspn(line, " \n");
    char word[16] = "";
    char *end = NULL;
    if (word_size >= sizeof(word)) {
        fail(line, "no command");
    }
    memcpy(word, line, word_size);
    uint32_t first = (uint32_t)strtoul(line + word_size, &end, 10);
    int fields = end == line + word_size ? 1 : 2;
    const char *rest = end;
    uint32_t second = (uint32_t)strtoul(rest, &end, 10);
    fields += end != rest;
    if (fields == 1 && strcmp(word, "transfer") == 0) {
        transfer(raw);
    } else if (fields == 3 && strcmp(word, "single") == 0 && first <= SINGLES_MAX) {
        singles(raw, first, second);
    } else if (fields == 3 && first > 0 && second > 0 && second <= HF_DNS_INFLIGHT_MAX) {
        roll(raw, first, second, strcmp(word, "differ") == 0);
    } else {
        fail(line, "no command");
    }
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    struct raw raw = {0};
    char line[128];
    if (argc != 9) {
        (void)fprintf(stderr, "usage: raw HOST PORT ZONE KEY ALGORITHM SECRET_FILE PREFIX COUNT\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    raw.zone_text = argv[3];
    raw.prefix = argv[7];
    raw.count = (uint32_t)strtoul(argv[8], NULL, 10);
    if (raw.count == 0 || raw.count > COUNT_MAX) {
        fail(argv[8], "no count");
    }
    raw.gens = malloc(raw.count * sizeof(*raw.gens));
    raw.messages = malloc((size_t)raw.count * sizeof(struct hf_update *));
    if (raw.gens == NULL || raw.messages == NULL) {
        abort();
    }
    memset(raw.gens, 0xff, raw.count * sizeof(*raw.gens));
    read_key(&raw, argv[4], argv[5], argv[6]);
    open_server(&raw, argv[1], argv[2]);
    ensure_guard(&raw);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        obey(&raw, line);
    }
    return 0;
}
