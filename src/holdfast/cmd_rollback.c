/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/override.h"
#include "holdfast/remote.h"
#include "io/plan_store.h"

enum { PIN_TEXT_MAX = 1024 * 1024 };

/* What one rollback sets: pins from an old plan, for one endpoint or for all. */
struct rollback {
    const struct hf_change *change;
    const struct hf_plan *old;
    const char *name; /* NULL: all */
    uint64_t gen;
    uint32_t count;
};

static void put_member(struct hf_buf *text, const struct hf_plan_backend *backend)
{
    char address[INET6_ADDRSTRLEN];
    hf_buf_put_text(text, backend->name);
    if (backend->has_a) {
        hf_buf_printf(text, " %s", inet_ntop(AF_INET, backend->a, address, sizeof(address)));
    }
    if (backend->has_aaaa) {
        hf_buf_printf(text, " %s", inet_ntop(AF_INET6, backend->aaaa, address, sizeof(address)));
    }
    hf_buf_put_u8(text, '\n');
}

static int pin_entry(struct rollback *rollback, const struct hf_plan_entry *entry, const char *name,
                     struct hf_overrides *overrides)
{
    struct hf_buf text;
    hf_buf_init(&text, PIN_TEXT_MAX);
    struct hf_plan_walk walk = hf_plan_walk(&entry->members);
    for (uint32_t number; hf_plan_walk_next(&walk, &number);) {
        put_member(&text, &rollback->old->backends[number]);
    }
    struct hf_override item = hf_change_item(rollback->change, HF_OVERRIDE_PIN, name);
    item.text = hf_buf_text(&text);
    item.gen = rollback->gen;
    int error = hf_buf_error(&text) != HF_OK ? HF_ELIMIT : hf_overrides_set(overrides, &item);
    hf_buf_release(&text);
    return error;
}

static int apply(void *context, struct hf_overrides *overrides)
{
    struct rollback *rollback = context;
    char name[HF_NAME_TEXT_MAX];
    int error = HF_OK;
    rollback->count = 0;
    for (uint32_t row = 0; row < rollback->old->entry_count && error == HF_OK; row++) {
        struct hf_plan_entry entry;
        hf_plan_get(rollback->old, row, &entry);
        hf_name_text(entry.owner, name);
        bool wanted = rollback->name == NULL || strcmp(rollback->name, name) == 0;
        if (entry.gen != 0 && entry.members.count > 0 && wanted) {
            error = pin_entry(rollback, &entry, name, overrides);
            rollback->count++;
        }
    }
    return error == HF_OK && rollback->count == 0 ? HF_ENOENT : error;
}

/* Whether a generation is not above the head: a slip of the finger must not pin what is now. */
static bool is_past(struct hf_change *change, uint64_t gen)
{
    struct hf_buf ref;
    struct hf_digest name;
    uint64_t head = 0;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    bool known = hf_store_ref_get(change->store, HF_PLAN_REF, &ref) == HF_OK &&
                 hf_plan_ref_parse(hf_buf_text(&ref), &head, &name) == HF_OK;
    hf_buf_release(&ref);
    return known && gen <= head;
}

static int roll(struct hf_change *change, const char *name, uint64_t gen)
{
    struct hf_plan old;
    if (!is_past(change, gen)) {
        return hf_command_fail(change->invocation,
                               "found generation %llu, expected one that was published; see "
                               "`holdfast history`",
                               (unsigned long long)gen);
    }
    int error = hf_plan_load_at(change->store, gen, &old);
    if (error != HF_OK) {
        return hf_command_fail(change->invocation, "generation %llu cannot be read: %s",
                               (unsigned long long)gen, hf_store_why(change->store));
    }
    struct rollback rollback = {.change = change, .old = &old, .name = name, .gen = gen};
    error = hf_change_save(change, apply, &rollback);
    hf_plan_release(&old);
    if (error == HF_ENOENT) {
        return hf_command_fail(change->invocation, "%s had no answer in generation %llu",
                               name != NULL ? name : "no endpoint", (unsigned long long)gen);
    }
    if (error != HF_OK) {
        return HF_EXIT_FAILED;
    }
    return hf_change_done(change,
                          "%u endpoint%s will answer as in generation %llu, in a new generation, "
                          "and stay so until `holdfast release %s`",
                          rollback.count, rollback.count == 1 ? "" : "s", (unsigned long long)gen,
                          name != NULL ? name : "--all");
}

/* The one endpoint or all: exactly one of them must be said. */
static int check_scope(const struct hf_invocation *invocation)
{
    if ((invocation->argument_count == 1) == hf_option_given(invocation, "all")) {
        return hf_command_misuse(invocation, "expected either NAME or --all");
    }
    return HF_EXIT_DONE;
}

static int rollback(const struct hf_invocation *invocation)
{
    struct hf_change change;
    uint64_t gen = 0;
    if (check_scope(invocation) != HF_EXIT_DONE ||
        hf_option_number(invocation, "to", 1, UINT64_MAX, &gen) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    if (gen == 0) {
        return hf_command_misuse(invocation, "--to GEN is missing; see `holdfast history`");
    }
    int status = hf_change_open(&change, invocation, false);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    char name[HF_NAME_TEXT_MAX];
    bool all = invocation->argument_count == 0;
    if (!all &&
        hf_change_endpoint(&change, invocation->arguments[0], name, sizeof(name)) != HF_OK) {
        status = HF_EXIT_FAILED;
    } else {
        status = roll(&change, all ? NULL : name, gen);
    }
    hf_change_close(&change);
    return status;
}

static int apply_release_all(void *context, struct hf_overrides *overrides)
{
    uint32_t *count = context;
    *count = 0;
    for (uint32_t i = overrides->count; i > 0; i--) {
        if (overrides->items[i - 1].kind == HF_OVERRIDE_PIN &&
            hf_overrides_remove(overrides, HF_OVERRIDE_PIN, overrides->items[i - 1].subject) ==
                HF_OK) {
            (*count)++;
        }
    }
    return *count == 0 ? HF_ENOENT : HF_OK;
}

static int release(const struct hf_invocation *invocation)
{
    struct hf_change change;
    if (check_scope(invocation) != HF_EXIT_DONE) {
        return HF_EXIT_USAGE;
    }
    int status = hf_change_open(&change, invocation, false);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    char name[HF_NAME_TEXT_MAX] = "";
    uint32_t count = 1;
    int error = HF_OK;
    if (invocation->argument_count == 0) {
        error = hf_change_save(&change, apply_release_all, &count);
    } else {
        error = hf_change_endpoint(&change, invocation->arguments[0], name, sizeof(name));
        error = error != HF_OK ? error : hf_change_remove(&change, HF_OVERRIDE_PIN, name);
    }
    if (error == HF_ENOENT) {
        status = hf_command_fail(invocation, "%s rolled back: nothing to release",
                                 name[0] != 0 ? "it is not" : "no endpoint is");
    } else if (error == HF_OK) {
        status = hf_change_done(&change, "%u endpoint%s follow%s health again", count,
                                count == 1 ? "" : "s", count == 1 ? "s" : "");
    } else {
        status = HF_EXIT_FAILED;
    }
    hf_change_close(&change);
    return status;
}

static const struct hf_option rollback_options[] = {
    HF_OVERRIDE_OPTIONS,
    {.name = "to", .argument = "GEN", .help = "The generation whose content is wanted"},
    {.name = "all", .help = "Every endpoint of that generation"},
    {0},
};

const struct hf_command hf_command_rollback = {
    .name = "rollback",
    .group = HF_COMMAND_CHANGE,
    .arguments = "[NAME]",
    .summary = "answer as in an earlier generation",
    .details =
        "Makes a new generation with old content: nothing goes back in time. What is rolled\n"
        "back stays so, whatever its checks say, until `release`. The generation must still\n"
        "be kept (janitor: retention); `holdfast history` lists them.",
    .options = rollback_options,
    .arguments_max = 1,
    .run = rollback,
    .remote = hf_remote_change,
};

static const struct hf_option release_options[] = {
    HF_OVERRIDE_OPTIONS,
    {.name = "all", .help = "Every endpoint that is rolled back"},
    {0},
};

const struct hf_command hf_command_release = {
    .name = "release",
    .group = HF_COMMAND_CHANGE,
    .arguments = "[NAME]",
    .summary = "end a rollback: follow health again",
    .options = release_options,
    .arguments_max = 1,
    .run = release,
    .remote = hf_remote_change,
};
