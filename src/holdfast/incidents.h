/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incidents: what the api role does with them at each look, and what commands and the API show.
 *
 * hf_incidents_observe makes conditions of a status (all its alerts above notice, and what only
 * shows in several of them), says which services and dependents they hit, steps the log in the
 * store, and saves it by compare-and-swap where something changed. Any number of processes may do
 * so at once. Where the store cannot be read or written, what was seen is kept and is written when
 * it can be. Calls block as the store does: on a worker thread.
 *
 *     struct hf_incidents incidents;
 *     hf_incidents_init(&incidents);
 *     for each look:
 *         hf_status_count(&status); hf_status_alerts(&status);
 *         hf_incidents_observe(&incidents, &status, &changes);
 *         incidents.log is what to show: hf_incident_json
 *         look again at the latest at hf_incidents_deadline_ms(&incidents)
 */
#ifndef HF_HOLDFAST_INCIDENTS_H
#define HF_HOLDFAST_INCIDENTS_H

#include "codec/incident_log.h"
#include "codec/json.h"
#include "holdfast/status.h"

struct hf_incidents {
    struct hf_incident_log log; /* as in the store, or as it is to be there */
    struct hf_buf ref_value;    /* that it was read under; "" none */
    bool is_loaded;
    bool ends_soon;      /* set by who looks once: what waits is kept in the store, too */
    bool is_unsaved;     /* the log has what the store has not */
    uint64_t touched_ms; /* when impact was computed last */
    struct hf_incident_waiting waiting;
    char why[HF_STORE_WHY_MAX]; /* of the last error */
};

void hf_incidents_init(struct hf_incidents *incidents);
void hf_incidents_release(struct hf_incidents *incidents);

/* Reads the log if it is another than the one that is there. */
int hf_incidents_load(struct hf_incidents *incidents, struct hf_store *store);

/*
 * One look. ret_changes: what was opened, closed and so on by this call, in order; count 0:
 * nothing. HF_OK, or an error of the store (why says which); the next look tries again.
 */
int hf_incidents_observe(struct hf_incidents *incidents, const struct hf_status *status,
                         struct hf_incident_changes *ret_changes);

/* Wall clock at which a further look changes something although nothing else does, or
 * UINT64_MAX. */
uint64_t hf_incidents_deadline_ms(const struct hf_incidents *incidents);

/* Adds a message and saves; the errors of hf_incident_log_say or of the store. */
int hf_incidents_say(struct hf_incidents *incidents, struct hf_store *store, uint64_t number,
                     const struct hf_incident_message *message);

/* Fills in the open incident that each alert belongs to. */
void hf_incidents_mark(const struct hf_incident_log *log, struct hf_status *status);

/*
 * --- incident_json.c ---
 *
 * An object as docs/reference/openapi.json calls it Incident. full: with conditions, timeline and
 * names of endpoints.
 */
void hf_incident_json(struct hf_json *json, const struct hf_incident *incident, uint64_t now_ms,
                      bool full);
/* The row in which lists show incidents: open ones first, newest first. i < log->count. */
const struct hf_incident *hf_incident_at(const struct hf_incident_log *log, uint32_t i);

/* --- incident_show.c: as texts for people, a table and one in full --- */

void hf_incidents_show(const struct hf_term *out, const struct hf_incident_log *log,
                       uint64_t now_ms);
void hf_incident_show(const struct hf_term *out, const struct hf_incident *incident,
                      uint64_t now_ms);
/* That a message was added; number as it was typed. */
void hf_incident_said(const struct hf_term *out, const char *number, bool is_public);

#endif
