/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/enact.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "io/enact_internal.h"
#include "io/wallclock.h"

enum {
    REPORT_INTERVAL_MS = 1000,
    LATER_MS = 5, /* about what the one whose turn it is needs to read and send a small plan */
};

/* What one load brings from the worker to the loop. */
struct load {
    struct hf_enact *enact;
    struct hf_digest have;
    uint64_t have_gen;
    struct hf_plan_fetched *fetched;
    struct hf_overrides overrides;
    bool overrides_read;
    uint32_t instance;
    uint32_t zone_waiting_count;
    uint32_t waiting[]; /* op of a HEAD for each zone that waits for this load, 0: none */
};

uint64_t hf_enact_random(struct hf_enact *enact)
{
    /* splitmix64: good enough to spread retries. */
    uint64_t z = enact->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t hf_enact_writer(struct hf_enact *enact, const char *name)
{
    for (uint32_t i = 0; i < enact->writer_count; i++) {
        if (strcmp(enact->writers[i], name) == 0) {
            return i;
        }
    }
    if (enact->writer_count == HF_ENACT_WRITERS_MAX) {
        return UINT32_MAX;
    }
    (void)snprintf(enact->writers[enact->writer_count], HF_WRITER_MAX + 1, "%s", name);
    return enact->writer_count++;
}

static void note_trouble(struct hf_enact *enact, const char *why)
{
    if (strcmp(enact->trouble, why) == 0) {
        return;
    }
    (void)snprintf(enact->trouble, sizeof(enact->trouble), "%s", why);
    if (why[0] != 0) {
        hf_log(enact->log, HF_LOG_WARNING, "store_trouble", "why=%s", why);
    } else {
        hf_log(enact->log, HF_LOG_INFO, "store_well", "path=%s", enact->config->store_path);
    }
}

/* --- the plan: rows become lanes --- */

static struct hf_enact_place *place_of(struct hf_enact *enact, uint32_t row)
{
    if (row >= enact->place_room) {
        uint32_t room = enact->place_room == 0 ? 64 : enact->place_room;
        while (room <= row) {
            room *= 2;
        }
        enact->places = realloc(enact->places, room * sizeof(*enact->places));
        if (enact->places == NULL) {
            abort();
        }
        enact->place_room = room;
    }
    while (enact->place_count <= row) {
        uint32_t fresh = enact->place_count++;
        uint32_t zone = hf_config_zone_of(enact->config, hf_plan_owner(&enact->plan, fresh));
        enact->places[fresh] = (struct hf_enact_place){.zone = zone};
        if (zone != UINT32_MAX) {
            enact->places[fresh].lane = hf_enact_zone_lane(&enact->zones[zone], fresh);
        }
    }
    return &enact->places[row];
}

static void on_row_changing(void *context, uint32_t row)
{
    struct hf_enact *enact = context;
    struct hf_plan_entry entry;
    if (row >= enact->place_count || enact->places[row].zone == UINT32_MAX) {
        return;
    }
    hf_plan_get(&enact->plan, row, &entry);
    hf_enact_keep_past(&enact->zones[enact->places[row].zone], enact->places[row].lane, &entry);
}

static void on_row_changed(void *context, uint32_t row)
{
    struct hf_enact *enact = context;
    struct hf_plan_entry entry;
    hf_plan_get(&enact->plan, row, &entry);
    const struct hf_enact_place *place = place_of(enact, row);
    if (place->zone == UINT32_MAX) {
        return;
    }
    struct hf_past *past = &enact->zones[place->zone].past;
    struct hf_records records;
    if (hf_past_find(past, place->lane, entry.sum, &records)) {
        hf_past_drop(past, place->lane); /* the same records: only claimed, or stamped anew */
    }
    struct hf_enactor_event event = {
        .type = HF_ENACTOR_EV_ENTRY, .lane = place->lane, .gen = entry.gen, .sum = entry.sum};
    event.flags = (uint8_t)((entry.flags & HF_ROW_CLAIMED ? HF_LANE_CLAIMED : 0) |
                            (entry.flags & HF_ROW_RETIRED ? HF_LANE_RETIRED : 0) |
                            (entry.flags & HF_ROW_URGENT ? HF_LANE_URGENT : 0));
    hf_enact_feed(&enact->zones[place->zone], &event);
}

/* --- overrides --- */

static void feed_adopt(struct hf_enact *enact, const struct hf_override *item, bool on)
{
    uint8_t owner[HF_NAME_MAX];
    if (item->kind != HF_OVERRIDE_ADOPT || hf_name_parse(item->subject, owner) != HF_OK) {
        return;
    }
    uint32_t row = hf_plan_find(&enact->plan, owner);
    if (row == UINT32_MAX || place_of(enact, row)->zone == UINT32_MAX) {
        return;
    }
    const struct hf_enact_place *place = &enact->places[row];
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_ADOPT, .lane = place->lane, .on = on};
    hf_enact_feed(&enact->zones[place->zone], &event);
}

static void apply_overrides(struct hf_enact *enact, struct hf_overrides *fresh)
{
    for (uint32_t i = 0; i < enact->overrides.count; i++) {
        const struct hf_override *old = &enact->overrides.items[i];
        if (hf_overrides_find(fresh, old->kind, old->subject) == NULL) {
            feed_adopt(enact, old, false);
        }
    }
    for (uint32_t i = 0; i < fresh->count; i++) {
        feed_adopt(enact, &fresh->items[i], true);
    }
    for (uint32_t i = 0; i < enact->config->zone_count; i++) {
        struct hf_enact_zone *zone = &enact->zones[i];
        bool frozen = hf_overrides_find(fresh, HF_OVERRIDE_FREEZE, "*") != NULL ||
                      hf_overrides_find(fresh, HF_OVERRIDE_FREEZE, zone->zone->name) != NULL;
        /* Only on the edge: an enactor with old overrides must not freeze again what was thawed. */
        if (frozen != zone->was_frozen_by_override) {
            struct hf_enactor_event event = {.type = HF_ENACTOR_EV_FREEZE, .on = frozen};
            hf_enact_feed(zone, &event);
        }
        zone->was_frozen_by_override = frozen;
    }
    hf_overrides_release(&enact->overrides);
    enact->overrides = *fresh;
}

/* --- loading --- */

static int load_job(void *context, struct hf_store *store, int open_error)
{
    struct load *load = context;
    if (store == NULL) {
        return open_error;
    }
    struct hf_buf ref;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_reads_begin(store);
    if (error == HF_OK) {
        error = hf_store_instance(store, &load->instance);
        /* Unreadable overrides are not "none": the last good ones stay. */
        load->overrides_read =
            error == HF_OK && hf_overrides_load(store, &load->overrides, &ref) == HF_OK;
        hf_store_reads_end(store);
    }
    if (error == HF_OK) {
        error = hf_plan_fetch(store, load->have_gen, &load->have, &load->fetched);
    }
    hf_buf_release(&ref);
    return error;
}

static void end_for_reload(struct hf_enact *enact)
{
    enact->end = HF_ROLE_RELOAD;
    enact->stopping = true;
    uv_stop(&enact->loop);
}

static void feed_heads(struct hf_enact *enact, const struct load *load, enum hf_result result)
{
    for (uint32_t i = 0; i < enact->config->zone_count; i++) {
        if (result != HF_RESULT_OK && load->waiting[i] == 0) {
            continue;
        }
        struct hf_enactor_event event = {.type = HF_ENACTOR_EV_HEAD,
                                         .op = load->waiting[i],
                                         .result = (uint8_t)result,
                                         .gen = enact->plan.head.gen};
        hf_enact_feed(&enact->zones[i], &event);
        hf_enact_tick(&enact->zones[i]);
    }
}

static void take_load(struct hf_enact *enact, struct load *load)
{
    if (enact->instance_known && load->instance != enact->instance) {
        hf_log(enact->log, HF_LOG_WARNING, "store_replaced", "why=%s",
               "the store is another one now; starting anew");
        end_for_reload(enact);
        return;
    }
    enact->instance_known = true;
    enact->instance = load->instance;
    for (uint32_t i = 0; i < enact->config->zone_count; i++) {
        enact->zones[i].machine.options.instance = load->instance;
    }
    uint64_t before = enact->plan.head.gen;
    const struct hf_plan_events events = {
        .changing = on_row_changing, .changed = on_row_changed, .context = enact};
    int error = hf_plan_fetched_apply(load->fetched, &enact->plan, &events);
    if (error != HF_OK) {
        note_trouble(enact, "the head plan cannot be read: see the planner");
        feed_heads(enact, load, HF_RESULT_UNKNOWN);
        return;
    }
    if (load->overrides_read) {
        apply_overrides(enact, &load->overrides);
        hf_overrides_init(&load->overrides);
    }
    note_trouble(enact, "");
    if (enact->plan.head.gen != before) {
        hf_log(enact->log, HF_LOG_DEBUG, "plan", "gen=%llu before=%llu endpoints=%u cid=%016llx",
               (unsigned long long)enact->plan.head.gen, (unsigned long long)before,
               enact->plan.entry_count, (unsigned long long)enact->plan.head.cid);
    }
    feed_heads(enact, load, HF_RESULT_OK);
}

static void load_done(void *context, int result, const char *why)
{
    struct load *load = context;
    struct hf_enact *enact = load->enact;
    enact->loading = false;
    if (!enact->stopping) {
        uv_update_time(&enact->loop);
        if (result == HF_OK) {
            take_load(enact, load);
        } else {
            note_trouble(enact, why != NULL && why[0] != 0 ? why : hf_strerror(result));
            feed_heads(enact, load, HF_RESULT_UNKNOWN);
        }
    }
    if (load->fetched != NULL) {
        hf_plan_fetched_free(load->fetched);
    }
    hf_overrides_release(&load->overrides);
    free(load);
    if (enact->load_again && !enact->stopping) {
        hf_enact_load(enact);
    }
}

void hf_enact_load(struct hf_enact *enact)
{
    if (enact->loading) {
        enact->load_again = true;
        return;
    }
    enact->load_again = false;
    struct load *load =
        calloc(1, sizeof(*load) + enact->config->zone_count * sizeof(load->waiting[0]));
    if (load == NULL) {
        abort();
    }
    load->enact = enact;
    load->have = enact->plan.name;
    load->have_gen = enact->plan.head.gen;
    hf_overrides_init(&load->overrides);
    for (uint32_t i = 0; i < enact->config->zone_count; i++) {
        load->waiting[i] = enact->zones[i].head_waiting;
        enact->zones[i].head_waiting = 0;
    }
    enact->loading = true;
    if (hf_store_async_submit(enact->store, load_job, load_done, load) != HF_OK) {
        load_done(load, HF_EBUSY, "too much work waits for the store");
    }
}

static void on_load_timer(uv_timer_t *timer)
{
    hf_enact_load(timer->data);
}

/* A plan, mostly: whose turn it is with the next one should not share the processors now. */
static void on_store_change(void *context)
{
    struct hf_enact *enact = context;
    if (hf_enactor_is_turn(&enact->zones[0].machine.options, enact->plan.head.gen + 1)) {
        hf_enact_load(enact);
    } else if (!uv_is_active((uv_handle_t *)&enact->load_timer)) {
        uv_timer_start(&enact->load_timer, on_load_timer, LATER_MS, 0);
    }
}

/* --- life --- */

static void on_signal(void *context, int number)
{
    struct hf_enact *enact = context;
    enact->end = number == SIGHUP ? HF_ROLE_RELOAD : HF_ROLE_STOPPED;
    enact->stopping = true;
    uv_stop(&enact->loop);
}

static void on_report_timer(uv_timer_t *timer)
{
    hf_enact_report(timer->data);
}

static void on_closed(void *context)
{
    (void)context;
}

static void on_config_changed(void *context)
{
    struct hf_enact *enact = context;
    hf_log(enact->log, HF_LOG_INFO, "config_changed", "path=%s", enact->config->path);
    end_for_reload(enact);
}

static void start_handles(struct hf_enact *enact)
{
    uv_timer_init(&enact->loop, &enact->report_timer);
    uv_timer_init(&enact->loop, &enact->load_timer);
    enact->report_timer.data = enact;
    enact->load_timer.data = enact;
    uv_timer_start(&enact->report_timer, on_report_timer, REPORT_INTERVAL_MS, REPORT_INTERVAL_MS);
    hf_watch_start(&enact->loop, enact->config, false, enact->log, on_config_changed, enact,
                   &enact->watch);
}

static void stop_handles(struct hf_enact *enact)
{
    hf_signals_stop(enact->signals);
    uv_close((uv_handle_t *)&enact->report_timer, NULL);
    uv_close((uv_handle_t *)&enact->load_timer, NULL);
    hf_watch_stop(enact->watch);
    for (uint32_t i = 0; i < enact->config->zone_count; i++) {
        uv_close((uv_handle_t *)&enact->zones[i].timer, NULL);
        hf_dns_close(enact->zones[i].dns, on_closed, NULL);
        hf_dns_close(enact->zones[i].fast, on_closed, NULL);
    }
    hf_store_async_stop(enact->store, on_closed, NULL);
    uv_run(&enact->loop, UV_RUN_DEFAULT);
}

static int init_zones(struct hf_enact *enact)
{
    for (uint32_t i = 0; i < enact->config->zone_count; i++) {
        int error = hf_enact_zone_init(&enact->zones[i], enact, i);
        if (error != HF_OK) {
            hf_log(enact->log, HF_LOG_ERROR, "zone_failed", "zone=%s target=%s why=%s",
                   enact->config->zones[i].name,
                   enact->config->targets[enact->config->zones[i].target].name,
                   error == HF_ENOENT ? "its key is not there yet" : hf_strerror(error));
            return error;
        }
    }
    return HF_OK;
}

static struct hf_enact *enact_new(const struct hf_config *config,
                                  const struct hf_enact_options *options, struct hf_log *log)
{
    struct hf_enact *enact = calloc(1, sizeof(*enact));
    if (enact == NULL) {
        abort();
    }
    enact->config = config;
    enact->options = options;
    enact->log = log;
    enact->started_ms = hf_wallclock_ms();
    if (getrandom(&enact->random, sizeof(enact->random), 0) < 0) {
        enact->random = enact->started_ms;
    }
    enact->zones = calloc(config->zone_count + 1U, sizeof(*enact->zones));
    enact->writers = calloc(HF_ENACT_WRITERS_MAX, sizeof(*enact->writers));
    if (enact->zones == NULL || enact->writers == NULL) {
        abort();
    }
    (void)hf_enact_writer(enact, options->name);
    hf_plan_init_answers(&enact->plan);
    hf_overrides_init(&enact->overrides);
    return enact;
}

static void enact_free(struct hf_enact *enact)
{
    for (uint32_t i = 0; i < enact->config->zone_count; i++) {
        hf_enact_zone_release(&enact->zones[i]);
    }
    hf_plan_release(&enact->plan);
    hf_overrides_release(&enact->overrides);
    free(enact->zones);
    free(enact->writers);
    free(enact->places);
    free(enact);
}

int hf_enact_run(const struct hf_config *config, const struct hf_enact_options *options,
                 struct hf_log *log, enum hf_role_end *ret_end)
{
    struct hf_enact *enact = enact_new(config, options, log);
    uv_loop_init(&enact->loop);
    int error = init_zones(enact);
    if (error == HF_OK) {
        error = hf_signals_start(&enact->loop, on_signal, enact, &enact->signals);
    }
    if (error == HF_OK) {
        error = hf_store_async_start(&enact->loop, config->store_path, false, enact->log,
                                     on_store_change, enact, &enact->store);
    }
    if (error == HF_OK) {
        hf_log(log, HF_LOG_INFO, "enactor_started", "name=%s zones=%u", options->name,
               config->zone_count);
        start_handles(enact);
        uv_run(&enact->loop, UV_RUN_DEFAULT);
        *ret_end = enact->end;
        stop_handles(enact);
        (void)uv_loop_close(&enact->loop);
        hf_log(log, HF_LOG_INFO, "enactor_stopped", "name=%s", options->name);
    }
    enact_free(enact);
    return error;
}
