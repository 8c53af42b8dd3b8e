/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Remote: commands that ask the daemon's API, where one runs, instead of the store: they need no
 * right to read the store, and see what the page sees.
 *
 * Each returns false where there is nobody to ask, or nobody who can answer: the command then does
 * it itself, on the store, with the same output. So it does with --direct. These never ask:
 * - freeze and thaw: the kill switch depends on nothing but the DNS server;
 * - plan: it is about the configuration in the file, which a daemon may not have read yet;
 * - adopt: it is not in the API;
 * - incident report and observe, statuspage: they look at everything, and write what they find;
 * - changes with --as, and status --exit-code.
 */
#ifndef HF_HOLDFAST_REMOTE_H
#define HF_HOLDFAST_REMOTE_H

#include "holdfast/command.h"

bool hf_remote_status(const struct hf_invocation *invocation, int *ret_exit);
bool hf_remote_explain(const struct hf_invocation *invocation, int *ret_exit);
bool hf_remote_history(const struct hf_invocation *invocation, int *ret_exit);
/* drain, undrain, approve, rollback, release, retire. */
bool hf_remote_change(const struct hf_invocation *invocation, int *ret_exit);
/* incident list, show, message. */
bool hf_remote_incident(const struct hf_invocation *invocation, int *ret_exit);

#endif
