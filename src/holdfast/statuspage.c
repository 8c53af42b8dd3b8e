/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/statuspage.h"

#include <string.h>

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

const char *hf_service_state_name(enum hf_service_state state)
{
    static const char *const names[] = {"unknown", "operational", "watched", "degraded", "outage"};
    return names[state];
}

const char *hf_service_state_words(enum hf_service_state state)
{
    static const char *const words[] = {"No data", "Operational", "Being watched", "Degraded",
                                        "Outage"};
    return words[state];
}

static bool has_public_message(const struct hf_incident *incident)
{
    uint32_t i = 0;
    while (i < incident->message_count && !incident->messages[i].is_public) {
        i++;
    }
    return i < incident->message_count;
}

static bool is_public(const struct hf_incident *incident)
{
    bool is_hit = false;
    for (uint32_t i = 0; i < incident->service_count; i++) {
        is_hit = is_hit || incident->services[i].impact.highest_share > 0;
    }
    return (is_hit && incident->merged_into == 0) || has_public_message(incident);
}

const struct hf_incident *hf_statuspage_incident(const struct hf_statuspage *page, uint32_t i)
{
    for (uint32_t k = page->log->count; k-- > 0;) {
        if (is_public(&page->log->incidents[k]) && i-- == 0) {
            return &page->log->incidents[k];
        }
    }
    return NULL;
}

const struct hf_incident_affected *hf_statuspage_hit(const struct hf_incident *incident,
                                                     const char *service)
{
    for (uint32_t i = 0; i < incident->service_count; i++) {
        if (strcmp(incident->services[i].name, service) == 0) {
            return &incident->services[i];
        }
    }
    return NULL;
}

static enum hf_service_state state_of(uint32_t share)
{
    return share >= HF_STATUSPAGE_OUTAGE_PERMILLE ? HF_SERVICE_OUTAGE
           : share > 0                            ? HF_SERVICE_DEGRADED
                                                  : HF_SERVICE_WATCHED;
}

static enum hf_service_state worse(enum hf_service_state a, enum hf_service_state b)
{
    return a > b ? a : b;
}

enum hf_service_state hf_statuspage_now(const struct hf_statuspage *page,
                                        const struct hf_config_service *service)
{
    enum hf_service_state state = HF_SERVICE_OPERATIONAL;
    const struct hf_incident *incident;
    for (uint32_t i = 0; (incident = hf_statuspage_incident(page, i)) != NULL; i++) {
        const struct hf_incident_affected *hit = hf_statuspage_hit(incident, service->name);
        if (incident->closed_ms == 0 && hit != NULL) {
            state = worse(state, state_of(hit->impact.share));
        }
    }
    return state;
}

enum hf_service_state hf_statuspage_overall(const struct hf_statuspage *page)
{
    enum hf_service_state state = HF_SERVICE_OPERATIONAL;
    const struct hf_incident *incident;
    for (uint32_t i = 0; i < page->config->service_count; i++) {
        state = worse(state, hf_statuspage_now(page, &page->config->services[i]));
    }
    for (uint32_t i = 0; (incident = hf_statuspage_incident(page, i)) != NULL; i++) {
        state = incident->closed_ms == 0 ? worse(state, HF_SERVICE_WATCHED) : state;
    }
    return state;
}

uint64_t hf_statuspage_day_ms(const struct hf_statuspage *page, uint32_t day)
{
    uint64_t today = page->now_ms / DAY_MS;
    uint64_t before = HF_STATUSPAGE_DAYS - 1 - day;
    return today > before ? (today - before) * DAY_MS : 0;
}

void hf_statuspage_days(const struct hf_statuspage *page, const struct hf_config_service *service,
                        enum hf_service_state ret_days[HF_STATUSPAGE_DAYS])
{
    const struct hf_incident *incident;
    for (uint32_t day = 0; day < HF_STATUSPAGE_DAYS; day++) {
        bool is_known = page->log->since_ms != 0 &&
                        hf_statuspage_day_ms(page, day) + DAY_MS > page->log->since_ms;
        ret_days[day] = is_known ? HF_SERVICE_OPERATIONAL : HF_SERVICE_UNKNOWN;
    }
    for (uint32_t i = 0; (incident = hf_statuspage_incident(page, i)) != NULL; i++) {
        const struct hf_incident_affected *hit = hf_statuspage_hit(incident, service->name);
        if (hit == NULL || hit->impact.highest_share == 0) {
            continue;
        }
        uint64_t end_ms = incident->closed_ms == 0 ? page->now_ms : incident->closed_ms;
        for (uint32_t day = 0; day < HF_STATUSPAGE_DAYS; day++) {
            uint64_t begin_ms = hf_statuspage_day_ms(page, day);
            if (incident->opened_ms < begin_ms + DAY_MS && end_ms >= begin_ms) {
                ret_days[day] = worse(ret_days[day], state_of(hit->impact.highest_share));
            }
        }
    }
}

const char *hf_statuspage_title(const struct hf_incident *incident)
{
    return hf_incident_public_title(incident->conditions[incident->cause].sight.kind);
}

uint64_t hf_statuspage_updated_ms(const struct hf_incident *incident)
{
    uint64_t updated_ms =
        incident->closed_ms > incident->opened_ms ? incident->closed_ms : incident->opened_ms;
    for (uint32_t i = 0; i < incident->message_count; i++) {
        const struct hf_incident_message *message = &incident->messages[i];
        if (message->is_public && message->at_ms > updated_ms) {
            updated_ms = message->at_ms;
        }
    }
    return updated_ms;
}
