/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"
#include "holdfast/override.h"
#include "holdfast/remote.h"

/* What is drained: a backend, or all of a site. The configuration lets no two share a name. */
static int subject_kind(const struct hf_change *change, const char *name,
                        enum hf_override_kind *ret_kind)
{
    if (hf_config_find_backend(change->config, name) != UINT32_MAX) {
        *ret_kind = HF_OVERRIDE_DRAIN_BACKEND;
        return HF_OK;
    }
    if (hf_config_find_site(change->config, name) != UINT32_MAX) {
        *ret_kind = HF_OVERRIDE_DRAIN_SITE;
        return HF_OK;
    }
    return HF_ENOENT;
}

static const char *kind_text(enum hf_override_kind kind)
{
    return kind == HF_OVERRIDE_DRAIN_SITE ? "site" : "backend";
}

static int drain(const struct hf_invocation *invocation)
{
    struct hf_change change;
    enum hf_override_kind kind;
    const char *name = invocation->arguments[0];
    int status = hf_change_open(&change, invocation, false);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    if (subject_kind(&change, name, &kind) != HF_OK) {
        status = hf_command_fail(invocation, "found %s, expected a backend or site of %s", name,
                                 change.config->path);
    } else {
        struct hf_override item = hf_change_item(&change, kind, name);
        int error = hf_change_set(&change, &item);
        status =
            error == HF_OK
                ? hf_change_done(&change, "%s %s drains: it leaves answers as the guards allow",
                                 kind_text(kind), name)
            : error == HF_EEXIST
                ? hf_change_done(&change, "%s %s was drained already", kind_text(kind), name)
                : HF_EXIT_FAILED;
    }
    hf_change_close(&change);
    return status;
}

static int undrain(const struct hf_invocation *invocation)
{
    struct hf_change change;
    const char *name = invocation->arguments[0];
    int status = hf_change_open(&change, invocation, false);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    /* Not looked up: what left the configuration while it was drained must be let go, too. */
    int error = hf_change_remove(&change, HF_OVERRIDE_DRAIN_BACKEND, name);
    if (error == HF_ENOENT) {
        error = hf_change_remove(&change, HF_OVERRIDE_DRAIN_SITE, name);
    }
    if (error == HF_OK) {
        status =
            hf_change_done(&change, "%s is drained no more: it returns when it is healthy", name);
    } else if (error == HF_ENOENT) {
        status = hf_command_fail(invocation, "%s is not drained", name);
    } else {
        status = HF_EXIT_FAILED;
    }
    hf_change_close(&change);
    return status;
}

static const struct hf_option options[] = {HF_OVERRIDE_OPTIONS, {0}};

const struct hf_command hf_command_drain = {
    .name = "drain",
    .group = HF_COMMAND_CHANGE,
    .arguments = "BACKEND|SITE",
    .summary = "take a backend, or all of a site, out of answers",
    .details = "The planner treats it as not wanted, whatever its checks say, until `undrain`.\n"
               "The guards hold: what may not leave at once leaves later, or after `approve`.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = drain,
    .remote = hf_remote_change,
};

const struct hf_command hf_command_undrain = {
    .name = "undrain",
    .group = HF_COMMAND_CHANGE,
    .arguments = "BACKEND|SITE",
    .summary = "let a drained backend or site return",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = undrain,
    .remote = hf_remote_change,
};
