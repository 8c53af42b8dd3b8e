/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/report.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "codec/json_in.h"

enum { REPORT_VERSION = 1 };

const char *hf_report_list_name(enum hf_report_list list)
{
    static const char *const names[HF_REPORT_LISTS] = {
        [HF_REPORT_CLAIMED] = "claimed", [HF_REPORT_GONE] = "gone",
        [HF_REPORT_STAMP] = "stamp",     [HF_REPORT_AHEAD] = "ahead",
        [HF_REPORT_FOREIGN] = "foreign", [HF_REPORT_CONTESTED] = "contested",
        [HF_REPORT_WAITING] = "waiting",
    };
    assert((unsigned)list < HF_REPORT_LISTS);
    return names[list];
}

const char *hf_write_kind_name(enum hf_write_kind kind)
{
    static const char *const names[HF_WRITE_KINDS] = {
        [HF_WRITE_DONE] = "written",   [HF_WRITE_HEALED] = "healed", [HF_WRITE_UNKNOWN] = "unknown",
        [HF_WRITE_LOST] = "lost-race", [HF_WRITE_STALE] = "stale",   [HF_WRITE_REFUSED] = "refused",
    };
    assert((unsigned)kind < HF_WRITE_KINDS);
    return names[kind];
}

/* "" for NULL: a report is not to be lost for a text that somebody forgot. */
static void put_text(struct hf_json *json, const char *key, const char *text)
{
    hf_json_put_text(json, key, text != NULL ? text : "");
}

static void put_names(struct hf_json *json, enum hf_report_list list,
                      const struct hf_report_names *names)
{
    assert(names->count <= HF_REPORT_NAMES_MAX);
    hf_json_key(json, hf_report_list_name(list));
    hf_json_object(json);
    hf_json_put_u64(json, "total", names->total);
    hf_json_key(json, "names");
    hf_json_array(json);
    for (uint32_t i = 0; i < names->count; i++) {
        hf_json_text(json, names->names[i]);
    }
    hf_json_array_end(json);
    hf_json_object_end(json);
}

static void put_zone(struct hf_json *json, const struct hf_report_zone *zone)
{
    hf_json_object(json);
    put_text(json, "zone", zone->zone);
    put_text(json, "state", zone->state);
    put_text(json, "why", zone->why);
    hf_json_put_number(json, "floor", zone->floor);
    hf_json_put_number(json, "ahead_gen", zone->ahead_gen);
    hf_json_put_number(json, "plan_gen", zone->plan_gen);
    hf_json_put_u64(json, "endpoints", zone->endpoints);
    hf_json_put_u64(json, "in_step", zone->in_step);
    hf_json_put_u64(json, "behind", zone->behind);
    hf_json_put_number(json, "written", zone->written);
    hf_json_put_number(json, "refused", zone->refused);
    hf_json_put_number(json, "unknown", zone->unknown);
    hf_json_put_number(json, "healed", zone->healed);
    hf_json_put_number(json, "messages", zone->messages);
    hf_json_put_number(json, "read", zone->read);
    hf_json_put_number(json, "latency_ms", zone->latency_ms);
    hf_json_put_u64(json, "window", zone->window);
    for (unsigned list = 0; list < HF_REPORT_LISTS; list++) {
        put_names(json, (enum hf_report_list)list, &zone->lists[list]);
    }
    hf_json_object_end(json);
}

static void put_writes(struct hf_json *json, const struct hf_report *report)
{
    hf_json_key(json, "writes");
    hf_json_array(json);
    for (uint32_t i = 0; i < report->write_count; i++) {
        const struct hf_report_write *write = &report->writes[i];
        hf_json_object(json);
        hf_json_put_number(json, "number", write->number);
        hf_json_put_number(json, "at_ms", write->at_ms);
        put_text(json, "zone", write->zone);
        put_text(json, "endpoint", write->endpoint);
        hf_json_put_text(json, "kind", hf_write_kind_name(write->kind));
        hf_json_put_number(json, "gen", write->gen);
        hf_json_put_number(json, "met_gen", write->met_gen);
        put_text(json, "met_writer", write->met_writer);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

void hf_report_encode(const struct hf_report *report, struct hf_buf *ret_json)
{
    assert(report->zone_count <= HF_REPORT_ZONES_MAX);
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", REPORT_VERSION);
    put_text(&json, "enactor", report->enactor);
    hf_json_put_number(&json, "at_ms", report->at_ms);
    hf_json_put_number(&json, "started_ms", report->started_ms);
    hf_json_put_i64(&json, "pid", report->pid);
    put_text(&json, "trouble", report->trouble);
    hf_json_key(&json, "zones");
    hf_json_array(&json);
    for (uint32_t i = 0; i < report->zone_count; i++) {
        put_zone(&json, &report->zones[i]);
    }
    hf_json_array_end(&json);
    put_writes(&json, report);
    hf_json_object_end(&json);
}

static int decode_names(struct hf_arena *arena, const json_t *zone, enum hf_report_list list,
                        struct hf_report_names *ret_names)
{
    const json_t *object = json_object_get(zone, hf_report_list_name(list));
    struct hf_report_names names = {0};
    json_t *array = NULL;
    if (object == NULL && list == HF_REPORT_WAITING) {
        *ret_names = names; /* of an enactor before there was this list */
        return HF_OK;
    }
    if (hf_json_in_u32(object, "total", &names.total) != HF_OK ||
        hf_json_in_array(object, "names", HF_REPORT_NAMES_MAX, &array) != HF_OK) {
        return HF_EMALF;
    }
    names.count = (uint32_t)json_array_size(array);
    names.names = hf_arena_array(arena, names.count, sizeof(*names.names));
    if (names.names == NULL) {
        return HF_ELIMIT;
    }
    for (uint32_t i = 0; i < names.count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (name == NULL) {
            return HF_EMALF;
        }
        names.names[i] = hf_arena_copy(arena, name, strlen(name));
        if (names.names[i] == NULL) {
            return HF_ELIMIT;
        }
    }
    *ret_names = names;
    return HF_OK;
}

static int decode_zone(struct hf_arena *arena, const json_t *object,
                       struct hf_report_zone *ret_zone)
{
    struct hf_report_zone zone = {0};
    if (hf_json_in_copy(object, "zone", arena, &zone.zone) != HF_OK ||
        hf_json_in_copy(object, "state", arena, &zone.state) != HF_OK ||
        hf_json_in_copy(object, "why", arena, &zone.why) != HF_OK ||
        hf_json_in_u64(object, "floor", &zone.floor) != HF_OK ||
        hf_json_in_u64(object, "ahead_gen", &zone.ahead_gen) != HF_OK ||
        hf_json_in_u64(object, "plan_gen", &zone.plan_gen) != HF_OK ||
        hf_json_in_u32(object, "endpoints", &zone.endpoints) != HF_OK ||
        hf_json_in_u32(object, "in_step", &zone.in_step) != HF_OK ||
        hf_json_in_u32(object, "behind", &zone.behind) != HF_OK ||
        hf_json_in_u64(object, "written", &zone.written) != HF_OK ||
        hf_json_in_u64(object, "refused", &zone.refused) != HF_OK ||
        hf_json_in_u64(object, "unknown", &zone.unknown) != HF_OK ||
        hf_json_in_u64(object, "healed", &zone.healed) != HF_OK ||
        hf_json_in_u64(object, "messages", &zone.messages) != HF_OK ||
        hf_json_in_u64(object, "read", &zone.read) != HF_OK ||
        hf_json_in_u64(object, "latency_ms", &zone.latency_ms) != HF_OK ||
        hf_json_in_u32(object, "window", &zone.window) != HF_OK) {
        return HF_EMALF;
    }
    for (unsigned list = 0; list < HF_REPORT_LISTS; list++) {
        int error = decode_names(arena, object, (enum hf_report_list)list, &zone.lists[list]);
        if (error != HF_OK) {
            return error;
        }
    }
    *ret_zone = zone;
    return HF_OK;
}

static int decode_zones(const json_t *array, struct hf_report *report)
{
    report->zone_count = (uint32_t)json_array_size(array);
    report->zones = hf_arena_array(&report->arena, report->zone_count, sizeof(*report->zones));
    int error = report->zones != NULL ? HF_OK : HF_ELIMIT;
    for (uint32_t i = 0; i < report->zone_count && error == HF_OK; i++) {
        error = decode_zone(&report->arena, json_array_get(array, i), &report->zones[i]);
    }
    return error;
}

static int decode_write(struct hf_arena *arena, const json_t *object,
                        struct hf_report_write *ret_write)
{
    const char *kind = NULL;
    struct hf_report_write write = {0};
    if (hf_json_in_u64(object, "number", &write.number) != HF_OK ||
        hf_json_in_u64(object, "at_ms", &write.at_ms) != HF_OK ||
        hf_json_in_copy(object, "zone", arena, &write.zone) != HF_OK ||
        hf_json_in_copy(object, "endpoint", arena, &write.endpoint) != HF_OK ||
        hf_json_in_text(object, "kind", &kind) != HF_OK ||
        hf_json_in_u64(object, "gen", &write.gen) != HF_OK ||
        hf_json_in_u64(object, "met_gen", &write.met_gen) != HF_OK ||
        hf_json_in_copy(object, "met_writer", arena, &write.met_writer) != HF_OK) {
        return HF_EMALF;
    }
    while (write.kind < HF_WRITE_KINDS && strcmp(kind, hf_write_kind_name(write.kind)) != 0) {
        write.kind++;
    }
    *ret_write = write;
    return HF_OK;
}

/* A kind that is not known is passed over: a newer enactor may say more. */
static int decode_writes(const json_t *root, struct hf_report *report)
{
    json_t *array = json_object_get(root, "writes");
    size_t count = json_array_size(array);
    if (count > HF_REPORT_WRITES_MAX * HF_WRITE_KINDS) {
        return HF_EMALF;
    }
    report->writes = hf_arena_array(&report->arena, count, sizeof(*report->writes));
    int error = report->writes != NULL ? HF_OK : HF_ELIMIT;
    for (size_t i = 0; i < count && error == HF_OK; i++) {
        struct hf_report_write *write = &report->writes[report->write_count];
        error = decode_write(&report->arena, json_array_get(array, i), write);
        report->write_count += error == HF_OK && write->kind < HF_WRITE_KINDS;
    }
    return error;
}

static int decode_report(const json_t *root, struct hf_report *report)
{
    uint64_t version = 0;
    json_t *zones = NULL;
    if (hf_json_in_u64(root, "version", &version) != HF_OK || version != REPORT_VERSION ||
        hf_json_in_copy(root, "enactor", &report->arena, &report->enactor) != HF_OK ||
        hf_json_in_u64(root, "at_ms", &report->at_ms) != HF_OK ||
        hf_json_in_u64(root, "started_ms", &report->started_ms) != HF_OK ||
        hf_json_in_i64(root, "pid", &report->pid) != HF_OK ||
        hf_json_in_copy(root, "trouble", &report->arena, &report->trouble) != HF_OK ||
        hf_json_in_array(root, "zones", HF_REPORT_ZONES_MAX, &zones) != HF_OK) {
        return HF_EMALF;
    }
    int error = decode_zones(zones, report);
    return error != HF_OK ? error : decode_writes(root, report);
}

int hf_report_decode(const void *bytes, size_t size, struct hf_report *ret_report)
{
    json_t *root = NULL;
    if (size > HF_REPORT_BYTES_MAX || hf_json_in_parse(bytes, size, &root) != HF_OK) {
        return HF_EMALF;
    }
    struct hf_report report = {0};
    /* Texts take no more than they do as JSON; a short one takes 16 octets, pointers come on top.
     */
    hf_arena_init(&report.arena, (size_t)HF_REPORT_BYTES_MAX * 16);
    int error = decode_report(root, &report);
    json_decref(root);
    if (error != HF_OK) {
        hf_report_release(&report);
        return error;
    }
    *ret_report = report;
    return HF_OK;
}

void hf_report_release(struct hf_report *report)
{
    hf_arena_release(&report->arena);
    *report = (struct hf_report){0};
}
