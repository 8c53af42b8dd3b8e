/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notify: what each receiver of alerts is to be told of incidents, and when. Pure.
 *
 * There is no queue of messages but a table of incidents, and for each receiver the last state of
 * each that it has acknowledged. What differs is news. So a receiver that was away is told the
 * latest state of each incident, once, however often it changed meanwhile; and memory is bounded.
 *
 * - An incident has news when it opened, closed, or changed its severity or title. Its code and
 *   subject stay as they were when this process heard of it first: they are labels.
 * - ALERTMANAGER takes all that is open in one message, again every repeat_ms, each alert with an
 *   end four repeats ahead: where Holdfast falls silent, Alertmanager resolves by itself. News go
 *   at once. A closed incident is sent until it is acknowledged, with the end when it closed.
 * - WEBHOOK takes one incident a message, the longest untold first.
 * - HF_NOTIFY_FAILED (nobody there, TLS, 5xx, 408, 425, 429): the same again after 1 s, doubled up
 *   to HF_NOTIFY_PAUSE_MAX_MS. HF_NOTIFY_REFUSED (redirect, other 4xx): what a webhook refuses
 *   waits for itself and lets others pass; after HF_NOTIFY_REFUSALS_MAX it is given up and counted.
 *   An alertmanager's message has no other to let pass, and is tried like one that failed.
 * - A process that starts knows of no acknowledgement: all that is open is told again, and what
 *   closed within HF_NOTIFY_RECENT_MS before. Receivers tell repeats by the delivery's name.
 * - At most HF_NOTIFY_INCIDENTS_MAX incidents: where more are open, the first of them are told;
 *   closed ones that are not told yet are dropped for them, oldest first, and counted.
 */
#ifndef HF_CODEC_NOTIFY_H
#define HF_CODEC_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/severity.h"

enum {
    HF_NOTIFY_INCIDENTS_MAX = 256,
    HF_NOTIFY_RECEIVERS_MAX = 8,
    HF_NOTIFY_TITLE_MAX = 512,   /* octets of a title; longer ones are cut, at a character */
    HF_NOTIFY_SUBJECT_MAX = 256, /* of a subject */
    HF_NOTIFY_CODE_MAX = 64,     /* of a code */
    HF_NOTIFY_TEXT_MAX = 1024,   /* of a text */
    HF_NOTIFY_REFUSALS_MAX = 5,  /* of one webhook message */
    HF_NOTIFY_PAUSE_MAX_MS = 60000,
    HF_NOTIFY_RECENT_MS = 600000,
    HF_NOTIFY_ENDS_REPEATS = 4,
    HF_NOTIFY_SIGNATURE_MAX = 96,
    HF_NOTIFY_DELIVERY_MAX = 96,
    HF_NOTIFY_SECRET_MIN = 16,
    HF_NOTIFY_BODY_MAX = 4 << 20,
};

enum hf_notify_type { HF_NOTIFY_ALERTMANAGER, HF_NOTIFY_WEBHOOK };

/* One incident as it is now. Texts are borrowed. */
struct hf_notice {
    uint64_t number; /* of the incident, for good */
    enum hf_severity severity;
    const char *code;    /* of its cause: "zone-unreachable" */
    const char *subject; /* what it is about, or "" */
    const char *title;   /* one line */
    const char *text;    /* more; that it changed is no news */
    uint64_t opened_ms;
    uint64_t closed_ms; /* 0: open */
};

/* One incident in the table. */
struct hf_notify_incident {
    uint64_t number; /* 0: free */
    uint64_t opened_ms, closed_ms;
    uint64_t news; /* hash of what is news when it changes */
    uint64_t news_ms;
    enum hf_severity severity;
    bool is_listed; /* while observing */
    char code[HF_NOTIFY_CODE_MAX + 1];
    char subject[HF_NOTIFY_SUBJECT_MAX + 1];
    char title[HF_NOTIFY_TITLE_MAX + 1];
    char text[HF_NOTIFY_TEXT_MAX + 1];
};

/* What one receiver knows of the incident in the same place of the table. */
struct hf_notify_told {
    uint64_t news;    /* acknowledged, 0: never heard of it */
    uint64_t sending; /* under way, 0: nothing */
    uint64_t not_before_ms;
    uint32_t refusals;
    enum hf_severity severity, sending_severity;
};

struct hf_notify_options {
    enum hf_notify_type type;
    enum hf_severity severity; /* incidents below it are not told */
    uint64_t repeat_ms;        /* alertmanager */
};

struct hf_notify_receiver {
    struct hf_notify_options options;
    struct hf_notify_told told[HF_NOTIFY_INCIDENTS_MAX];
    bool is_busy; /* a message is under way */
    uint64_t not_before_ms;
    uint64_t pause_ms;                       /* 0: the last message arrived */
    uint64_t repeat_ms;                      /* when what is open is sent anew, 0: nothing is */
    uint64_t sent, failed, refused, dropped; /* messages; dropped: incidents given up */
    uint64_t acknowledged_ms;                /* of the last message that arrived */
};

struct hf_notify_machine {
    struct hf_notify_incident incidents[HF_NOTIFY_INCIDENTS_MAX];
    struct hf_notify_receiver receivers[HF_NOTIFY_RECEIVERS_MAX];
    uint32_t receiver_count;
    uint64_t started_ms;
    uint64_t number_max; /* of all incidents that were ever observed */
    bool has_observed;
    uint32_t omitted; /* open incidents that have no place in the table */
};

/* What to send: places in the table. */
struct hf_notify_message {
    uint16_t places[HF_NOTIFY_INCIDENTS_MAX];
    uint32_t count;
    uint64_t at_ms;
};

enum hf_notify_result { HF_NOTIFY_DONE, HF_NOTIFY_REFUSED, HF_NOTIFY_FAILED };

void hf_notify_machine_init(struct hf_notify_machine *machine,
                            const struct hf_notify_options *options, uint32_t count,
                            uint64_t now_ms);

/*
 * All incidents that are open, most urgent first, and those that closed lately. One in the table
 * that is not among them any more counts as closed.
 */
void hf_notify_observe(struct hf_notify_machine *machine, const struct hf_notice *notices,
                       uint32_t count, uint64_t now_ms);

/* False: nothing now. Else the receiver is busy until hf_notify_finish. */
bool hf_notify_begin(struct hf_notify_machine *machine, uint32_t receiver, uint64_t now_ms,
                     struct hf_notify_message *ret_message);
void hf_notify_finish(struct hf_notify_machine *machine, uint32_t receiver,
                      const struct hf_notify_message *message, enum hf_notify_result result,
                      uint64_t now_ms);

/* When hf_notify_begin is to be asked again for any receiver, UINT64_MAX: after a change only. */
uint64_t hf_notify_deadline_ms(const struct hf_notify_machine *machine);

/* How many incidents have news for the receiver. */
uint32_t hf_notify_pending(const struct hf_notify_machine *machine, uint32_t receiver);

/* --- notify_text.c: messages as octets --- */

struct hf_notify_sender {
    const char *installation;
    const char *url; /* where people look, or NULL */
};

/*
 * The body of POST /api/v2/alerts. An alert's labels are alertname, installation, incident, code,
 * subject and severity; where the severity differs from the one that was acknowledged, the alert
 * with the old label is ended in the same message.
 */
void hf_notify_alerts(const struct hf_notify_machine *machine, uint32_t receiver,
                      const struct hf_notify_message *message,
                      const struct hf_notify_sender *sender, struct hf_buf *ret_json);

/* The body of a webhook's message, described in docs/operating/monitoring.md. */
void hf_notify_webhook(const struct hf_notify_machine *machine, uint32_t receiver,
                       const struct hf_notify_message *message,
                       const struct hf_notify_sender *sender, struct hf_buf *ret_json);
/* "INSTALLATION-NUMBER-NEWS": the same whenever the same news are sent again. */
void hf_notify_delivery(const struct hf_notify_machine *machine,
                        const struct hf_notify_message *message,
                        const struct hf_notify_sender *sender,
                        char ret_text[HF_NOTIFY_DELIVERY_MAX]);

/* "t=SECONDS,v1=HEX": HMAC-SHA256 with the secret over "SECONDS.BODY". */
void hf_notify_sign(const void *secret, size_t secret_size, uint64_t at_ms, const void *body,
                    size_t body_size, char ret_text[HF_NOTIFY_SIGNATURE_MAX]);

#endif
