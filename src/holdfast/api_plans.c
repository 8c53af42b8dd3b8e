/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans: those that are kept, what each changed, any two compared, and the one that would be next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/json_in.h"
#include "holdfast/api.h"
#include "holdfast/history.h"
#include "holdfast/plan_between.h"
#include "holdfast/plan_show.h"

#define TEXT_QUERY "format width colour fresh"

/* The slow look, brought to the present, with its lock; NULL after the answer was made an error. */
static struct hf_look *take_look(struct hf_api_call *call)
{
    struct hf_look *look = hf_api_slow_take(call->api);
    if (look->store != NULL) {
        return look;
    }
    hf_api_fail(call, 503, "store", "%s",
                look->problem_count > 0 ? look->problems[0].why : "there is no store");
    hf_api_slow_give(call->api);
    return NULL;
}

static void give_look(struct hf_api_call *call)
{
    hf_api_slow_give(call->api);
}

static void fail_store(struct hf_api_call *call, const struct hf_look *look, int error)
{
    const char *why = hf_store_why(look->store);
    hf_api_fail(call, error == HF_ENOENT ? 404 : 503, error == HF_ENOENT ? "not-found" : "store",
                "%s", why[0] != 0 ? why : hf_strerror(error));
}

static bool read_generation(struct hf_api_call *call, const struct hf_look *look, const char *text,
                            uint64_t *ret_gen)
{
    char *end = NULL;
    errno = 0;
    if (strcmp(text, "head") == 0) {
        *ret_gen = look->plan.head.gen;
        return true;
    }
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] == 0 || strspn(text, "0123456789") != strlen(text) || errno != 0 ||
        number > look->plan.head.gen) {
        hf_api_fail(call, 404, "not-found", "found %s, expected a generation that was published",
                    text);
        return false;
    }
    *ret_gen = number;
    return true;
}

/* --- the list --- */

static void plans(struct hf_api_call *call)
{
    uint64_t limit;
    uint64_t below;
    struct hf_api_text text;
    struct hf_history history;
    if (!hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit) ||
        !hf_api_number(call, "after", 1, UINT64_MAX, 0, &below)) {
        return;
    }
    struct hf_look *look = take_look(call);
    if (look == NULL) {
        return;
    }
    int error = hf_history_load(look, NULL, below, (uint32_t)limit, &history);
    if (error != HF_OK) {
        fail_store(call, look, error);
    } else if (hf_api_text_begin(call, &text)) {
        hf_history_show(look, &text.invocation.out, &history);
        hf_api_text_end(call, &text);
        hf_history_release(&history);
    } else {
        hf_look_json_head(look, &call->json);
        hf_history_put_json(&history, &call->json);
        hf_json_object_end(&call->json);
        hf_history_release(&history);
    }
    give_look(call);
}

/* --- differences --- */

static void put_between(struct hf_api_call *call, const struct hf_look *look,
                        const struct hf_plan_between *between, uint64_t limit)
{
    const char *after = hf_api_value(call, "after");
    const struct hf_plan_images images = {.before = between->before, .after = between->after};
    struct hf_json *json = &call->json;
    uint64_t shown = 0;
    const char *next = NULL;
    char basis[HF_LOOK_BASIS_MAX];
    hf_json_key(json, "changes");
    hf_json_array(json);
    for (uint32_t i = 0; i < between->row_count; i++) {
        const struct hf_plan_difference *row = &between->rows[i];
        if (after != NULL && strcmp(row->name, after) <= 0) {
            continue;
        }
        if (shown == limit) {
            next = between->rows[i - 1].name;
            break;
        }
        hf_plan_put_difference(&images, row, json);
        shown++;
    }
    hf_json_array_end(json);
    hf_json_key(json, "summary");
    hf_json_object(json);
    for (int i = 0; i < HF_PLAN_ACTIONS; i++) {
        hf_json_put_u64(json, hf_plan_action_name((enum hf_plan_action)i), between->counts[i]);
    }
    hf_json_object_end(json);
    hf_api_put_next(call, next);
    hf_look_basis(look, 'g', look->plan.head.gen, basis);
    hf_json_put_text(json, "basis", basis);
}

/* Two images; gen 0 is the empty one. */
static int load_images(struct hf_store *store, uint64_t from, uint64_t to, struct hf_plan *before,
                       struct hf_plan *after)
{
    hf_plan_init(before);
    hf_plan_init(after);
    int error = from == 0 ? HF_OK : hf_plan_load_at(store, from, before);
    return error != HF_OK || to == 0 ? error : hf_plan_load_at(store, to, after);
}

/* row: the plan that is shown, or NULL for two of anybody's choice. */
static void compare(struct hf_api_call *call, const struct hf_look *look, uint64_t from,
                    uint64_t to, const struct hf_history_plan *row)
{
    uint64_t limit;
    struct hf_plan before;
    struct hf_plan after;
    if (!hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit)) {
        return;
    }
    int error = load_images(look->store, from, to, &before, &after);
    if (error == HF_OK) {
        struct hf_plan_between between;
        hf_plan_between_make(&before, &after, &between);
        hf_look_json_head(look, &call->json);
        if (row != NULL) {
            hf_json_key(&call->json, "plan");
            hf_json_object(&call->json);
            hf_history_put_plan(row, &call->json);
            hf_json_object_end(&call->json);
        }
        hf_json_put_number(&call->json, "from", from);
        hf_json_put_number(&call->json, "to", to);
        put_between(call, look, &between, limit);
        hf_json_object_end(&call->json);
        hf_plan_between_release(&between);
    } else {
        fail_store(call, look, error);
    }
    hf_plan_release(&before);
    hf_plan_release(&after);
}

/* The plan of exactly this generation; false after an error. */
static bool load_plan(struct hf_api_call *call, const struct hf_look *look, uint64_t gen,
                      struct hf_history *ret_history)
{
    int error = hf_history_load(look, NULL, gen + 1, 1, ret_history);
    if (error != HF_OK) {
        fail_store(call, look, error);
        return false;
    }
    if (ret_history->plan_count == 1 && ret_history->plans[0].gen == gen) {
        return true;
    }
    hf_api_fail(call, 404, "not-found", "there is no plan of generation %llu that is kept",
                (unsigned long long)gen);
    hf_history_release(ret_history);
    return false;
}

static void plan(struct hf_api_call *call)
{
    uint64_t gen;
    struct hf_history history;
    struct hf_look *look = take_look(call);
    if (look == NULL) {
        return;
    }
    if (read_generation(call, look, call->parts[0], &gen) && load_plan(call, look, gen, &history)) {
        compare(call, look, history.plans[0].parent_gen, gen, &history.plans[0]);
        hf_history_release(&history);
    }
    give_look(call);
}

static void plan_diff(struct hf_api_call *call)
{
    uint64_t to;
    uint64_t from;
    struct hf_history history;
    const char *given = hf_api_value(call, "from");
    struct hf_look *look = take_look(call);
    if (look == NULL) {
        return;
    }
    if (read_generation(call, look, call->parts[0], &to)) {
        if (given != NULL) {
            if (read_generation(call, look, given, &from)) {
                compare(call, look, from, to, NULL);
            }
        } else if (load_plan(call, look, to, &history)) {
            compare(call, look, history.plans[0].parent_gen, to, NULL);
            hf_history_release(&history);
        }
    }
    give_look(call);
}

/* --- what the planner would publish now --- */

static void put_next_plan(struct hf_api_call *call, struct hf_look *look, uint32_t limit)
{
    struct hf_plan_diff diff;
    struct hf_plan_shown shown = {.diff = &diff, .json_max = limit};
    if (!hf_plan_is_readable(look)) {
        hf_api_fail(call, 503, "store", "%s",
                    look->problem_count > 0 ? look->problems[0].why : "the plan cannot be read");
        return;
    }
    hf_plan_count_verdicts(look, NULL, &shown.verdicts);
    int error = hf_plan_diff_make(look, NULL, &diff);
    if (error != HF_OK) {
        hf_api_fail(call, 500, "failed", "an answer would not fit: %s", hf_strerror(error));
        return;
    }
    hf_look_json_head(look, &call->json);
    hf_plan_put_json(look, &shown, &call->json);
    hf_json_object_end(&call->json);
    hf_plan_diff_release(&diff);
}

/* Its texts are as short-lived as the answer: a look of its own. */
static void plan_next(struct hf_api_call *call)
{
    uint64_t limit;
    if (!hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit)) {
        return;
    }
    uv_mutex_lock(&call->api->slow.lock);
    struct hf_look *look = hf_look_new(call->api->invocation, call->api->config);
    (void)hf_look_refresh(look);
    put_next_plan(call, look, (uint32_t)limit);
    hf_look_close(look);
    uv_mutex_unlock(&call->api->slow.lock);
}

const struct hf_api_route hf_api_routes_plans[] = {
    {"GET", "/api/v1/plans", "limit after " TEXT_QUERY, plans, true},
    {"GET", "/api/v1/plans/next", "limit", plan_next, true},
    {"GET", "/api/v1/plans/{}/diff", "from limit after", plan_diff, true},
    {"GET", "/api/v1/plans/{}", "limit after", plan, true},
    {0},
};
