/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Status page: what customers see, as a static site: index.html, feed.atom (RFC 4287) and
 * status.json. It needs no server of its own, no script and nothing from elsewhere.
 *
 * Only what is meant for everybody is in it: titles and descriptions of services, and of incidents
 * the times, what they were in general words, which services they hit, and the messages that
 * operators made public, without who said them. Names of endpoints, zones, targets, backends,
 * roles and dependents, addresses and what was seen are not.
 *
 * An incident is public when answers of a service were lost or stale, or when it has a public
 * message. Text from outside is escaped; bidirectional marks in it do not reach beyond it.
 */
#ifndef HF_HOLDFAST_STATUSPAGE_H
#define HF_HOLDFAST_STATUSPAGE_H

#include "codec/config.h"
#include "codec/incident_log.h"

enum {
    HF_STATUSPAGE_DAYS = 90,
    HF_STATUSPAGE_INCIDENTS_MAX = 200,   /* the newest; of the feed a quarter */
    HF_STATUSPAGE_BYTES_MAX = 64 << 20,  /* of a file */
    HF_STATUSPAGE_OUTAGE_PERMILLE = 500, /* of a service's answers lost: an outage */
    HF_STATUSPAGE_EVERY_MS = 60000,      /* a page that is kept is made anew at least this often */
};

/* In order: the highest of several is told. */
enum hf_service_state {
    HF_SERVICE_UNKNOWN, /* a day before Holdfast kept incidents */
    HF_SERVICE_OPERATIONAL,
    HF_SERVICE_WATCHED,  /* an incident is open, answers are as they should be */
    HF_SERVICE_DEGRADED, /* some answers are lost or stale */
    HF_SERVICE_OUTAGE,
};
const char *hf_service_state_name(enum hf_service_state state);  /* "operational" */
const char *hf_service_state_words(enum hf_service_state state); /* "Operational" */

struct hf_statuspage {
    const struct hf_config *config;
    const struct hf_incident_log *log;
    uint64_t now_ms;
};

/* --- statuspage.c: what there is to tell --- */

/* The i-th public incident, newest first, or NULL. */
const struct hf_incident *hf_statuspage_incident(const struct hf_statuspage *page, uint32_t i);
/* Whether a service is among those that the incident hit. */
const struct hf_incident_affected *hf_statuspage_hit(const struct hf_incident *incident,
                                                     const char *service);
enum hf_service_state hf_statuspage_now(const struct hf_statuspage *page,
                                        const struct hf_config_service *service);
/* Of all services and open incidents. */
enum hf_service_state hf_statuspage_overall(const struct hf_statuspage *page);
/* ret_days: the states of the last days (UTC), today last. */
void hf_statuspage_days(const struct hf_statuspage *page, const struct hf_config_service *service,
                        enum hf_service_state ret_days[HF_STATUSPAGE_DAYS]);
/* The midnight (UTC) that the day begins with. */
uint64_t hf_statuspage_day_ms(const struct hf_statuspage *page, uint32_t day);
/* What it was, for everybody. */
const char *hf_statuspage_title(const struct hf_incident *incident);
/* When something public of it happened last. */
uint64_t hf_statuspage_updated_ms(const struct hf_incident *incident);

/* --- statuspage_html.c, statuspage_feed.c: the files, appended --- */

void hf_statuspage_html(const struct hf_statuspage *page, struct hf_buf *ret_text);
void hf_statuspage_atom(const struct hf_statuspage *page, struct hf_buf *ret_text);
void hf_statuspage_json(const struct hf_statuspage *page, struct hf_buf *ret_text);
/* Text in HTML and XML: what has a meaning there is escaped, what must not be there is U+FFFD. */
void hf_statuspage_put(struct hf_buf *text, const char *value);
/* "2026-11-26 02:11" and "2026-11-26T02:11:31Z", UTC. */
void hf_statuspage_put_time(struct hf_buf *text, uint64_t at_ms, bool is_exact);

/* --- statuspage_write.c --- */

/*
 * Writes the files into folder, which is made where there is none: each whole, or the one that was
 * there stays. HF_EFULL, HF_EIO, HF_ELIMIT; why in words.
 */
int hf_statuspage_write(const struct hf_statuspage *page, const char *folder, char *why,
                        size_t why_size);

#endif
