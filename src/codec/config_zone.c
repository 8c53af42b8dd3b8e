/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones of a configuration, and domain names as operators may write them.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/name.h"

/* Messages in flight, where the configuration does not say. */
enum { WINDOW_DEFAULT = 8, WINDOWS_OF_TARGET = 32 };

static const struct hf_key zone_keys[] = {{.name = "target", .kind = HF_KEY_NODE}};

/* Stricter than RFC 1035: what else stands in a name here is a slip of the pen. */
static bool is_usual(const char *text)
{
    size_t size = strlen(text);
    static const char usual[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (size >= 2 && text[0] == '*' && text[1] == '.') {
        text += 2;
        size -= 2;
    }
    return size > 0 && strspn(text, usual) == size;
}

bool hf_read_domain(struct hf_reader *reader, uint32_t node, const char *expected,
                    uint8_t ret_wire[HF_NAME_MAX])
{
    const char *text = hf_read_text(reader, node, expected);
    if (text == NULL) {
        return false;
    }
    for (const char *at = text; *at != 0; at++) {
        if ((*at & 0x80) != 0) {
            char shown[HF_SHOWN_MAX];
            hf_problem(reader, node, "found %s, expected %s in its ASCII form (xn--...)",
                       hf_shown(reader, node, shown), expected);
            return false;
        }
    }
    if (!is_usual(text) || hf_name_parse(text, ret_wire) != HF_OK) {
        char shown[HF_SHOWN_MAX];
        hf_problem(reader, node,
                   "found %s, expected %s: labels of 1 to 63 letters, digits, '-' or '_', 253 "
                   "characters in all",
                   hf_shown(reader, node, shown), expected);
        return false;
    }
    return true;
}

static void read_zone_target(struct hf_reader *reader, uint32_t node, struct hf_config_zone *zone)
{
    const char *name = hf_read_text(reader, node, "the name of a target");
    if (name == NULL) {
        return;
    }
    zone->target = hf_find_target(reader->own, name);
    if (zone->target != UINT32_MAX || reader->own->targets.count == 0) {
        return; /* without any target that was said already */
    }
    struct hf_nearest nearest = {.text = name};
    const struct hf_config_target *targets = reader->own->targets.rows;
    for (uint32_t i = 0; i < reader->own->targets.count; i++) {
        hf_nearest_try(&nearest, targets[i].name);
    }
    char shown[HF_SHOWN_MAX];
    char hint[HF_SHOWN_MAX];
    hf_problem(reader, node, "found %s, expected the name of a target%s",
               hf_shown(reader, node, shown), hf_nearest_hint(&nearest, hint));
}

/* A new row for the zone at key, or NULL and a problem. */
static struct hf_config_zone *zone_add(struct hf_reader *reader, uint32_t key)
{
    struct hf_config_own *own = reader->own;
    uint8_t wire[HF_NAME_MAX];
    uint8_t guard[HF_NAME_MAX];
    char text[HF_NAME_TEXT_MAX];
    if (!hf_read_domain(reader, key, "the name of a zone", wire)) {
        return NULL;
    }
    if (wire[0] == 1 && wire[1] == '*') {
        hf_expected(reader, key, "the name of a zone, which is no wildcard");
        return NULL;
    }
    hf_name_text(wire, text);
    if (hf_name_guard_of(wire, guard) != HF_OK) {
        hf_problem(reader, key, "found a name too long for its zone guard, %s.%s", HF_GUARD_LABEL,
                   text);
        return NULL;
    }
    uint32_t first = hf_find_zone_wire(own, wire);
    if (first != UINT32_MAX) {
        const struct hf_place *places = reader->zone_places.rows;
        hf_problem(reader, key, "found the zone %s twice, first in line %" PRIu32, text,
                   places[first].line);
        return NULL;
    }
    if (own->zones.count == HF_CONFIG_ZONES_MAX) {
        hf_problem(reader, key, "found more than %d zones", HF_CONFIG_ZONES_MAX);
        return NULL;
    }
    struct hf_config_zone *zone = hf_rows_add(&own->zones);
    struct hf_place *place = hf_rows_add(&reader->zone_places);
    *place = (struct hf_place){reader->file_row, hf_tree_at(reader->tree, key)->line};
    zone->name = hf_pack_text(reader, text);
    zone->apex = (const uint8_t *)hf_pack(reader, wire, hf_name_size(wire));
    hf_index_add(&own->zone_index, wire, hf_name_size(wire), own->zones.count - 1);
    return zone;
}

/* What is over BIND's update-quota, 100 for the whole server, is dropped without an answer. */
static void default_windows(struct hf_config_own *own)
{
    struct hf_config_target *targets = own->targets.rows;
    const struct hf_config_zone *zones = own->zones.rows;
    for (uint32_t i = 0; i < own->targets.count; i++) {
        uint32_t zone_count = 0;
        for (uint32_t j = 0; j < own->zones.count; j++) {
            zone_count += zones[j].target == i;
        }
        if (targets[i].window == 0) {
            uint32_t window = WINDOWS_OF_TARGET / (zone_count > 0 ? zone_count : 1);
            window = window < WINDOW_DEFAULT ? window : WINDOW_DEFAULT;
            targets[i].window = (uint16_t)(window > 1 ? window : 1);
        }
    }
}

void hf_read_zones(struct hf_reader *reader, uint32_t node)
{
    if (hf_tree_at(reader->tree, node)->kind != HF_TREE_MAP || hf_first(reader, node) == 0) {
        hf_expected(reader, node, "a map of zones, such as { example.test: { target: edge } }");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        struct hf_config_zone *zone = zone_add(reader, key);
        if (zone == NULL) {
            continue;
        }
        uint32_t values[1];
        hf_enter(reader, hf_tree_text(reader->tree, key));
        if (hf_read_map(reader, value, zone_keys, 1, zone, values)) {
            if (values[0] == 0) {
                hf_missing(reader, value, "target", "the name of a target");
            } else {
                hf_enter(reader, "target");
                read_zone_target(reader, values[0], zone);
                hf_leave(reader);
            }
        }
        hf_leave(reader);
    }
    default_windows(reader->own);
}
