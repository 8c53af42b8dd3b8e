/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/plan_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/error.h"
#include "io/check.h"

enum { ROUND_SPARE_MS = 2000 };

struct round {
    const struct hf_config *config;
    struct hf_checker *checker;
    struct hf_health *healths;
    uint32_t open; /* backends without a verdict */
    uv_loop_t loop;
    uv_timer_t timer;
};

static void finish(struct round *round)
{
    uv_stop(&round->loop);
}

static void on_report(void *context, const struct hf_check_report *report)
{
    struct round *round = context;
    struct hf_health *health = &round->healths[report->probe];
    const struct hf_config_backend *backend = &round->config->backends[report->probe];
    const struct hf_health_policy *policy = &round->config->pools[backend->pool].check.health;
    if (health->verdict != HF_VERDICT_UNKNOWN) {
        return;
    }
    (void)hf_health_step(health, policy, report->result, report->finished_ms);
    if (health->verdict != HF_VERDICT_UNKNOWN && --round->open == 0) {
        finish(round);
    }
}

static void on_timer(uv_timer_t *timer)
{
    finish(timer->data);
}

static void on_closed(void *context)
{
    (void)context;
}

/* Twice what the slowest pool needs for fall failures. */
static uint64_t round_ms(const struct hf_config *config)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < config->pool_count; i++) {
        const struct hf_config_check *check = &config->pools[i].check;
        uint64_t needs =
            (check->health.fall + UINT64_C(1)) * check->interval_ms + check->timeout_ms;
        most = needs > most ? needs : most;
    }
    most = 2 * most + ROUND_SPARE_MS;
    return most < HF_PLAN_CHECK_MAX_MS ? most : HF_PLAN_CHECK_MAX_MS;
}

static int add_probes(struct round *round, char *ret_why, size_t why_size)
{
    for (uint32_t i = 0; i < round->config->backend_count; i++) {
        char why[HF_CHECK_WHY_MAX] = "";
        const struct hf_config_backend *backend = &round->config->backends[i];
        int error = hf_checker_add(round->checker, &round->config->pools[backend->pool].check,
                                   backend, i, why);
        if (error != HF_OK) {
            (void)snprintf(ret_why, why_size, "%s cannot be checked: %s", backend->name,
                           why[0] != 0 ? why : hf_strerror(error));
            return error;
        }
    }
    return HF_OK;
}

int hf_plan_check(const struct hf_config *config, uint8_t *ret_verdicts, char *ret_why,
                  size_t why_size)
{
    struct round round = {.config = config, .open = config->backend_count};
    round.healths = calloc(config->backend_count + 1U, sizeof(*round.healths));
    if (round.healths == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < config->backend_count; i++) {
        hf_health_init(&round.healths[i]);
    }
    uv_loop_init(&round.loop);
    uv_timer_init(&round.loop, &round.timer);
    round.timer.data = &round;
    uv_timer_start(&round.timer, on_timer, round_ms(config), 0);
    (void)snprintf(ret_why, why_size, "checks cannot be started");
    int error = hf_checker_new(&round.loop, on_report, &round, &round.checker);
    if (error == HF_OK) {
        error = add_probes(&round, ret_why, why_size);
        if (error == HF_OK && round.open > 0) {
            uv_run(&round.loop, UV_RUN_DEFAULT);
        }
        hf_checker_close(round.checker, on_closed, NULL);
    }
    uv_close((uv_handle_t *)&round.timer, NULL);
    uv_run(&round.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&round.loop);
    for (uint32_t i = 0; i < config->backend_count && error == HF_OK; i++) {
        ret_verdicts[i] = round.healths[i].verdict;
    }
    free(round.healths);
    return error;
}
