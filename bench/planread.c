/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * planread: how long a bare read of the head plan takes, and zones that are in step with it.
 *
 *   planread STORE                               {"seconds": …, "gen": …, "endpoints": …, …}
 *   planread STORE INSTALLATION [ZONE FILE]...   the same, and appends to each zone file the guard,
 *                                                and each endpoint's records and fence
 *
 * gen is that of the first endpoint, records is how many the plan has. Endpoints must belong to the
 * first ZONE that they are within. What is written is what raw.c takes over with "adopt".
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "codec/fence.h"
#include "codec/name.h"
#include "io/plan_store.h"

enum { ZONES_MAX = 64, FILE_BUFFER = 1 << 20 };

struct zone {
    uint8_t apex[HF_NAME_MAX];
    FILE *file;
};

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "planread: %s: %s\n", what, why);
    exit(1);
}

static void put_txt(FILE *file, const uint8_t *rdata)
{
    (void)fprintf(file, "0 TXT \"%.*s\"\n", rdata[0], (const char *)rdata + 1);
}

static void put_records(FILE *file, const struct hf_records *records)
{
    char text[INET6_ADDRSTRLEN];
    const uint8_t *at = records->bytes;
    for (uint32_t i = 0; i < (uint32_t)records->a_count + records->aaaa_count; i++) {
        bool is_a = i < records->a_count;
        (void)inet_ntop(is_a ? AF_INET : AF_INET6, at, text, sizeof(text));
        (void)fprintf(file, " %u %s %s\n", records->ttl_s, is_a ? "A" : "AAAA", text);
        at += is_a ? 4 : 16;
    }
}

static void put_entry(const struct zone *zone, const char *installation,
                      const struct hf_plan_entry *entry)
{
    char text[HF_NAME_TEXT_MAX];
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size;
    struct hf_fence fence = {
        .kind = HF_FENCE_OURS, .gen = entry->gen, .sum = entry->sum, .count = entry->gen};
    hf_name_text(entry->owner, text);
    (void)fputs(text, zone->file);
    put_records(zone->file, &entry->records);
    hf_fence_format(installation, "raw", &fence, rdata, &size);
    (void)fprintf(zone->file, HF_FENCE_LABEL ".%s ", text);
    put_txt(zone->file, rdata);
}

static void put_guard(const struct zone *zone, const char *installation, uint32_t instance)
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size;
    struct hf_zone_guard guard = {.kind = HF_FENCE_OURS, .instance = instance};
    hf_zone_guard_format(installation, &guard, rdata, &size);
    (void)fputs(HF_GUARD_LABEL " ", zone->file);
    put_txt(zone->file, rdata);
}

static void write_zones(const struct hf_plan *plan, const char *installation, uint32_t instance,
                        struct zone *zones, uint32_t zone_count)
{
    for (uint32_t i = 0; i < zone_count; i++) {
        put_guard(&zones[i], installation, instance);
    }
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        struct hf_plan_entry entry;
        uint32_t i = 0;
        hf_plan_get(plan, row, &entry);
        while (i < zone_count && !hf_name_is_within(entry.owner, zones[i].apex)) {
            i++;
        }
        if (i < zone_count && entry.gen != 0) {
            put_entry(&zones[i], installation, &entry);
        }
    }
    for (uint32_t i = 0; i < zone_count; i++) {
        if (fclose(zones[i].file) != 0) {
            fail("zone file", "cannot be written");
        }
    }
}

static void print_plan(const struct hf_plan *plan, double seconds)
{
    uint64_t records = 0;
    struct hf_plan_entry entry = {0};
    for (uint32_t row = plan->entry_count; row-- > 0;) {
        hf_plan_get(plan, row, &entry);
        records += (uint64_t)entry.records.a_count + entry.records.aaaa_count;
    }
    (void)printf("{\"seconds\": %.6f, \"gen\": %llu, \"endpoints\": %u, \"records\": %llu}\n",
                 seconds, (unsigned long long)entry.gen, plan->entry_count,
                 (unsigned long long)records);
}

int main(int argc, char **argv)
{
    struct hf_store *store;
    struct hf_plan plan;
    struct zone zones[ZONES_MAX];
    uint32_t zone_count = argc > 3 ? (uint32_t)(argc - 3) / 2 : 0;
    uint32_t instance = 0;
    uint64_t gen = 0;
    if (argc < 2 || (argc > 2 && argc % 2 == 0) || zone_count > ZONES_MAX) {
        (void)fprintf(stderr, "usage: planread STORE [INSTALLATION [ZONE FILE]...]\n");
        return 2;
    }
    double begun = now_s();
    if (hf_store_open(argv[1], false, &store) != HF_OK) {
        fail(argv[1], "cannot be opened");
    }
    hf_plan_init(&plan);
    if (hf_plan_load(store, &plan, NULL, &gen) != HF_OK ||
        hf_store_instance(store, &instance) != HF_OK) {
        fail(argv[1], hf_store_why(store));
    }
    print_plan(&plan, now_s() - begun);
    for (uint32_t i = 0; i < zone_count; i++) {
        char *const *pair = &argv[3 + 2 * i];
        zones[i].file = fopen(pair[1], "ae");
        if (hf_name_parse(pair[0], zones[i].apex) != HF_OK || zones[i].file == NULL) {
            fail(pair[1], "cannot be written");
        }
        (void)setvbuf(zones[i].file, NULL, _IOFBF, FILE_BUFFER);
    }
    if (zone_count > 0) {
        write_zones(&plan, argv[2], instance, zones, zone_count);
    }
    hf_plan_release(&plan);
    hf_store_close(store);
    return 0;
}
