/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/wallclock.h"

enum { TEXTS_MAX = 1024 * 1024 * 1024 };

static void note(struct hf_look *look, const char *what, const char *why)
{
    if (look->problem_count == HF_LOOK_PROBLEMS_MAX) {
        return;
    }
    struct hf_look_problem *problem = &look->problems[look->problem_count++];
    problem->what = what;
    problem->why = hf_arena_copy(&look->arena, why, strlen(why));
}

static const char *state_of(int error)
{
    switch (error) {
    case HF_OK:
        return "open";
    case HF_ENOENT:
        return "missing";
    case HF_EBUSY:
        return "locked";
    case HF_ECORRUPT:
        return "damaged";
    case HF_EMALF:
        return "foreign";
    default:
        return "failed";
    }
}

/* False when nothing more can be read from the store: each try would wait for its lock. */
static bool note_store(struct hf_look *look, const char *what, int error)
{
    const char *why = hf_store_why(look->store);
    note(look, what, why[0] != 0 ? why : hf_strerror(error));
    if (error == HF_EBUSY) {
        look->store_state = state_of(error);
        return false;
    }
    return true;
}

static bool load_plan(struct hf_look *look)
{
    uint64_t gen = 0;
    int error = hf_plan_load(look->store, &look->plan, NULL, &gen);
    look->has_plan = error == HF_OK;
    return error == HF_OK || note_store(look, "plan", error);
}

static bool load_overrides(struct hf_look *look)
{
    struct hf_buf ref;
    struct hf_overrides overrides;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    int error = hf_overrides_load(look->store, &overrides, &ref);
    hf_buf_release(&ref);
    if (error == HF_OK) {
        hf_overrides_release(&look->overrides);
        look->overrides = overrides;
        look->has_overrides = true;
        return true;
    }
    return note_store(look, "overrides", error);
}

/* One document under "status/…"; HF_ENOENT: nobody wrote it yet. */
static bool load_document(struct hf_look *look, const char *ref, const char *what)
{
    struct hf_buf json;
    hf_buf_init(&json, HF_STATUS_BYTES_MAX);
    int error = hf_document_get(look->store, ref, &json);
    bool goes_on = true;
    if (error == HF_OK && strcmp(what, "planner") == 0) {
        error = hf_planner_status_decode(json.bytes, json.size, &look->arena, &look->planner);
        look->has_planner = error == HF_OK;
    } else if (error == HF_OK && strcmp(what, "janitor") == 0) {
        error = hf_janitor_status_decode(json.bytes, json.size, &look->arena, &look->janitor);
        look->has_janitor = error == HF_OK;
    } else if (error == HF_OK) {
        error =
            hf_backends_status_decode(json.bytes, json.size, &look->arena, &look->backends_at_ms,
                                      &look->backends, &look->backend_count);
    } else if (error != HF_ENOENT) {
        goes_on = note_store(look, what, error);
        error = HF_OK;
    }
    if (error != HF_OK && error != HF_ENOENT) {
        note(look, what, hf_strerror(error));
    }
    hf_buf_release(&json);
    return goes_on;
}

static bool load_reports(struct hf_look *look)
{
    int error = hf_reports_load(look->store, &look->reports);
    return error == HF_OK || note_store(look, "reports", error);
}

static int compare_backends(const void *a, const void *b)
{
    const struct hf_backend_status *one = a;
    const struct hf_backend_status *other = b;
    return strcmp(one->name, other->name);
}

static void load_store(struct hf_look *look)
{
    char why[HF_STORE_WHY_MAX];
    int error = hf_store_open_why(look->config->store_path, false, why, &look->store);
    look->store_state = state_of(error);
    if (error != HF_OK) {
        look->store = NULL;
        note(look, "store", why);
        return;
    }
    error = hf_store_instance(look->store, &look->instance);
    if (error != HF_OK && !note_store(look, "store", error)) {
        return;
    }
    bool goes_on = load_plan(look) && load_overrides(look) &&
                   load_document(look, HF_STATUS_PLANNER, "planner") &&
                   load_document(look, HF_STATUS_BACKENDS, "backends") &&
                   load_document(look, HF_STATUS_JANITOR, "janitor") && load_reports(look);
    if (goes_on && look->backend_count > 0) {
        qsort(look->backends, look->backend_count, sizeof(*look->backends), compare_backends);
    }
}

int hf_look_open(const struct hf_invocation *invocation, struct hf_look **ret_look)
{
    struct hf_config *config = NULL;
    if (hf_open_config(invocation, &config) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    struct hf_look *look = calloc(1, sizeof(*look));
    if (look == NULL) {
        abort();
    }
    look->invocation = invocation;
    look->config = config;
    hf_arena_init(&look->arena, TEXTS_MAX);
    hf_plan_init(&look->plan);
    hf_overrides_init(&look->overrides);
    load_store(look);
    look->now_ms = hf_wallclock_ms();
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
    hf_config_free(look->config);
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

const struct hf_backend_status *hf_look_backend(const struct hf_look *look, const char *name)
{
    struct hf_backend_status key = {.name = name};
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
