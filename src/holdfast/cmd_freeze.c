/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * freeze and thaw. The switch is the zone guard in the DNS server: every write is conditional on
 * its value, so that the server itself refuses all enactors. The override in the store tells
 * planner and people; it is set first when freezing and removed first when thawing, so that no
 * enactor that reads it undoes what was asked for.
 */
#include <string.h>

#include "base/error.h"
#include "holdfast/open.h"
#include "holdfast/override.h"
#include "io/ask.h"

enum { GUARD_TRIES_MAX = 16 };

struct freeze {
    const struct hf_invocation *invocation;
    struct hf_change change;
    uint32_t instance;
    bool frozen; /* what is asked for */
    bool has_store;
};

static int change_guard(struct freeze *freeze, struct hf_ask *ask, const char *zone)
{
    for (int try = 0; try < GUARD_TRIES_MAX; try++) {
        struct hf_zone_guard guard;
        char owner[HF_OWNER_MAX + 1];
        int error = hf_ask_guard(ask, freeze->instance, &guard, owner);
        if (error != HF_OK) {
            return hf_command_fail(freeze->invocation, "%s: %s", zone, hf_ask_why(ask));
        }
        bool ours = guard.kind == HF_FENCE_OURS ||
                    (guard.kind == HF_FENCE_ALIEN && !freeze->has_store &&
                     strcmp(owner, freeze->change.config->installation) == 0);
        if (!ours) {
            return hf_command_fail(freeze->invocation,
                                   "%s: its guard is not of this installation%s%s", zone,
                                   owner[0] != 0 ? " but of " : "", owner);
        }
        if (guard.frozen == freeze->frozen) {
            return HF_EXIT_DONE;
        }
        guard.frozen = freeze->frozen;
        error = hf_ask_guard_replace(ask, &guard);
        if (error == HF_OK) {
            return HF_EXIT_DONE;
        }
        if (error != HF_ESTALE) {
            return hf_command_fail(freeze->invocation, "%s: %s", zone, hf_ask_why(ask));
        }
    }
    return hf_command_fail(freeze->invocation,
                           "%s: its guard changes faster than it can be written", zone);
}

static int change_zone(struct freeze *freeze, uint32_t zone)
{
    struct hf_ask *ask;
    const struct hf_config *config = freeze->change.config;
    int error = hf_ask_open(config, zone, &ask);
    if (error != HF_OK) {
        return hf_command_fail(freeze->invocation, "%s: target %s: %s", config->zones[zone].name,
                               config->targets[config->zones[zone].target].name,
                               hf_strerror(error));
    }
    int exit = change_guard(freeze, ask, config->zones[zone].name);
    hf_ask_close(ask);
    return exit;
}

/* The end of a freeze of everything is the end of that of every zone, too. */
static int apply_thaw_all(void *context, struct hf_overrides *overrides)
{
    bool found = false;
    (void)context;
    for (uint32_t i = overrides->count; i > 0; i--) {
        const struct hf_override *item = &overrides->items[i - 1];
        if (item->kind == HF_OVERRIDE_FREEZE) {
            found = true;
            (void)hf_overrides_remove(overrides, HF_OVERRIDE_FREEZE, item->subject);
        }
    }
    return found ? HF_OK : HF_ENOENT;
}

static void change_override(struct freeze *freeze, const char *subject)
{
    if (!freeze->has_store) {
        return;
    }
    if (freeze->frozen) {
        struct hf_override item = hf_change_item(&freeze->change, HF_OVERRIDE_FREEZE, subject);
        (void)hf_change_set(&freeze->change, &item);
    } else if (strcmp(subject, "*") == 0) {
        (void)hf_change_save(&freeze->change, apply_thaw_all, NULL);
    } else {
        (void)hf_change_remove(&freeze->change, HF_OVERRIDE_FREEZE, subject);
    }
}

static int change_all(struct freeze *freeze, uint32_t only)
{
    const struct hf_config *config = freeze->change.config;
    int exit = HF_EXIT_DONE;
    uint32_t count = 0;
    change_override(freeze, only == UINT32_MAX ? "*" : config->zones[only].name);
    for (uint32_t zone = 0; zone < config->zone_count; zone++) {
        if (only != UINT32_MAX && zone != only) {
            continue;
        }
        if (change_zone(freeze, zone) == HF_EXIT_DONE) {
            count++;
        } else {
            exit = HF_EXIT_FAILED;
        }
    }
    if (count > 0) {
        (void)hf_change_done(&freeze->change, "%u zone%s %s%s", count, count == 1 ? "" : "s",
                             freeze->frozen ? "frozen: its server refuses every write from now on"
                                            : "thawed: writes go on",
                             freeze->has_store ? ""
                                               : " (the store was not told: it cannot be opened)");
    }
    return exit;
}

static int run(const struct hf_invocation *invocation, bool frozen)
{
    struct freeze freeze = {.invocation = invocation, .frozen = frozen};
    /* The kill switch works without the store: only the configuration is needed. */
    if (hf_change_open(&freeze.change, invocation, false) == HF_EXIT_DONE) {
        freeze.has_store = hf_store_instance(freeze.change.store, &freeze.instance) == HF_OK;
    } else if (hf_open_config(invocation, &freeze.change.config) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    uint32_t only = UINT32_MAX;
    int exit = HF_EXIT_DONE;
    if (invocation->argument_count == 1) {
        only = hf_config_find_zone(freeze.change.config, invocation->arguments[0]);
        if (only == UINT32_MAX) {
            exit = hf_command_fail(invocation, "found %s, expected a zone of %s",
                                   invocation->arguments[0], freeze.change.config->path);
        }
    }
    if (exit == HF_EXIT_DONE) {
        exit = change_all(&freeze, only);
    }
    hf_change_close(&freeze.change);
    return exit;
}

static int freeze(const struct hf_invocation *invocation)
{
    return run(invocation, true);
}

static int thaw(const struct hf_invocation *invocation)
{
    return run(invocation, false);
}

static const struct hf_option options[] = {HF_OVERRIDE_OPTIONS, {0}};

const struct hf_command hf_command_freeze = {
    .name = "freeze",
    .group = HF_COMMAND_CHANGE,
    .arguments = "[ZONE]",
    .summary = "the kill switch: no write to a zone, or to any",
    .details = "Changes the zone's guard in the DNS server, on which every write is conditional:\n"
               "the server refuses every enactor from the moment this command returns, also one\n"
               "that is cut off from the store. Answers stay as they are. Works without a store.",
    .options = options,
    .arguments_max = 1,
    .run = freeze,
};

const struct hf_command hf_command_thaw = {
    .name = "thaw",
    .group = HF_COMMAND_CHANGE,
    .arguments = "[ZONE]",
    .summary = "end a freeze",
    .options = options,
    .arguments_max = 1,
    .run = thaw,
};
