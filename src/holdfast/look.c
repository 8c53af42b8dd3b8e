/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int hf_look_open(const struct hf_invocation *invocation, struct hf_look **ret_look)
{
    struct hf_config *config = NULL;
    if (hf_open_config(invocation, &config) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    struct hf_look *look = hf_look_new(invocation, config);
    look->own_config = config;
    (void)hf_look_refresh(look);
    *ret_look = look;
    return HF_EXIT_DONE;
}

void hf_look_close(struct hf_look *look)
{
    hf_reports_release(&look->reports);
    hf_overrides_release(&look->overrides);
    hf_plan_release(&look->plan);
    if (look->store != NULL) {
        hf_store_close(look->store);
    }
    hf_arena_release(&look->arena);
    hf_arena_release(&look->backends_arena);
    hf_config_free(look->own_config);
    free(look);
}

bool hf_look_is_alive(const struct hf_look *look, uint64_t at_ms)
{
    return at_ms != 0 && (at_ms >= look->now_ms || look->now_ms - at_ms <= HF_LOOK_ALIVE_MS);
}

bool hf_look_janitor_is_alive(const struct hf_look *look)
{
    uint64_t at_ms = look->janitor.at_ms;
    uint64_t silent_ms = look->now_ms > at_ms ? look->now_ms - at_ms : 0;
    return silent_ms <= UINT64_C(3) * look->config->janitor_ms + HF_LOOK_ALIVE_MS;
}

/* In the order that look_read.c puts them in. */
static int compare_backends(const void *a, const void *b)
{
    const struct hf_backend_status *one = a;
    const struct hf_backend_status *other = b;
    return strcmp(one->name, other->name);
}

const struct hf_backend_status *hf_look_backend(const struct hf_look *look, const char *name)
{
    const struct hf_backend_status key = {.name = name};
    return look->backend_count == 0
               ? NULL
               : bsearch(&key, look->backends, look->backend_count, sizeof(key), compare_backends);
}

const struct hf_report_zone *hf_look_zone(const struct hf_report *report, const char *zone)
{
    for (uint32_t i = 0; i < report->zone_count; i++) {
        if (strcmp(report->zones[i].zone, zone) == 0) {
            return &report->zones[i];
        }
    }
    return NULL;
}

const char *hf_look_target(const struct hf_look *look, const char *zone)
{
    uint32_t number = hf_config_find_zone(look->config, zone);
    return number == UINT32_MAX ? ""
                                : look->config->targets[look->config->zones[number].target].name;
}

bool hf_look_names(const struct hf_report_names *names, const char *endpoint)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], endpoint) == 0) {
            return true;
        }
    }
    return false;
}
