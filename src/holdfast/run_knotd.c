/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/run.h"

/* Takes over the one that runs, or starts one. */
static int start_knotd(void *context, char *why, size_t why_size, struct hf_process *ret_process)
{
    struct hf_knotd *knotd = context;
    int status = hf_knotd_find(knotd, why, why_size, ret_process);
    if (status == HF_ENOENT) {
        return hf_knotd_start(knotd, why, why_size, ret_process);
    }
    hf_knotd_ask(knotd);
    return status;
}

static bool knotd_is_ready(void *context)
{
    return hf_knotd_answers(context);
}

static void knotd_words(void *context, char *ret_text, size_t room)
{
    hf_knotd_last_words(context, ret_text, room);
}

/* A knotd of an earlier `holdfast run` that was killed: told about a changed configuration. */
static int take_over(struct hf_run *run, struct hf_knotd *knotd,
                     const struct hf_knotd_changes *changes, struct hf_service *service)
{
    char why[HF_KNOTD_WHY_MAX];
    int status = hf_knotd_find(knotd, why, sizeof(why), &service->process);
    if (status == HF_ENOENT) {
        status = hf_knotd_can_start(knotd, why, sizeof(why));
    } else if (status == HF_OK) {
        service->state = HF_SERVICE_STARTING;
        hf_log(&run->log, HF_LOG_INFO, "taken_over", "name=%s pid=%ld", service->name,
               (long)service->process.pid);
        if (changes->zones) {
            /* With another address or key it starts anew: it ends here and is restarted. */
            hf_process_signal(&service->process, changes->server ? SIGTERM : SIGHUP);
        }
        hf_knotd_ask(knotd);
    }
    if (status != HF_OK) {
        (void)hf_command_fail(run->invocation, "target %s: %s", knotd->target, why);
    }
    return status;
}

static int add_knotd(struct hf_run *run, uint32_t target)
{
    char why[HF_KNOTD_WHY_MAX];
    struct hf_knotd_changes changes;
    struct hf_knotd *knotd = &run->knotds[run->knotd_count];
    int status = hf_knotd_prepare(run->config, target, why, sizeof(why), knotd, &changes);
    if (status != HF_OK) {
        (void)hf_command_fail(run->invocation, "target %s: %s", run->config->targets[target].name,
                              why);
        return status;
    }
    run->knotd_count++;
    struct hf_service *service = &run->services[run->supervisor.service_count++];
    *service = (struct hf_service){
        .stage = HF_RUN_STAGE_SERVERS,
        .context = knotd,
        .start = start_knotd,
        .ready = knotd_is_ready,
        .last_words = knotd_words,
    };
    (void)snprintf(service->name, sizeof(service->name), "knotd-%s",
                   run->config->targets[target].name);
    return take_over(run, knotd, &changes, service);
}

int hf_run_add_knotds(struct hf_run *run)
{
    for (uint32_t i = 0; i < run->config->target_count; i++) {
        if (run->config->targets[i].type != HF_TARGET_KNOT) {
            continue;
        }
        int status = add_knotd(run, i);
        if (status != HF_OK) {
            return status;
        }
    }
    return HF_OK;
}

static struct hf_service *service_of(struct hf_run *run, const struct hf_knotd *knotd)
{
    for (size_t i = 0; i < run->supervisor.service_count; i++) {
        if (run->services[i].context == knotd) {
            return &run->services[i];
        }
    }
    return NULL;
}

static void reload_one(struct hf_run *run, uint32_t target)
{
    char why[HF_KNOTD_WHY_MAX];
    struct hf_knotd fresh;
    struct hf_knotd_changes changes;
    const char *name = run->config->targets[target].name;
    struct hf_knotd *knotd = NULL;
    for (uint32_t i = 0; i < run->knotd_count; i++) {
        knotd = strcmp(run->knotds[i].target, name) == 0 ? &run->knotds[i] : knotd;
    }
    if (knotd == NULL) {
        hf_log(&run->log, HF_LOG_WARNING, "reload_incomplete", "target=%s why=%s", name,
               "a new private knotd is started when holdfast run is started anew");
        return;
    }
    if (hf_knotd_prepare(run->config, target, why, sizeof(why), &fresh, &changes) != HF_OK) {
        hf_log(&run->log, HF_LOG_ERROR, "reload_failed", "target=%s why=%s", name, why);
        return;
    }
    struct hf_service *service = service_of(run, knotd);
    fresh.lock_fd = knotd->lock_fd;
    knotd->lock_fd = -1;
    hf_knotd_release(knotd);
    *knotd = fresh;
    if (changes.zones) {
        hf_process_signal(&service->process, changes.server ? SIGTERM : SIGHUP);
        if (service->state == HF_SERVICE_READY) {
            service->state = HF_SERVICE_STARTING; /* ready when it answers for all zones */
        }
    }
}

void hf_run_reload_knotds(struct hf_run *run)
{
    for (uint32_t i = 0; i < run->config->target_count; i++) {
        if (run->config->targets[i].type == HF_TARGET_KNOT) {
            reload_one(run, i);
        }
    }
}

void hf_run_tidy_knotds(struct hf_run *run)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < run->knotd_count; i++) {
        uint64_t free_bytes = 0;
        hf_knotd_tidy(&run->knotds[i], &free_bytes);
        least = free_bytes < least ? free_bytes : least;
    }
    bool is_low = least < HF_RUN_DISK_LOW;
    if (is_low && !run->disk_is_low) {
        hf_log(&run->log, HF_LOG_ERROR, "disk_low", "folder=%s free_mib=%llu why=%s",
               run->config->data_dir, (unsigned long long)(least >> 20),
               "without space the private knotd refuses changes; it goes on answering");
    } else if (!is_low && run->disk_is_low) {
        hf_log(&run->log, HF_LOG_INFO, "disk_ok", "folder=%s free_mib=%llu", run->config->data_dir,
               (unsigned long long)(least >> 20));
    }
    run->disk_is_low = is_low;
}
