/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts of a scenario: names, resolvers, services, clients, leases and fleets.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/drill_reader.h"
#include "codec/duration.h"

static uint16_t *count_of(struct hf_drill_scenario *scenario,
                          const struct hf_drill_section *section)
{
    return (uint16_t *)(void *)((char *)scenario + section->count_offset);
}

static void *row_of(struct hf_drill_scenario *scenario, const struct hf_drill_section *section,
                    uint32_t index)
{
    return (char *)scenario + section->offset + index * section->size;
}

/* The label is the first member of every part. */
const char *hf_drill_label(const struct hf_drill_scenario *scenario, enum hf_drill_part part,
                           uint32_t index)
{
    if (part == HF_DRILL_PART_RULE) {
        return index < scenario->rule_count ? scenario->rules[index].label : "";
    }
    const struct hf_drill_section *section = hf_drill_section_of(part);
    if (section == NULL) {
        return "";
    }
    const char *whole = (const char *)scenario;
    uint16_t count = 0;
    memcpy(&count, whole + section->count_offset, sizeof(count));
    return index < count ? whole + section->offset + index * section->size : "";
}

uint16_t hf_drill_find(const struct hf_drill_scenario *scenario, enum hf_drill_part part,
                       const char *label)
{
    for (uint16_t i = 0; hf_drill_label(scenario, part, i)[0] != 0; i++) {
        if (strcmp(hf_drill_label(scenario, part, i), label) == 0) {
            return i;
        }
    }
    return HF_DRILL_NONE;
}

static void name_default(struct hf_drill_name *name)
{
    *name = (struct hf_drill_name){
        .ttl_s = 60, .soa_ttl_s = 900, .soa_minimum_s = 900, .first = HF_DRILL_RIGHT};
}

static void set_default(enum hf_drill_part part, void *row)
{
    switch (part) {
    case HF_DRILL_PART_NAME:
        name_default(row);
        break;
    case HF_DRILL_PART_RESOLVER:
        hf_drill_resolver_preset(HF_DRILL_UNBOUND, row);
        ((struct hf_drill_resolver *)row)->upstream = HF_DRILL_NONE;
        break;
    case HF_DRILL_PART_CLIENT:
        hf_drill_client_default(row, HF_DRILL_NONE);
        break;
    case HF_DRILL_PART_SERVICE:
        hf_drill_service_default(row);
        break;
    case HF_DRILL_PART_MANAGER:
        hf_drill_manager_default(row, HF_DRILL_NONE);
        break;
    case HF_DRILL_PART_FLEET:
        hf_drill_fleet_default(row);
        break;
    case HF_DRILL_PART_NONE:
    case HF_DRILL_PART_ACTION:
    case HF_DRILL_PART_RULE:
        break;
    }
}

static void read_section_labels(struct hf_drill_reading *reading,
                                const struct hf_drill_section *section, uint32_t node)
{
    struct hf_drill_scenario *scenario = &reading->file->scenario;
    struct hf_reader *reader = reading->reader;
    uint16_t *count = count_of(scenario, section);
    if (hf_tree_at(reading->tree, node)->kind != HF_TREE_MAP) {
        hf_expected(reader, node, "a map of parts, each with its name as the key");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "the name of a %s", section->word);
        const char *name = hf_read_name(reader, key, expected);
        if (name == NULL) {
            continue;
        }
        uint16_t first = hf_drill_find(scenario, section->part, name);
        if (first != HF_DRILL_NONE) {
            hf_problem(reader, key, "found the %s \"%s\" twice, first in line %" PRIu32,
                       section->word, name,
                       hf_tree_at(reading->tree, reading->nodes[section->part][first])->line);
            continue;
        }
        if (*count == section->max) {
            hf_problem(reader, key, "found more than %" PRIu32 " %s", section->max, section->key);
            return;
        }
        char *row = row_of(scenario, section, *count);
        set_default(section->part, row);
        (void)snprintf(row, HF_DRILL_LABEL_SIZE, "%s", name);
        reading->nodes[section->part][*count] = value;
        ++*count;
    }
}

/* The node of a section, 0 where it is not there. */
static uint32_t section_node(const struct hf_drill_reading *reading,
                             const struct hf_drill_section *section)
{
    return hf_tree_find(reading->tree, reading->root, section->key);
}

void hf_drill_read_labels(struct hf_drill_reading *reading)
{
    for (size_t i = 0; i < HF_DRILL_SECTIONS; i++) {
        uint32_t node = section_node(reading, &hf_drill_sections[i]);
        if (node != 0) {
            hf_enter(reading->reader, hf_drill_sections[i].key);
            read_section_labels(reading, &hf_drill_sections[i], node);
            hf_leave(reading->reader);
        }
    }
}

/* What a map inside of a part says, where the key is there. */
static void read_inner(struct hf_drill_reading *reading, const struct hf_drill_table *table,
                       const uint32_t *nodes, void *row)
{
    uint32_t ignored[HF_READER_KEYS_MAX];
    for (uint32_t i = 0; i < table->count; i++) {
        const struct hf_drill_field *field = &table->fields[i];
        if (field->inner != NULL && nodes[i] != 0) {
            hf_enter(reading->reader, field->key);
            (void)hf_drill_read_row(reading, nodes[i], field->inner, (char *)row + field->offset,
                                    ignored);
            hf_leave(reading->reader);
        }
    }
}

/* The node of a key that is in the table. */
static uint32_t node_of(const struct hf_drill_table *table, const uint32_t *nodes, const char *key)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (strcmp(table->fields[i].key, key) == 0) {
            return nodes[i];
        }
    }
    assert(!"a key that is not in the table");
    return 0;
}

/* The preset is what the other keys differ from, wherever it is written. */
static void read_preset(struct hf_drill_reading *reading, uint32_t node,
                        struct hf_drill_resolver *resolver)
{
    const char *words[HF_DRILL_PRESETS + 1] = {NULL};
    uint32_t preset = hf_tree_find(reading->tree, node, "preset");
    if (preset == 0) {
        return;
    }
    for (int i = 0; i < HF_DRILL_PRESETS; i++) {
        words[i] = hf_drill_preset_name((enum hf_drill_preset)i);
    }
    hf_enter(reading->reader, "preset");
    uint32_t found = hf_read_word(reading->reader, preset, words);
    hf_leave(reading->reader);
    if (found != UINT32_MAX) {
        hf_drill_resolver_preset((enum hf_drill_preset)found, resolver);
    }
}

static void read_calls(struct hf_drill_reading *reading, uint32_t node,
                       struct hf_drill_service *service)
{
    struct hf_reader *reader = reading->reader;
    if (hf_tree_at(reading->tree, node)->kind != HF_TREE_LIST) {
        hf_expected(reader, node, "a list of calls, such as [ { service: db, timeout: 1s } ]");
        return;
    }
    for (uint32_t at = hf_first(reader, node); at != 0; at = hf_next(reader, at)) {
        if (service->call_count == HF_DRILL_CALLS_MAX) {
            hf_problem(reader, at, "found more than %d calls", HF_DRILL_CALLS_MAX);
            return;
        }
        struct hf_drill_call *call = &service->calls[service->call_count];
        uint32_t ignored[HF_READER_KEYS_MAX];
        char place[16];
        (void)snprintf(place, sizeof(place), "[%u]", service->call_count + 1U);
        hf_drill_call_default(call, HF_DRILL_NONE);
        hf_enter(reader, place);
        (void)hf_drill_read_row(reading, at, &hf_drill_call_table, call, ignored);
        hf_leave(reader);
        service->call_count++;
    }
}

static void read_hold_down(struct hf_drill_reading *reading, uint32_t node,
                           struct hf_health_policy *policy)
{
    if (!hf_tree_is_scalar(reading->tree, node) ||
        hf_duration_range_parse(hf_tree_text(reading->tree, node), &policy->hold_down_ms,
                                &policy->hold_down_max_ms) != HF_OK) {
        hf_expected(reading->reader, node, "a duration or a range of them, such as 10s..5m");
    }
}

static void read_fleet(struct hf_drill_reading *reading, const uint32_t *nodes,
                       struct hf_drill_fleet *fleet)
{
    struct hf_reader *reader = reading->reader;
    const struct hf_drill_table *table = &hf_drill_fleet_table;
    uint32_t hold_down = node_of(table, nodes, "hold_down");
    uint32_t flap = node_of(table, nodes, "flap_window");
    uint32_t removal = node_of(table, nodes, "max_removal");
    if (hold_down != 0) {
        hf_enter(reader, "hold_down");
        read_hold_down(reading, hold_down, &fleet->health);
        hf_leave(reader);
    }
    if (flap != 0) {
        hf_enter(reader, "flap_window");
        (void)hf_read_duration(reader, flap, 0, UINT32_MAX, &fleet->health.flap_window_ms);
        hf_leave(reader);
    }
    uint16_t permille = 0;
    uint32_t window_ms = 0;
    if (removal != 0) {
        hf_enter(reader, "max_removal");
        if (hf_read_rate(reader, removal, &permille, &window_ms)) {
            fleet->removal_share = permille / 1000.0;
            fleet->removal_window_us = window_ms * UINT64_C(1000);
        }
        hf_leave(reader);
    }
}

static void read_part(struct hf_drill_reading *reading, const struct hf_drill_section *section,
                      uint32_t index)
{
    uint32_t nodes[HF_READER_KEYS_MAX];
    void *row = row_of(&reading->file->scenario, section, index);
    uint32_t node = reading->nodes[section->part][index];
    char label[HF_DRILL_LABEL_SIZE];
    (void)snprintf(label, sizeof(label), "%s", (const char *)row);
    hf_enter(reading->reader, label);
    if (section->part == HF_DRILL_PART_RESOLVER) {
        read_preset(reading, node, row);
    }
    if (hf_drill_read_row(reading, node, section->table, row, nodes)) {
        read_inner(reading, section->table, nodes, row);
        if (section->part == HF_DRILL_PART_SERVICE) {
            uint32_t calls = node_of(section->table, nodes, "calls");
            if (calls != 0) {
                hf_enter(reading->reader, "calls");
                read_calls(reading, calls, row);
                hf_leave(reading->reader);
            }
        } else if (section->part == HF_DRILL_PART_FLEET) {
            read_fleet(reading, nodes, row);
        }
    }
    hf_leave(reading->reader);
}

void hf_drill_read_parts(struct hf_drill_reading *reading)
{
    for (size_t i = 0; i < HF_DRILL_SECTIONS; i++) {
        const struct hf_drill_section *section = &hf_drill_sections[i];
        hf_enter(reading->reader, section->key);
        for (uint32_t at = 0; at < *count_of(&reading->file->scenario, section); at++) {
            read_part(reading, section, at);
        }
        hf_leave(reading->reader);
    }
}
