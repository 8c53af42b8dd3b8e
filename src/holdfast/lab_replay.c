/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-lab replay FILE: one history again, from its trace file. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/lab_command.h"
#include "holdfast/lab_show.h"
#include "holdfast/lab_timeline.h"
#include "holdfast/tool.h"

enum { FILE_MAX_SIZE = 256 * 1024 * 1024, PROBLEM_MAX = 1000 };

/* Reads, parses and makes the trace's world; says what is wrong. */
static int load(struct hf_lab_call *call, struct hf_trace *ret_trace)
{
    struct hf_buf file, problem;
    uint32_t line = 0;
    int status = HF_LAB_FAILED;
    hf_buf_init(&file, FILE_MAX_SIZE);
    hf_buf_init(&problem, PROBLEM_MAX);
    if (hf_tool_read(call->file, &file) != HF_OK) {
        (void)hf_lab_fail(call, "cannot read %s: %s", call->file,
                          hf_buf_error(&file) != HF_OK ? "it is too large" : strerror(errno));
        goto out;
    }
    uint32_t room = hf_trace_room(file.bytes, file.size);
    struct hf_schedule *steps = calloc((size_t)room + 1, sizeof(steps[0]));
    if (steps == NULL) {
        abort();
    }
    ret_trace->steps = steps;
    if (hf_trace_parse(file.bytes, file.size, steps, room, ret_trace, &line, &problem) != HF_OK) {
        (void)hf_lab_fail(call, "%s:%" PRIu32 ": %s", call->file, line, hf_buf_text(&problem));
    } else if (hf_lab_world_of_trace(&call->world, ret_trace, &problem) != HF_OK) {
        (void)hf_lab_fail(call, "%s: %s", call->file, hf_buf_text(&problem));
    } else {
        status = HF_LAB_DONE;
    }
out:
    hf_buf_release(&problem);
    hf_buf_release(&file);
    return status;
}

static void show_json(const struct hf_lab_call *call, const struct hf_trace *trace,
                      const struct hf_lab_ending *ending, bool is_met)
{
    struct hf_buf buf, expected;
    struct hf_json json;
    hf_buf_init(&expected, PROBLEM_MAX);
    hf_trace_put_expect(&expected, trace);
    hf_buf_init(&buf, HF_LAB_JSON_MAX);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_text(&json, "model", trace->model);
    hf_lab_put_options(&json, &call->world);
    hf_json_put_u64(&json, "seed", trace->seed);
    hf_json_put_u64(&json, "steps", ending->steps);
    hf_json_put_text(&json, "end", ending->stuck != 0 ? "stuck" : hf_lab_end_name(ending->end));
    hf_json_put_text(&json, "why", ending->why);
    hf_json_put_text(&json, "expected", hf_buf_text(&expected));
    hf_json_put_bool(&json, "met", is_met);
    hf_json_object_end(&json);
    hf_lab_put_json(&call->out, &buf);
    hf_buf_release(&expected);
}

static void show(const struct hf_lab_call *call, const struct hf_trace *trace,
                 const struct hf_lab_ending *ending, bool is_met)
{
    struct hf_buf expected;
    hf_buf_init(&expected, PROBLEM_MAX);
    hf_trace_put_expect(&expected, trace);
    hf_term_put(&call->out, HF_STYLE_PLAIN, "\n");
    hf_lab_ending_put(&call->out, ending);
    hf_term_put(&call->out, is_met ? HF_STYLE_GOOD : HF_STYLE_BAD, "%s: %s\n",
                is_met ? "As expected" : "Expected", hf_buf_text(&expected));
    hf_buf_release(&expected);
}

static int run(struct hf_lab_call *call)
{
    struct hf_trace trace = {.steps = NULL};
    int status = load(call, &trace);
    if (status == HF_LAB_DONE) {
        bool is_quiet = hf_lab_text(call, "quiet") != NULL;
        bool tells = !is_quiet && !call->json;
        struct hf_lab_ending ending;
        if (tells) {
            hf_lab_title_put(&call->out, "replay", &call->world);
        }
        hf_lab_timeline(&call->world, &trace, tells ? &call->out : NULL, NULL, &ending);
        bool is_met = ending.stuck == 0 && hf_trace_is_met(&trace, ending.end, ending.why);
        if (call->json) {
            show_json(call, &trace, &ending, is_met);
        } else if (!is_quiet || !is_met) {
            show(call, &trace, &ending, is_met);
        }
        status = is_met ? HF_LAB_DONE : HF_LAB_FAILED;
    }
    free(trace.steps);
    return status;
}

static const struct hf_lab_flag flags[] = {
    {"quiet", HF_LAB_SWITCH, 0, 0, "Print nothing where the file's expectation is met"},
    {NULL, HF_LAB_SWITCH, 0, 0, NULL},
};

const struct hf_lab_command hf_lab_replay = {
    .name = "replay",
    .subject = HF_LAB_OF_FILE,
    .summary = "run one history again, from its trace file",
    .details = "The file says which model, which steps, and how it is expected to end; exit\n"
               "status 1 when it ends otherwise.",
    .flags = flags,
    .run = run,
};
