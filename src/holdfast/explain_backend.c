/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why one backend is in or out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "holdfast/explain.h"

uint32_t hf_explain_members(const struct hf_explain *explain)
{
    return explain->planning == NULL || explain->endpoint == UINT32_MAX
               ? 0
               : explain->planning->fleet.endpoints[explain->endpoint].member_count;
}

enum hf_hold hf_explain_hold(const struct hf_explain *explain, uint64_t *ret_until_ms)
{
    *ret_until_ms = 0;
    if (explain->planning == NULL || explain->endpoint == UINT32_MAX) {
        return HF_HOLD_NONE;
    }
    const struct hf_planner *planner = &explain->planning->planner;
    enum hf_hold hold = (enum hf_hold)planner->rows[explain->endpoint].hold;
    const struct hf_planner_row *row = hf_bitset_has(&planner->publishing, explain->endpoint)
                                           ? &planner->next_rows[explain->endpoint]
                                           : &planner->rows[explain->endpoint];
    uint64_t until_ms = hold == HF_HOLD_REMOVAL   ? row->budget.quiet_at_ms
                        : hold == HF_HOLD_CHANGED ? planner->changed.quiet_at_ms
                                                  : 0;
    *ret_until_ms = until_ms > explain->look->now_ms ? until_ms : 0;
    return hold;
}

static bool answers(const struct hf_records *records, const struct hf_plan_backend *backend)
{
    for (uint32_t i = 0; backend->has_a && i < records->a_count; i++) {
        if (memcmp(records->bytes + i * 4, backend->a, 4) == 0) {
            return true;
        }
    }
    const uint8_t *aaaa = records->bytes + records->a_count * 4U;
    for (uint32_t i = 0; backend->has_aaaa && i < records->aaaa_count; i++) {
        if (memcmp(aaaa + i * 16, backend->aaaa, 16) == 0) {
            return true;
        }
    }
    return false;
}

/* --- texts --- */

static void put(struct hf_explain_backend *backend, const char *text)
{
    size_t used = strlen(backend->why);
    (void)snprintf(backend->why + used, sizeof(backend->why) - used, "%s", text);
}

/* "down since 3m ago: connect: connection refused" */
static void put_verdict(const struct hf_look *look, struct hf_explain_backend *backend)
{
    const struct hf_backend_status *status = backend->status;
    char ago[HF_TERM_SHORT_MAX];
    char words[HF_LOOK_SENTENCE_MAX];
    if (status == NULL) {
        put(backend, "no verdict is known");
        return;
    }
    hf_look_ago(look, status->since_ms, ago);
    (void)snprintf(words, sizeof(words), "%s%s%s%s%.256s",
                   status->verdict == HF_VERDICT_UNKNOWN ? "no verdict yet"
                                                         : hf_verdict_name(status->verdict),
                   status->since_ms != 0 ? " since " : "", status->since_ms != 0 ? ago : "",
                   status->why[0] != 0 ? ": " : "", status->why);
    put(backend, words);
    if (status->verdict == HF_VERDICT_DOWN && status->held_until_ms > look->now_ms) {
        char rest[HF_TERM_SHORT_MAX];
        hf_term_duration(status->held_until_ms - look->now_ms, rest);
        (void)snprintf(words, sizeof(words), "; it flaps (%u times), and stays out for %s at least",
                       status->flaps, rest);
        put(backend, words);
    }
}

static void put_drain(const struct hf_look *look, struct hf_explain_backend *backend)
{
    const struct hf_override *drain = backend->drain;
    char ago[HF_TERM_SHORT_MAX];
    char words[HF_LOOK_SENTENCE_MAX];
    if (drain == NULL) {
        put(backend, "drained");
        return;
    }
    hf_look_ago(look, drain->at_ms, ago);
    bool is_site = drain->kind == HF_OVERRIDE_DRAIN_SITE;
    (void)snprintf(words, sizeof(words), "%s%.64s%sdrained by %.64s %s%s%.256s",
                   is_site ? "its site " : "", is_site ? drain->subject : "",
                   is_site ? " was " : "", drain->who, ago, drain->why[0] != 0 ? ": " : "",
                   drain->why);
    put(backend, words);
}

static void put_hold(const struct hf_explain *explain, struct hf_explain_backend *backend)
{
    uint64_t until_ms;
    enum hf_hold hold = hf_explain_hold(explain, &until_ms);
    char words[HF_LOOK_SENTENCE_MAX];
    char rest[HF_TERM_SHORT_MAX];
    hf_term_duration(until_ms == 0 ? 0 : until_ms - explain->look->now_ms, rest);
    (void)snprintf(words, sizeof(words), "; held by %s%s%s%s", hf_hold_name(hold),
                   until_ms != 0 ? " for " : "", until_ms != 0 ? rest : "",
                   until_ms != 0 ? " at least" : "");
    put(backend, words);
}

/* Why it should not serve. */
static void put_unwanted(const struct hf_explain *explain, struct hf_explain_backend *backend)
{
    if (backend->config == NULL) {
        put(backend, "not configured any more");
    } else if (backend->status != NULL && backend->status->verdict == HF_VERDICT_DOWN) {
        put_verdict(explain->look, backend);
    } else {
        put_drain(explain->look, backend);
    }
}

static void put_pin(const struct hf_explain *explain, struct hf_explain_backend *backend)
{
    const struct hf_override *pin =
        hf_overrides_find(&explain->look->overrides, HF_OVERRIDE_PIN, explain->name);
    char words[HF_LOOK_SENTENCE_MAX];
    if (pin == NULL) {
        put(backend, "rolled back, and released with the next plan");
        return;
    }
    (void)snprintf(words, sizeof(words), "rolled back to generation %" PRIu64 " by %.64s%s%.256s",
                   pin->gen, pin->who, pin->why[0] != 0 ? ": " : "", pin->why);
    put(backend, words);
}

static void explain_reason(const struct hf_explain *explain, struct hf_explain_backend *backend)
{
    switch (backend->reason) {
    case HF_REASON_IN_HELD:
        put_unwanted(explain, backend);
        put_hold(explain, backend);
        break;
    case HF_REASON_IN_PINNED:
    case HF_REASON_OUT_PINNED:
        put_pin(explain, backend);
        break;
    case HF_REASON_RESTING:
        put(backend, "not picked now (weights, answers.max); ");
        put_verdict(explain->look, backend);
        break;
    case HF_REASON_OUT_DRAINED:
        put_drain(explain->look, backend);
        break;
    case HF_REASON_OUT_GONE:
        put(backend, "not configured any more");
        break;
    case HF_REASON_OUT_PENDING:
        put(backend, "enters with the next plan; ");
        put_verdict(explain->look, backend);
        break;
    case HF_REASON_OUT_RETIRED:
        put(backend, "the endpoint is retired");
        break;
    case HF_REASON_IN_ORPHAN:
        put(backend, "answered until the endpoint is retired");
        break;
    case HF_REASON_IN_UNKNOWN:
        put_verdict(explain->look, backend);
        put(backend, "; stays as it was");
        break;
    default:
        put_verdict(explain->look, backend);
    }
}

static const struct hf_override *find_drain(const struct hf_explain *explain,
                                            const struct hf_config_backend *backend)
{
    const struct hf_overrides *overrides = &explain->look->overrides;
    const struct hf_override *drain =
        hf_overrides_find(overrides, HF_OVERRIDE_DRAIN_BACKEND, backend->name);
    return drain != NULL ? drain
                         : hf_overrides_find(overrides, HF_OVERRIDE_DRAIN_SITE,
                                             explain->look->config->sites[backend->site]);
}

void hf_explain_backend(const struct hf_explain *explain, uint32_t member,
                        struct hf_explain_backend *ret_backend)
{
    const struct hf_planning *planning = explain->planning;
    const struct hf_config *config = explain->look->config;
    struct hf_planner_entry now;
    hf_planner_now(&planning->planner, explain->endpoint, &now);
    uint32_t number = now.members[member];
    uint8_t bit = (uint8_t)(1U << (member % 8));
    *ret_backend = (struct hf_explain_backend){
        .name = hf_planning_backend_name(planning, number),
        .plan = &planning->plan->backends[planning->backend_numbers[number]],
        .config = number < config->backend_count ? &config->backends[number] : NULL,
        .reason = hf_planner_reason(&planning->planner, explain->endpoint, member),
        .is_in = (now.in[member / 8] & bit) != 0,
        .is_picked = ((now.pick_a[member / 8] | now.pick_aaaa[member / 8]) & bit) != 0};
    if (ret_backend->config != NULL) {
        ret_backend->status = hf_look_backend(explain->look, ret_backend->name);
        ret_backend->drain = find_drain(explain, ret_backend->config);
    }
    ret_backend->is_answered =
        explain->server.asked && answers(&explain->server.records, ret_backend->plan);
    explain_reason(explain, ret_backend);
}

static bool is_members(const struct hf_explain *explain, const struct hf_override *item)
{
    uint32_t count = hf_explain_members(explain);
    const struct hf_planning *planning = explain->planning;
    const struct hf_config *config = explain->look->config;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = planning->fleet.endpoints[explain->endpoint].member_first;
        uint32_t number = planning->fleet.members[first + i];
        if (number >= config->backend_count) {
            continue;
        }
        const struct hf_config_backend *backend = &config->backends[number];
        const char *name =
            item->kind == HF_OVERRIDE_DRAIN_SITE ? config->sites[backend->site] : backend->name;
        if (strcmp(name, item->subject) == 0) {
            return true;
        }
    }
    return false;
}

bool hf_explain_touches(const struct hf_explain *explain, const struct hf_override *item)
{
    const char *zone =
        explain->zone == UINT32_MAX ? "" : explain->look->config->zones[explain->zone].name;
    switch (item->kind) {
    case HF_OVERRIDE_DRAIN_BACKEND:
    case HF_OVERRIDE_DRAIN_SITE:
        return is_members(explain, item);
    case HF_OVERRIDE_FREEZE:
    case HF_OVERRIDE_ADOPT_ZONE:
        return strcmp(item->subject, zone) == 0 || strcmp(item->subject, "*") == 0;
    case HF_OVERRIDE_PIN:
    case HF_OVERRIDE_RETIRE:
    case HF_OVERRIDE_ADOPT:
        return strcmp(item->subject, explain->name) == 0;
    default:
        return false;
    }
}
