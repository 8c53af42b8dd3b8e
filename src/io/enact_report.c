/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/enact_internal.h"
#include "io/plan_store.h"
#include "io/wallclock.h"

enum { REPORT_BYTES_MAX = 16 * 1024 * 1024 };

struct report_job {
    struct hf_enact *enact;
    struct hf_buf json;
    char ref[sizeof("report/") + HF_WRITER_MAX];
};

static const char *state_of(const struct hf_enact_zone *zone)
{
    if (zone->why[0] != 0) {
        return "unreachable";
    }
    switch (zone->machine.state) {
    case HF_ZONE_OPEN:
        return "open";
    case HF_ZONE_FROZEN:
        return "frozen";
    case HF_ZONE_REFUSED:
        return "refused";
    default:
        return "starting";
    }
}

/* The names of the lanes in the set of a need. */
static void add_names(const struct hf_enact_zone *zone, enum hf_need need, uint32_t max,
                      struct hf_report_names *list, struct hf_arena *arena)
{
    const struct hf_bitset *set = &zone->machine.sets[need];
    char text[HF_NAME_TEXT_MAX];
    list->total += set->count;
    for (uint32_t at = hf_bitset_next(set, 0); at != HF_BITSET_NONE && list->count < max;
         at = hf_bitset_next(set, at + 1)) {
        hf_name_text(hf_plan_owner(&zone->enact->plan, zone->lane_rows[at]), text);
        list->names[list->count++] = hf_arena_copy(arena, text, strlen(text));
    }
}

static void fill_list(const struct hf_enact_zone *zone, enum hf_need need,
                      struct hf_report_names *list, struct hf_arena *arena)
{
    uint32_t count = zone->machine.sets[need].count;
    uint32_t max = count < HF_REPORT_NAMES_MAX ? count : HF_REPORT_NAMES_MAX;
    list->names = hf_arena_array(arena, max + 1, sizeof(*list->names));
    add_names(zone, need, max, list, arena);
}

static void fill_waiting(const struct hf_enact_zone *zone, struct hf_report_names *list,
                         struct hf_arena *arena)
{
    static const enum hf_need needs[] = {HF_NEED_FAST, HF_NEED_CROWD, HF_NEED_WRITE, HF_NEED_READ,
                                         HF_NEED_HEAD};
    list->names = hf_arena_array(arena, HF_REPORT_WAITING_MAX, sizeof(*list->names));
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        add_names(zone, needs[i], HF_REPORT_WAITING_MAX, list, arena);
    }
}

static const char *why_of(const struct hf_enact_zone *zone, struct hf_arena *arena)
{
    if (zone->why[0] != 0) {
        return zone->why;
    }
    if (zone->machine.state != HF_ZONE_REFUSED) {
        return "";
    }
    struct hf_buf text;
    hf_buf_init(&text, HF_ENACT_WHY_MAX);
    switch (zone->machine.guard.kind) {
    case HF_FENCE_ALIEN:
        hf_buf_printf(&text, "the zone's guard names owner %s%s", zone->guard_owner_seen,
                      strcmp(zone->guard_owner_seen, zone->enact->config->installation) == 0
                          ? " with another store"
                          : "");
        break;
    case HF_FENCE_ABSENT:
        hf_buf_put_text(&text, "the zone has fences and no guard, and this store knows neither");
        break;
    default:
        hf_buf_put_text(&text, "the zone's guard is damaged");
        break;
    }
    hf_buf_printf(&text, "; take it over with: holdfast adopt --zone %s", zone->zone->name);
    const char *copy = hf_arena_copy(arena, text.bytes, text.size);
    hf_buf_release(&text);
    return copy;
}

static void fill_zone(const struct hf_enact_zone *zone, struct hf_report_zone *report,
                      struct hf_arena *arena)
{
    const struct hf_enactor *machine = &zone->machine;
    static const struct {
        enum hf_report_list list;
        enum hf_need need;
    } lists[] = {
        {HF_REPORT_CLAIMED, HF_NEED_CLAIM}, {HF_REPORT_GONE, HF_NEED_GONE},
        {HF_REPORT_STAMP, HF_NEED_STAMP},   {HF_REPORT_AHEAD, HF_NEED_HISTORY},
        {HF_REPORT_FOREIGN, HF_NEED_ADOPT}, {HF_REPORT_CONTESTED, HF_NEED_PEACE},
    };
    *report = (struct hf_report_zone){
        .zone = zone->zone->name,
        .state = state_of(zone),
        .why = why_of(zone, arena),
        .floor = machine->guard.floor,
        .ahead_gen = machine->ahead_gen,
        .plan_gen = machine->plan_gen,
        .endpoints = machine->planned,
        .in_step = machine->in_step,
        .behind = machine->planned - machine->in_step,
        .written = machine->counters.written,
        .refused = machine->counters.refused,
        .unknown = machine->counters.unknown,
        .healed = machine->counters.healed,
        .messages = machine->counters.messages,
        .read = machine->counters.read,
        .latency_ms = machine->latency_ms,
        .window = machine->window_256 / 256,
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        fill_list(zone, lists[i].need, &report->lists[lists[i].list], arena);
    }
    fill_waiting(zone, &report->lists[HF_REPORT_WAITING], arena);
}

static int report_job_run(void *context, struct hf_store *store, int open_error)
{
    struct report_job *job = context;
    return store == NULL ? open_error : hf_document_put(store, job->ref, &job->json);
}

static void report_job_done(void *context, int result, const char *why)
{
    struct report_job *job = context;
    (void)why; /* trouble with the store is said by loading */
    if (result != HF_OK) {
        job->enact->reported_hash = 0;
    }
    job->enact->reporting = false;
    hf_buf_release(&job->json);
    free(job);
}

/* Encodes the report; its hash leaves out the times, so that only news are written. */
static uint64_t encode(struct hf_enact *enact, struct hf_buf *json)
{
    struct hf_report report = {.enactor = enact->options->name,
                               .trouble = enact->trouble,
                               .pid = getpid(),
                               .started_ms = enact->started_ms,
                               .zone_count = enact->config->zone_count};
    hf_arena_init(&report.arena, REPORT_BYTES_MAX);
    report.zones = hf_arena_array(&report.arena, report.zone_count + 1U, sizeof(*report.zones));
    for (uint32_t i = 0; i < report.zone_count; i++) {
        fill_zone(&enact->zones[i], &report.zones[i], &report.arena);
    }
    hf_enact_note_tell(enact, &report);
    hf_report_encode(&report, json);
    uint64_t hash = hf_hash64(json->bytes, json->size);
    hf_buf_clear(json);
    report.at_ms = hf_wallclock_ms();
    hf_report_encode(&report, json);
    hf_arena_release(&report.arena);
    return hash;
}

void hf_enact_report(struct hf_enact *enact)
{
    if (enact->reporting || enact->stopping) {
        return;
    }
    struct hf_buf json;
    hf_buf_init(&json, REPORT_BYTES_MAX);
    uint64_t hash = encode(enact, &json);
    uint64_t now = uv_now(&enact->loop);
    bool due = now - enact->reported_ms >= HF_REPORT_ALIVE_MS;
    if ((hash == enact->reported_hash && !due) || hf_buf_error(&json) != HF_OK) {
        hf_buf_release(&json);
        return;
    }
    struct report_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    job->enact = enact;
    job->json = json;
    (void)snprintf(job->ref, sizeof(job->ref), "report/%s", enact->options->name);
    enact->reported_hash = hash;
    enact->reported_ms = now;
    enact->reporting = true;
    if (hf_store_async_submit(enact->store, report_job_run, report_job_done, job) != HF_OK) {
        report_job_done(job, HF_EBUSY, NULL);
    }
}
