/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of configured backends become verdicts; verdicts become the machine's events. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "io/lead_internal.h"
#include "io/wallclock.h"

enum { RESTORE_AGE_MAX_MS = 300000 }; /* older verdicts say nothing of now */

void hf_lead_address_text(const struct hf_config_backend *backend,
                          char ret_text[HF_LEAD_ADDRESSES_MAX])
{
    char a[INET_ADDRSTRLEN] = "";
    char aaaa[INET6_ADDRSTRLEN] = "";
    if (backend->has_a) {
        (void)inet_ntop(AF_INET, backend->a, a, sizeof(a));
    }
    if (backend->has_aaaa) {
        (void)inet_ntop(AF_INET6, backend->aaaa, aaaa, sizeof(aaaa));
    }
    (void)snprintf(ret_text, HF_LEAD_ADDRESSES_MAX, "%s%s%s", a,
                   backend->has_a && backend->has_aaaa ? " " : "", aaaa);
}

static void feed_verdict(struct hf_lead *lead, uint32_t backend)
{
    if (lead->planning == NULL) {
        return; /* hf_lead_feed_verdicts makes up for it */
    }
    struct hf_planner_event event = {.type = HF_PLANNER_VERDICT,
                                     .backend = backend,
                                     .verdict = lead->backends[backend].health.verdict};
    hf_lead_step(lead, &event);
}

void hf_lead_feed_verdicts(struct hf_lead *lead)
{
    for (uint32_t i = 0; i < lead->config->backend_count; i++) {
        if (lead->planning->planner.verdicts[i] != lead->backends[i].health.verdict) {
            feed_verdict(lead, i);
        }
    }
}

static void on_report(void *context, const struct hf_check_report *report)
{
    struct hf_lead *lead = context;
    struct hf_lead_backend *backend = &lead->backends[report->probe];
    const struct hf_config_backend *config = &lead->config->backends[report->probe];
    const struct hf_config_check *check = &lead->config->pools[config->pool].check;
    backend->checked_ms = hf_wallclock_ms();
    backend->duration_us = report->duration_us;
    backend->late_count += report->result == HF_CHECK_LATE;
    (void)snprintf(backend->why, sizeof(backend->why), "%s", report->why);
    if (!hf_health_step(&backend->health, &check->health, report->result, backend->checked_ms)) {
        return;
    }
    hf_log(lead->log, backend->health.verdict == HF_VERDICT_UP ? HF_LOG_INFO : HF_LOG_WARNING,
           "verdict", "backend=%s verdict=%s why=%s cid=%016llx", config->name,
           hf_verdict_name((enum hf_verdict)backend->health.verdict), backend->why,
           (unsigned long long)hf_lead_cid(lead));
    feed_verdict(lead, report->probe);
    hf_lead_tick_soon(lead);
}

int hf_lead_checks_start(struct hf_lead *lead)
{
    int error = hf_checker_new(&lead->loop, on_report, lead, &lead->checker);
    for (uint32_t i = 0; i < lead->config->backend_count && error == HF_OK; i++) {
        char why[HF_CHECK_WHY_MAX] = "";
        const struct hf_config_backend *backend = &lead->config->backends[i];
        error = hf_checker_add(lead->checker, &lead->config->pools[backend->pool].check, backend, i,
                               why);
        if (error != HF_OK) {
            hf_log(lead->log, HF_LOG_ERROR, "check_failed_to_start", "backend=%s why=%s",
                   backend->name, why[0] != 0 ? why : hf_strerror(error));
        }
    }
    return error;
}

void hf_lead_restore(struct hf_lead *lead, const struct hf_backend_status *rows, uint32_t count,
                     uint64_t at_ms)
{
    uint64_t now = hf_wallclock_ms();
    if (at_ms > now || now - at_ms > RESTORE_AGE_MAX_MS) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t backend = hf_config_find_backend(lead->config, rows[i].name);
        if (backend == UINT32_MAX || rows[i].verdict == HF_VERDICT_UNKNOWN ||
            lead->backends[backend].health.verdict != HF_VERDICT_UNKNOWN) {
            continue;
        }
        if (strcmp(lead->backends[backend].addresses, rows[i].addresses) != 0) {
            continue; /* it says nothing of another address */
        }
        (void)hf_health_set(&lead->backends[backend].health, rows[i].verdict, rows[i].since_ms);
        lead->backends[backend].health.held_until_ms = rows[i].held_until_ms;
        (void)snprintf(lead->backends[backend].why, HF_CHECK_WHY_MAX, "%s", rows[i].why);
    }
}
