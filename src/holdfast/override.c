/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/override.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/json.h"
#include "codec/name.h"
#include "holdfast/open.h"
#include "io/audit.h"
#include "io/plan_store.h"
#include "io/wallclock.h"

enum {
    SAVE_TRIES_MAX = 8,
    TEXT_MAX = 4096,
};

void hf_change_who(const struct hf_invocation *invocation, char ret_who[HF_CHANGE_WHO_MAX])
{
    const char *given = hf_option_value(invocation, "as");
    const struct passwd *user = getpwuid(getuid());
    if (given != NULL) {
        (void)snprintf(ret_who, HF_CHANGE_WHO_MAX, "%s", given);
    } else if (user != NULL) {
        (void)snprintf(ret_who, HF_CHANGE_WHO_MAX, "%s", user->pw_name);
    } else {
        (void)snprintf(ret_who, HF_CHANGE_WHO_MAX, "uid %u", (unsigned)getuid());
    }
}

int hf_change_open(struct hf_change *change, const struct hf_invocation *invocation, bool create)
{
    *change = (struct hf_change){.invocation = invocation};
    change->why = hf_option_value(invocation, "why");
    hf_change_who(invocation, change->who);
    if (hf_open_config(invocation, &change->config) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    if (hf_open_store(invocation, change->config, create, &change->store) != HF_OK) {
        hf_change_close(change);
        return HF_EXIT_FAILED;
    }
    return HF_EXIT_DONE;
}

void hf_change_close(struct hf_change *change)
{
    hf_store_close(change->store);
    if (change->config != NULL) {
        hf_config_free(change->config);
    }
    change->store = NULL;
    change->config = NULL;
}

struct hf_override hf_change_item(const struct hf_change *change, enum hf_override_kind kind,
                                  const char *subject)
{
    return (struct hf_override){.kind = kind,
                                .subject = subject,
                                .text = "",
                                .who = change->who,
                                .why = change->why != NULL ? change->why : "",
                                .at_ms = hf_wallclock_ms()};
}

static int save_once(struct hf_change *change, hf_override_change *apply, void *context)
{
    struct hf_overrides overrides;
    struct hf_buf ref;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    int error = hf_overrides_load(change->store, &overrides, &ref);
    if (error == HF_OK) {
        const struct hf_remote *remote = change->invocation->remote;
        bool is_stale =
            remote != NULL && remote->has_revision && overrides.revision != remote->revision;
        error = is_stale ? HF_ESTALE : apply(context, &overrides);
        if (error == HF_OK) {
            error = hf_overrides_save(change->store, &overrides, &ref);
        }
        hf_overrides_release(&overrides);
    }
    hf_buf_release(&ref);
    return error;
}

int hf_change_save(struct hf_change *change, hf_override_change *apply, void *context)
{
    int error = HF_ESTALE;
    for (int try = 0; try < SAVE_TRIES_MAX && error == HF_ESTALE; try++) {
        error = save_once(change, apply, context);
    }
    if (error != HF_OK && error != HF_EEXIST && error != HF_ENOENT) {
        (void)hf_command_fail(change->invocation, "the overrides were not changed: %s",
                              hf_store_why(change->store)[0] != 0 ? hf_store_why(change->store)
                                                                  : hf_strerror(error));
    }
    return error;
}

static int apply_set(void *context, struct hf_overrides *overrides)
{
    const struct hf_override *item = context;
    const struct hf_override *old = hf_overrides_find(overrides, item->kind, item->subject);
    if (old != NULL && item->kind != HF_OVERRIDE_PIN && item->kind != HF_OVERRIDE_ADOPT) {
        return HF_EEXIST;
    }
    return hf_overrides_set(overrides, item);
}

static int apply_remove(void *context, struct hf_overrides *overrides)
{
    const struct hf_override *item = context;
    return hf_overrides_remove(overrides, item->kind, item->subject);
}

int hf_change_set(struct hf_change *change, const struct hf_override *item)
{
    struct hf_override copy = *item;
    return hf_change_save(change, apply_set, &copy);
}

int hf_change_remove(struct hf_change *change, enum hf_override_kind kind, const char *subject)
{
    struct hf_override item = {.kind = kind, .subject = subject};
    return hf_change_save(change, apply_remove, &item);
}

int hf_change_endpoint(const struct hf_change *change, const char *argument, char *ret_name,
                       size_t size)
{
    uint8_t owner[HF_NAME_MAX];
    char text[HF_NAME_TEXT_MAX];
    if (hf_name_parse(argument, owner) != HF_OK) {
        (void)hf_command_fail(change->invocation, "found %s, expected the name of an endpoint",
                              argument);
        return HF_EMALF;
    }
    hf_name_text(owner, text);
    (void)snprintf(ret_name, size, "%s", text);
    return HF_OK;
}

/* The thing that a change is about, as everybody writes it. */
static const char *subject_of(const struct hf_change *change, char name[HF_NAME_TEXT_MAX])
{
    const struct hf_invocation *invocation = change->invocation;
    const char *given = invocation->argument_count > 0 ? invocation->arguments[0] : "*";
    uint8_t owner[HF_NAME_MAX];
    const struct hf_option *options = invocation->command->options;
    for (int i = 0; options[i].name != NULL; i++) {
        if (strcmp(options[i].name, "zone") == 0 && invocation->values[i] != NULL) {
            given = invocation->values[i];
        }
    }
    bool is_endpoint = hf_name_parse(given, owner) == HF_OK &&
                       (hf_config_find_endpoint(change->config, owner) != UINT32_MAX ||
                        hf_config_zone_of(change->config, owner) != UINT32_MAX);
    if (is_endpoint) {
        hf_name_text(owner, name);
        return name;
    }
    return given;
}

static uint64_t generation_of(const struct hf_invocation *invocation)
{
    const struct hf_option *options = invocation->command->options;
    for (int i = 0; options[i].name != NULL; i++) {
        if (strcmp(options[i].name, "to") == 0 && invocation->values[i] != NULL) {
            return strtoull(invocation->values[i], NULL, 10);
        }
    }
    return 0;
}

static int record(const struct hf_change *change, const char *text)
{
    char name[HF_NAME_TEXT_MAX];
    if (change->store == NULL) {
        return HF_OK; /* a freeze without a store: it said so */
    }
    return hf_audit_append(
        change->store,
        &(struct hf_audit_entry){.command = change->invocation->command->name,
                                 .subject = subject_of(change, name),
                                 .gen = generation_of(change->invocation),
                                 .who = change->who,
                                 .why = change->why != NULL ? change->why : "",
                                 .via = change->invocation->remote != NULL ? "api" : "command",
                                 .text = text});
}

int hf_change_done(const struct hf_change *change, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (record(change, text) != HF_OK) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used,
                       " (the history of actions could not be written)");
    }
    const struct hf_term *out = &change->invocation->out;
    if (!change->invocation->json) {
        hf_term_put(out, HF_STYLE_PLAIN, "%s\n", text);
        return HF_EXIT_DONE;
    }
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, TEXT_MAX * 8);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_put_text(&json, "command", change->invocation->command->name);
    hf_json_put_text(&json, "text", text);
    hf_json_object_end(&json);
    (void)fprintf(out->stream, "%s\n", hf_buf_text(&buf));
    hf_buf_release(&buf);
    return HF_EXIT_DONE;
}
