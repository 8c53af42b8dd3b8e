/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notify: tells Alertmanagers and webhooks of incidents, over HTTP (libcurl), on a thread of its
 * own: whoever tells it of incidents never waits for a receiver, and receivers do not wait for each
 * other. What is told and when is decided in codec/notify.h; this is what carries it.
 *
 * - An Alertmanager gets POST URL/api/v2/alerts; a webhook POST URL, with Holdfast-Delivery and
 *   Holdfast-Signature.
 * - Redirects are not followed: a signed message goes where the configuration says, or nowhere.
 * - 2xx is an acknowledgement. 408, 425, 429, 5xx, and whatever keeps an answer from coming count
 *   as failed; 3xx and other 4xx as refused. Answers are read and thrown away, at most
 *   HF_NOTIFY_ANSWER_MAX octets.
 * - Certificates are verified, by the system's authorities or ca_file. A proxy of the environment
 *   is used, as curl does.
 * - Troubles are logged when they begin and change, and when they end.
 */
#ifndef HF_IO_NOTIFY_H
#define HF_IO_NOTIFY_H

#include <stdint.h>

#include "codec/config.h"
#include "codec/notify.h"
#include "io/log.h"

enum {
    HF_NOTIFY_ANSWER_MAX = 64 * 1024,
    HF_NOTIFY_WHY_MAX = 256,
};

/* What became of messages to one receiver since the start, for /metrics. */
struct hf_notify_counters {
    const char *receiver;
    uint64_t sent, failed, refused; /* messages */
    uint64_t dropped;               /* incidents of which news were given up */
    uint64_t acknowledged_ms;       /* when the last message was, 0: never */
    uint32_t pending;               /* incidents with news */
};

struct hf_notify;

/*
 * Starts the thread, for the receivers of a configuration, which is borrowed until closed. log is
 * copied. NULL where there is no receiver.
 */
struct hf_notify *hf_notify_open(const struct hf_config *config, const struct hf_log *log);
/* Ends what is under way, without waiting for receivers. NULL: nothing to do. */
void hf_notify_close(struct hf_notify *notify);

/*
 * All that is open, most urgent first, and what closed lately; texts are copied. From any thread;
 * NULL: nothing to do.
 */
void hf_notify_tell(struct hf_notify *notify, const struct hf_notice *notices, uint32_t count);

/* From any thread. Returns how many receivers there are; 0 for NULL. */
uint32_t hf_notify_count(struct hf_notify *notify,
                         struct hf_notify_counters ret_counters[HF_NOTIFY_RECEIVERS_MAX]);

#endif
