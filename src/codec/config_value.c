/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Maps and scalars of a configuration: kinds, ranges, unknown and doubled keys.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/duration.h"

uint32_t hf_first(const struct hf_reader *reader, uint32_t node)
{
    return node == 0 ? 0 : hf_tree_at(reader->tree, node)->child;
}

uint32_t hf_next(const struct hf_reader *reader, uint32_t node)
{
    return hf_tree_at(reader->tree, node)->next;
}

static bool parse_number(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (*text == 0 || (text[0] == '0' && text[1] != 0)) {
        return false;
    }
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        value = value > UINT32_MAX ? value : value * 10 + (uint64_t)(*text - '0');
    }
    *ret_value = value;
    return true;
}

bool hf_read_number(struct hf_reader *reader, uint32_t node, uint32_t low, uint32_t high,
                    uint32_t *ret_value)
{
    uint64_t value = 0;
    const struct hf_tree_node *at = hf_tree_at(reader->tree, node);
    if (at->kind == HF_TREE_PLAIN && parse_number(hf_tree_text(reader->tree, node), &value) &&
        value >= low && value <= high) {
        *ret_value = (uint32_t)value;
        return true;
    }
    char expected[96];
    (void)snprintf(expected, sizeof(expected), "a whole number from %" PRIu32 " to %" PRIu32 "%s",
                   low, high, at->kind == HF_TREE_TEXT ? ", without quotes" : "");
    hf_expected(reader, node, expected);
    return false;
}

bool hf_read_duration(struct hf_reader *reader, uint32_t node, uint32_t low_ms, uint32_t high_ms,
                      uint32_t *ret_ms)
{
    uint32_t ms = 0;
    int error = HF_EMALF;
    if (hf_tree_is_scalar(reader->tree, node)) {
        error = hf_duration_parse(hf_tree_text(reader->tree, node), &ms);
    }
    if (error == HF_OK && ms >= low_ms && ms <= high_ms) {
        *ret_ms = ms;
        return true;
    }
    if (error == HF_EMALF) {
        hf_expected(reader, node,
                    "a duration: a whole number and a unit, such as 250ms, 2s, 5m, "
                    "1h or 7d");
        return false;
    }
    char low[HF_DURATION_TEXT_MAX];
    char high[HF_DURATION_TEXT_MAX];
    char expected[80];
    hf_duration_text(low_ms, low);
    hf_duration_text(high_ms, high);
    (void)snprintf(expected, sizeof(expected), "a duration from %s to %s", low, high);
    hf_expected(reader, node, expected);
    return false;
}

bool hf_read_rate(struct hf_reader *reader, uint32_t node, uint16_t *ret_permille,
                  uint32_t *ret_window_ms)
{
    if (!hf_tree_is_scalar(reader->tree, node) ||
        hf_rate_parse(hf_tree_text(reader->tree, node), ret_permille, ret_window_ms) != HF_OK) {
        hf_expected(reader, node,
                    "a share and a window, such as 34% per 60s (0 to 100%, at most "
                    "one decimal)");
        return false;
    }
    return true;
}

static bool read_bool(struct hf_reader *reader, uint32_t node, bool *ret_value)
{
    const char *text = hf_tree_text(reader->tree, node);
    bool plain = hf_tree_at(reader->tree, node)->kind == HF_TREE_PLAIN;
    if (plain && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
        *ret_value = text[0] == 't';
        return true;
    }
    hf_expected(reader, node, "true or false");
    return false;
}

const char *hf_read_text(struct hf_reader *reader, uint32_t node, const char *expected)
{
    const char *text = hf_tree_text(reader->tree, node);
    if (!hf_tree_is_scalar(reader->tree, node) || text[0] == 0) {
        hf_expected(reader, node, expected);
        return NULL;
    }
    return text;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool hf_name_is_plain(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > HF_CONFIG_NAME_MAX || !is_alnum(text[0]) || !is_alnum(text[size - 1])) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_alnum(text[i]) && strchr("._-", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

const char *hf_read_name(struct hf_reader *reader, uint32_t node, const char *expected)
{
    const char *text = hf_read_text(reader, node, expected);
    if (text != NULL && !hf_name_is_plain(text)) {
        char shown[HF_SHOWN_MAX];
        hf_problem(reader, node,
                   "found %s, expected %s: 1 to %d letters, digits and inner '.', '_' or '-'",
                   hf_shown(reader, node, shown), expected, HF_CONFIG_NAME_MAX);
        return NULL;
    }
    return text;
}

uint32_t hf_read_word(struct hf_reader *reader, uint32_t node, const char *const *words)
{
    const char *text = hf_tree_text(reader->tree, node);
    struct hf_nearest nearest = {.text = text};
    char expected[160] = "";
    size_t size = 0;
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (hf_tree_is_scalar(reader->tree, node) && strcmp(text, words[i]) == 0) {
            return i;
        }
        hf_nearest_try(&nearest, words[i]);
        const char *comma = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        int more = snprintf(expected + size, sizeof(expected) - size, "%s%s", comma, words[i]);
        assert(more > 0 && (size_t)more < sizeof(expected) - size);
        size += (size_t)more;
    }
    char shown[HF_SHOWN_MAX];
    char hint[HF_SHOWN_MAX];
    hf_problem(reader, node, "found %s, expected %s%s", hf_shown(reader, node, shown), expected,
               hf_nearest_hint(&nearest, hint));
    return UINT32_MAX;
}

static void read_value(struct hf_reader *reader, uint32_t node, const struct hf_key *key, void *row)
{
    if (key->kind == HF_KEY_NODE) {
        return;
    }
    void *at = (char *)row + key->offset;
    uint32_t number = 0;
    const char *text;
    switch (key->kind) {
    case HF_KEY_NODE:
        break;
    case HF_KEY_TEXT:
    case HF_KEY_PATH:
        text = hf_read_text(reader, node, key->kind == HF_KEY_PATH ? "a path" : "a text");
        if (text != NULL) {
            *(const char **)at =
                key->kind == HF_KEY_PATH ? hf_resolve(reader, text) : hf_pack_text(reader, text);
        }
        break;
    case HF_KEY_U16:
        if (hf_read_number(reader, node, key->low, key->high, &number)) {
            *(uint16_t *)at = (uint16_t)number;
        }
        break;
    case HF_KEY_U32:
        (void)hf_read_number(reader, node, key->low, key->high, at);
        break;
    case HF_KEY_BOOL:
        (void)read_bool(reader, node, at);
        break;
    case HF_KEY_DURATION:
        (void)hf_read_duration(reader, node, key->low, key->high, at);
        break;
    }
}

static void unknown_key(struct hf_reader *reader, uint32_t node, const struct hf_key *keys,
                        uint32_t key_count)
{
    struct hf_nearest nearest = {.text = hf_tree_text(reader->tree, node)};
    char shown[HF_SHOWN_MAX];
    char known[640] = "";
    size_t size = 0;
    for (uint32_t i = 0; i < key_count; i++) {
        hf_nearest_try(&nearest, keys[i].name);
        const char *comma = i == 0 ? "" : i == key_count - 1 ? " or " : ", ";
        int more = snprintf(known + size, sizeof(known) - size, "%s%s", comma, keys[i].name);
        assert(more > 0 && (size_t)more < sizeof(known) - size);
        size += (size_t)more;
    }
    (void)hf_shown(reader, node, shown);
    if (nearest.best != NULL) {
        hf_problem(reader, node, "found unknown key %s, did you mean \"%s\"?", shown, nearest.best);
    } else {
        hf_problem(reader, node, "found unknown key %s, expected %s", shown, known);
    }
}

static uint32_t key_find(struct hf_reader *reader, uint32_t node, const struct hf_key *keys,
                         uint32_t key_count)
{
    if (hf_tree_is_scalar(reader->tree, node)) {
        const char *name = hf_tree_text(reader->tree, node);
        for (uint32_t i = 0; i < key_count; i++) {
            if (strcmp(keys[i].name, name) == 0) {
                return i;
            }
        }
    }
    unknown_key(reader, node, keys, key_count);
    return UINT32_MAX;
}

bool hf_read_map(struct hf_reader *reader, uint32_t node, const struct hf_key *keys,
                 uint32_t key_count, void *row, uint32_t *ret_values)
{
    assert(key_count <= HF_READER_KEYS_MAX);
    memset(ret_values, 0, key_count * sizeof(*ret_values));
    if (hf_tree_at(reader->tree, node)->kind != HF_TREE_MAP) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "a map with keys such as \"%s\"", keys[0].name);
        hf_expected(reader, node, expected);
        return false;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        uint32_t found = key_find(reader, key, keys, key_count);
        if (found == UINT32_MAX) {
            continue;
        }
        hf_enter(reader, keys[found].name);
        if (ret_values[found] != 0) {
            hf_problem(reader, key, "found this key twice, first in line %" PRIu32,
                       hf_tree_at(reader->tree, ret_values[found])->line);
        } else {
            ret_values[found] = value;
            read_value(reader, value, &keys[found], row);
        }
        hf_leave(reader);
    }
    return true;
}

void hf_missing(struct hf_reader *reader, uint32_t node, const char *key, const char *example)
{
    hf_problem(reader, node, "found no \"%s\", expected %s", key, example);
}
