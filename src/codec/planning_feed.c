/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes into the planner machine, and what comes out of it as entries. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/planning_internal.h"

enum {
    PIN_LINE_MAX = 256,
    PINS_MAX = 1024, /* members in one pin */
};

void hf_planning_step(struct hf_planning *planning, struct hf_planner_event *event, uint64_t now_ms,
                      struct hf_planner_outbox *outbox)
{
    event->now_ms = now_ms;
    hf_planner_step(&planning->planner, event, outbox);
}

void hf_planning_entry(struct hf_planning *planning, uint32_t endpoint,
                       struct hf_plan_entry *ret_entry)
{
    hf_plan_get(planning->plan, planning->endpoint_rows[endpoint], ret_entry);
    uint32_t count = ret_entry->members.count;
    if (count > planning->served_room) {
        planning->served = realloc(planning->served, (size_t)count * sizeof(*planning->served));
        if (planning->served == NULL) {
            abort();
        }
        planning->served_room = count;
    }
    hf_plan_members_unpack(&ret_entry->members, planning->served);
    planning->served_count = count;
}

bool hf_planning_serves(const struct hf_planning *planning, uint32_t number)
{
    uint32_t low = 0;
    uint32_t high = planning->served_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (planning->served[middle] == number) {
            return true;
        }
        if (planning->served[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

const char *hf_planning_backend_name(const struct hf_planning *planning, uint32_t backend)
{
    return planning->plan->backends[planning->backend_numbers[backend]].name;
}

/* --- adopting the head plan --- */

static bool answers(const uint8_t *bytes, uint16_t count, const uint8_t *address, size_t size)
{
    for (uint16_t i = 0; i < count; i++) {
        if (memcmp(bytes + i * size, address, size) == 0) {
            return true;
        }
    }
    return false;
}

static void set_bit(uint8_t *bits, uint32_t bit)
{
    bits[bit / 8] |= (uint8_t)(1U << (bit % 8));
}

static bool has_bit(const uint8_t *bits, uint32_t bit)
{
    return (bits[bit / 8] >> (bit % 8) & 1) != 0;
}

static void adopt(struct hf_planning *planning, uint32_t number, uint8_t *in, uint8_t *pick_a,
                  uint8_t *pick_aaaa)
{
    const struct hf_fleet_endpoint *endpoint = &planning->endpoints[number];
    struct hf_plan_entry entry;
    hf_planning_entry(planning, number, &entry);
    const struct hf_records *records = &entry.records;
    size_t size = hf_fleet_octets(endpoint->member_count) * sizeof(*in);
    memset(in, 0, size);
    memset(pick_a, 0, size);
    memset(pick_aaaa, 0, size);
    for (uint32_t i = 0; i < endpoint->member_count; i++) {
        uint32_t backend = planning->members[endpoint->member_first + i];
        uint32_t plan_number = planning->backend_numbers[backend];
        if (!hf_planning_serves(planning, plan_number)) {
            continue;
        }
        const struct hf_plan_backend *row = &planning->plan->backends[plan_number];
        set_bit(in, i);
        if (row->has_a && answers(records->bytes, records->a_count, row->a, 4)) {
            set_bit(pick_a, i);
        }
        if (row->has_aaaa &&
            answers(records->bytes + records->a_count * 4U, records->aaaa_count, row->aaaa, 16)) {
            set_bit(pick_aaaa, i);
        }
    }
    uint32_t cause_backend = entry.cause_backend == UINT32_MAX
                                 ? UINT32_MAX
                                 : planning->number_backends[entry.cause_backend];
    struct hf_planner_row row = {.budget = entry.budget,
                                 .gen = entry.gen,
                                 .ttl_s = records->ttl_s,
                                 .cause_backend = cause_backend,
                                 .flags = entry.flags,
                                 .cause = entry.cause};
    hf_planner_adopt(&planning->planner, number, &row, in, pick_a, pick_aaaa);
}

void hf_planning_adopt_all(struct hf_planning *planning)
{
    uint32_t octets = hf_fleet_octets(planning->members_max);
    uint8_t *bits = calloc((size_t)octets * 3 + 1, sizeof(*bits));
    if (bits == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < planning->fleet.endpoint_count; i++) {
        if (hf_plan_gen(planning->plan, planning->endpoint_rows[i]) != 0) {
            adopt(planning, i, bits, bits + octets, bits + 2 * octets);
        }
    }
    free(bits);
}

/* --- overrides --- */

/* The next word of a line, cut off with a NUL; NULL at the end. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " ");
    size_t size = strcspn(word, " ");
    *at = word + size;
    if (size == 0) {
        return NULL;
    }
    if (**at != 0) {
        *(*at)++ = 0;
    }
    return word;
}

static bool pin_line(struct hf_planning *planning, const char *line, size_t size,
                     uint32_t *ret_number)
{
    char text[PIN_LINE_MAX];
    if (size == 0 || size >= sizeof(text)) {
        return false;
    }
    memcpy(text, line, size);
    text[size] = 0;
    char *rest = text;
    struct hf_plan_backend backend = {.name = next_word(&rest)}; /* capacity: what is known */
    for (char *word = next_word(&rest); word != NULL; word = next_word(&rest)) {
        backend.has_a = backend.has_a || inet_pton(AF_INET, word, backend.a) == 1;
        backend.has_aaaa = backend.has_aaaa || inet_pton(AF_INET6, word, backend.aaaa) == 1;
    }
    if (backend.name == NULL || (!backend.has_a && !backend.has_aaaa)) {
        return false;
    }
    *ret_number = hf_plan_backend_number(planning->plan, &backend);
    return true;
}

uint32_t *hf_planning_pin_members(struct hf_planning *planning, const uint8_t *owner,
                                  const struct hf_overrides *overrides, uint32_t *ret_count)
{
    char name[HF_NAME_TEXT_MAX];
    *ret_count = 0;
    if (overrides->count == 0) {
        return NULL;
    }
    hf_name_text(owner, name);
    const struct hf_override *pin = hf_overrides_find(overrides, HF_OVERRIDE_PIN, name);
    if (pin == NULL) {
        return NULL;
    }
    uint32_t *numbers = calloc(PINS_MAX, sizeof(*numbers));
    if (numbers == NULL) {
        abort();
    }
    uint32_t count = 0;
    for (const char *line = pin->text; *line != 0 && count < PINS_MAX;) {
        size_t size = strcspn(line, "\n");
        count += pin_line(planning, line, size, &numbers[count]);
        line += size + (line[size] == '\n');
    }
    *ret_count = count;
    return numbers;
}

void hf_planning_pin_numbers(struct hf_planning *planning, const struct hf_overrides *overrides)
{
    for (uint32_t i = 0; i < overrides->count; i++) {
        uint8_t owner[HF_NAME_MAX];
        uint32_t count;
        if (overrides->items[i].kind == HF_OVERRIDE_PIN &&
            hf_name_parse(overrides->items[i].subject, owner) == HF_OK) {
            free(hf_planning_pin_members(planning, owner, overrides, &count));
        }
    }
}

static void feed_pin(struct hf_planning *planning, uint32_t number, const uint32_t *pinned,
                     uint32_t pinned_count, uint64_t now_ms)
{
    const struct hf_fleet_endpoint *endpoint = &planning->endpoints[number];
    uint8_t *bits = calloc(hf_fleet_octets(endpoint->member_count) + 1U, sizeof(*bits));
    if (bits == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < endpoint->member_count; i++) {
        uint32_t backend = planning->members[endpoint->member_first + i];
        for (uint32_t k = 0; k < pinned_count; k++) {
            if (planning->backend_numbers[backend] == pinned[k]) {
                set_bit(bits, i);
            }
        }
    }
    struct hf_planner_outbox outbox;
    struct hf_planner_event event = {.type = HF_PLANNER_PIN, .endpoint = number, .bits = bits};
    hf_planning_step(planning, &event, now_ms, &outbox);
    free(bits);
}

static void feed_endpoint(struct hf_planning *planning, uint32_t number,
                          enum hf_planner_event_type type, uint64_t now_ms)
{
    struct hf_planner_outbox outbox;
    struct hf_planner_event event = {.type = (uint8_t)type, .endpoint = number};
    hf_planning_step(planning, &event, now_ms, &outbox);
}

/* The endpoint that an override speaks of, or UINT32_MAX. */
static uint32_t endpoint_of(const struct hf_planning *planning, const struct hf_override *item)
{
    uint8_t owner[HF_NAME_MAX];
    if (hf_name_parse(item->subject, owner) != HF_OK) {
        return UINT32_MAX;
    }
    uint32_t row = hf_plan_find(planning->plan, owner);
    return row < planning->row_count ? planning->row_endpoints[row] : UINT32_MAX;
}

static void take_back(struct hf_planning *planning, const struct hf_overrides *overrides,
                      uint64_t now_ms)
{
    for (uint32_t i = 0; i < planning->fleet.endpoint_count; i++) {
        struct hf_plan_entry entry;
        if (hf_plan_gen(planning->plan, planning->endpoint_rows[i]) == 0) {
            continue;
        }
        hf_plan_get(planning->plan, planning->endpoint_rows[i], &entry);
        if ((entry.flags & (HF_ROW_PINNED | HF_ROW_RETIRED)) == 0) {
            continue;
        }
        char name[HF_NAME_TEXT_MAX];
        hf_name_text(entry.owner, name);
        if (entry.flags & HF_ROW_PINNED &&
            hf_overrides_find(overrides, HF_OVERRIDE_PIN, name) == NULL) {
            feed_endpoint(planning, i, HF_PLANNER_UNPIN, now_ms);
        }
        if (entry.flags & HF_ROW_RETIRED &&
            hf_overrides_find(overrides, HF_OVERRIDE_RETIRE, name) == NULL) {
            feed_endpoint(planning, i, HF_PLANNER_UNRETIRE, now_ms);
        }
    }
}

void hf_planning_drains(struct hf_planning *planning, const struct hf_overrides *overrides,
                        uint64_t now_ms)
{
    const struct hf_config *config = planning->config;
    for (uint32_t i = 0; i < config->backend_count; i++) {
        const struct hf_config_backend *backend = &config->backends[i];
        bool on = overrides->count > 0 &&
                  (hf_overrides_find(overrides, HF_OVERRIDE_DRAIN_BACKEND, backend->name) != NULL ||
                   hf_overrides_find(overrides, HF_OVERRIDE_DRAIN_SITE,
                                     config->sites[backend->site]) != NULL);
        if (on == (planning->planner.drained[i] == 1)) {
            continue;
        }
        struct hf_planner_outbox outbox;
        struct hf_planner_event event = {.type = HF_PLANNER_DRAIN, .backend = i, .on = on};
        hf_planning_step(planning, &event, now_ms, &outbox);
    }
}

void hf_planning_feed_overrides(struct hf_planning *planning, const struct hf_overrides *overrides,
                                uint64_t now_ms)
{
    take_back(planning, overrides, now_ms);
    hf_planning_drains(planning, overrides, now_ms);
    for (uint32_t i = 0; i < overrides->count; i++) {
        const struct hf_override *item = &overrides->items[i];
        if (item->kind != HF_OVERRIDE_PIN && item->kind != HF_OVERRIDE_RETIRE) {
            continue;
        }
        uint32_t number = endpoint_of(planning, item);
        if (number == UINT32_MAX) {
            continue;
        }
        if (item->kind == HF_OVERRIDE_RETIRE) {
            feed_endpoint(planning, number, HF_PLANNER_RETIRE, now_ms);
            continue;
        }
        uint32_t count;
        const uint8_t *owner = hf_plan_owner(planning->plan, planning->endpoint_rows[number]);
        uint32_t *pinned = hf_planning_pin_members(planning, owner, overrides, &count);
        feed_pin(planning, number, pinned, count, now_ms);
        free(pinned);
    }
}

/* --- entries --- */

struct entry_room {
    uint8_t a[HF_RECORDS_MAX * 4];
    uint8_t aaaa[HF_RECORDS_MAX * 16];
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    uint32_t *members;
    uint8_t *packed; /* members */
};

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Numbers of a pool are in order as they come, unless some were made later. */
static void sort_numbers(uint32_t *numbers, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (numbers[i - 1] > numbers[i]) {
            qsort(numbers, count, sizeof(*numbers), compare_numbers);
            return;
        }
    }
}

static int fill_records(const struct hf_planning *planning, const struct hf_planner_entry *next,
                        struct entry_room *room, struct hf_plan_entry *entry)
{
    uint16_t a_count = 0;
    uint16_t aaaa_count = 0;
    uint32_t member_count = 0;
    for (uint32_t i = 0; i < next->member_count; i++) {
        uint32_t number = planning->backend_numbers[next->members[i]];
        const struct hf_plan_backend *backend = &planning->plan->backends[number];
        if (has_bit(next->in, i)) {
            room->members[member_count++] = number;
        }
        bool a = has_bit(next->pick_a, i);
        bool aaaa = has_bit(next->pick_aaaa, i);
        if ((a && a_count == HF_RECORDS_MAX) || (aaaa && aaaa_count == HF_RECORDS_MAX)) {
            return HF_ELIMIT;
        }
        if (a) {
            memcpy(room->a + a_count++ * 4U, backend->a, 4);
        }
        if (aaaa) {
            memcpy(room->aaaa + aaaa_count++ * 16U, backend->aaaa, 16);
        }
    }
    sort_numbers(room->members, member_count);
    entry->members = hf_plan_members_pack(room->members, member_count, room->packed);
    entry->records.a_count = hf_records_sort(room->a, a_count, 4);
    entry->records.aaaa_count = hf_records_sort(room->aaaa, aaaa_count, 16);
    memcpy(room->bytes, room->a, entry->records.a_count * 4U);
    memcpy(room->bytes + entry->records.a_count * 4U, room->aaaa, entry->records.aaaa_count * 16U);
    entry->records.bytes = room->bytes;
    return HF_OK;
}

static int fill_entry(struct hf_planning *planning, uint32_t endpoint, uint64_t gen,
                      uint64_t now_ms, struct entry_room *room)
{
    struct hf_planner_entry next;
    uint32_t row = planning->endpoint_rows[endpoint];
    struct hf_plan_entry before;
    hf_plan_get(planning->plan, row, &before);
    hf_planner_next(&planning->planner, endpoint, &next);
    struct hf_plan_entry entry = {.owner = before.owner};
    if (next.row->flags & HF_ROW_FORGOTTEN) {
        hf_plan_set(planning->plan, row, &entry);
        return HF_OK;
    }
    uint32_t cause = next.row->cause_backend;
    entry.gen = next.same_answer ? before.gen : gen;
    entry.changed_ms = next.same_answer ? before.changed_ms : now_ms;
    entry.budget = next.row->budget;
    entry.flags = next.row->flags;
    entry.cause = next.row->cause;
    if (cause != UINT32_MAX) {
        entry.cause_backend = planning->backend_numbers[cause];
    } else {
        /* The machine does not know a cause that has left the fleet since; the entry does. */
        bool kept = next.same_answer && entry.cause == before.cause;
        entry.cause_backend = kept ? before.cause_backend : UINT32_MAX;
    }
    entry.records.ttl_s = next.row->ttl_s;
    if ((next.row->flags & HF_ROW_RETIRED) == 0) {
        int error = fill_records(planning, &next, room, &entry);
        if (error != HF_OK) {
            return error;
        }
    }
    hf_plan_set(planning->plan, row, &entry);
    return HF_OK;
}

int hf_planning_fill(struct hf_planning *planning, uint64_t gen, uint64_t now_ms,
                     uint32_t *ret_rows, uint32_t *ret_count)
{
    const struct hf_bitset *publishing = &planning->planner.publishing;
    struct entry_room *room = calloc(1, sizeof(*room));
    if (room == NULL) {
        abort();
    }
    room->members = calloc(planning->members_max + 1U, sizeof(*room->members));
    room->packed = calloc(planning->members_max + 1U, HF_PLAN_MEMBER_OCTETS_MAX);
    if (room->members == NULL || room->packed == NULL) {
        abort();
    }
    int error = HF_OK;
    uint32_t count = 0;
    for (uint32_t at = hf_bitset_next(publishing, 0); at != HF_BITSET_NONE && error == HF_OK;
         at = hf_bitset_next(publishing, at + 1)) {
        error = fill_entry(planning, at, gen, now_ms, room);
        ret_rows[count++] = planning->endpoint_rows[at];
    }
    free(room->members);
    free(room->packed);
    free(room);
    *ret_count = error == HF_OK ? count : 0;
    return error;
}

/* --- what is held --- */

/* Appends a line to lines, and to named the same line without the reason. */
static void held_line(const struct hf_planning *planning, uint32_t endpoint, struct hf_buf *lines,
                      struct hf_buf *named)
{
    char name[HF_NAME_TEXT_MAX];
    struct hf_planner_entry now;
    hf_planner_now(&planning->planner, endpoint, &now);
    hf_name_text(hf_plan_owner(planning->plan, planning->endpoint_rows[endpoint]), name);
    hf_buf_put_text(named, name);
    hf_buf_printf(lines, "%s %s", name,
                  hf_hold_name((enum hf_hold)planning->planner.rows[endpoint].hold));
    for (uint32_t i = 0; i < now.member_count; i++) {
        enum hf_reason reason = hf_planner_reason(&planning->planner, endpoint, i);
        const char *member = hf_planning_backend_name(planning, now.members[i]);
        if (reason == HF_REASON_IN_HELD || reason == HF_REASON_OUT_PENDING) {
            const char *sign = reason == HF_REASON_IN_HELD ? "-" : "+";
            hf_buf_printf(lines, " %s%s", sign, member);
            hf_buf_printf(named, " %s%s", sign, member);
        }
    }
    hf_buf_put_u8(lines, '\n');
    hf_buf_put_u8(named, '\n');
}

void hf_planning_held(const struct hf_planning *planning, struct hf_buf *ret_lines,
                      struct hf_digest *ret_digest)
{
    const struct hf_bitset *held = &planning->planner.held;
    struct hf_buf named;
    hf_buf_init(&named, ret_lines->cap);
    for (uint32_t at = hf_bitset_next(held, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(held, at + 1)) {
        held_line(planning, at, ret_lines, &named);
    }
    hf_digest_of(named.bytes, named.size, ret_digest);
    hf_buf_release(&named);
}
