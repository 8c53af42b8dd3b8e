/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Override: how commands change what operators have said. A change is a function on the loaded
 * overrides; it is applied again on fresh ones when somebody else was faster.
 */
#ifndef HF_HOLDFAST_OVERRIDE_H
#define HF_HOLDFAST_OVERRIDE_H

#include "codec/config.h"
#include "codec/overrides.h"
#include "holdfast/command.h"
#include "io/store.h"

/* The options --why TEXT and --as NAME, which every changing command has; first in its table. */
#define HF_OVERRIDE_OPTIONS                                                                        \
    {.name = "why", .argument = "TEXT", .help = "Reason, shown to everybody who asks"},            \
    {                                                                                              \
        .name = "as", .argument = "NAME", .help = "Who says so (default: your user name)"          \
    }

/* HF_OK, HF_EEXIST or HF_ENOENT for "nothing to do" (nothing is saved), or an error. */
typedef int hf_override_change(void *context, struct hf_overrides *overrides);

enum { HF_CHANGE_WHO_MAX = 64 };
/* Who says so: the option --as, or the user's name. */
void hf_change_who(const struct hf_invocation *invocation, char ret_who[HF_CHANGE_WHO_MAX]);

/* Configuration and store of one changing command. */
struct hf_change {
    const struct hf_invocation *invocation;
    struct hf_config *config;
    struct hf_store *store;
    char who[HF_CHANGE_WHO_MAX];
    const char *why;
};

/* Opens both, with every problem said; an enum hf_exit, HF_EXIT_DONE to go on. create: also makes
 * a store where there is none. */
int hf_change_open(struct hf_change *change, const struct hf_invocation *invocation, bool create);
void hf_change_close(struct hf_change *change);

/* An item with who, why and now filled in. */
struct hf_override hf_change_item(const struct hf_change *change, enum hf_override_kind kind,
                                  const char *subject);

/* Loads, changes, saves; says what failed. What apply returned, or an error; HF_ESTALE where the
 * invocation names another revision than there is. */
int hf_change_save(struct hf_change *change, hf_override_change *apply, void *context);

/* Sets or removes one item, the commonest of all changes; HF_EEXIST: it is set already. */
int hf_change_set(struct hf_change *change, const struct hf_override *item);
int hf_change_remove(struct hf_change *change, enum hf_override_kind kind, const char *subject);

/* The endpoint that an argument names, as text with final dot; HF_EMALF after a message. */
int hf_change_endpoint(const struct hf_change *change, const char *argument, char *ret_name,
                       size_t size);

/*
 * Prints the outcome: one line for people, or {"version":1,"done":…,"text":…} as JSON; and puts it
 * into the history of actions. Where that cannot be written the outcome says so.
 */
int hf_change_done(const struct hf_change *change, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
