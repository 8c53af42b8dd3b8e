/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "codec/incident_log.h"

/* title: with the subject in place of %. */
static const struct {
    const char *name, *title, *public_title;
} kinds[HF_CONDITION_KIND_COUNT] = {
    [HF_CONDITION_STORE] = {"store", "The store cannot be used", "Changes are delayed"},
    [HF_CONDITION_SITE_DOWN] = {"site-down", "All of site % is down", "A location is down"},
    [HF_CONDITION_POOL_DOWN] = {"pool-down", "Most of pool % is down",
                                "A part of the servers is down"},
    [HF_CONDITION_TARGET_UNREACHABLE] = {"target-unreachable", "Target % cannot be reached",
                                         "Changes are delayed"},
    [HF_CONDITION_ZONE_UNREACHABLE] = {"zone-unreachable", "Zone % cannot be written",
                                       "Changes are delayed"},
    [HF_CONDITION_NO_ENACTOR] = {"no-enactor", "No enactor is alive", "Changes are delayed"},
    [HF_CONDITION_PLANNER_DEAD] = {"planner-dead", "The planner is dead", "Changes are delayed"},
    [HF_CONDITION_FREEZE_ALL] = {"frozen", "Everything is frozen", "Changes are paused"},
    [HF_CONDITION_FREEZE_ZONE] = {"zone-frozen", "Zone % is frozen", "Changes are paused"},
    [HF_CONDITION_ZONE_REFUSED] = {"zone-refused", "Zone % is refused", "Changes are delayed"},
    [HF_CONDITION_AHEAD] = {"ahead", "Zone % is ahead of the plan", "Changes are delayed"},
    [HF_CONDITION_PLANNER_STOPPED] = {"planner-stopped", "The planner has stopped",
                                      "Changes are paused"},
    [HF_CONDITION_ENACTOR_DEAD] = {"enactor-dead", "Enactor % is dead", "Less redundancy"},
    [HF_CONDITION_JANITOR_DEAD] = {"janitor-dead", "The janitor is dead", "Less redundancy"},
    [HF_CONDITION_CONTESTED] = {"contested", "Somebody else edits names in %",
                                "Wrong answers are possible"},
    [HF_CONDITION_FOREIGN] = {"foreign", "Names in % hold records that are not ours",
                              "Some names are not served yet"},
    [HF_CONDITION_TOO_FEW] = {"min-healthy", "Too few healthy backends: answers are kept",
                              "Too few servers are available"},
    [HF_CONDITION_HELD] = {"held", "A plan is held and waits for a person",
                           "Changes wait for review"},
    [HF_CONDITION_BEHIND] = {"behind", "Names in % are behind the plan", "Changes are delayed"},
    [HF_CONDITION_TROUBLE] = {"trouble", "% has trouble", "Less redundancy"},
};

static const char *const events[] = {
    [HF_INCIDENT_OPENED] = "opened",   [HF_INCIDENT_REOPENED] = "reopened",
    [HF_INCIDENT_JOINED] = "joined",   [HF_INCIDENT_CAUSE] = "cause",
    [HF_INCIDENT_CLEARED] = "cleared", [HF_INCIDENT_RETURNED] = "returned",
    [HF_INCIDENT_MERGED] = "merged",   [HF_INCIDENT_CLOSED] = "closed",
};

enum { EVENT_COUNT = sizeof(events) / sizeof(events[0]) };

void hf_incident_title(enum hf_condition_kind kind, const char *subject, struct hf_buf *ret_text)
{
    const char *title = kinds[kind].title;
    size_t before = strcspn(title, "%");
    hf_buf_put(ret_text, title, before);
    if (title[before] != 0) {
        hf_buf_put_text(ret_text, subject);
        hf_buf_put_text(ret_text, title + before + 1);
    }
}

const char *hf_incident_public_title(enum hf_condition_kind kind)
{
    return kinds[kind].public_title;
}

const char *hf_condition_kind_name(enum hf_condition_kind kind)
{
    return kinds[kind].name;
}

const char *hf_incident_event_name(enum hf_incident_event event)
{
    return events[event];
}

int hf_condition_kind_parse(const char *name, enum hf_condition_kind *ret_kind)
{
    for (int i = 0; i < HF_CONDITION_KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *ret_kind = (enum hf_condition_kind)i;
            return HF_OK;
        }
    }
    return HF_EMALF;
}

int hf_incident_event_parse(const char *name, enum hf_incident_event *ret_event)
{
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (strcmp(events[i], name) == 0) {
            *ret_event = (enum hf_incident_event)i;
            return HF_OK;
        }
    }
    return HF_EMALF;
}

uint32_t hf_incident_score(const struct hf_incident_affected *affected, uint64_t now_ms)
{
    if (affected->tolerated_ms == 0) {
        return affected->impact.share;
    }
    return hf_impact_score(hf_impact_lost_ms(&affected->impact, now_ms), affected->tolerated_ms);
}
