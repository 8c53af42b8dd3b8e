/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/incidents.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/incidents_internal.h"
#include "io/plan_store.h"

enum {
    TRIES_MAX = 8,
    TOUCH_MS = 5000, /* between computations of impact where nothing else happens */
};

void hf_incidents_init(struct hf_incidents *incidents)
{
    *incidents = (struct hf_incidents){.waiting = {.due_ms = UINT64_MAX}};
    hf_incident_log_init(&incidents->log);
    hf_buf_init(&incidents->ref_value, HF_STORE_REF_VALUE_MAX);
}

void hf_incidents_release(struct hf_incidents *incidents)
{
    hf_incident_log_release(&incidents->log);
    hf_buf_release(&incidents->ref_value);
    incidents->is_loaded = false;
}

/* --- the store --- */

static int fail(struct hf_incidents *incidents, const struct hf_store *store, int error)
{
    const char *why = store == NULL ? "" : hf_store_why(store);
    (void)snprintf(incidents->why, sizeof(incidents->why), "%s",
                   why[0] != 0 ? why : hf_strerror(error));
    return error;
}

static int read_log(struct hf_incidents *incidents, struct hf_store *store)
{
    struct hf_buf document;
    struct hf_incident_log log;
    hf_buf_init(&document, HF_INCIDENT_LOG_BYTES_MAX);
    int error = hf_document_read(store, HF_INCIDENT_LOG_REF, &incidents->ref_value, &document);
    if (error == HF_OK && incidents->ref_value.size == 0) {
        hf_incident_log_init(&log);
    } else if (error == HF_OK) {
        error = hf_incident_log_decode(document.bytes, document.size, &log);
    }
    hf_buf_release(&document);
    if (error != HF_OK) {
        return error;
    }
    /* A store that was replaced by an older one: a number that was told is not given again. */
    bool is_older = log.next_number < incidents->log.next_number;
    if (is_older) {
        log.next_number = incidents->log.next_number;
    }
    hf_incident_log_release(&incidents->log);
    incidents->log = log;
    incidents->is_loaded = true;
    incidents->is_unsaved = is_older;
    if (incidents->ends_soon) {
        incidents->waiting = log.waiting;
    }
    return HF_OK;
}

int hf_incidents_load(struct hf_incidents *incidents, struct hf_store *store)
{
    struct hf_buf value;
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_ref_get(store, HF_INCIDENT_LOG_REF, &value);
    bool is_same = incidents->is_loaded && (error == HF_OK || error == HF_ENOENT) &&
                   strcmp(hf_buf_text(&value), hf_buf_text(&incidents->ref_value)) == 0;
    hf_buf_release(&value);
    if (is_same) {
        return HF_OK;
    }
    error = read_log(incidents, store);
    if (error != HF_OK) {
        incidents->is_loaded = false;
        return fail(incidents, store, error);
    }
    return HF_OK;
}

/* The document of the log; the log is what it decodes to, without what it does not need. */
static int write_document(struct hf_incidents *incidents, uint64_t now_ms,
                          struct hf_buf *ret_document)
{
    struct hf_incident_log *log = &incidents->log;
    struct hf_incident_log fresh;
    (void)hf_incident_log_forget(log, now_ms);
    log->revision++;
    hf_incident_log_encode(log, ret_document);
    int error = hf_buf_error(ret_document);
    if (error == HF_OK) {
        error = hf_incident_log_decode(ret_document->bytes, ret_document->size, &fresh);
        assert(error == HF_OK); /* what encode writes */
        hf_incident_log_release(log);
        *log = fresh;
    }
    return error;
}

static int save(struct hf_incidents *incidents, struct hf_store *store, uint64_t now_ms)
{
    struct hf_buf document;
    hf_buf_init(&document, HF_INCIDENT_LOG_BYTES_MAX);
    incidents->is_unsaved = true;
    int error = write_document(incidents, now_ms, &document);
    if (error == HF_OK && store == NULL) {
        error = HF_ENOENT;
    }
    if (error == HF_OK) {
        error = hf_document_swap(store, HF_INCIDENT_LOG_REF, &document,
                                 hf_buf_text(&incidents->ref_value));
    }
    if (error == HF_OK) {
        struct hf_digest name;
        char text[HF_DIGEST_TEXT_SIZE];
        hf_digest_of(document.bytes, document.size, &name);
        hf_digest_text(&name, text);
        hf_buf_clear(&incidents->ref_value);
        hf_buf_put_text(&incidents->ref_value, text);
        incidents->is_unsaved = false;
    }
    hf_buf_release(&document);
    return error;
}

/* --- what is seen --- */

static uint64_t refused_by_servers(const struct hf_look *look)
{
    uint64_t refused = 0;
    for (uint32_t i = 0; i < look->reports.count; i++) {
        for (uint32_t k = 0; k < look->reports.rows[i].zone_count; k++) {
            refused += look->reports.rows[i].zones[k].refused;
        }
    }
    return refused;
}

/* Enactors count from their start: what one that started anew had counted is not lost. */
static void count_refused(struct hf_incident_log *log, const struct hf_look *look,
                          const struct hf_incident_changes *changes)
{
    uint64_t refused = refused_by_servers(look);
    for (uint32_t i = 0; i < changes->count; i++) {
        struct hf_incident *incident = hf_incident_log_find(log, changes->rows[i].number);
        if (incident != NULL && changes->rows[i].event == HF_INCIDENT_OPENED) {
            incident->refused_before = refused;
        }
    }
    for (uint32_t i = 0; i < log->count; i++) {
        struct hf_incident *incident = &log->incidents[i];
        if (incident->closed_ms != 0) {
            continue;
        }
        if (refused < incident->refused_before + incident->refused) {
            incident->refused_before =
                refused > incident->refused ? refused - incident->refused : 0;
        }
        if (refused > incident->refused_before + incident->refused) {
            incident->refused = refused - incident->refused_before;
        }
    }
}

/* What waits, for the next process that looks; one that stays remembers it by itself. */
static bool keep_waiting(struct hf_incidents *incidents)
{
    const struct hf_incident_waiting *now = &incidents->waiting;
    struct hf_incident_waiting *kept = &incidents->log.waiting;
    uint32_t count = incidents->ends_soon ? now->count : 0;
    bool is_same =
        kept->count == count && memcmp(kept->rows, now->rows, count * sizeof(now->rows[0])) == 0;
    memcpy(kept->rows, now->rows, count * sizeof(now->rows[0]));
    kept->count = count;
    return !is_same && incidents->ends_soon;
}

static bool step(struct hf_incidents *incidents, const struct hf_status *status,
                 const struct hf_sights *sights, struct hf_incident_changes *ret_changes)
{
    const struct hf_look *look = status->look;
    bool is_changed = hf_incident_log_step(&incidents->log, sights->rows, sights->count,
                                           sights->is_complete, look->config->incident_hold_ms,
                                           look->now_ms, &incidents->waiting, ret_changes);
    is_changed |= keep_waiting(incidents);
    if (incidents->log.since_ms == 0) {
        incidents->log.since_ms = look->now_ms;
        is_changed = true;
    }
    bool is_due =
        look->now_ms < incidents->touched_ms || look->now_ms - incidents->touched_ms >= TOUCH_MS;
    if (sights->is_complete && (is_changed || is_due)) {
        is_changed |= hf_incidents_touch(&incidents->log, status);
        incidents->touched_ms = look->now_ms;
    }
    if (is_changed) {
        count_refused(&incidents->log, look, ret_changes);
    }
    return is_changed;
}

int hf_incidents_observe(struct hf_incidents *incidents, const struct hf_status *status,
                         struct hf_incident_changes *ret_changes)
{
    struct hf_store *store = status->look->store;
    struct hf_sights sights;
    int error = HF_ESTALE;
    ret_changes->count = 0;
    hf_sights_make(status, &sights);
    for (int try = 0; try < TRIES_MAX && error == HF_ESTALE; try++) {
        bool was_loaded = incidents->is_loaded;
        struct hf_incident_waiting before = incidents->waiting;
        error = store == NULL ? HF_ENOENT : hf_incidents_load(incidents, store);
        if (error != HF_OK && !was_loaded) {
            break; /* what is there is not known: nothing can be added to it */
        }
        incidents->is_loaded = true;
        int load_error = error;
        bool is_changed = step(incidents, status, &sights, ret_changes);
        error = is_changed || incidents->is_unsaved
                    ? save(incidents, load_error == HF_OK ? store : NULL, status->look->now_ms)
                    : HF_OK;
        if (error == HF_ESTALE) {
            incidents->waiting = before;
            incidents->is_loaded = false;
        }
        error = load_error != HF_OK ? load_error : error;
    }
    hf_sights_release(&sights);
    return error == HF_OK ? HF_OK : fail(incidents, store, error);
}

uint64_t hf_incidents_deadline_ms(const struct hf_incidents *incidents)
{
    return incidents->waiting.due_ms;
}

int hf_incidents_say(struct hf_incidents *incidents, struct hf_store *store, uint64_t number,
                     const struct hf_incident_message *message)
{
    int error = HF_ESTALE;
    for (int try = 0; try < TRIES_MAX && error == HF_ESTALE; try++) {
        error = hf_incidents_load(incidents, store);
        if (error != HF_OK) {
            return error;
        }
        error = hf_incident_log_say(&incidents->log, number, message);
        if (error != HF_OK) {
            return error;
        }
        error = save(incidents, store, message->at_ms);
        if (error != HF_OK) {
            incidents->is_loaded = false; /* it is to be said once, or not at all */
            (void)fail(incidents, store, error);
        }
    }
    return error;
}

void hf_incidents_mark(const struct hf_incident_log *log, struct hf_status *status)
{
    for (uint32_t i = 0; i < status->alert_count; i++) {
        struct hf_alert *alert = &status->alerts[i];
        enum hf_condition_kind kind = hf_sight_kind(alert);
        const struct hf_incident *incident =
            hf_incident_log_of(log, kind, hf_sight_subject(kind, alert));
        alert->incident = incident == NULL ? 0 : incident->number;
    }
}
