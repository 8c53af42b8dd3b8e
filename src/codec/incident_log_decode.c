/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A log with anything in it that encode does not write is refused as a whole: saving it would lose
 * what was not understood. */
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "codec/incident_log_internal.h"
#include "codec/json_in.h"

enum {
    ROOT_KEYS = 6,
    INCIDENT_KEYS = 19,
    CONDITION_KEYS = 11,
    AFFECTED_KEYS = 8,
    ENTRY_KEYS = 3,
    MESSAGE_KEYS = 4,
    WAITING_KEYS = 3,
};

/* Reads one row of an array into row. */
typedef int row_decode(struct hf_incident_log *log, const json_t *value, void *row);

static int decode_rows(struct hf_incident_log *log, const json_t *object, const char *key,
                       uint32_t most, size_t row_size, row_decode *decode, void **ret_rows,
                       uint32_t *ret_count)
{
    json_t *array = NULL;
    if (hf_json_in_array(object, key, most, &array) != HF_OK) {
        return HF_EMALF;
    }
    uint32_t count = (uint32_t)json_array_size(array);
    size_t room = 1; /* a power of two, as hf_incident_log_grow leaves it */
    while (room < count) {
        room *= 2;
    }
    char *rows = hf_arena_array(&log->arena, room, row_size);
    int error = rows == NULL ? HF_ELIMIT : HF_OK;
    for (uint32_t i = 0; i < count && error == HF_OK; i++) {
        error = decode(log, json_array_get(array, i), rows + i * row_size);
    }
    if (error == HF_OK) {
        *ret_rows = rows;
        *ret_count = count;
    }
    return error;
}

static int decode_condition(struct hf_incident_log *log, const json_t *value, void *row)
{
    struct hf_incident_condition *condition = row;
    struct hf_incident_sight *sight = &condition->sight;
    const char *kind = NULL;
    const char *severity = NULL;
    if (json_object_size(value) != CONDITION_KEYS ||
        hf_json_in_text(value, "kind", &kind) != HF_OK ||
        hf_condition_kind_parse(kind, &sight->kind) != HF_OK ||
        hf_json_in_text(value, "severity", &severity) != HF_OK ||
        hf_severity_parse(severity, &sight->severity) != HF_OK ||
        hf_json_in_copy(value, "code", &log->arena, &sight->code) != HF_OK ||
        hf_json_in_copy(value, "subject", &log->arena, &sight->subject) != HF_OK ||
        hf_json_in_copy(value, "text", &log->arena, &sight->text) != HF_OK ||
        hf_json_in_u64(value, "since_ms", &condition->since_ms) != HF_OK ||
        hf_json_in_u64(value, "cleared_ms", &condition->cleared_ms) != HF_OK) {
        return HF_EMALF;
    }
    for (int i = 0; i < HF_SCOPE_COUNT; i++) {
        if (hf_json_in_copy(value, hf_incident_scope_keys[i], &log->arena, &sight->scopes[i]) !=
            HF_OK) {
            return HF_EMALF;
        }
    }
    return HF_OK;
}

static int decode_entry(struct hf_incident_log *log, const json_t *value, void *row)
{
    struct hf_incident_entry *entry = row;
    const char *event = NULL;
    bool right = json_object_size(value) == ENTRY_KEYS &&
                 hf_json_in_u64(value, "at_ms", &entry->at_ms) == HF_OK &&
                 hf_json_in_text(value, "event", &event) == HF_OK &&
                 hf_incident_event_parse(event, &entry->event) == HF_OK &&
                 hf_json_in_copy(value, "text", &log->arena, &entry->text) == HF_OK;
    return right ? HF_OK : HF_EMALF;
}

static int decode_message(struct hf_incident_log *log, const json_t *value, void *row)
{
    struct hf_incident_message *message = row;
    uint64_t is_public = 0;
    bool right = json_object_size(value) == MESSAGE_KEYS &&
                 hf_json_in_u64(value, "at_ms", &message->at_ms) == HF_OK &&
                 hf_json_in_copy(value, "who", &log->arena, &message->who) == HF_OK &&
                 hf_json_in_copy(value, "text", &log->arena, &message->text) == HF_OK &&
                 hf_json_in_u64(value, "public", &is_public) == HF_OK && is_public <= 1;
    message->is_public = is_public == 1;
    return right ? HF_OK : HF_EMALF;
}

static int decode_name(struct hf_incident_log *log, const json_t *value, void *row)
{
    const char *text = json_string_value(value);
    const char *copy = text == NULL ? NULL : hf_arena_copy(&log->arena, text, strlen(text));
    *(const char **)row = copy;
    return copy == NULL ? HF_EMALF : HF_OK;
}

static int decode_affected(struct hf_incident_log *log, const json_t *value, void *row)
{
    struct hf_incident_affected *affected = row;
    struct hf_impact *impact = &affected->impact;
    bool right =
        json_object_size(value) == AFFECTED_KEYS &&
        hf_json_in_copy(value, "name", &log->arena, &affected->name) == HF_OK &&
        hf_json_in_copy(value, "title", &log->arena, &affected->title) == HF_OK &&
        hf_json_in_copy(value, "criticality", &log->arena, &affected->criticality) == HF_OK &&
        hf_json_in_u64(value, "tolerated_ms", &affected->tolerated_ms) == HF_OK &&
        hf_json_in_u64(value, "at_ms", &impact->at_ms) == HF_OK &&
        hf_json_in_u64(value, "lost", &impact->lost) == HF_OK &&
        hf_json_in_u32(value, "share", &impact->share) == HF_OK &&
        hf_json_in_u32(value, "highest_share", &impact->highest_share) == HF_OK &&
        impact->share <= HF_IMPACT_WHOLE && impact->highest_share <= HF_IMPACT_WHOLE;
    return right ? HF_OK : HF_EMALF;
}

static int decode_arrays(struct hf_incident_log *log, const json_t *value,
                         struct hf_incident *incident)
{
    const struct {
        const char *key;
        uint32_t most;
        size_t row_size;
        row_decode *decode;
        void **rows;
        uint32_t *count;
    } arrays[] = {
        {"conditions", HF_INCIDENT_MEMBERS_MAX, sizeof(*incident->conditions), decode_condition,
         (void **)&incident->conditions, &incident->condition_count},
        {"timeline", HF_INCIDENT_TIMELINE_MAX, sizeof(*incident->timeline), decode_entry,
         (void **)&incident->timeline, &incident->timeline_count},
        {"messages", HF_INCIDENT_MESSAGES_MAX, sizeof(*incident->messages), decode_message,
         (void **)&incident->messages, &incident->message_count},
        {"endpoints", HF_INCIDENT_ENDPOINTS_MAX, sizeof(*incident->endpoints), decode_name,
         (void **)&incident->endpoints, &incident->endpoint_count},
        {"services", HF_INCIDENT_AFFECTED_MAX, sizeof(*incident->services), decode_affected,
         (void **)&incident->services, &incident->service_count},
        {"dependents", HF_INCIDENT_AFFECTED_MAX, sizeof(*incident->dependents), decode_affected,
         (void **)&incident->dependents, &incident->dependent_count},
    };
    int error = HF_OK;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]) && error == HF_OK; i++) {
        error = decode_rows(log, value, arrays[i].key, arrays[i].most, arrays[i].row_size,
                            arrays[i].decode, arrays[i].rows, arrays[i].count);
    }
    return error;
}

static int decode_incident(struct hf_incident_log *log, const json_t *value, uint64_t after)
{
    uint64_t number = 0;
    const char *severity = NULL;
    if (json_object_size(value) != INCIDENT_KEYS ||
        hf_json_in_u64(value, "number", &number) != HF_OK || number <= after ||
        number >= log->next_number) {
        return HF_EMALF;
    }
    struct hf_incident *incident = hf_incident_log_add(log, number);
    bool right = hf_json_in_u64(value, "opened_ms", &incident->opened_ms) == HF_OK &&
                 hf_json_in_u64(value, "updated_ms", &incident->updated_ms) == HF_OK &&
                 hf_json_in_u64(value, "closed_ms", &incident->closed_ms) == HF_OK &&
                 hf_json_in_u64(value, "merged_into", &incident->merged_into) == HF_OK &&
                 hf_json_in_u64(value, "reopened", &incident->reopened) == HF_OK &&
                 hf_json_in_u32(value, "cause", &incident->cause) == HF_OK &&
                 hf_json_in_text(value, "severity", &severity) == HF_OK &&
                 hf_severity_parse(severity, &incident->severity) == HF_OK &&
                 hf_json_in_copy(value, "title", &log->arena, &incident->title) == HF_OK &&
                 hf_json_in_u64(value, "refused_before", &incident->refused_before) == HF_OK &&
                 hf_json_in_u64(value, "refused", &incident->refused) == HF_OK &&
                 hf_json_in_u32(value, "timeline_dropped", &incident->timeline_dropped) == HF_OK &&
                 hf_json_in_u32(value, "endpoint_total", &incident->endpoint_total) == HF_OK;
    int error = right ? decode_arrays(log, value, incident) : HF_EMALF;
    return error == HF_OK && incident->cause >= incident->condition_count ? HF_EMALF : error;
}

static int decode_waiting(const json_t *root, struct hf_incident_waiting *waiting)
{
    json_t *array = NULL;
    int error = hf_json_in_array(root, "waiting", HF_CONDITIONS_MAX, &array);
    for (size_t i = 0; i < json_array_size(array) && error == HF_OK; i++) {
        const json_t *value = json_array_get(array, i);
        struct hf_incident_pending *row = &waiting->rows[waiting->count++];
        bool right = json_object_size(value) == WAITING_KEYS &&
                     hf_json_in_u64(value, "key", &row->key) == HF_OK &&
                     hf_json_in_u64(value, "since_ms", &row->since_ms) == HF_OK &&
                     hf_json_in_u64(value, "due_ms", &row->due_ms) == HF_OK;
        error = right ? HF_OK : HF_EMALF;
    }
    return error;
}

int hf_incident_log_decode(const void *bytes, size_t size, struct hf_incident_log *ret_log)
{
    json_t *root = NULL;
    if (size > HF_INCIDENT_LOG_BYTES_MAX || hf_json_in_parse(bytes, size, &root) != HF_OK) {
        return HF_EMALF;
    }
    struct hf_incident_log log;
    hf_incident_log_init(&log);
    uint64_t version = 0;
    json_t *array = NULL;
    int error = HF_EMALF;
    if (json_object_size(root) == ROOT_KEYS && hf_json_in_u64(root, "version", &version) == HF_OK &&
        version == HF_INCIDENT_LOG_VERSION &&
        hf_json_in_u64(root, "revision", &log.revision) == HF_OK &&
        hf_json_in_u64(root, "next_number", &log.next_number) == HF_OK && log.next_number > 0 &&
        hf_json_in_u64(root, "since_ms", &log.since_ms) == HF_OK &&
        hf_json_in_array(root, "incidents", HF_INCIDENTS_MAX, &array) == HF_OK) {
        error = decode_waiting(root, &log.waiting);
    }
    uint64_t after = 0;
    for (size_t i = 0; i < json_array_size(array) && error == HF_OK; i++) {
        error = decode_incident(&log, json_array_get(array, i), after);
        after = error == HF_OK ? log.incidents[log.count - 1].number : 0;
    }
    json_decref(root);
    if (error != HF_OK) {
        hf_incident_log_release(&log);
        return HF_EMALF;
    }
    *ret_log = log;
    return HF_OK;
}
