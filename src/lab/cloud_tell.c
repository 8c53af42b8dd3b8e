/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of the cloud in words. */
#include "lab/cloud.h"

#include <assert.h>

const char *hf_cloud_endpoint_name(uint32_t endpoint)
{
    static const char *const names[HF_CLOUD_ENDPOINTS_MAX] = {"api", "db", "www", "mail"};
    assert(endpoint < HF_CLOUD_ENDPOINTS_MAX);
    return names[endpoint];
}

static void tell_installed(const struct hf_cloud_event *event, struct hf_buf *ret_line)
{
    hf_buf_printf(ret_line, "enactor %u wins the lock and points %s to plan %u", event->actor,
                  hf_cloud_endpoint_name(event->endpoint), event->plan);
    if (event->plan < event->other) {
        hf_buf_printf(ret_line, ", older than plan %u that it replaces", event->other);
    }
}

static void tell_deleted(const struct hf_cloud_event *event, struct hf_buf *ret_line)
{
    hf_buf_printf(ret_line, "clean-up of enactor %u deletes plan %u", event->actor, event->plan);
    const char *join = ": ";
    for (uint32_t e = 0; e < HF_CLOUD_ENDPOINTS_MAX; e++) {
        if ((event->emptied >> e & 1) != 0) {
            hf_buf_printf(ret_line, "%s%s answers nothing", join, hf_cloud_endpoint_name(e));
            join = ", ";
        }
    }
}

void hf_cloud_tell(const struct hf_cloud_event *event, struct hf_buf *ret_line)
{
    uint32_t actor = event->actor, plan = event->plan, other = event->other;
    switch (event->what) {
    case HF_CLOUD_PUBLISHED:
        hf_buf_printf(ret_line, "planner publishes plan %u", plan);
        break;
    case HF_CLOUD_TOOK:
        hf_buf_printf(ret_line, "enactor %u takes plan %u", actor, plan);
        break;
    case HF_CLOUD_NEWER:
        hf_buf_printf(ret_line, "enactor %u checks: plan %u is newer than applied plan %u", actor,
                      plan, other);
        break;
    case HF_CLOUD_NOT_NEWER:
        hf_buf_printf(ret_line, "enactor %u checks: plan %u is not newer than applied plan %u",
                      actor, plan, other);
        break;
    case HF_CLOUD_LOST:
        hf_buf_printf(ret_line, "enactor %u with plan %u loses the lock and backs off", actor,
                      plan);
        break;
    case HF_CLOUD_INSTALLED:
        tell_installed(event, ret_line);
        break;
    case HF_CLOUD_FAILED:
        hf_buf_printf(ret_line,
                      "enactor %u cannot install plan %u on %s: the rollback record needs plan %u, "
                      "which is gone",
                      actor, plan, hf_cloud_endpoint_name(event->endpoint), other);
        break;
    case HF_CLOUD_FENCED:
        hf_buf_printf(ret_line, "enactor %u is refused plan %u on %s, which has plan %u", actor,
                      plan, hf_cloud_endpoint_name(event->endpoint), other);
        break;
    case HF_CLOUD_DELETED:
        tell_deleted(event, ret_line);
        break;
    default:
        hf_buf_printf(ret_line, "clean-up of enactor %u finds nothing to delete", actor);
        break;
    }
}
