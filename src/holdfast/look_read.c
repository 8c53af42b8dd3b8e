/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a look reads. Every part has refs of the store behind it; a part is read again when one of
 * its refs is another than before, or when it could not be read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/look.h"
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

/* --- the parts --- */

static int load_plan(struct hf_look *look)
{
    uint64_t gen = 0;
    int error = hf_plan_load(look->store, &look->plan, NULL, &gen);
    look->has_plan = error == HF_OK;
    return error;
}

static int load_overrides(struct hf_look *look)
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
    }
    return error;
}

static int compare_backends(const void *a, const void *b)
{
    const struct hf_backend_status *one = a;
    const struct hf_backend_status *other = b;
    return strcmp(one->name, other->name);
}

static void forget_backends(struct hf_look *look)
{
    look->backends = NULL;
    look->backend_count = 0;
    look->backends_at_ms = 0;
    hf_arena_release(&look->backends_arena);
}

static int take_backends(struct hf_look *look, const struct hf_buf *json)
{
    forget_backends(look);
    int error =
        hf_backends_status_decode(json->bytes, json->size, &look->backends_arena,
                                  &look->backends_at_ms, &look->backends, &look->backend_count);
    if (look->backend_count > 0) {
        qsort(look->backends, look->backend_count, sizeof(*look->backends), compare_backends);
    }
    return error;
}

static int take_document(struct hf_look *look, enum hf_look_part part, const struct hf_buf *json)
{
    int error;
    switch (part) {
    case HF_LOOK_PLANNER:
        error = hf_planner_status_decode(json->bytes, json->size, &look->arena, &look->planner);
        look->has_planner = error == HF_OK;
        return error;
    case HF_LOOK_JANITOR:
        error = hf_janitor_status_decode(json->bytes, json->size, &look->arena, &look->janitor);
        look->has_janitor = error == HF_OK;
        return error;
    default:
        return take_backends(look, json);
    }
}

struct part {
    enum hf_look_part part;
    const char *what;
    const char *ref; /* or what its refs begin with */
};

static const struct part parts[] = {
    {HF_LOOK_PLAN, "plan", HF_PLAN_REF},
    {HF_LOOK_OVERRIDES, "overrides", "overrides"},
    {HF_LOOK_PLANNER, "planner", HF_STATUS_PLANNER},
    {HF_LOOK_BACKENDS, "backends", HF_STATUS_BACKENDS},
    {HF_LOOK_JANITOR, "janitor", HF_STATUS_JANITOR},
    {HF_LOOK_REPORTS, "reports", "report/"},
};
enum { PART_COUNT = sizeof(parts) / sizeof(parts[0]) };

/* False: the store is not to be asked for more. */
static bool load_document(struct hf_look *look, const struct part *part)
{
    struct hf_buf json;
    hf_buf_init(&json, HF_STATUS_BYTES_MAX);
    bool goes_on = true;
    int error = hf_document_get(look->store, part->ref, &json);
    if (error == HF_OK) {
        error = take_document(look, part->part, &json);
        if (error != HF_OK) {
            note(look, part->what, hf_strerror(error));
        }
    } else if (error == HF_ENOENT) { /* nobody wrote it yet */
        if (part->part == HF_LOOK_BACKENDS) {
            forget_backends(look);
        }
    } else {
        goes_on = note_store(look, part->what, error);
    }
    look->failed |= error != HF_OK && error != HF_ENOENT ? part->part : 0;
    hf_buf_release(&json);
    return goes_on;
}

static bool load_part(struct hf_look *look, const struct part *part)
{
    int error = HF_OK;
    switch (part->part) {
    case HF_LOOK_PLAN:
        error = load_plan(look);
        break;
    case HF_LOOK_OVERRIDES:
        error = load_overrides(look);
        break;
    case HF_LOOK_REPORTS:
        hf_reports_release(&look->reports);
        error = hf_reports_load(look->store, &look->reports);
        break;
    default:
        return load_document(look, part);
    }
    look->failed |= error != HF_OK ? part->part : 0;
    return error == HF_OK || note_store(look, part->what, error);
}

/* --- what has changed --- */

struct refs {
    uint64_t hashes[PART_COUNT];
};

static int hash_ref(void *context, const char *name, const void *value, size_t size)
{
    struct refs *refs = context;
    for (size_t i = 0; i < PART_COUNT; i++) {
        size_t length = strlen(parts[i].ref);
        bool is_list = parts[i].ref[length - 1] == '/';
        if (is_list ? strncmp(name, parts[i].ref, length) == 0 : strcmp(name, parts[i].ref) == 0) {
            uint64_t both[] = {refs->hashes[i], hf_hash64(name, strlen(name)),
                               hf_hash64(value, size)};
            refs->hashes[i] = hf_hash64(both, sizeof(both));
        }
    }
    return 0;
}

/* The parts whose refs are not those of before. */
static int find_news(struct hf_look *look, uint32_t *ret_news)
{
    struct refs refs = {0};
    int error = hf_store_ref_list(look->store, "", hash_ref, &refs);
    uint32_t news = 0;
    for (size_t i = 0; error == HF_OK && i < PART_COUNT; i++) {
        bool is_new = !look->is_read || refs.hashes[i] != look->refs[i];
        news |= is_new ? parts[i].part : 0;
        look->refs[i] = refs.hashes[i];
    }
    *ret_news = news;
    return error;
}

static void open_store(struct hf_look *look)
{
    char why[HF_STORE_WHY_MAX];
    int error = hf_store_open_why(look->config->store_path, false, why, &look->store);
    look->store_state = state_of(error);
    if (error != HF_OK) {
        look->store = NULL;
        note(look, "store", why);
        return;
    }
}

/* Problems are found anew; so are the small documents, whose texts lie beside theirs. */
static uint32_t read_news(struct hf_look *look, uint32_t news)
{
    const uint32_t small = HF_LOOK_PLANNER | HF_LOOK_JANITOR;
    uint32_t reading = news | look->failed | small;
    look->failed = 0;
    int error = hf_store_instance(look->store, &look->instance);
    bool goes_on = error == HF_OK || note_store(look, "store", error);
    for (size_t i = 0; i < PART_COUNT; i++) {
        if ((reading & parts[i].part) == 0) {
            continue;
        }
        if (goes_on) {
            goes_on = load_part(look, &parts[i]);
        } else {
            look->failed |= parts[i].part;
        }
    }
    return news;
}

/* The store that was open answers no more: what was read of it stays. */
static void note_lost(struct hf_look *look, int error)
{
    look->store_state = state_of(error);
    look->failed = HF_LOOK_ALL;
    (void)note_store(look, "store", error);
}

uint32_t hf_look_refresh(struct hf_look *look)
{
    uint64_t changes = 0;
    uint32_t news = 0;
    int error = HF_OK;
    bool was_open = look->store != NULL && strcmp(look->store_state, "open") == 0;
    if (look->store != NULL) {
        error = hf_store_changes(look->store, &changes);
        if (error == HF_OK && look->is_read && changes == look->changes && look->failed == 0) {
            look->now_ms = hf_wallclock_ms();
            return 0;
        }
    }
    bool had_problems = look->problem_count > 0;
    hf_arena_release(&look->arena);
    look->problem_count = 0;
    look->has_planner = false;
    look->has_janitor = false;
    if (look->store == NULL) {
        open_store(look);
        error = look->store != NULL ? hf_store_changes(look->store, &changes) : HF_OK;
    }
    if (look->store != NULL) {
        look->store_state = state_of(error);
        error = error == HF_OK ? find_news(look, &news) : error;
        if (error == HF_OK) {
            news = read_news(look, news);
            look->is_read = true;
            look->changes = changes;
        } else {
            note_lost(look, error);
        }
    }
    bool is_open = look->store != NULL && strcmp(look->store_state, "open") == 0;
    if (had_problems || look->problem_count > 0 || was_open != is_open) {
        news |= HF_LOOK_STORE;
    }
    look->now_ms = hf_wallclock_ms();
    return news;
}

void hf_look_forget_plan(struct hf_look *look)
{
    hf_plan_release(&look->plan);
    hf_plan_init(&look->plan);
    look->has_plan = false;
    look->failed |= HF_LOOK_PLAN;
}

struct hf_look *hf_look_new(const struct hf_invocation *invocation, const struct hf_config *config)
{
    struct hf_look *look = calloc(1, sizeof(*look));
    if (look == NULL) {
        abort();
    }
    look->invocation = invocation;
    look->config = config;
    look->store_state = "missing";
    hf_arena_init(&look->arena, TEXTS_MAX);
    hf_arena_init(&look->backends_arena, TEXTS_MAX);
    hf_plan_init(&look->plan);
    hf_overrides_init(&look->overrides);
    return look;
}
