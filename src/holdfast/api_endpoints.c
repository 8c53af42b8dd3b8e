/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Endpoints, searched and filtered: a walk over all names, however few of them are shown. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/api.h"

/* Most important first: what the list shows as the state. */
#define STATES(X)                                                                                  \
    X(RETIRED, "retired")                                                                          \
    X(CONTESTED, "contested")                                                                      \
    X(FOREIGN, "foreign")                                                                          \
    X(AHEAD, "ahead")                                                                              \
    X(HELD, "held")                                                                                \
    X(BEHIND, "behind")                                                                            \
    X(FROZEN, "frozen")                                                                            \
    X(NOT_PLANNED, "not-planned")                                                                  \
    X(ORPHAN, "orphan")                                                                            \
    X(PINNED, "pinned")                                                                            \
    X(UNKNOWN, "unknown")                                                                          \
    X(IN_STEP, "in-step")

enum state {
#define STATE_NUMBER(name, text) STATE_##name,
    STATES(STATE_NUMBER)
#undef STATE_NUMBER
        STATE_COUNT
};

static const char *const state_names[STATE_COUNT] = {
#define STATE_NAME(name, text) text,
    STATES(STATE_NAME)
#undef STATE_NAME
};

#define STATE_WORDS                                                                                \
    "in-step behind unknown held contested foreign ahead frozen pinned retired orphan not-planned"

/* What is known of all endpoints of a zone. */
struct zone {
    const struct hf_report_zone *report; /* or NULL */
    bool is_frozen, is_cut;              /* more of its endpoints wait than are named */
};

struct states {
    const struct hf_api *api;
    uint16_t *marks; /* of each plan row: bits of what lists say */
    struct zone *zones;
};

static void mark(struct states *states, const char *name, size_t size, enum state state)
{
    char text[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    if (size >= sizeof(text)) {
        return;
    }
    memcpy(text, name, size);
    text[size] = 0;
    const struct hf_plan *plan = &states->api->look->plan;
    uint32_t row = hf_name_parse(text, owner) == HF_OK ? hf_plan_find(plan, owner) : UINT32_MAX;
    if (row != UINT32_MAX) {
        states->marks[row] |= (uint16_t)(1U << state);
    }
}

static void mark_zone(struct states *states, uint32_t number)
{
    static const struct {
        enum hf_report_list list;
        enum state state;
    } lists[] = {
        {HF_REPORT_CONTESTED, STATE_CONTESTED}, {HF_REPORT_FOREIGN, STATE_FOREIGN},
        {HF_REPORT_AHEAD, STATE_AHEAD},         {HF_REPORT_STAMP, STATE_AHEAD},
        {HF_REPORT_WAITING, STATE_BEHIND},
    };
    const struct hf_look *look = states->api->look;
    const char *name = look->config->zones[number].name;
    struct zone *zone = &states->zones[number];
    zone->report = hf_status_zone(look, name);
    zone->is_frozen = hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, "*") != NULL ||
                      hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, name) != NULL;
    if (zone->report == NULL) {
        return;
    }
    zone->is_frozen = zone->is_frozen || strcmp(zone->report->state, "frozen") == 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct hf_report_names *names = &zone->report->lists[lists[i].list];
        for (uint32_t k = 0; k < names->count; k++) {
            mark(states, names->names[k], strlen(names->names[k]), lists[i].state);
        }
        zone->is_cut = zone->is_cut || names->total > names->count;
    }
}

static void states_init(struct states *states, const struct hf_api *api)
{
    const struct hf_look *look = api->look;
    *states = (struct states){.api = api};
    states->marks = calloc(look->plan.entry_count + 1U, sizeof(*states->marks));
    states->zones = calloc(look->config->zone_count + 1U, sizeof(*states->zones));
    if (states->marks == NULL || states->zones == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < look->config->zone_count; i++) {
        mark_zone(states, i);
    }
    struct hf_held_line line;
    const char *at = look->has_planner ? look->planner.held_lines : "";
    while (hf_held_next(&at, &line)) {
        mark(states, line.name, (size_t)line.name_size, STATE_HELD);
    }
}

static void states_release(struct states *states)
{
    free(states->marks);
    free(states->zones);
}

static uint16_t bit(enum state state)
{
    return (uint16_t)(1U << state);
}

/* All states that hold; entry: of its row, where it has one. */
static uint16_t states_of(const struct states *states, const struct hf_api_name *name,
                          const struct hf_plan_entry *entry)
{
    const struct zone none = {0};
    const struct zone *zone = name->zone != UINT32_MAX ? &states->zones[name->zone] : &none;
    uint16_t bits = zone->is_frozen ? bit(STATE_FROZEN) : 0;
    if (name->row == UINT32_MAX) {
        return bits | bit(STATE_NOT_PLANNED);
    }
    bool is_retired = (entry->flags & HF_ROW_RETIRED) != 0;
    bits |= states->marks[name->row];
    bits |= is_retired ? bit(STATE_RETIRED) : 0;
    bits |= !is_retired && name->endpoint == UINT32_MAX ? bit(STATE_ORPHAN) : 0;
    bits |= (entry->flags & HF_ROW_PINNED) != 0 ? bit(STATE_PINNED) : 0;
    const uint16_t odd =
        bit(STATE_CONTESTED) | bit(STATE_FOREIGN) | bit(STATE_AHEAD) | bit(STATE_BEHIND);
    if ((bits & odd) != 0) {
        return bits;
    }
    if (zone->report != NULL && entry->gen > zone->report->plan_gen) {
        return bits | bit(STATE_BEHIND);
    }
    bool is_known = zone->report != NULL && !(zone->is_cut && zone->report->behind > 0);
    return bits | bit(is_known ? STATE_IN_STEP : STATE_UNKNOWN);
}

/* --- filters --- */

struct filter {
    const struct hf_api *api;
    char search[HF_NAME_TEXT_MAX];
    const char *after;
    bool is_prefix, needs_entry;
    uint32_t state;      /* STATE_COUNT: any */
    uint32_t zone;       /* UINT32_MAX: any */
    uint32_t pool;       /* UINT32_MAX: any */
    const char *backend; /* or NULL */
};

static bool has_pool(const struct hf_config *config, uint32_t endpoint, uint32_t pool)
{
    if (endpoint == UINT32_MAX) {
        return false;
    }
    const struct hf_config_endpoint *row = &config->endpoints[endpoint];
    for (uint32_t i = 0; i < row->pool_count; i++) {
        if (config->endpoint_pools[row->pool_first + i] == pool) {
            return true;
        }
    }
    return false;
}

static bool has_member(const struct hf_plan *plan, const struct hf_plan_entry *entry,
                       const char *backend)
{
    struct hf_plan_walk walk = hf_plan_walk(&entry->members);
    for (uint32_t number; hf_plan_walk_next(&walk, &number);) {
        if (strcmp(plan->backends[number].name, backend) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct filter *filter, const struct states *states,
                      const struct hf_api_name *name)
{
    const struct hf_look *look = filter->api->look;
    const char *text = filter->api->names.texts + name->text;
    if (filter->search[0] != 0) {
        const char *found = strstr(text, filter->search);
        if (found == NULL || (filter->is_prefix && found != text)) {
            return false;
        }
    }
    if ((filter->zone != UINT32_MAX && name->zone != filter->zone) ||
        (filter->pool != UINT32_MAX && !has_pool(look->config, name->endpoint, filter->pool))) {
        return false;
    }
    if (!filter->needs_entry) {
        return true;
    }
    struct hf_plan_entry entry = {0};
    if (name->row != UINT32_MAX) {
        hf_plan_get(&look->plan, name->row, &entry);
    }
    if (filter->backend != NULL &&
        (name->row == UINT32_MAX || !has_member(&look->plan, &entry, filter->backend))) {
        return false;
    }
    return filter->state == STATE_COUNT ||
           (states_of(states, name, &entry) >> filter->state & 1) != 0;
}

static bool find_row(struct hf_api_call *call, const char *name,
                     uint32_t (*find)(const struct hf_config *, const char *), uint32_t *ret_row)
{
    const char *given = hf_api_value(call, name);
    *ret_row = given != NULL ? find(call->api->config, given) : UINT32_MAX;
    if (given != NULL && *ret_row == UINT32_MAX) {
        hf_api_fail(call, 400, "bad-request", "%s: %s is not in the configuration", name, given);
        return false;
    }
    return true;
}

static bool filter_init(struct hf_api_call *call, struct filter *filter)
{
    *filter = (struct filter){.api = call->api,
                              .after = hf_api_value(call, "after"),
                              .backend = hf_api_value(call, "backend"),
                              .is_prefix = hf_api_is(call, "match", "prefix"),
                              .state = STATE_COUNT};
    const char *search = hf_api_value(call, "search");
    for (size_t i = 0; search != NULL && search[i] != 0 && i + 1 < sizeof(filter->search); i++) {
        filter->search[i] = (char)tolower((unsigned char)search[i]);
    }
    const char *state = hf_api_value(call, "state");
    for (uint32_t i = 0; state != NULL && i < STATE_COUNT; i++) {
        filter->state = strcmp(state, state_names[i]) == 0 ? i : filter->state;
    }
    filter->needs_entry = state != NULL || filter->backend != NULL;
    return hf_api_one_of(call, "match", "part prefix") &&
           hf_api_one_of(call, "state", STATE_WORDS) &&
           find_row(call, "zone", hf_config_find_zone, &filter->zone) &&
           find_row(call, "pool", hf_config_find_pool, &filter->pool);
}

/* --- rows --- */

static void put_pools(const struct hf_config *config, uint32_t endpoint, struct hf_json *json)
{
    hf_json_key(json, "pools");
    hf_json_array(json);
    if (endpoint != UINT32_MAX) {
        const struct hf_config_endpoint *row = &config->endpoints[endpoint];
        for (uint32_t i = 0; i < row->pool_count; i++) {
            hf_json_text(json, config->pools[config->endpoint_pools[row->pool_first + i]].name);
        }
    }
    hf_json_array_end(json);
}

static void put_states(uint16_t bits, struct hf_json *json)
{
    uint32_t first = 0;
    while (first + 1 < STATE_COUNT && (bits >> first & 1) == 0) {
        first++;
    }
    hf_json_put_text(json, "state", state_names[first]);
    hf_json_key(json, "states");
    hf_json_array(json);
    for (uint32_t i = 0; i < STATE_COUNT; i++) {
        if ((bits >> i & 1) != 0) {
            hf_json_text(json, state_names[i]);
        }
    }
    hf_json_array_end(json);
}

static void put_row(const struct states *states, const struct hf_api_name *name,
                    struct hf_json *json)
{
    const struct hf_look *look = states->api->look;
    const struct hf_plan *plan = &look->plan;
    const char *zone = name->zone != UINT32_MAX ? look->config->zones[name->zone].name : "";
    struct hf_plan_entry entry = {.cause_backend = UINT32_MAX};
    if (name->row != UINT32_MAX) {
        hf_plan_get(plan, name->row, &entry);
    }
    hf_json_object(json);
    hf_json_put_text(json, "name", states->api->names.texts + name->text);
    hf_json_put_text(json, "zone", zone);
    hf_json_put_text(json, "target", hf_look_target(look, zone));
    put_states(states_of(states, name, &entry), json);
    hf_json_put_u64(json, "generation", entry.gen);
    hf_look_json_time(json, "changed_ms", entry.changed_ms);
    hf_json_put_text(json, "cause", hf_cause_name((enum hf_cause)entry.cause));
    hf_json_put_text(json, "backend",
                     entry.cause_backend < plan->backend_count
                         ? plan->backends[entry.cause_backend].name
                         : NULL);
    hf_json_put_u64(json, "addresses", entry.records.a_count + entry.records.aaaa_count);
    hf_json_put_u64(json, "ttl_s", entry.records.ttl_s);
    put_pools(look->config, name->endpoint, json);
    hf_json_object_end(json);
}

static void put_page(struct hf_api_call *call, const struct filter *filter, uint64_t limit)
{
    const struct hf_api_names *names = &call->api->names;
    struct hf_json *json = &call->json;
    struct states states;
    uint64_t total = 0;
    uint64_t shown = 0;
    const char *last = NULL;
    bool has_more = false;
    states_init(&states, call->api);
    hf_look_json_head(call->api->look, json);
    hf_json_key(json, "endpoints");
    hf_json_array(json);
    for (uint32_t i = 0; i < names->count; i++) {
        const struct hf_api_name *name = &names->rows[i];
        if (!is_wanted(filter, &states, name)) {
            continue;
        }
        total++;
        const char *text = names->texts + name->text;
        if (filter->after != NULL && strcmp(text, filter->after) <= 0) {
            continue;
        }
        if (shown < limit) {
            put_row(&states, name, json);
            shown++;
            last = text;
        } else {
            has_more = true;
        }
    }
    hf_json_array_end(json);
    hf_json_put_u64(json, "total", total);
    hf_api_put_next(call, has_more ? last : NULL);
    hf_json_object_end(json);
    states_release(&states);
}

static void endpoints(struct hf_api_call *call)
{
    struct filter filter;
    uint64_t limit;
    if (filter_init(call, &filter) &&
        hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit)) {
        put_page(call, &filter, limit);
    }
}

const struct hf_api_route hf_api_routes_endpoints[] = {
    {"GET", "/api/v1/endpoints", "search match state zone pool backend limit after", endpoints,
     false},
    {0},
};
