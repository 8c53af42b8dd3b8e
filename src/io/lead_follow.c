/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Follow: what operators and enactors have put into the store since it was last looked at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/name.h"
#include "io/lead_internal.h"
#include "io/reports.h"
#include "io/wallclock.h"

struct follow_job {
    struct hf_lead *lead;
    struct hf_overrides overrides;
    struct hf_reports reports;
    uint64_t overrides_hash; /* of the ref's value */
    uint64_t head_gen;
    struct hf_digest head;
    uint32_t instance;
    bool verify;           /* look whether the head can be read, too */
    bool is_broken;        /* it cannot */
    bool overrides_broken; /* their object is gone */
};

/* --- on the worker --- */

static int read_head(struct hf_store *store, struct follow_job *job)
{
    struct hf_buf ref;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_ref_get(store, HF_PLAN_REF, &ref);
    if (error == HF_OK) {
        error = hf_plan_ref_parse(hf_buf_text(&ref), &job->head_gen, &job->head);
    } else if (error == HF_ENOENT) {
        error = HF_OK; /* no plan yet: gen 0 */
    }
    hf_buf_release(&ref);
    return error;
}

static int ignore_object(void *context, const struct hf_digest *name)
{
    (void)context;
    (void)name;
    return HF_OK;
}

/* Whether somebody who has no plan yet could read the head: objects, but not their parts. */
static int verify_head(struct hf_store *store, struct follow_job *job)
{
    int needed = hf_plan_needed(store, ignore_object, NULL);
    if (needed != HF_ENOENT && needed != HF_ECORRUPT && needed != HF_EMALF) {
        return needed;
    }
    /* A head that has moved meanwhile leaves to the janitor what was looked at. */
    uint64_t gen = job->head_gen;
    int error = read_head(store, job);
    job->is_broken = error == HF_OK && gen == job->head_gen;
    return error;
}

static int follow_job_run(void *context, struct hf_store *store, int open_error)
{
    struct follow_job *job = context;
    if (store == NULL) {
        return open_error;
    }
    struct hf_buf ref;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_instance(store, &job->instance);
    if (error == HF_OK) {
        error = read_head(store, job);
    }
    if (error == HF_OK) {
        error = hf_overrides_load(store, &job->overrides, &ref);
        job->overrides_hash = hf_hash64(ref.bytes, ref.size);
        job->overrides_broken = error == HF_ECORRUPT;
    }
    if (error == HF_OK) {
        error = hf_reports_load(store, &job->reports);
    }
    if (error == HF_OK && job->verify && job->head_gen != 0) {
        error = verify_head(store, job);
    }
    hf_buf_release(&ref);
    return error;
}

/* --- overrides --- */

static bool pins_or_retirements_differ(const struct hf_overrides *a, const struct hf_overrides *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct hf_override *item = &a->items[i];
        if (item->kind != HF_OVERRIDE_PIN && item->kind != HF_OVERRIDE_RETIRE) {
            continue;
        }
        const struct hf_override *other = hf_overrides_find(b, item->kind, item->subject);
        if (other == NULL || strcmp(other->text, item->text) != 0) {
            return true;
        }
    }
    return false;
}

void hf_lead_approvals(struct hf_lead *lead)
{
    const struct hf_planner *planner = &lead->planning->planner;
    if (planner->held.count == 0 || lead->overrides.count == 0) {
        return;
    }
    struct hf_buf lines;
    struct hf_digest digest;
    char text[HF_DIGEST_TEXT_SIZE];
    hf_buf_init(&lines, HF_STATUS_BYTES_MAX);
    hf_planning_held(lead->planning, &lines, &digest);
    hf_digest_text(&digest, text);
    if (hf_overrides_find(&lead->overrides, HF_OVERRIDE_APPROVE, text) != NULL) {
        (void)snprintf(lead->approved_id, sizeof(lead->approved_id), "%s", text);
        hf_log(lead->log, HF_LOG_INFO, "plan_approved", "held=%s endpoints=%u", text,
               planner->held.count);
        struct hf_planner_event event = {.type = HF_PLANNER_APPROVE,
                                         .serial = planner->hold_serial};
        hf_lead_step(lead, &event);
    }
    hf_buf_release(&lines);
}

static void take_overrides(struct hf_lead *lead, struct follow_job *job)
{
    if (job->overrides_hash == lead->overrides_hash) {
        return;
    }
    lead->overrides_hash = job->overrides_hash;
    bool rebuild = pins_or_retirements_differ(&lead->overrides, &job->overrides) ||
                   pins_or_retirements_differ(&job->overrides, &lead->overrides);
    hf_overrides_release(&lead->overrides);
    lead->overrides = job->overrides;
    hf_overrides_init(&job->overrides);
    if (rebuild) {
        hf_lead_rebuild(lead);
        return;
    }
    hf_planning_drains(lead->planning, &lead->overrides, hf_wallclock_ms());
    bool frozen = hf_overrides_find(&lead->overrides, HF_OVERRIDE_FREEZE, "*") != NULL;
    if (frozen != lead->planning->planner.frozen) {
        struct hf_planner_event event = {.type = HF_PLANNER_FREEZE, .on = frozen};
        hf_lead_step(lead, &event);
    }
}

/* --- reports --- */

static uint32_t endpoint_of(const struct hf_lead *lead, const char *name)
{
    uint8_t owner[HF_NAME_MAX];
    if (hf_name_parse(name, owner) != HF_OK) {
        return UINT32_MAX;
    }
    uint32_t row = hf_plan_find(&lead->plan, owner);
    return row < lead->planning->row_count ? lead->planning->row_endpoints[row] : UINT32_MAX;
}

/* Feeds an event for each named endpoint whose entry the enactor knew when it said so. */
static void feed_names(struct hf_lead *lead, const struct hf_report_names *names,
                       uint64_t known_gen, const struct hf_planner_event *like)
{
    for (uint32_t i = 0; i < names->count; i++) {
        uint32_t endpoint = endpoint_of(lead, names->names[i]);
        if (endpoint == UINT32_MAX || lead->planning->planner.rows[endpoint].gen > known_gen) {
            continue;
        }
        struct hf_planner_event event = *like;
        event.endpoint = endpoint;
        hf_lead_step(lead, &event);
    }
}

/*
 * Whose fence was seen becomes a mark in the plan. While a rollout is under way the names of a
 * report are only a part of it: they are taken when the report names all, or the zone is in step.
 */
static void take_claims(struct hf_lead *lead, const struct hf_report_zone *zone)
{
    const struct hf_report_names *names = &zone->lists[HF_REPORT_CLAIMED];
    struct hf_planner_event claimed = {.type = HF_PLANNER_CLAIMED};
    if (names->total == names->count) {
        feed_names(lead, names, UINT64_MAX, &claimed);
        return;
    }
    uint8_t apex[HF_NAME_MAX];
    if (zone->behind > 0 || hf_name_parse(zone->zone, apex) != HF_OK) {
        return;
    }
    for (uint32_t i = 0; i < lead->planning->fleet.endpoint_count; i++) {
        const struct hf_planner_row *row = &lead->planning->planner.rows[i];
        const uint8_t *owner = hf_plan_owner(&lead->plan, lead->planning->endpoint_rows[i]);
        if (row->gen != 0 && row->gen <= zone->plan_gen && (row->flags & HF_ROW_CLAIMED) == 0 &&
            hf_name_is_within(owner, apex)) {
            claimed.endpoint = i;
            hf_lead_step(lead, &claimed);
        }
    }
}

static void take_zone(struct hf_lead *lead, const struct hf_report_zone *zone)
{
    if (zone->ahead_gen > lead->plan.head.gen) {
        struct hf_planner_event event = {.type = HF_PLANNER_AHEAD, .gen = zone->ahead_gen};
        hf_lead_step(lead, &event);
        return;
    }
    take_claims(lead, zone);
    struct hf_planner_event below_floor = {.type = HF_PLANNER_STAMP, .gen = zone->floor};
    feed_names(lead, &zone->lists[HF_REPORT_STAMP], zone->plan_gen, &below_floor);
    /* Not above the head, and yet no entry of this store: its history is another one. */
    struct hf_planner_event forked = {.type = HF_PLANNER_STAMP, .gen = zone->plan_gen};
    feed_names(lead, &zone->lists[HF_REPORT_AHEAD], zone->plan_gen, &forked);
    /* Where a retired name has no fence, and none below the floor can come back. */
    struct hf_planner_event gone = {.type = HF_PLANNER_FORGET, .gen = zone->floor};
    feed_names(lead, &zone->lists[HF_REPORT_GONE], zone->plan_gen, &gone);
}

static void take_reports(struct hf_lead *lead, const struct hf_reports *reports)
{
    for (uint32_t i = 0; i < reports->count; i++) {
        for (uint32_t k = 0; k < reports->rows[i].zone_count; k++) {
            take_zone(lead, &reports->rows[i].zones[k]);
        }
    }
}

/* --- together --- */

static void take_follow(struct hf_lead *lead, struct follow_job *job)
{
    if (lead->planning == NULL || lead->busy) {
        lead->follow_again = true; /* the image is not ours now: when it is again */
        return;
    }
    if (job->instance != lead->instance || job->head_gen != lead->plan.head.gen ||
        (job->head_gen != 0 && memcmp(&job->head, &lead->plan.name, sizeof(job->head)) != 0)) {
        lead->load_wanted = true;
        hf_lead_tick_soon(lead);
        return;
    }
    if (job->is_broken) {
        lead->broken_gen = job->head_gen;
        lead->load_wanted = true;
        hf_lead_tick_soon(lead);
        return;
    }
    take_overrides(lead, job);
    take_reports(lead, &job->reports);
    hf_lead_approvals(lead);
    hf_lead_prune(lead);
    hf_lead_tick_soon(lead);
}

static void follow_done(void *context, int result, const char *why)
{
    struct follow_job *job = context;
    struct hf_lead *lead = job->lead;
    lead->following = false;
    if (!lead->stopping) {
        if (result == HF_OK) {
            take_follow(lead, job);
        } else {
            hf_lead_trouble(lead, why != NULL && why[0] != 0 ? why : hf_strerror(result));
            hf_lead_retry_later(lead);
            if (job->overrides_broken) {
                hf_lead_mend_overrides(lead);
            }
        }
    }
    hf_overrides_release(&job->overrides);
    hf_reports_release(&job->reports);
    free(job);
    if (lead->follow_again && !lead->stopping) {
        hf_lead_follow(lead);
    }
}

void hf_lead_follow(struct hf_lead *lead)
{
    if (lead->stopping) {
        return;
    }
    if (lead->following || lead->busy) {
        lead->follow_again = true;
        return;
    }
    lead->follow_again = false;
    struct follow_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    job->lead = lead;
    hf_overrides_init(&job->overrides);
    uint64_t now = uv_now(&lead->loop);
    job->verify = now - lead->verified_ms >= HF_LEAD_VERIFY_MS;
    lead->verified_ms = job->verify ? now : lead->verified_ms;
    lead->following = true;
    if (hf_store_async_submit(lead->store, follow_job_run, follow_done, job) != HF_OK) {
        follow_done(job, HF_EBUSY, "too much work waits for the store");
    }
}
