/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * raw: what the DNS server itself can take. Sends UPDATE messages that were built and signed before
 * the clock starts, with the prerequisites and results of an enactor's, and does nothing else.
 *
 *   raw HOST PORT KEY ALGORITHM SECRET_FILE INSTALLATION PREFIX COUNT ZONE...
 *
 * The endpoints are PREFIX0, PREFIX1, … in turn in each ZONE, COUNT of them. Each answers with four
 * IPv4 and four IPv6 addresses of five backends, 192.0.2.11 to .15 and 2001:db8::11 to ::15: in its
 * first generation without the fifth, in the next without the first, and so on. The zones have
 * guards, which are used as they are. Reads commands, one a line, and answers each with one line of
 * JSON:
 *
 *   adopt GEN                   the zones hold generation GEN of all, as bench/planread.c writes it
 *   create BATCH WINDOW         generation 1 of all, which are not there yet
 *   SHAPE BATCH WINDOW [LIMIT]  the next generation of all; after LIMIT ms nothing new is sent
 *   single COUNT PAUSE_MS       the next generation of the first endpoint, COUNT times: each after
 *                               the one before was acknowledged and a pause
 *   transfer                    reads all zones by AXFR and counts their records
 *
 * SHAPE: whole deletes and adds both RRsets; differ sends only the records that differ; pinned does
 * too, and demands the old RRsets in its prerequisites. BATCH is endpoints in a message, WINDOW
 * messages in flight for each zone. Any refusal ends it with status 1.
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
#include "pump.h"

enum {
    COUNT_MAX = 1000000,
    SINGLES_MAX = 10000,
    TIMEOUT_MS = 20000,
    TTL_S = 30,
    SECRET_MAX = 256,
    GUARD_MAX = 2 + HF_FENCE_RDATA_MAX,
    BACKENDS = 5,
    NUMBERS_MAX = 3,
    FIXED_ARGUMENTS = 9,
};

struct zone {
    struct raw *raw;
    const char *text;
    uint8_t apex[HF_NAME_MAX];
    uint8_t guard[GUARD_MAX];
    size_t guard_size;
    struct hf_dns *dns;
    struct pump_lane lane;
};

struct raw {
    uv_loop_t loop;
    struct sockaddr_storage server;
    knot_tsig_key_t key;
    const char *installation, *prefix;
    uint32_t count, zone_count;
    struct zone *zones;
    struct pump_lane *lanes[PUMP_ZONES_MAX];
    uint64_t *gens;     /* of each endpoint; 0: not there yet */
    uint64_t first_gen; /* answers without the fifth backend */
    uint64_t record_count;
};

static void check(int error, const char *what)
{
    if (error != HF_OK) {
        pump_fail(what, hf_strerror(error));
    }
}

/* --- one endpoint's change --- */

static struct hf_records records_of(const struct raw *raw, uint64_t gen,
                                    uint8_t bytes[BACKENDS * 20])
{
    uint64_t skipped = (BACKENDS - 1 + gen - raw->first_gen) % BACKENDS;
    uint8_t *at = bytes;
    for (uint32_t i = 0; i < BACKENDS; i++) {
        const uint8_t a[4] = {192, 0, 2, (uint8_t)(11 + i)};
        if (i != skipped) {
            memcpy(at, a, sizeof(a));
            at += sizeof(a);
        }
    }
    for (uint32_t i = 0; i < BACKENDS; i++) {
        const uint8_t aaaa[16] = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)(0x11 + i)};
        if (i != skipped) {
            memcpy(at, aaaa, sizeof(aaaa));
            at += sizeof(aaaa);
        }
    }
    return (struct hf_records){
        .bytes = bytes, .ttl_s = TTL_S, .a_count = BACKENDS - 1, .aaaa_count = BACKENDS - 1};
}

static size_t fence_of(const struct raw *raw, const uint8_t *owner, uint64_t gen,
                       uint8_t ret_rdata[HF_FENCE_RDATA_MAX])
{
    uint8_t bytes[BACKENDS * 20];
    struct hf_records records = records_of(raw, gen, bytes);
    struct hf_fence fence = {
        .kind = HF_FENCE_OURS, .gen = gen, .sum = hf_records_sum(owner, &records), .count = gen};
    size_t size;
    hf_fence_format(raw->installation, "raw", &fence, ret_rdata, &size);
    return size;
}

static int add_endpoint(struct raw *raw, struct hf_update *update, uint32_t number,
                        enum hf_update_expect expect)
{
    char text[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    uint8_t set[2 + HF_FENCE_RDATA_MAX];
    uint8_t fence[HF_FENCE_RDATA_MAX];
    uint8_t before[BACKENDS * 20];
    uint8_t after[BACKENDS * 20];
    uint64_t gen = raw->gens[number];
    assert(raw->zone_count > 0);
    (void)snprintf(text, sizeof(text), "%s%u.%s", raw->prefix, number,
                   raw->zones[number % raw->zone_count].text);
    check(hf_name_parse(text, owner), text);
    struct hf_update_change change = {.endpoint = owner, .fence_after = fence, .expect = expect};
    if (gen != 0) {
        size_t size = fence_of(raw, owner, gen, set + 2);
        set[0] = (uint8_t)(size >> 8);
        set[1] = (uint8_t)size;
        change.fence_before = (struct hf_txt_set){.bytes = set, .size = size + 2};
        change.before = records_of(raw, gen, before);
    }
    change.after = records_of(raw, gen + 1, after);
    change.fence_after_size = fence_of(raw, owner, gen + 1, fence);
    int error = hf_update_add(update, &change);
    if (error == HF_OK) {
        raw->gens[number] = gen + 1;
    }
    return error;
}

/* --- messages --- */

static struct hf_update *begin(const struct raw *raw, const struct zone *zone)
{
    struct hf_txt_set guard = {.bytes = zone->guard, .size = zone->guard_size};
    return hf_update_begin(zone->apex, &guard, NULL, 0, &raw->key);
}

/* Signs it and puts it in line. first is the number of its first endpoint. */
static void finish(struct zone *zone, struct hf_update *update, uint32_t first)
{
    const uint8_t *wire;
    size_t size;
    struct hf_tsig_state tsig;
    uint16_t message_id = (uint16_t)zone->lane.message_count;
    check(hf_update_finish(update, message_id, &wire, &size, &tsig), "message");
    pump_lane_put(&zone->lane, wire, size, first, hf_update_count(update));
    hf_update_free(update);
}

static void build_zone(struct raw *raw, struct zone *zone, uint32_t batch,
                       enum hf_update_expect expect)
{
    uint32_t first = (uint32_t)(zone - raw->zones);
    struct hf_update *update = begin(raw, zone);
    pump_lane_clear(&zone->lane);
    for (uint32_t i = first; i < raw->count;) {
        int error =
            hf_update_count(update) == batch ? HF_ELIMIT : add_endpoint(raw, update, i, expect);
        if (error == HF_OK) {
            i += raw->zone_count;
            continue;
        }
        if (error != HF_ELIMIT || hf_update_count(update) == 0) {
            check(error, "message");
        }
        finish(zone, update, first);
        first = i;
        update = begin(raw, zone);
    }
    if (hf_update_count(update) > 0) {
        finish(zone, update, first);
    } else {
        hf_update_free(update);
    }
}

/* Endpoints of messages that were not sent are as they were. */
static uint32_t take_back(struct raw *raw, struct zone *zone, uint32_t built)
{
    const struct pump_lane *lane = &zone->lane;
    uint32_t changed = 0;
    for (uint32_t i = 0; i < built; i++) {
        const struct pump_message *message = &lane->messages[i];
        changed += i < lane->done ? message->count : 0;
        for (uint32_t k = 0; i >= lane->done && k < message->count; k++) {
            raw->gens[message->first + k * raw->zone_count]--;
        }
    }
    return changed;
}

static void roll(struct raw *raw, enum hf_update_expect expect, const uint32_t numbers[NUMBERS_MAX])
{
    uint32_t built[PUMP_ZONES_MAX] = {0};
    uint32_t endpoints = 0;
    uint32_t messages = 0;
    uint64_t begun = pump_now_ns();
    for (uint32_t i = 0; i < raw->zone_count; i++) {
        build_zone(raw, &raw->zones[i], numbers[0], expect);
        built[i] = raw->zones[i].lane.message_count;
    }
    uint64_t sent = pump_now_ns();
    uint64_t ns = pump_run(raw->lanes, raw->zone_count, &raw->server, numbers[1], numbers[2]);
    for (uint32_t i = 0; i < raw->zone_count; i++) {
        endpoints += take_back(raw, &raw->zones[i], built[i]);
        messages += raw->zones[i].lane.done;
    }
    (void)printf("{\"seconds\": %.6f, \"build_s\": %.6f, \"messages\": %u, \"endpoints\": %u}\n",
                 (double)ns / 1e9, (double)(sent - begun) / 1e9, messages, endpoints);
}

static void singles(struct raw *raw, uint32_t times, uint32_t pause_ms)
{
    struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000L};
    (void)printf("{\"us\": [");
    for (uint32_t i = 0; i < times; i++) {
        (void)nanosleep(&pause, NULL);
        struct zone *zone = &raw->zones[0];
        struct hf_update *update = begin(raw, zone);
        pump_lane_clear(&zone->lane);
        check(add_endpoint(raw, update, 0, HF_EXPECT_EXACT), "message");
        finish(zone, update, 0);
        uint64_t ns = pump_run(raw->lanes, 1, &raw->server, 1, 0);
        (void)printf("%s%.1f", i == 0 ? "" : ", ", (double)ns / 1e3);
    }
    (void)printf("]}\n");
}

static void adopt(struct raw *raw, uint64_t gen)
{
    raw->first_gen = gen;
    for (uint32_t i = 0; i < raw->count; i++) {
        raw->gens[i] = gen;
    }
    (void)printf("{\"gen\": %llu}\n", (unsigned long long)gen);
}

/* --- reading --- */

static void on_record(void *context, const struct hf_dns_record *record)
{
    struct zone *zone = context;
    (void)record;
    zone->raw->record_count++;
}

static void on_done(void *context, const struct hf_dns_outcome *outcome)
{
    struct zone *zone = context;
    if (outcome->result != HF_OK) {
        pump_fail(zone->text, outcome->why != NULL ? outcome->why : "failed");
    }
    uv_stop(&zone->raw->loop);
}

static void transfer(struct raw *raw)
{
    raw->record_count = 0;
    uint64_t begun = pump_now_ns();
    for (uint32_t i = 0; i < raw->zone_count; i++) {
        check(hf_dns_axfr(raw->zones[i].dns, on_record, on_done, &raw->zones[i]), "transfer");
        (void)uv_run(&raw->loop, UV_RUN_DEFAULT);
    }
    (void)printf("{\"seconds\": %.6f, \"records\": %llu}\n", (double)(pump_now_ns() - begun) / 1e9,
                 (unsigned long long)raw->record_count);
}

static void on_guard(void *context, const struct hf_dns_record *record)
{
    struct zone *zone = context;
    if (record->type == KNOT_RRTYPE_TXT && record->rdata_size <= HF_FENCE_RDATA_MAX) {
        zone->guard[0] = (uint8_t)(record->rdata_size >> 8);
        zone->guard[1] = (uint8_t)record->rdata_size;
        memcpy(zone->guard + 2, record->rdata, record->rdata_size);
        zone->guard_size = record->rdata_size + 2U;
    }
}

/* --- start --- */

static void read_key(struct raw *raw, const char *name, const char *algorithm, const char *path)
{
    char secret[SECRET_MAX] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(secret, sizeof(secret), file) == NULL) {
        pump_fail(path, "cannot be read");
    }
    (void)fclose(file);
    secret[strcspn(secret, "\n")] = 0;
    check(hf_tsig_init(name, algorithm, secret, &raw->key), "key");
}

static void open_zone(struct raw *raw, struct zone *zone)
{
    uint8_t owner[HF_NAME_MAX];
    zone->raw = raw;
    check(hf_name_parse(zone->text, zone->apex), zone->text);
    check(hf_name_guard_of(zone->apex, owner), zone->text);
    struct hf_dns_options options = {
        .server = raw->server, .key = &raw->key, .zone = zone->apex, .timeout_ms = TIMEOUT_MS};
    check(hf_dns_open(&raw->loop, &options, &zone->dns), "client");
    check(hf_dns_query(zone->dns, owner, KNOT_RRTYPE_TXT, on_guard, on_done, zone), "query");
    (void)uv_run(&raw->loop, UV_RUN_DEFAULT);
    if (zone->guard_size == 0) {
        pump_fail(zone->text, "has no guard");
    }
    pump_lane_init(&zone->lane);
}

/* A word and numbers; how many fields there are. */
static int split(const char *line, char word[16], uint32_t numbers[NUMBERS_MAX])
{
    size_t size = strcspn(line, " \n");
    const char *at = line + size;
    int fields = 1;
    (void)snprintf(word, 16, "%.*s", (int)size, line);
    for (uint32_t i = 0; i < NUMBERS_MAX; i++) {
        char *end = NULL;
        numbers[i] = (uint32_t)strtoul(at, &end, 10);
        fields += end != at;
        at = end;
    }
    return fields;
}

static void obey(struct raw *raw, const char *line)
{
    static const char *const shapes[] = {[HF_EXPECT_ANY] = "whole",
                                         [HF_EXPECT_NONE] = "create",
                                         [HF_EXPECT_EXACT] = "pinned",
                                         [HF_EXPECT_AUDITED] = "differ"};
    char word[16];
    uint32_t numbers[NUMBERS_MAX];
    int fields = split(line, word, numbers);
    if (fields == 1 && strcmp(word, "transfer") == 0) {
        transfer(raw);
    } else if (fields == 2 && strcmp(word, "adopt") == 0) {
        adopt(raw, numbers[0]);
    } else if (fields == 3 && strcmp(word, "single") == 0 && numbers[0] <= SINGLES_MAX) {
        singles(raw, numbers[0], numbers[1]);
    } else {
        size_t shape = 0;
        while (shape < sizeof(shapes) / sizeof(shapes[0]) && strcmp(word, shapes[shape]) != 0) {
            shape++;
        }
        if (shape == sizeof(shapes) / sizeof(shapes[0]) || fields < 3 || numbers[0] == 0 ||
            numbers[1] == 0) {
            pump_fail(line, "no command");
        }
        roll(raw, (enum hf_update_expect)shape, numbers);
    }
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    struct raw raw = {.first_gen = 1};
    char line[128];
    if (argc < FIXED_ARGUMENTS + 1 || argc > FIXED_ARGUMENTS + PUMP_ZONES_MAX) {
        (void)fprintf(stderr, "usage: raw HOST PORT KEY ALGORITHM SECRET_FILE INSTALLATION PREFIX "
                              "COUNT ZONE...\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    check(hf_address_parse(argv[1], (uint16_t)strtoul(argv[2], NULL, 10), &raw.server), argv[1]);
    read_key(&raw, argv[3], argv[4], argv[5]);
    raw.installation = argv[6];
    raw.prefix = argv[7];
    raw.count = (uint32_t)strtoul(argv[8], NULL, 10);
    raw.zone_count = (uint32_t)(argc - FIXED_ARGUMENTS);
    if (raw.count == 0 || raw.count > COUNT_MAX) {
        pump_fail(argv[8], "no count");
    }
    raw.gens = calloc(raw.count, sizeof(*raw.gens));
    raw.zones = calloc(raw.zone_count, sizeof(*raw.zones));
    if (raw.gens == NULL || raw.zones == NULL) {
        abort();
    }
    (void)uv_loop_init(&raw.loop);
    for (uint32_t i = 0; i < raw.zone_count; i++) {
        raw.zones[i].text = argv[FIXED_ARGUMENTS + i];
        open_zone(&raw, &raw.zones[i]);
        raw.lanes[i] = &raw.zones[i].lane;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        obey(&raw, line);
    }
    return 0;
}
