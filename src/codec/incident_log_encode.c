/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/incident_log.h"
#include "codec/incident_log_internal.h"
#include "codec/json_in.h"

const char *const hf_incident_scope_keys[HF_SCOPE_COUNT] = {"target", "zone", "site", "pool"};

static void put_condition(struct hf_json *json, const struct hf_incident_condition *condition)
{
    const struct hf_incident_sight *sight = &condition->sight;
    hf_json_object(json);
    hf_json_put_text(json, "kind", hf_condition_kind_name(sight->kind));
    hf_json_put_text(json, "severity", hf_severity_name(sight->severity));
    hf_json_put_text(json, "code", sight->code);
    hf_json_put_text(json, "subject", sight->subject);
    hf_json_put_text(json, "text", sight->text);
    for (int i = 0; i < HF_SCOPE_COUNT; i++) {
        hf_json_put_text(json, hf_incident_scope_keys[i], sight->scopes[i]);
    }
    hf_json_put_number(json, "since_ms", condition->since_ms);
    hf_json_put_number(json, "cleared_ms", condition->cleared_ms);
    hf_json_object_end(json);
}

static void put_affected(struct hf_json *json, const char *key,
                         const struct hf_incident_affected *rows, uint32_t count)
{
    hf_json_key(json, key);
    hf_json_array(json);
    for (uint32_t i = 0; i < count; i++) {
        const struct hf_incident_affected *row = &rows[i];
        hf_json_object(json);
        hf_json_put_text(json, "name", row->name);
        hf_json_put_text(json, "title", row->title);
        hf_json_put_text(json, "criticality", row->criticality);
        hf_json_put_number(json, "tolerated_ms", row->tolerated_ms);
        hf_json_put_number(json, "at_ms", row->impact.at_ms);
        hf_json_put_number(json, "lost", row->impact.lost);
        hf_json_put_number(json, "share", row->impact.share);
        hf_json_put_number(json, "highest_share", row->impact.highest_share);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

void hf_incident_log_put_timeline(struct hf_json *json, const struct hf_incident *incident)
{
    hf_json_key(json, "timeline");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->timeline_count; i++) {
        const struct hf_incident_entry *entry = &incident->timeline[i];
        hf_json_object(json);
        hf_json_put_number(json, "at_ms", entry->at_ms);
        hf_json_put_text(json, "event", hf_incident_event_name(entry->event));
        hf_json_put_text(json, "text", entry->text);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
    hf_json_put_number(json, "timeline_dropped", incident->timeline_dropped);
}

static void put_messages(struct hf_json *json, const struct hf_incident *incident)
{
    hf_json_key(json, "messages");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->message_count; i++) {
        const struct hf_incident_message *message = &incident->messages[i];
        hf_json_object(json);
        hf_json_put_number(json, "at_ms", message->at_ms);
        hf_json_put_text(json, "who", message->who);
        hf_json_put_text(json, "text", message->text);
        hf_json_put_number(json, "public", message->is_public);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void put_incident(struct hf_json *json, const struct hf_incident *incident)
{
    hf_json_object(json);
    hf_json_put_number(json, "number", incident->number);
    hf_json_put_number(json, "opened_ms", incident->opened_ms);
    hf_json_put_number(json, "updated_ms", incident->updated_ms);
    hf_json_put_number(json, "closed_ms", incident->closed_ms);
    hf_json_put_number(json, "merged_into", incident->merged_into);
    hf_json_put_number(json, "reopened", incident->reopened);
    hf_json_put_number(json, "cause", incident->cause);
    hf_json_put_text(json, "severity", hf_severity_name(incident->severity));
    hf_json_put_text(json, "title", incident->title);
    hf_json_put_number(json, "refused_before", incident->refused_before);
    hf_json_put_number(json, "refused", incident->refused);
    hf_json_key(json, "conditions");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->condition_count; i++) {
        put_condition(json, &incident->conditions[i]);
    }
    hf_json_array_end(json);
    hf_incident_log_put_timeline(json, incident);
    put_messages(json, incident);
    hf_json_key(json, "endpoints");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->endpoint_count; i++) {
        hf_json_text(json, incident->endpoints[i]);
    }
    hf_json_array_end(json);
    hf_json_put_number(json, "endpoint_total", incident->endpoint_total);
    put_affected(json, "services", incident->services, incident->service_count);
    put_affected(json, "dependents", incident->dependents, incident->dependent_count);
    hf_json_object_end(json);
}

void hf_incident_log_encode(const struct hf_incident_log *log, struct hf_buf *ret_json)
{
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_number(&json, "version", HF_INCIDENT_LOG_VERSION);
    hf_json_put_number(&json, "revision", log->revision);
    hf_json_put_number(&json, "next_number", log->next_number);
    hf_json_put_number(&json, "since_ms", log->since_ms);
    hf_json_key(&json, "waiting");
    hf_json_array(&json);
    for (uint32_t i = 0; i < log->waiting.count; i++) {
        const struct hf_incident_pending *row = &log->waiting.rows[i];
        hf_json_object(&json);
        hf_json_put_number(&json, "key", row->key);
        hf_json_put_number(&json, "since_ms", row->since_ms);
        hf_json_put_number(&json, "due_ms", row->due_ms);
        hf_json_object_end(&json);
    }
    hf_json_array_end(&json);
    hf_json_key(&json, "incidents");
    hf_json_array(&json);
    for (uint32_t i = 0; i < log->count; i++) {
        put_incident(&json, &log->incidents[i]);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
}
