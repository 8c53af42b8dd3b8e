/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Enact: the enactor as a process. It follows the store's head, runs one enactor machine for each
 * zone, performs what they ask for on the zones' servers, and reports under "report/NAME".
 *
 * It needs the store to learn of new plans, and nothing to keep what it has: without the store it
 * goes on bringing zones to the last plan it read. It never exits for trouble with a store or a
 * server; it says so in its report and its log, and tries again.
 */
#ifndef HF_IO_ENACT_H
#define HF_IO_ENACT_H

#include <stdint.h>

#include "codec/config.h"
#include "io/log.h"

struct hf_enact_options {
    const char *name; /* unique among the enactors of the installation (hf_label_check) */
    uint32_t offset;  /* where its share of a rollout begins, and how much it is: in */
    uint32_t share;   /* HF_ROLL_WHOLEths of the endpoints; 0: all from there on */
};

enum hf_role_end {
    HF_ROLE_STOPPED, /* SIGINT or SIGTERM */
    HF_ROLE_RELOAD,  /* SIGHUP, or the store is another one: read everything again */
};

/*
 * Runs until a signal; config and log are borrowed. HF_OK with ret_end, or an error that no
 * further trying can mend (a key that is no key).
 */
int hf_enact_run(const struct hf_config *config, const struct hf_enact_options *options,
                 struct hf_log *log, enum hf_role_end *ret_end);

#endif
