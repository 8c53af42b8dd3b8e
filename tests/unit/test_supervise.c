/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"
#include "io/supervise.h"

enum { STARTS_MAX = 16, SERVICES = 2 };

/* A service that runs a script, and what happened to it. */
struct actor {
    const char *script;
    int fail_count;    /* starts that fail first */
    int ask_count;     /* questions until it is ready */
    int starts_wanted; /* then it asks for the end; 0: never */
    int start_count;
    uint64_t started_ms[STARTS_MAX];
    bool saw_other_ready;
    const struct hf_service *other;
};

struct stage {
    struct hf_log log;
    struct hf_supervisor supervisor;
    struct hf_service services[SERVICES];
    struct actor actors[SERVICES];
    int reload_count;
    int started_count; /* calls of all_started */
    int end_at_start;  /* whether all_started asks for the end */
};

static uint64_t clock_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int act_start(void *context, char *why, size_t why_size, struct hf_process *ret_process)
{
    struct actor *actor = context;
    char name[] = "sh";
    char flag[] = "-c";
    assert_true(actor->start_count < STARTS_MAX);
    actor->started_ms[actor->start_count++] = clock_ms();
    actor->saw_other_ready = actor->other != NULL && actor->other->state == HF_SERVICE_READY;
    if (actor->start_count == actor->starts_wanted) {
        assert_int_equal(raise(SIGTERM), 0);
    }
    if (actor->start_count <= actor->fail_count) {
        (void)snprintf(why, why_size, "as planned");
        return HF_EBUSY;
    }
    char *script = strdup(actor->script);
    char *argv[] = {name, flag, script, NULL};
    struct hf_process_options options = {
        .program = "/bin/sh",
        .argv = argv,
        .kept_fd = -1,
        .dies_with_us = true,
    };
    int status = hf_process_start(&options, why, why_size, ret_process);
    free(script);
    return status;
}

static bool act_ready(void *context)
{
    struct actor *actor = context;
    return --actor->ask_count <= 0;
}

static void on_change(void *context)
{
    (void)context;
}

static void on_started(void *context)
{
    struct stage *stage = context;
    stage->started_count++;
    if (stage->end_at_start) {
        assert_int_equal(raise(SIGINT), 0);
    }
}

static void on_reload(void *context)
{
    struct stage *stage = context;
    stage->reload_count++;
    assert_int_equal(raise(SIGTERM), 0);
}

static void stage_init(struct stage *stage, size_t count)
{
    *stage = (struct stage){.reload_count = 0};
    assert_int_equal(hf_supervise_init(&stage->supervisor), HF_OK);
    hf_log_init(&stage->log, "test", false);
    stage->log.level_min = HF_LOG_ERROR + 1;
    stage->supervisor.log = &stage->log;
    stage->supervisor.services = stage->services;
    stage->supervisor.service_count = count;
    stage->supervisor.context = stage;
    stage->supervisor.changed = on_change;
    stage->supervisor.all_started = on_started;
    stage->supervisor.reload = on_reload;
    stage->supervisor.tidy = on_change;
    for (size_t i = 0; i < count; i++) {
        stage->actors[i] = (struct actor){.script = "exec sleep 60"};
        stage->services[i] = (struct hf_service){
            .stage = (uint8_t)i,
            .context = &stage->actors[i],
            .start = act_start,
            .ready = act_ready,
        };
        (void)snprintf(stage->services[i].name, sizeof(stage->services[i].name), "s%zu", i);
    }
}

static void stage_end(struct stage *stage)
{
    hf_supervise_stop(&stage->supervisor);
    for (size_t i = 0; i < stage->supervisor.service_count; i++) {
        assert_int_equal(stage->services[i].process.pid, 0);
    }
    hf_supervise_release(&stage->supervisor);
    hf_log_release(&stage->log);
}

static void test_stages_wait_for_each_other(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, 2);
    stage.actors[0].ask_count = 4;
    stage.actors[1].other = &stage.services[0];
    stage.end_at_start = true;
    hf_supervise_run(&stage.supervisor);
    assert_int_equal(stage.started_count, 1);
    assert_true(stage.actors[1].saw_other_ready);
    assert_int_equal(stage.actors[0].start_count, 1);
    assert_true(stage.actors[1].started_ms[0] - stage.actors[0].started_ms[0] >=
                2 * HF_SUPERVISE_ASK_MS);
    stage_end(&stage);
}

/* Also a start that fails is tried again, and every pause is twice the one before. */
static void test_pauses_double(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, 1);
    stage.actors[0].script = "exit 1";
    stage.actors[0].fail_count = 2;
    stage.actors[0].starts_wanted = 5;
    hf_supervise_run(&stage.supervisor);
    assert_int_equal(stage.actors[0].start_count, 5);
    assert_int_equal(stage.services[0].restart_count, 2);
    uint64_t pause = HF_SUPERVISE_PAUSE_MIN_MS;
    for (int i = 1; i < 5; i++) {
        assert_true(stage.actors[0].started_ms[i] - stage.actors[0].started_ms[i - 1] >= pause);
        pause *= 2;
    }
    stage_end(&stage);
}

static void test_pauses_have_a_limit(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, 1);
    stage.actors[0].fail_count = 1;
    stage.actors[0].starts_wanted = 1;
    stage.services[0].pause_ms = HF_SUPERVISE_PAUSE_MAX_MS - 1;
    hf_supervise_run(&stage.supervisor);
    assert_int_equal(stage.services[0].pause_ms, HF_SUPERVISE_PAUSE_MAX_MS);
    stage_end(&stage);
}

static void test_a_second_signal_kills(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, 1);
    stage.actors[0].script = "trap '' TERM; while :; do sleep 0.05; done";
    stage.services[0].stage = 1;
    stage.end_at_start = true;
    hf_supervise_run(&stage.supervisor);
    uint64_t began_ms = clock_ms();
    assert_int_equal(raise(SIGINT), 0);
    stage_end(&stage);
    assert_true(clock_ms() - began_ms < HF_SUPERVISE_STOP_MS);
}

static void test_hangup_reloads(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, 1);
    assert_int_equal(raise(SIGHUP), 0);
    hf_supervise_run(&stage.supervisor);
    assert_int_equal(stage.reload_count, 1);
    assert_int_equal(stage.actors[0].start_count, 1);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages_wait_for_each_other),
        cmocka_unit_test(test_pauses_double),
        cmocka_unit_test(test_pauses_have_a_limit),
        cmocka_unit_test(test_a_second_signal_kills),
        cmocka_unit_test(test_hangup_reloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
