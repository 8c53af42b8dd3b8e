/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Open: configuration, store and log of a subcommand, with every problem said on standard error.
 * On failure the subcommand has nothing to add and returns HF_EXIT_FAILED.
 */
#ifndef HF_HOLDFAST_OPEN_H
#define HF_HOLDFAST_OPEN_H

#include "codec/config.h"
#include "holdfast/command.h"
#include "io/store.h"

/* Reads the configuration named by -c; warnings are printed too. Free with hf_config_free. */
int hf_open_config(const struct hf_invocation *invocation, struct hf_config **ret_config);
/* The same without the fleet (hf_config_read_zones). */
int hf_open_config_zones(const struct hf_invocation *invocation, struct hf_config **ret_config);

/* Opens the store of the configuration; create: makes one, and its folder, where there is none. */
int hf_open_store(const struct hf_invocation *invocation, const struct hf_config *config,
                  bool create, struct hf_store **ret_store);

/*
 * The log of a role that runs long, at the level of --log-level, in the form of --log-format, else
 * of the configuration. hf_open_log_form: the form again, of a configuration that was read anew.
 */
void hf_open_log(const struct hf_invocation *invocation, const struct hf_config *config,
                 const char *role, struct hf_log *ret_log);
void hf_open_log_form(const struct hf_invocation *invocation, const struct hf_config *config,
                      struct hf_log *log);

#endif
