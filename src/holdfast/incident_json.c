/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields are documented in docs/reference/openapi.json. */
#include "codec/json_in.h"
#include "holdfast/incidents.h"

static void put_time(struct hf_json *json, const char *key, uint64_t at_ms)
{
    hf_look_json_time(json, key, at_ms);
}

static void put_subject(struct hf_json *json, const struct hf_incident_sight *sight)
{
    hf_json_put_text(json, "code", sight->code);
    hf_json_put_text(json, "subject", sight->subject[0] != 0 ? sight->subject : NULL);
}

static void put_conditions(struct hf_json *json, const struct hf_incident *incident)
{
    hf_json_key(json, "conditions");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->condition_count; i++) {
        const struct hf_incident_condition *row = &incident->conditions[i];
        hf_json_object(json);
        put_subject(json, &row->sight);
        hf_json_put_text(json, "text", row->sight.text);
        hf_json_put_u64(json, "from_ms", row->since_ms);
        put_time(json, "to_ms", row->cleared_ms);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void put_endpoints(struct hf_json *json, const struct hf_incident *incident)
{
    hf_json_key(json, "endpoints");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->endpoint_count; i++) {
        hf_json_text(json, incident->endpoints[i]);
    }
    hf_json_array_end(json);
}

static void put_affected(struct hf_json *json, const char *key, const char *name_key,
                         const struct hf_incident_affected *rows, uint32_t count, uint64_t now_ms)
{
    hf_json_key(json, key);
    hf_json_array(json);
    for (uint32_t i = 0; i < count; i++) {
        const struct hf_incident_affected *row = &rows[i];
        bool is_dependent = row->tolerated_ms > 0;
        hf_json_object(json);
        hf_json_put_text(json, name_key, row->name);
        hf_json_put_text(json, "title", row->title);
        if (is_dependent) {
            hf_json_put_null(json, "service");
            hf_json_put_text(json, "criticality", row->criticality);
            hf_json_put_double(json, "impact", hf_incident_score(row, now_ms) / 1000.0);
        }
        hf_json_put_double(json, "share", row->impact.share / 1000.0);
        hf_json_put_double(json, "highest_share", row->impact.highest_share / 1000.0);
        hf_json_put_u64(json, "lost_ms", hf_impact_lost_ms(&row->impact, now_ms));
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void put_messages(struct hf_json *json, const struct hf_incident *incident)
{
    hf_json_key(json, "messages");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->message_count; i++) {
        const struct hf_incident_message *message = &incident->messages[i];
        hf_json_object(json);
        hf_json_put_u64(json, "at_ms", message->at_ms);
        hf_json_put_text(json, "who", message->who);
        hf_json_put_text(json, "text", message->text);
        hf_json_put_bool(json, "public", message->is_public);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

void hf_incident_json(struct hf_json *json, const struct hf_incident *incident, uint64_t now_ms,
                      bool full)
{
    hf_json_object(json);
    hf_json_put_u64(json, "number", incident->number);
    hf_json_put_text(json, "state", incident->closed_ms == 0 ? "open" : "closed");
    hf_json_put_u64(json, "opened_ms", incident->opened_ms);
    put_time(json, "closed_ms", incident->closed_ms);
    hf_json_put_u64(json, "updated_ms", incident->updated_ms);
    hf_json_put_text(json, "severity", hf_severity_name(incident->severity));
    put_subject(json, &incident->conditions[incident->cause].sight);
    hf_json_put_text(json, "title", incident->title);
    hf_json_put_u64(json, "reopened", incident->reopened);
    hf_json_key(json, "merged_into");
    if (incident->merged_into != 0) {
        hf_json_u64(json, incident->merged_into);
    } else {
        hf_json_null(json);
    }
    hf_json_put_u64(json, "refused_writes", incident->refused);
    if (full) {
        put_conditions(json, incident);
        hf_incident_log_put_timeline(json, incident);
        put_endpoints(json, incident);
    }
    hf_json_put_u64(json, "endpoints_count", incident->endpoint_total);
    put_affected(json, "services", "service", incident->services, incident->service_count, now_ms);
    put_affected(json, "affected", "dependent", incident->dependents, incident->dependent_count,
                 now_ms);
    put_messages(json, incident);
    hf_json_object_end(json);
}

const struct hf_incident *hf_incident_at(const struct hf_incident_log *log, uint32_t i)
{
    for (int closed = 0; closed <= 1; closed++) {
        for (uint32_t k = log->count; k-- > 0;) {
            const struct hf_incident *incident = &log->incidents[k];
            if ((incident->closed_ms != 0) == (closed != 0) && i-- == 0) {
                return incident;
            }
        }
    }
    return NULL;
}
