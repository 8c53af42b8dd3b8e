/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/status.h"

#include <string.h>

#include "base/error.h"
#include "codec/json_in.h"

const char *hf_verdict_name(enum hf_verdict verdict)
{
    switch (verdict) {
    case HF_VERDICT_UP:
        return "up";
    case HF_VERDICT_DOWN:
        return "down";
    default:
        return "unknown";
    }
}

static enum hf_verdict verdict_of(const char *name)
{
    if (strcmp(name, "up") == 0) {
        return HF_VERDICT_UP;
    }
    return strcmp(name, "down") == 0 ? HF_VERDICT_DOWN : HF_VERDICT_UNKNOWN;
}

static bool take_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* --- planner --- */

void hf_planner_status_encode(const struct hf_planner_status *status, struct hf_buf *ret_json)
{
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_text(&json, "planner", status->planner);
    hf_json_put_number(&json, "at_ms", status->at_ms);
    hf_json_put_number(&json, "started_ms", status->started_ms);
    hf_json_put_u64(&json, "pid", (uint64_t)status->pid);
    hf_json_put_number(&json, "head_gen", status->head_gen);
    hf_json_put_number(&json, "published", status->published);
    hf_json_key(&json, "frozen");
    hf_json_bool(&json, status->frozen);
    hf_json_key(&json, "stopped");
    hf_json_bool(&json, status->stopped);
    hf_json_put_text(&json, "trouble", status->trouble);
    hf_json_put_text(&json, "held_id", status->held_id);
    hf_json_put_text(&json, "held_lines", status->held_lines);
    hf_json_put_u64(&json, "held_count", status->held_count);
    hf_json_put_u64(&json, "endpoints", status->endpoints);
    hf_json_put_u64(&json, "backends", status->backends);
    hf_json_put_u64(&json, "up", status->up);
    hf_json_put_u64(&json, "down", status->down);
    hf_json_put_u64(&json, "unknown", status->unknown);
    hf_json_put_u64(&json, "drained", status->drained);
    hf_json_object_end(&json);
}

/* The first error of several reads. */
static int first(int a, int b)
{
    return a != HF_OK ? a : b;
}

int hf_planner_status_decode(const void *bytes, size_t size, struct hf_arena *arena,
                             struct hf_planner_status *ret_status)
{
    json_t *root;
    int error = hf_json_in_parse(bytes, size, &root);
    if (error != HF_OK) {
        return error;
    }
    struct hf_planner_status status = {.frozen = take_bool(root, "frozen"),
                                       .stopped = take_bool(root, "stopped")};
    error = first(error, hf_json_in_copy(root, "planner", arena, &status.planner));
    error = first(error, hf_json_in_copy(root, "trouble", arena, &status.trouble));
    error = first(error, hf_json_in_copy(root, "held_id", arena, &status.held_id));
    error = first(error, hf_json_in_copy(root, "held_lines", arena, &status.held_lines));
    error = first(error, hf_json_in_u64(root, "at_ms", &status.at_ms));
    error = first(error, hf_json_in_u64(root, "started_ms", &status.started_ms));
    error = first(error, hf_json_in_i64(root, "pid", &status.pid));
    error = first(error, hf_json_in_u64(root, "head_gen", &status.head_gen));
    error = first(error, hf_json_in_u64(root, "published", &status.published));
    error = first(error, hf_json_in_u32(root, "held_count", &status.held_count));
    error = first(error, hf_json_in_u32(root, "endpoints", &status.endpoints));
    error = first(error, hf_json_in_u32(root, "backends", &status.backends));
    error = first(error, hf_json_in_u32(root, "up", &status.up));
    error = first(error, hf_json_in_u32(root, "down", &status.down));
    error = first(error, hf_json_in_u32(root, "unknown", &status.unknown));
    error = first(error, hf_json_in_u32(root, "drained", &status.drained));
    json_decref(root);
    if (error == HF_OK) {
        *ret_status = status;
    }
    return error;
}

/* --- backends --- */

static void encode_backend(struct hf_json *json, const struct hf_backend_status *row)
{
    hf_json_object(json);
    hf_json_put_text(json, "name", row->name);
    hf_json_put_text(json, "pool", row->pool);
    hf_json_put_text(json, "site", row->site);
    hf_json_put_text(json, "verdict", hf_verdict_name(row->verdict));
    hf_json_put_text(json, "why", row->why);
    hf_json_put_text(json, "addresses", row->addresses);
    hf_json_key(json, "drained");
    hf_json_bool(json, row->drained);
    hf_json_put_number(json, "since_ms", row->since_ms);
    hf_json_put_number(json, "checked_ms", row->checked_ms);
    hf_json_put_number(json, "held_until_ms", row->held_until_ms);
    hf_json_put_number(json, "duration_us", row->duration_us);
    hf_json_put_u64(json, "flaps", row->flaps);
    hf_json_object_end(json);
}

void hf_backends_status_encode(uint64_t at_ms, const struct hf_backend_status *rows, uint32_t count,
                               struct hf_buf *ret_json)
{
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_number(&json, "at_ms", at_ms);
    hf_json_key(&json, "backends");
    hf_json_array(&json);
    for (uint32_t i = 0; i < count; i++) {
        encode_backend(&json, &rows[i]);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
}

static int decode_backend(const json_t *object, struct hf_arena *arena,
                          struct hf_backend_status *ret_row)
{
    struct hf_backend_status row = {.drained = take_bool(object, "drained")};
    const char *verdict = "";
    row.addresses = ""; /* what an earlier release wrote has none */
    int error = hf_json_in_copy(object, "name", arena, &row.name);
    error = first(error, hf_json_in_copy(object, "pool", arena, &row.pool));
    error = first(error, hf_json_in_copy(object, "site", arena, &row.site));
    error = first(error, hf_json_in_copy(object, "why", arena, &row.why));
    error = first(error, hf_json_in_text(object, "verdict", &verdict));
    if (json_object_get(object, "addresses") != NULL) {
        error = first(error, hf_json_in_copy(object, "addresses", arena, &row.addresses));
    }
    error = first(error, hf_json_in_u64(object, "since_ms", &row.since_ms));
    error = first(error, hf_json_in_u64(object, "checked_ms", &row.checked_ms));
    error = first(error, hf_json_in_u64(object, "held_until_ms", &row.held_until_ms));
    error = first(error, hf_json_in_u64(object, "duration_us", &row.duration_us));
    error = first(error, hf_json_in_u32(object, "flaps", &row.flaps));
    row.verdict = verdict_of(verdict);
    if (error == HF_OK) {
        *ret_row = row;
    }
    return error;
}

int hf_backends_status_decode(const void *bytes, size_t size, struct hf_arena *arena,
                              uint64_t *ret_at_ms, struct hf_backend_status **ret_rows,
                              uint32_t *ret_count)
{
    json_t *root;
    json_t *array = NULL;
    uint64_t at_ms = 0;
    int error = hf_json_in_parse(bytes, size, &root);
    if (error != HF_OK) {
        return error;
    }
    error = first(error, hf_json_in_u64(root, "at_ms", &at_ms));
    error = first(error, hf_json_in_array(root, "backends", UINT32_MAX - 1, &array));
    size_t count = error == HF_OK ? json_array_size(array) : 0;
    struct hf_backend_status *rows = hf_arena_array(arena, count + 1, sizeof(*rows));
    error = first(error, rows == NULL ? HF_ELIMIT : HF_OK);
    for (size_t i = 0; i < count && error == HF_OK; i++) {
        error = decode_backend(json_array_get(array, i), arena, &rows[i]);
    }
    json_decref(root);
    if (error == HF_OK) {
        *ret_at_ms = at_ms;
        *ret_rows = rows;
        *ret_count = (uint32_t)count;
    }
    return error;
}

/* --- janitor --- */

void hf_janitor_status_encode(const struct hf_janitor_status *status, struct hf_buf *ret_json)
{
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_number(&json, "at_ms", status->at_ms);
    hf_json_put_number(&json, "started_ms", status->started_ms);
    hf_json_put_u64(&json, "pid", (uint64_t)status->pid);
    hf_json_put_number(&json, "rounds", status->rounds);
    hf_json_put_number(&json, "deleted", status->deleted);
    hf_json_put_number(&json, "cleaned", status->cleaned);
    hf_json_put_text(&json, "trouble", status->trouble);
    hf_json_object_end(&json);
}

int hf_janitor_status_decode(const void *bytes, size_t size, struct hf_arena *arena,
                             struct hf_janitor_status *ret_status)
{
    json_t *root;
    struct hf_janitor_status status = {0};
    int error = hf_json_in_parse(bytes, size, &root);
    if (error != HF_OK) {
        return error;
    }
    error = first(error, hf_json_in_copy(root, "trouble", arena, &status.trouble));
    error = first(error, hf_json_in_u64(root, "at_ms", &status.at_ms));
    error = first(error, hf_json_in_u64(root, "started_ms", &status.started_ms));
    error = first(error, hf_json_in_i64(root, "pid", &status.pid));
    error = first(error, hf_json_in_u64(root, "rounds", &status.rounds));
    error = first(error, hf_json_in_u64(root, "deleted", &status.deleted));
    error = first(error, hf_json_in_u64(root, "cleaned", &status.cleaned));
    json_decref(root);
    if (error == HF_OK) {
        *ret_status = status;
    }
    return error;
}
