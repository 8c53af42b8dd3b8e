/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values of a scenario.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/drill_reader.h"

bool hf_drill_read_quantity(struct hf_drill_reading *reading, uint32_t node, enum hf_quantity kind,
                            double *ret_value)
{
    const struct hf_tree *tree = reading->tree;
    int error = HF_EMALF;
    if (hf_tree_is_scalar(tree, node)) {
        error = hf_quantity_parse(hf_tree_text(tree, node), kind, ret_value);
    }
    if (error == HF_ELIMIT) {
        hf_expected(reading->reader, node, "something smaller than 10^15");
    } else if (error != HF_OK) {
        hf_expected(reading->reader, node, hf_quantity_expected(kind));
    }
    return error == HF_OK;
}

/* Whole, and at least 1 where it was anything before it was scaled. */
static double scaled_count(double value, double scale)
{
    double whole = (double)(uint64_t)(value * scale + 0.5);
    return value > 0 && whole < 1 ? 1 : whole;
}

bool hf_drill_read_count(struct hf_drill_reading *reading, uint32_t node, bool is_scaled,
                         double max, double *ret_value)
{
    double value = 0;
    if (!hf_drill_read_quantity(reading, node, HF_QUANTITY_COUNT, &value)) {
        return false;
    }
    if (value != (double)(uint64_t)value) {
        hf_expected(reading->reader, node, "a whole number");
        return false;
    }
    value = is_scaled ? scaled_count(value, reading->scale) : value;
    if (value > max) {
        char expected[80];
        (void)snprintf(expected, sizeof(expected), "at most %.0f%s", max,
                       is_scaled && reading->scale != 1 ? " after scaling" : "");
        hf_expected(reading->reader, node, expected);
        return false;
    }
    *ret_value = value;
    return true;
}

uint16_t hf_drill_read_ref(struct hf_drill_reading *reading, uint32_t node, enum hf_drill_part part)
{
    const struct hf_drill_scenario *scenario = &reading->file->scenario;
    const struct hf_drill_section *section = hf_drill_section_of(part);
    const char *text = hf_tree_text(reading->tree, node);
    if (hf_tree_is_scalar(reading->tree, node)) {
        uint16_t found = hf_drill_find(scenario, part, text);
        if (found != HF_DRILL_NONE) {
            return found;
        }
    }
    struct hf_nearest nearest = {.text = text};
    for (uint32_t i = 0; hf_drill_label(scenario, part, i)[0] != 0; i++) {
        hf_nearest_try(&nearest, hf_drill_label(scenario, part, i));
    }
    char shown[HF_SHOWN_MAX], hint[HF_SHOWN_MAX];
    hf_problem(reading->reader, node, "found %s, expected one of the %s of this file%s",
               hf_shown(reading->reader, node, shown), section->key,
               hf_nearest_hint(&nearest, hint));
    return HF_DRILL_NONE;
}

bool hf_drill_read_bool(struct hf_drill_reading *reading, uint32_t node, bool *ret_value)
{
    static const char *const words[] = {"false", "true", NULL};
    uint32_t found = hf_read_word(reading->reader, node, words);
    if (found != UINT32_MAX) {
        *ret_value = found == 1;
    }
    return found != UINT32_MAX;
}

/* "exponential 50ms", "normal 50ms 12.5ms", or "50ms" alone. */
static bool parse_dist(const char *text, struct hf_drill_dist *ret_dist)
{
    static const struct {
        const char *name;
        enum hf_drill_dist_kind kind;
        bool has_spread;
    } kinds[] = {
        {"constant ", HF_DRILL_CONSTANT, false},       {"normal ", HF_DRILL_NORMAL, true},
        {"exponential ", HF_DRILL_EXPONENTIAL, false}, {"lognormal ", HF_DRILL_LOGNORMAL, true},
        {"uniform ", HF_DRILL_UNIFORM, true},
    };
    struct hf_drill_dist dist = {.kind = HF_DRILL_CONSTANT};
    bool has_spread = false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t size = strlen(kinds[i].name);
        if (strncmp(text, kinds[i].name, size) == 0) {
            dist.kind = (uint8_t)kinds[i].kind;
            has_spread = kinds[i].has_spread;
            text += size;
            break;
        }
    }
    char mean[HF_QUANTITY_TEXT_MAX];
    size_t size = strcspn(text, " ");
    double seconds = 0;
    if (size >= sizeof(mean) || (text[size] == ' ') != has_spread) {
        return false;
    }
    memcpy(mean, text, size);
    mean[size] = 0;
    if (hf_quantity_parse(mean, HF_QUANTITY_DURATION, &seconds) != HF_OK) {
        return false;
    }
    dist.mean_us = seconds * 1e6;
    if (has_spread) {
        if (hf_quantity_parse(text + size + 1, HF_QUANTITY_DURATION, &seconds) != HF_OK) {
            return false;
        }
        dist.spread_us = seconds * 1e6;
    }
    *ret_dist = dist;
    return true;
}

static void read_dist(struct hf_drill_reading *reading, uint32_t node, void *ret_dist)
{
    if (!hf_tree_is_scalar(reading->tree, node) ||
        !parse_dist(hf_tree_text(reading->tree, node), ret_dist)) {
        hf_expected(reading->reader, node,
                    "a duration, or how it is spread: 50ms, exponential 50ms, or normal, lognormal "
                    "or uniform with mean and spread, such as normal 50ms 10ms");
    }
}

static void read_count_into(struct hf_drill_reading *reading, uint32_t node,
                            const struct hf_drill_field *field, void *at)
{
    static const double max[] = {[HF_FIELD_U16] = UINT16_MAX,
                                 [HF_FIELD_U32] = UINT32_MAX,
                                 [HF_FIELD_FOREVER] = UINT32_MAX,
                                 [HF_FIELD_U64] = HF_QUANTITY_MAX};
    double value = 0;
    bool is_forever = field->kind == HF_FIELD_FOREVER &&
                      strcmp(hf_tree_text(reading->tree, node), "forever") == 0;
    if (is_forever) {
        value = UINT32_MAX;
    } else if (!hf_drill_read_count(reading, node, field->is_scaled, max[field->kind], &value)) {
        return;
    }
    if (field->kind == HF_FIELD_U16) {
        *(uint16_t *)at = (uint16_t)value;
    } else if (field->kind == HF_FIELD_U64) {
        *(uint64_t *)at = (uint64_t)value;
    } else {
        *(uint32_t *)at = (uint32_t)value;
    }
}

static void read_duration_into(struct hf_drill_reading *reading, uint32_t node,
                               const struct hf_drill_field *field, void *at)
{
    double seconds = 0;
    if (!hf_drill_read_quantity(reading, node, HF_QUANTITY_DURATION, &seconds)) {
        return;
    }
    if (seconds * 1e6 > (double)HF_DRILL_TIME_MAX_US) {
        hf_expected(reading->reader, node, "at most 366d");
    } else if (field->kind == HF_FIELD_US) {
        *(uint64_t *)at = (uint64_t)(seconds * 1e6 + 0.5);
    } else if (seconds != (double)(uint32_t)seconds) {
        hf_expected(reading->reader, node, "whole seconds");
    } else {
        *(uint32_t *)at = (uint32_t)seconds;
    }
}

static void read_double_into(struct hf_drill_reading *reading, uint32_t node,
                             const struct hf_drill_field *field, double *at)
{
    enum hf_quantity kind = field->kind == HF_FIELD_RATE    ? HF_QUANTITY_RATE
                            : field->kind == HF_FIELD_SHARE ? HF_QUANTITY_SHARE
                                                            : HF_QUANTITY_RATIO;
    double value = 0;
    if (hf_drill_read_quantity(reading, node, kind, &value)) {
        *at = field->is_scaled ? value * reading->scale : value;
    }
}

static void read_field(struct hf_drill_reading *reading, uint32_t node,
                       const struct hf_drill_field *field, void *row)
{
    char *at = (char *)row + field->offset;
    uint32_t word = 0;
    switch (field->kind) {
    case HF_FIELD_NODE:
        break;
    case HF_FIELD_US:
    case HF_FIELD_S:
        read_duration_into(reading, node, field, at);
        break;
    case HF_FIELD_U16:
    case HF_FIELD_U32:
    case HF_FIELD_U64:
    case HF_FIELD_FOREVER:
        read_count_into(reading, node, field, at);
        break;
    case HF_FIELD_RATE:
    case HF_FIELD_SHARE:
    case HF_FIELD_RATIO:
        read_double_into(reading, node, field, (double *)(void *)at);
        break;
    case HF_FIELD_BOOL:
        (void)hf_drill_read_bool(reading, node, (bool *)at);
        break;
    case HF_FIELD_WORD:
        word = hf_read_word(reading->reader, node, field->words);
        *(uint8_t *)at = word == UINT32_MAX ? *(uint8_t *)at : (uint8_t)word;
        break;
    case HF_FIELD_DIST:
        read_dist(reading, node, at);
        break;
    case HF_FIELD_REF:
        *(uint16_t *)(void *)at = hf_drill_read_ref(reading, node, field->ref);
        break;
    }
}

bool hf_drill_read_row(struct hf_drill_reading *reading, uint32_t node,
                       const struct hf_drill_table *table, void *row, uint32_t *ret_nodes)
{
    struct hf_key keys[HF_READER_KEYS_MAX];
    assert(table->count <= HF_READER_KEYS_MAX);
    for (uint32_t i = 0; i < table->count; i++) {
        keys[i] = (struct hf_key){.name = table->fields[i].key, .kind = HF_KEY_NODE};
    }
    if (!hf_read_map(reading->reader, node, keys, table->count, NULL, ret_nodes)) {
        return false;
    }
    for (uint32_t i = 0; i < table->count && !reading->reader->stopped; i++) {
        if (ret_nodes[i] != 0) {
            hf_enter(reading->reader, table->fields[i].key);
            read_field(reading, ret_nodes[i], &table->fields[i], row);
            hf_leave(reading->reader);
        }
    }
    return true;
}
