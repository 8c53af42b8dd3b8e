/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "holdfast/incidents.h"
#include "holdfast/statuspage.h"

enum { LOOK_EVERY_MS = 2000, WHY_MAX = 1024 };

struct work {
    const struct hf_invocation *invocation;
    struct hf_look *look;
    struct hf_incidents incidents;
    struct hf_incident_changes *changes;
    const char *folder;
    uint64_t written_ms; /* wall clock of the page, 0 none */
    uint64_t revision;   /* of the log that it shows */
    char said[WHY_MAX];  /* what was wrong last */
};

static int fail(struct work *work, const char *why)
{
    if (strcmp(work->said, why) != 0) {
        (void)snprintf(work->said, sizeof(work->said), "%s", why);
        (void)hf_command_fail(work->invocation, "%s; the page that is there stays", why);
    }
    return HF_EXIT_FAILED;
}

/* Looks, and writes the page where there is news or the last one grew old. */
static int turn(struct work *work)
{
    struct hf_look *look = work->look;
    struct hf_status status = {.look = look};
    char why[WHY_MAX];
    hf_status_count(&status);
    hf_status_alerts(&status);
    int error = hf_incidents_observe(&work->incidents, &status, work->changes);
    hf_status_release(&status);
    if (error != HF_OK) {
        return fail(work, work->incidents.why);
    }
    bool is_old = look->now_ms < work->written_ms ||
                  look->now_ms - work->written_ms >= HF_STATUSPAGE_EVERY_MS;
    if (!is_old && work->incidents.log.revision == work->revision) {
        return HF_EXIT_DONE;
    }
    const struct hf_statuspage page = {
        .config = look->config, .log = &work->incidents.log, .now_ms = look->now_ms};
    if (hf_statuspage_write(&page, work->folder, why, sizeof(why)) != HF_OK) {
        return fail(work, why);
    }
    work->written_ms = look->now_ms;
    work->revision = work->incidents.log.revision;
    work->said[0] = 0;
    return HF_EXIT_DONE;
}

static _Noreturn void watch(struct work *work)
{
    const struct timespec pause = {.tv_sec = LOOK_EVERY_MS / 1000,
                                   .tv_nsec = LOOK_EVERY_MS % 1000 * 1000000};
    for (;;) {
        (void)turn(work);
        (void)nanosleep(&pause, NULL);
        (void)hf_look_refresh(work->look);
    }
}

static int run(const struct hf_invocation *invocation)
{
    struct work work = {.invocation = invocation};
    if (hf_look_open(invocation, &work.look) != HF_EXIT_DONE) {
        return HF_EXIT_FAILED;
    }
    work.folder = hf_option_value(invocation, "out");
    work.folder = work.folder != NULL ? work.folder : work.look->config->statuspage.out;
    work.changes = calloc(1, sizeof(*work.changes));
    if (work.changes == NULL) {
        abort();
    }
    hf_incidents_init(&work.incidents);
    work.incidents.ends_soon = !hf_option_given(invocation, "watch");
    int exit = HF_EXIT_USAGE;
    if (work.folder == NULL) {
        exit = hf_command_misuse(invocation,
                                 "expected --out DIR, or statuspage.out in the configuration");
    } else {
        if (hf_option_given(invocation, "watch")) {
            watch(&work);
        }
        exit = turn(&work);
    }
    if (exit == HF_EXIT_DONE) {
        hf_term_put(&invocation->out, HF_STYLE_PLAIN, "wrote %s/index.html\n", work.folder);
    }
    hf_incidents_release(&work.incidents);
    free(work.changes);
    hf_look_close(work.look);
    return exit;
}

static const struct hf_option options[] = {
    {.name = "out", .argument = "DIR", .help = "Where to (default: statuspage.out)"},
    {.name = "watch", .help = "Stay, and keep the page up to date"},
    {0},
};

const struct hf_command hf_command_statuspage = {
    .name = "statuspage",
    .group = HF_COMMAND_LOOK,
    .arguments = "",
    .summary = "write a static status page for customers",
    .details =
        "Writes index.html, feed.atom and status.json: services by the names that customers\n"
        "know, their state, 90 days of history, and incidents with the messages that are\n"
        "public. Any web server can show them; no part of Holdfast needs to run for that.\n"
        "Looks at the installation first, as `holdfast incident observe` does. Each file\n"
        "is replaced whole; where one cannot be written, the old one stays.",
    .options = options,
    .run = run,
};
