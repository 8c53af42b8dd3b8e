/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notes of what came of writes. A note is a few numbers in a ring: a rollout of a million endpoints
 * leaves the latest of each kind, and costs a store for each of those that a message's kept notes
 * have room for.
 */
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"
#include "io/wallclock.h"

static void put(struct hf_enact_zone *zone, enum hf_write_kind kind, uint32_t lane,
                struct hf_enact_note note)
{
    struct hf_enact_notes *notes = &zone->enact->notes;
    note.zone = (uint32_t)(zone - zone->enact->zones);
    note.lane = lane;
    note.number = ++notes->number;
    notes->rows[kind][notes->counts[kind]++ % HF_REPORT_WRITES_MAX] = note;
}

void hf_enact_note_room(struct hf_enact_zone *zone)
{
    struct hf_bitset before = zone->refused;
    uint32_t room = zone->machine.lane_room;
    uint64_t *words = calloc(hf_bitset_words(room), sizeof(*words));
    if (words == NULL) {
        abort();
    }
    hf_bitset_init(&zone->refused, words, room);
    for (uint32_t at = before.count > 0 ? hf_bitset_next(&before, 0) : HF_BITSET_NONE;
         at != HF_BITSET_NONE; at = hf_bitset_next(&before, at + 1)) {
        hf_bitset_add(&zone->refused, at);
    }
    free(zone->refused_words);
    zone->refused_words = words;
}

void hf_enact_note_write(struct hf_enact_zone *zone, enum hf_result result, uint32_t lane_first)
{
    const struct hf_lane *lanes = zone->machine.lanes;
    uint64_t now_ms = hf_wallclock_ms();
    uint32_t left = HF_REPORT_WRITES_MAX;
    for (uint32_t at = lane_first; at != HF_BITSET_NONE; at = lanes[at].next) {
        const struct hf_lane *lane = &lanes[at];
        if (result == HF_RESULT_REFUSED) {
            hf_bitset_add(&zone->refused, at);
            continue;
        }
        hf_bitset_remove(&zone->refused, at);
        bool is_healed = result == HF_RESULT_OK && hf_lane_was_healed(lane);
        if (left > 0 || is_healed) {
            left -= left > 0;
            put(zone,
                is_healed                ? HF_WRITE_HEALED
                : result == HF_RESULT_OK ? HF_WRITE_DONE
                                         : HF_WRITE_UNKNOWN,
                at,
                (struct hf_enact_note){
                    .at_ms = now_ms, .gen = lane->sent_gen, .met_writer = UINT32_MAX});
        }
    }
}

void hf_enact_note_seen(struct hf_enact_zone *zone, const struct hf_enactor_event *event)
{
    if (event->fence.kind == HF_FENCE_UNKNOWN || !hf_bitset_has(&zone->refused, event->lane)) {
        return;
    }
    hf_bitset_remove(&zone->refused, event->lane);
    const struct hf_lane *lane = &zone->machine.lanes[event->lane];
    const struct hf_fence *met = &event->fence;
    bool is_ours = met->kind == HF_FENCE_OURS;
    enum hf_write_kind kind = HF_WRITE_REFUSED;
    if (is_ours && met->gen > lane->sent_gen) {
        kind = HF_WRITE_STALE;
    } else if (is_ours && met->gen == lane->sent_gen) {
        kind = HF_WRITE_LOST;
    }
    put(zone, kind, event->lane,
        (struct hf_enact_note){.at_ms = hf_wallclock_ms(),
                               .gen = lane->sent_gen,
                               .met_gen = is_ours ? met->gen : 0,
                               .met_writer = is_ours ? met->writer : UINT32_MAX});
}

static int compare(const void *a, const void *b)
{
    const struct hf_report_write *one = a;
    const struct hf_report_write *other = b;
    return one->number < other->number ? -1 : one->number > other->number;
}

static void tell(struct hf_enact *enact, const struct hf_enact_note *note, enum hf_write_kind kind,
                 struct hf_report *report)
{
    const struct hf_enact_zone *zone = &enact->zones[note->zone];
    char name[HF_NAME_TEXT_MAX];
    hf_name_text(hf_plan_owner(&enact->plan, zone->lane_rows[note->lane]), name);
    report->writes[report->write_count++] = (struct hf_report_write){
        .number = note->number,
        .at_ms = note->at_ms,
        .zone = zone->zone->name,
        .endpoint = hf_arena_copy(&report->arena, name, strlen(name)),
        .met_writer = note->met_writer == UINT32_MAX ? "" : enact->writers[note->met_writer],
        .gen = note->gen,
        .met_gen = note->met_gen,
        .kind = kind,
    };
}

void hf_enact_note_tell(struct hf_enact *enact, struct hf_report *report)
{
    const struct hf_enact_notes *notes = &enact->notes;
    report->writes = hf_arena_array(&report->arena, HF_REPORT_WRITES_MAX * HF_WRITE_KINDS,
                                    sizeof(*report->writes));
    for (int kind = 0; kind < HF_WRITE_KINDS; kind++) {
        for (uint32_t i = 0; i < notes->counts[kind] && i < HF_REPORT_WRITES_MAX; i++) {
            tell(enact, &notes->rows[kind][i], (enum hf_write_kind)kind, report);
        }
    }
    qsort(report->writes, report->write_count, sizeof(*report->writes), compare);
}
