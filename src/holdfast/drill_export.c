/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_export.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/tool.h"

/* What curves are called by programs. */
static const char *const measures[HF_DRILL_CURVES] = {
    [HF_DRILL_CURVE_ANSWERS] = "answered_share",  [HF_DRILL_CURVE_GOODPUT] = "goodput_share",
    [HF_DRILL_CURVE_ATTEMPTS] = "attempts_per_s", [HF_DRILL_CURVE_RETRIES] = "retries_per_s",
    [HF_DRILL_CURVE_QUEUE] = "queue_peak",        [HF_DRILL_CURVE_DONE] = "done_per_s",
    [HF_DRILL_CURVE_WASTED] = "wasted_per_s",     [HF_DRILL_CURVE_HELD] = "held_share",
    [HF_DRILL_CURVE_CLAIMS] = "claims_per_s",     [HF_DRILL_CURVE_SERVING] = "serving_share",
    [HF_DRILL_CURVE_REMOVED] = "removed_share"};

static const char *part_name(enum hf_drill_part part)
{
    static const char *const names[] = {
        [HF_DRILL_PART_NAME] = "name",       [HF_DRILL_PART_CLIENT] = "client",
        [HF_DRILL_PART_SERVICE] = "service", [HF_DRILL_PART_MANAGER] = "leases",
        [HF_DRILL_PART_FLEET] = "fleet",
    };
    return names[part];
}

void hf_drill_json_time(struct hf_json *json, const char *key, uint64_t time_us)
{
    if (time_us == HF_DRILL_NEVER) {
        hf_json_put_null(json, key);
    } else {
        hf_json_put_double(json, key, (double)time_us / 1e6);
    }
}

void hf_drill_json_sum(struct hf_json *json, const struct hf_drill_sum *sum)
{
    hf_drill_json_time(json, "unanswered_s", sum->unanswered_us);
    hf_drill_json_time(json, "degraded_s", sum->degraded_us);
    hf_drill_json_time(json, "recover_s", sum->recover_us);
    hf_json_put_u64(json, "queue_peak", sum->queue_peak);
    hf_json_put_u64(json, "retries", sum->retries);
    hf_json_put_double(json, "wasted_share", sum->wasted_share);
    hf_json_put_double(json, "worst_after_share", sum->worst_after_share);
    hf_json_put_double(json, "removed_worst_share", sum->removed_worst_share);
}

static void put_dependents(struct hf_json *json, const struct hf_drill_scenario *scenario,
                           const struct hf_drill_result *result)
{
    struct hf_drill_dependent at;
    hf_json_key(json, "dependents");
    hf_json_array(json);
    for (uint32_t i = 0; hf_drill_dependent_at(scenario, result, i, &at); i++) {
        hf_json_object(json);
        hf_json_put_text(json, "part", part_name(at.part));
        hf_json_put_text(json, "label", at.label);
        hf_drill_json_time(json, "degraded_s", at.health->degraded_us);
        hf_drill_json_time(json, "recover_s", at.health->recover_us);
        hf_json_put_double(json, "worst_share", at.health->worst_share);
        hf_json_put_double(json, "worst_after_share", at.health->worst_after_share);
        hf_json_put_double(json, "end_share", at.health->end_share);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void put_services(struct hf_json *json, const struct hf_drill_scenario *scenario,
                         const struct hf_drill_result *result)
{
    hf_json_key(json, "services");
    hf_json_array(json);
    for (uint32_t i = 0; i < scenario->service_count; i++) {
        const struct hf_drill_service_summary *sum = &result->service_sums[i];
        hf_json_object(json);
        hf_json_put_text(json, "label", scenario->services[i].label);
        hf_json_put_u64(json, "arrived", sum->arrived);
        hf_json_put_u64(json, "good", sum->good);
        hf_json_put_u64(json, "wasted", sum->wasted);
        hf_json_put_u64(json, "refused", sum->refused);
        hf_json_put_u64(json, "dropped", sum->dropped);
        hf_json_put_u64(json, "queue_peak", sum->queue_peak);
        hf_drill_json_time(json, "queue_peak_at_s", sum->queue_peak_at_us);
        hf_json_put_double(json, "wait_mean_s", sum->wait_mean_us / 1e6);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void put_actions(struct hf_json *json, const struct hf_drill_scenario *scenario,
                        const struct hf_drill_result *result)
{
    hf_json_key(json, "actions");
    hf_json_array(json);
    for (uint32_t i = 0; i < result->note_count; i++) {
        const struct hf_drill_note *note = &result->notes[i];
        const struct hf_drill_action *action =
            note->by_rule ? &scenario->rules[note->index].action : &scenario->actions[note->index];
        char text[HF_DRILL_WORDS_MAX];
        hf_drill_action_text(scenario, action, text);
        hf_json_object(json);
        hf_drill_json_time(json, "at_s", note->at_us);
        hf_json_put_text(json, "rule", note->by_rule ? scenario->rules[note->index].label : NULL);
        hf_json_put_text(json, "action", text);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void put_series(struct hf_json *json, const struct hf_drill_scenario *scenario,
                       const struct hf_drill_result *result)
{
    hf_json_key(json, "series");
    hf_json_array(json);
    for (int kind = 0; kind < HF_DRILL_CURVES; kind++) {
        enum hf_drill_part part = hf_drill_curve_info((enum hf_drill_curve_kind)kind)->part;
        for (uint32_t i = 0; hf_drill_label(scenario, part, i)[0] != 0; i++) {
            hf_json_object(json);
            hf_json_put_text(json, "part", part_name(part));
            hf_json_put_text(json, "label", hf_drill_label(scenario, part, i));
            hf_json_put_text(json, "measure", measures[kind]);
            hf_json_key(json, "values");
            hf_json_array(json);
            for (uint32_t b = 0; b < result->bucket_count; b++) {
                double value =
                    hf_drill_curve_at(scenario, result, (enum hf_drill_curve_kind)kind, i, b);
                if (value < 0) {
                    hf_json_null(json);
                } else {
                    hf_json_double(json, value);
                }
            }
            hf_json_array_end(json);
            hf_json_object_end(json);
        }
    }
    hf_json_array_end(json);
}

static void put_run(struct hf_json *json, const struct hf_drill_variant *variant,
                    const struct hf_drill_job *job)
{
    const struct hf_drill_scenario *scenario = &variant->file->scenario;
    struct hf_drill_sum sum = hf_drill_sum_of(scenario, &job->result);
    hf_json_object(json);
    hf_json_put_text(json, "scenario", scenario->label);
    hf_json_put_text(json, "remedies", variant->remedies);
    hf_json_put_u64(json, "seed", job->seed);
    hf_json_put_bool(json, "complete", job->state == HF_DRILL_JOB_DONE);
    hf_drill_json_time(json, "now_s", job->result.now_us);
    hf_drill_json_time(json, "bucket_s", scenario->bucket_us);
    hf_drill_json_time(json, "repaired_s", scenario->repaired_us);
    hf_json_put_u64(json, "events", job->result.events);
    hf_drill_json_sum(json, &sum);
    put_dependents(json, scenario, &job->result);
    put_services(json, scenario, &job->result);
    put_actions(json, scenario, &job->result);
    put_series(json, scenario, &job->result);
    hf_json_object_end(json);
}

void hf_drill_json_write(const struct hf_drill_set *set, const struct hf_drill_job *runs,
                         struct hf_buf *buf)
{
    struct hf_json json;
    hf_json_init(&json, buf, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_key(&json, "runs");
    hf_json_array(&json);
    for (uint32_t i = 0; i < set->count; i++) {
        put_run(&json, &set->variants[i], &runs[i]);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    hf_buf_put_text(buf, "\n");
}

static void csv_run(const struct hf_drill_variant *variant, const struct hf_drill_job *job,
                    struct hf_buf *buf)
{
    const struct hf_drill_scenario *scenario = &variant->file->scenario;
    for (int kind = 0; kind < HF_DRILL_CURVES; kind++) {
        enum hf_drill_part part = hf_drill_curve_info((enum hf_drill_curve_kind)kind)->part;
        for (uint32_t i = 0; hf_drill_label(scenario, part, i)[0] != 0; i++) {
            for (uint32_t b = 0; b < job->result.bucket_count; b++) {
                double value =
                    hf_drill_curve_at(scenario, &job->result, (enum hf_drill_curve_kind)kind, i, b);
                if (value >= 0) {
                    hf_buf_printf(buf, "%s,%s,%s,%s,%s,%.6g,%.6g\n", scenario->label,
                                  variant->remedies, part_name(part),
                                  hf_drill_label(scenario, part, i), measures[kind],
                                  (double)b * (double)scenario->bucket_us / 1e6, value);
                }
            }
        }
    }
}

void hf_drill_csv_write(const struct hf_drill_set *set, const struct hf_drill_job *runs,
                        struct hf_buf *buf)
{
    hf_buf_put_text(buf, "scenario,remedies,part,label,measure,time_s,value\n");
    for (uint32_t i = 0; i < set->count; i++) {
        csv_run(&set->variants[i], &runs[i], buf);
    }
}

int hf_drill_write(const struct hf_invocation *invocation, const char *path, struct hf_buf *buf)
{
    if (hf_buf_error(buf) != HF_OK) {
        return hf_command_fail(invocation, "%s: more than %zu octets", path, buf->cap);
    }
    if (strcmp(path, "-") == 0) {
        (void)fwrite(buf->bytes, 1, buf->size, stdout); /* the frame looks at its errors */
        return HF_EXIT_DONE;
    }
    if (hf_tool_write(path, buf) != HF_OK) {
        return hf_command_fail(invocation, "%s: %s", path, strerror(errno));
    }
    return HF_EXIT_DONE;
}
