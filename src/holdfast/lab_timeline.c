/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/tool.h"

enum { LINE_MAX_SIZE = 4096, FILE_MAX_SIZE = 256 * 1024 * 1024 };

static int digits_of(uint32_t number)
{
    int digits = 1;
    for (; number >= 10; number /= 10) {
        digits++;
    }
    return digits;
}

struct timeline {
    const struct hf_model *model;
    const struct hf_trace *trace;
    const struct hf_term *term;
    struct hf_buf *file;
    struct hf_buf line;
    struct hf_run run;
};

static void put_line(struct timeline *timeline, uint32_t number, const char *text)
{
    const struct hf_term *term = timeline->term;
    if (term == NULL) {
        return;
    }
    hf_term_put(term, HF_STYLE_DIM, "  %*" PRIu32, digits_of(timeline->trace->step_count), number);
    if (timeline->model->time_ms != NULL) {
        uint64_t now_ms = timeline->model->time_ms(timeline->model, timeline->run.state);
        hf_term_put(term, HF_STYLE_DIM, "  %5" PRIu64 ".%03u s", now_ms / 1000,
                    (unsigned)(now_ms % 1000));
    }
    hf_term_put(term, HF_STYLE_PLAIN, "  %s\n", text);
}

/* What the model tells of the step that was just taken. */
static void tell(struct timeline *timeline, uint32_t number)
{
    const struct hf_model *model = timeline->model;
    if (model->tell == NULL || (timeline->term == NULL && timeline->file == NULL)) {
        return;
    }
    hf_buf_clear(&timeline->line);
    model->tell(model, timeline->run.before, &timeline->run.choice, timeline->run.state,
                &timeline->line);
    const char *text = hf_buf_text(&timeline->line);
    if (text[0] == '\0') {
        return;
    }
    put_line(timeline, number, text);
    if (timeline->file != NULL) {
        hf_trace_put_note(timeline->file, text);
    }
}

static void take_steps(struct timeline *timeline, struct hf_lab_ending *ending)
{
    const struct hf_trace *trace = timeline->trace;
    for (uint32_t i = 0; i < trace->step_count && timeline->run.end == HF_RUN_GOING; i++) {
        if (timeline->file != NULL) {
            hf_trace_put_step(timeline->file, &trace->steps[i]);
        }
        if (!hf_run_take(&timeline->run, &trace->steps[i])) {
            ending->stuck = i + 1;
            return;
        }
        tell(timeline, i + 1);
    }
}

void hf_lab_timeline(const struct hf_lab_world *world, const struct hf_trace *trace,
                     const struct hf_term *term, struct hf_buf *file,
                     struct hf_lab_ending *ret_ending)
{
    struct timeline timeline = {.model = &world->model, .trace = trace, .term = term, .file = file};
    struct hf_run *run = &timeline.run;
    void *memory = calloc(1, hf_run_layout(&world->model));
    if (memory == NULL) {
        abort();
    }
    hf_buf_init(&timeline.line, LINE_MAX_SIZE);
    if (file != NULL) {
        hf_trace_put_head(file, trace);
    }
    *ret_ending = (struct hf_lab_ending){.stuck = 0};
    hf_run_init(run, &world->model, memory);
    hf_run_begin(run, trace->seed, false);
    take_steps(&timeline, ret_ending);
    ret_ending->steps = run->steps;
    if (run->end == HF_RUN_GOING && ret_ending->stuck == 0) {
        if (trace->heals) {
            if (file != NULL) {
                hf_trace_put_heal(file);
            }
            if (term != NULL) {
                hf_term_put(term, HF_STYLE_DIM, "  %*s  faults stop; the world heals\n",
                            digits_of(trace->step_count), "");
            }
            (void)hf_run_heal(run);
        } else if (trace->expect == HF_TRACE_WEDGE) {
            (void)hf_run_is_wedged(run);
        }
    }
    ret_ending->end = (enum hf_run_end)run->end;
    memcpy(ret_ending->why, run->why, sizeof(ret_ending->why));
    hf_buf_release(&timeline.line);
    free(memory);
}

const char *hf_lab_end_name(enum hf_run_end end)
{
    static const char *const names[] = {
        [HF_RUN_GOING] = "holds",   [HF_RUN_STILL] = "holds", [HF_RUN_HEALED] = "healed",
        [HF_RUN_BROKEN] = "broken", [HF_RUN_WEDGE] = "wedge", [HF_RUN_RESTLESS] = "restless",
    };
    return names[end];
}

void hf_lab_ending_put(const struct hf_term *term, const struct hf_lab_ending *ending)
{
    if (ending->stuck != 0) {
        hf_term_put(term, HF_STYLE_BAD, "step %" PRIu32 " leads nowhere", ending->stuck);
        hf_term_put(term, HF_STYLE_PLAIN, ": the model has changed since\n");
        return;
    }
    bool is_bad = hf_run_failed(ending->end);
    hf_term_put(term, is_bad ? HF_STYLE_BAD : HF_STYLE_GOOD, "%s", hf_lab_end_name(ending->end));
    hf_term_put(term, HF_STYLE_PLAIN, "%s%s\n", ending->why[0] != '\0' ? ": " : "", ending->why);
}

/* As a shell takes it. */
static void put_quoted(struct hf_buf *buf, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./+,@%";
    if (path[0] != '\0' && strspn(path, plain) == strlen(path)) {
        hf_buf_put_text(buf, path);
        return;
    }
    hf_buf_put_text(buf, "'");
    for (; *path != '\0'; path++) {
        if (*path == '\'') {
            hf_buf_put_text(buf, "'\\''");
        } else {
            hf_buf_put_u8(buf, (uint8_t)*path);
        }
    }
    hf_buf_put_text(buf, "'");
}

static void say_replay(const struct hf_lab_call *call, const char *path)
{
    struct hf_buf command;
    hf_buf_init(&command, LINE_MAX_SIZE);
    put_quoted(&command, path);
    hf_term_put(&call->out, HF_STYLE_PLAIN, "\nWritten to %s. To see it again:\n\n", path);
    hf_term_put(&call->out, HF_STYLE_BOLD, "  holdfast-lab replay %s\n", hf_buf_text(&command));
    hf_buf_release(&command);
}

void hf_lab_found(struct hf_lab_call *call, struct hf_trace *trace)
{
    const char *wanted = hf_lab_text(call, "trace");
    const char *path = wanted != NULL ? wanted : call->standard_path;
    struct hf_lab_ending ending;
    struct hf_buf file;
    hf_buf_init(&file, FILE_MAX_SIZE);
    hf_lab_world_to_trace(&call->world, trace);
    hf_lab_timeline(&call->world, trace, call->json ? NULL : &call->out, &file, &ending);
    if (!call->json) {
        hf_term_put(&call->out, HF_STYLE_PLAIN, "\n");
        hf_lab_ending_put(&call->out, &ending);
    }
    if (!hf_trace_is_met(trace, ending.end, ending.why)) {
        (void)hf_lab_fail(call,
                          "the steps that were found do not lead there again: model %s is "
                          "not determined by its choices",
                          trace->model);
    }
    if (hf_buf_error(&file) != HF_OK || hf_tool_write(path, &file) != HF_OK) {
        (void)hf_lab_fail(call, "cannot write %s: %s", path,
                          hf_buf_error(&file) != HF_OK ? "it is too large" : strerror(errno));
    } else {
        call->trace_path = path;
    }
    if (!call->json && call->trace_path != NULL) {
        say_replay(call, path);
    }
    hf_buf_release(&file);
}
