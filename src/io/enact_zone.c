/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"

enum { LANES_FIRST = 64 };

static void on_timer(uv_timer_t *timer)
{
    hf_enact_tick(timer->data);
}

static void arm(struct hf_enact_zone *zone)
{
    uint64_t due = hf_enactor_deadline_ms(&zone->machine);
    if (due == HF_NEVER || zone->enact->stopping) {
        uv_timer_stop(&zone->timer);
        return;
    }
    uint64_t now = uv_now(&zone->enact->loop);
    uv_timer_start(&zone->timer, on_timer, due > now ? due - now : 1, 0);
}

static void perform(struct hf_enact_zone *zone, const struct hf_enactor_action *action)
{
    switch (action->kind) {
    case HF_ENACTOR_READ_ZONE:
        hf_enact_audit(zone, action);
        break;
    case HF_ENACTOR_READ:
        hf_enact_read(zone, action);
        break;
    case HF_ENACTOR_WRITE:
        hf_enact_write(zone, action);
        break;
    case HF_ENACTOR_WRITE_GUARD:
        hf_enact_write_guard(zone, action);
        break;
    default:
        assert(action->kind == HF_ENACTOR_HEAD);
        zone->head_waiting = action->op;
        hf_enact_load(zone->enact);
        break;
    }
}

void hf_enact_feed(struct hf_enact_zone *zone, struct hf_enactor_event *event)
{
    struct hf_enactor_outbox outbox;
    if (event->type == HF_ENACTOR_EV_SEEN && zone->refused.count > 0) {
        hf_enact_note_seen(zone, event);
    }
    do {
        event->now_ms = uv_now(&zone->enact->loop);
        event->random = hf_enact_random(zone->enact);
        hf_enactor_step(&zone->machine, event, &outbox);
        for (uint32_t i = 0; i < outbox.count; i++) {
            perform(zone, &outbox.actions[i]);
        }
        *event = (struct hf_enactor_event){.type = HF_ENACTOR_EV_TICK};
    } while (outbox.count == HF_ENACTOR_OUTBOX_MAX && !zone->enact->stopping);
}

void hf_enact_tick(struct hf_enact_zone *zone)
{
    uv_update_time(&zone->enact->loop);
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_TICK};
    hf_enact_feed(zone, &event);
    arm(zone);
}

static void note_trouble(struct hf_enact_zone *zone, enum hf_result result,
                         const struct hf_dns_outcome *outcome)
{
    char why[HF_ENACT_WHY_MAX] = "";
    if (result == HF_RESULT_UNKNOWN && outcome != NULL) {
        (void)snprintf(why, sizeof(why), "%s", outcome->why != NULL ? outcome->why : "failed");
    } else if (result == HF_RESULT_REFUSED) {
        return; /* a race: no trouble */
    }
    if (strcmp(why, zone->why) != 0) {
        if (why[0] != 0) {
            hf_log(zone->enact->log, HF_LOG_WARNING, "server_trouble", "zone=%s why=%s",
                   zone->zone->name, why);
        } else {
            hf_log(zone->enact->log, HF_LOG_INFO, "server_well", "zone=%s", zone->zone->name);
        }
        (void)snprintf(zone->why, sizeof(zone->why), "%s", why);
    }
}

void hf_enact_done(struct hf_enact_zone *zone, uint32_t op, enum hf_result result,
                   const struct hf_dns_outcome *outcome)
{
    hf_enact_done_reading(zone, op, result, HF_ENACT_WHOLE, outcome);
}

void hf_enact_done_reading(struct hf_enact_zone *zone, uint32_t op, enum hf_result result,
                           enum hf_enact_extent extent, const struct hf_dns_outcome *outcome)
{
    if (zone->enact->stopping) {
        return;
    }
    note_trouble(zone, result, outcome);
    uv_update_time(&zone->enact->loop);
    struct hf_enactor_event event = {
        .type = HF_ENACTOR_EV_DONE,
        .op = op,
        .result = (uint8_t)result,
        .latency_ms = outcome != NULL ? (uint32_t)outcome->latency_ms : 0,
        .unchanged = extent == HF_ENACT_CHANGES,
        .moving = extent == HF_ENACT_MOVING,
    };
    hf_enact_feed(zone, &event);
    arm(zone);
}

uint32_t hf_enact_zone_lane(struct hf_enact_zone *zone, uint32_t row)
{
    struct hf_enactor *machine = &zone->machine;
    if (machine->lane_count == machine->lane_room) {
        uint32_t room = machine->lane_room * 2;
        void *memory = calloc(1, hf_enactor_layout(&machine->options, room));
        uint32_t *rows = realloc(zone->lane_rows, room * sizeof(*rows));
        if (memory == NULL || rows == NULL) {
            abort();
        }
        hf_enactor_grow(machine, memory, room);
        free(zone->memory);
        zone->memory = memory;
        zone->lane_rows = rows;
        hf_enact_note_room(zone);
    }
    uint32_t lane = hf_enactor_add_lane(machine);
    zone->lane_rows[lane] = row;
    return lane;
}

uint32_t hf_enact_lane_of(const struct hf_enact_zone *zone, const uint8_t *owner)
{
    const struct hf_enact *enact = zone->enact;
    uint32_t row = hf_plan_find(&enact->plan, owner);
    if (row == UINT32_MAX || row >= enact->place_count) {
        return UINT32_MAX;
    }
    const struct hf_enact_place *place = &enact->places[row];
    bool is_here = place->zone != UINT32_MAX && &enact->zones[place->zone] == zone;
    return is_here ? place->lane : UINT32_MAX;
}

/* --- records that the plan has replaced --- */

void hf_enact_keep_past(struct hf_enact_zone *zone, uint32_t lane_number,
                        const struct hf_plan_entry *entry)
{
    const struct hf_lane *lane = &zone->machine.lanes[lane_number];
    bool lies_there = lane->fence.sum == entry->sum;
    bool is_sent = lane->slot != 0 && lane->sent_sum == entry->sum;
    if (entry->gen != 0 && entry->sum != HF_SUM_EMPTY && (lies_there || is_sent)) {
        hf_past_keep(&zone->past, lane_number, entry->sum, &entry->records);
    }
}

void hf_enact_settle_past(struct hf_enact_zone *zone, uint32_t lane_number)
{
    const struct hf_lane *lane = &zone->machine.lanes[lane_number];
    struct hf_records records;
    bool is_sent =
        lane->slot != 0 && hf_past_find(&zone->past, lane_number, lane->sent_sum, &records);
    if (!is_sent && !hf_past_find(&zone->past, lane_number, lane->fence.sum, &records)) {
        hf_past_drop(&zone->past, lane_number);
    }
}

bool hf_enact_records_of(const struct hf_enact_zone *zone, uint32_t lane, uint64_t sum,
                         struct hf_records *ret_records)
{
    struct hf_plan_entry entry;
    hf_plan_get(&zone->enact->plan, zone->lane_rows[lane], &entry);
    if (entry.gen != 0 && entry.sum == sum) {
        *ret_records = entry.records;
        return true;
    }
    return hf_past_find(&zone->past, lane, sum, ret_records);
}

/* --- TXT RRsets --- */

void hf_enact_txt_add(struct hf_enact_txt *txt, const uint8_t *rdata, size_t size)
{
    if (size + 2 > sizeof(txt->bytes) - txt->size) {
        txt->overflow = true;
        return;
    }
    txt->bytes[txt->size] = (uint8_t)(size >> 8);
    txt->bytes[txt->size + 1] = (uint8_t)size;
    memcpy(txt->bytes + txt->size + 2, rdata, size);
    txt->size += size + 2;
    txt->count++;
}

const struct hf_enact_raw *hf_enact_raw_find(const struct hf_enact_zone *zone, uint32_t lane)
{
    for (const struct hf_enact_raw *raw = zone->raws; raw != NULL; raw = raw->next) {
        if (raw->lane == lane) {
            return raw;
        }
    }
    return NULL;
}

static void raw_keep(struct hf_enact_zone *zone, uint32_t lane, const struct hf_enact_txt *txt)
{
    struct hf_enact_raw **at = &zone->raws;
    while (*at != NULL && (*at)->lane != lane) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct hf_enact_raw *old = *at;
        *at = old->next;
        free(old);
    }
    if (txt == NULL) {
        return;
    }
    struct hf_enact_raw *raw = malloc(sizeof(*raw) + txt->size);
    if (raw == NULL) {
        abort();
    }
    raw->next = zone->raws;
    raw->lane = lane;
    raw->size = txt->size;
    memcpy(raw->bytes, txt->bytes, txt->size);
    zone->raws = raw;
}

void hf_enact_fence_of(struct hf_enact_zone *zone, uint32_t lane, const struct hf_enact_txt *txt,
                       struct hf_fence *ret_fence)
{
    char writer[HF_WRITER_MAX + 1];
    struct hf_fence fence = {.kind = HF_FENCE_ABSENT};
    if (txt->count == 1 && !txt->overflow) {
        hf_fence_parse(zone->enact->config->installation, txt->bytes + 2, txt->size - 2, &fence,
                       writer);
    } else if (txt->count > 0 || txt->overflow) {
        fence.kind = HF_FENCE_DAMAGED;
    }
    if (fence.kind == HF_FENCE_OURS) {
        fence.writer = hf_enact_writer(zone->enact, writer);
        if (fence.writer == UINT32_MAX) {
            fence = (struct hf_fence){.kind = HF_FENCE_DAMAGED};
        }
    }
    bool odd = fence.kind == HF_FENCE_DAMAGED || fence.kind == HF_FENCE_ALIEN;
    if (odd || zone->raws != NULL) {
        raw_keep(zone, lane, odd ? txt : NULL);
    }
    *ret_fence = fence;
}

void hf_enact_guard_of(struct hf_enact_zone *zone, const struct hf_enact_txt *txt,
                       struct hf_zone_guard *ret_guard)
{
    struct hf_zone_guard guard = {.kind = HF_FENCE_ABSENT};
    zone->guard_owner_seen[0] = 0;
    if (txt->count == 1 && !txt->overflow) {
        hf_zone_guard_parse(zone->enact->config->installation, zone->enact->instance,
                            txt->bytes + 2, txt->size - 2, &guard, zone->guard_owner_seen);
    } else if (txt->count > 0 || txt->overflow) {
        guard.kind = HF_FENCE_DAMAGED;
    }
    *ret_guard = guard;
}

void hf_enact_guard_note(struct hf_enact_zone *zone, const struct hf_zone_guard *guard)
{
    const struct hf_zone_guard *noted = &zone->guard_noted;
    if (guard->kind == noted->kind && guard->frozen == noted->frozen) {
        return;
    }
    zone->guard_noted = *guard;
    struct hf_log *log = zone->enact->log;
    const char *name = zone->zone->name;
    switch (guard->kind) {
    case HF_FENCE_OURS:
        hf_log(log, HF_LOG_INFO, "zone_guard", "zone=%s state=%s floor=%llu", name,
               guard->frozen ? "frozen" : "open", (unsigned long long)guard->floor);
        break;
    case HF_FENCE_ABSENT:
        hf_log(log, HF_LOG_WARNING, "zone_guard_absent", "zone=%s", name);
        break;
    default:
        hf_log(log, HF_LOG_ERROR, "zone_refused", "zone=%s owner=%s why=%s", name,
               zone->guard_owner_seen, "another installation or store has this zone");
        break;
    }
}

/* --- life --- */

int hf_enact_zone_init(struct hf_enact_zone *zone, struct hf_enact *enact, uint32_t number)
{
    memset(zone, 0, sizeof(*zone));
    zone->enact = enact;
    zone->zone = &enact->config->zones[number];
    zone->target = &enact->config->targets[zone->zone->target];
    int error = hf_name_guard_of(zone->zone->apex, zone->guard_owner);
    if (error == HF_OK) {
        error = hf_target_open(&enact->loop, zone->target, zone->zone->apex, &zone->key,
                               &zone->has_key, &zone->dns);
    }
    if (error == HF_OK) {
        error = hf_dns_open_twin(zone->dns, &zone->fast);
        assert(error == HF_OK); /* the same options were good enough just now */
    }
    if (error != HF_OK) {
        return error;
    }
    /* Counters go on from the wall clock: no value is used by two lives of one enactor. */
    struct hf_enactor_options options = {
        .write_count = enact->started_ms * 1000,
        .instance = enact->instance,
        .writer = 0,
        .audit_ms = zone->target->audit_ms,
        .batch = zone->target->batch,
        .window_max = zone->target->window,
        .offset = enact->options->offset,
        .share = enact->options->share,
    };
    zone->memory = calloc(1, hf_enactor_layout(&options, LANES_FIRST));
    zone->lane_rows = calloc(LANES_FIRST, sizeof(*zone->lane_rows));
    if (zone->memory == NULL || zone->lane_rows == NULL) {
        abort();
    }
    hf_enactor_init(&zone->machine, &options, zone->memory, LANES_FIRST);
    hf_enact_note_room(zone);
    uv_timer_init(&enact->loop, &zone->timer);
    zone->timer.data = zone;
    return HF_OK;
}

void hf_enact_zone_release(struct hf_enact_zone *zone)
{
    while (zone->raws != NULL) {
        raw_keep(zone, zone->raws->lane, NULL);
    }
    if (zone->has_key) {
        hf_tsig_release(&zone->key);
    }
    hf_past_release(&zone->past);
    free(zone->memory);
    free(zone->lane_rows);
    free(zone->refused_words);
}
