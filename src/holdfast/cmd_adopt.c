/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/override.h"
#include "io/ask.h"

static const char *guard_text(const struct hf_zone_guard *guard)
{
    switch (guard->kind) {
    case HF_FENCE_ABSENT:
        return "no guard";
    case HF_FENCE_ALIEN:
        return "a guard of another installation or store";
    case HF_FENCE_DAMAGED:
        return "a guard that cannot be read";
    default:
        return "our guard";
    }
}

static int replace_guard(struct hf_change *change, struct hf_ask *ask, const char *zone)
{
    uint32_t instance;
    struct hf_zone_guard guard;
    char owner[HF_OWNER_MAX + 1];
    if (hf_store_instance(change->store, &instance) != HF_OK) {
        return hf_command_fail(change->invocation, "%s", hf_store_why(change->store));
    }
    if (hf_ask_guard(ask, instance, &guard, owner) != HF_OK) {
        return hf_command_fail(change->invocation, "%s: %s", zone, hf_ask_why(ask));
    }
    if (guard.kind == HF_FENCE_OURS) {
        return hf_change_done(change, "%s is ours already", zone);
    }
    struct hf_zone_guard ours = guard;
    ours.kind = HF_FENCE_OURS;
    ours.instance = instance;
    ours.frozen = false;
    int error = hf_ask_guard_replace(ask, &ours);
    if (error == HF_ESTALE) {
        return hf_command_fail(change->invocation,
                               "%s: its guard was changed meanwhile; somebody else is at work",
                               zone);
    }
    if (error != HF_OK) {
        return hf_command_fail(change->invocation, "%s: %s", zone, hf_ask_why(ask));
    }
    return hf_change_done(change, "%s is ours now: it had %s%s%s", zone, guard_text(&guard),
                          owner[0] != 0 ? ", of " : "", owner);
}

static int adopt_zone(struct hf_change *change, const char *argument)
{
    uint32_t zone = hf_config_find_zone(change->config, argument);
    struct hf_ask *ask;
    if (zone == UINT32_MAX) {
        return hf_command_fail(change->invocation, "found %s, expected a zone of %s", argument,
                               change->config->path);
    }
    int error = hf_ask_open(change->config, zone, &ask);
    if (error != HF_OK) {
        return hf_command_fail(change->invocation, "%s: %s", argument, hf_strerror(error));
    }
    int exit = replace_guard(change, ask, change->config->zones[zone].name);
    hf_ask_close(ask);
    return exit;
}

static int adopt_name(struct hf_change *change, const char *argument)
{
    char name[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    if (hf_change_endpoint(change, argument, name, sizeof(name)) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    if (hf_name_parse(name, owner) != HF_OK ||
        hf_config_find_endpoint(change->config, owner) == UINT32_MAX) {
        return hf_command_fail(change->invocation, "found %s, expected an endpoint of %s", name,
                               change->config->path);
    }
    int error = hf_change_remove(change, HF_OVERRIDE_RETIRE, name);
    bool was_retired = error == HF_OK;
    if (error != HF_OK && error != HF_ENOENT) {
        return HF_EXIT_FAILED;
    }
    struct hf_override item = hf_change_item(change, HF_OVERRIDE_ADOPT, name);
    if (hf_change_set(change, &item) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    return hf_change_done(change, "%s %s", name,
                          was_retired
                              ? "is retired no more: it will be created again"
                              : "is adopted: what lies at it is replaced by the plan's answer");
}

static int adopt(const struct hf_invocation *invocation)
{
    struct hf_change change;
    const char *zone = hf_option_value(invocation, "zone");
    if ((zone != NULL) == (invocation->argument_count == 1)) {
        return hf_command_misuse(invocation, "expected either NAME or --zone ZONE");
    }
    int status = hf_change_open(&change, invocation, zone != NULL);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    status =
        zone != NULL ? adopt_zone(&change, zone) : adopt_name(&change, invocation->arguments[0]);
    hf_change_close(&change);
    return status;
}

static const struct hf_option options[] = {
    HF_OVERRIDE_OPTIONS,
    {.name = "zone",
     .argument = "ZONE",
     .help = "Take over a zone from another installation or store"},
    {0},
};

const struct hf_command hf_command_adopt = {
    .name = "adopt",
    .group = HF_COMMAND_CHANGE,
    .arguments = "[NAME]",
    .summary = "take over records or a zone that are not ours",
    .details =
        "adopt NAME: Holdfast leaves records without its fence alone; this lets it replace\n"
        "those of one endpoint. It also ends a retirement, and lets a contested endpoint be\n"
        "healed at once.\n"
        "adopt --zone ZONE: after the store was lost, or to move a zone between\n"
        "installations. Stop the other one first: two of them on one zone would each be\n"
        "refused by the other's guard in turn.",
    .options = options,
    .arguments_max = 1,
    .run = adopt,
};
