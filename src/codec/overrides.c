/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/overrides.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/index.h"
#include "codec/json_in.h"
#include "codec/utf8.h"

enum {
    OVERRIDES_VERSION = 1,
    OVERRIDES_FIRST_ROOM = 16,
    ROOT_KEYS = 3,
    ITEM_KEYS = 7,
};

static const char *const kind_names[] = {
    [HF_OVERRIDE_DRAIN_BACKEND] = "drain-backend",
    [HF_OVERRIDE_DRAIN_SITE] = "drain-site",
    [HF_OVERRIDE_FREEZE] = "freeze",
    [HF_OVERRIDE_PIN] = "pin",
    [HF_OVERRIDE_RETIRE] = "retire",
    [HF_OVERRIDE_ADOPT] = "adopt",
    [HF_OVERRIDE_ADOPT_ZONE] = "adopt-zone",
    [HF_OVERRIDE_APPROVE] = "approve",
};

enum { KIND_COUNT = sizeof(kind_names) / sizeof(kind_names[0]) };

const char *hf_override_kind_name(enum hf_override_kind kind)
{
    assert((size_t)kind < KIND_COUNT);
    return kind_names[kind];
}

void hf_overrides_init(struct hf_overrides *overrides)
{
    *overrides = (struct hf_overrides){0};
    hf_arena_init(&overrides->arena, HF_OVERRIDES_BYTES_MAX);
}

void hf_overrides_release(struct hf_overrides *overrides)
{
    free(overrides->items);
    hf_arena_release(&overrides->arena);
    hf_overrides_init(overrides);
}

/* Copies the texts of item into the arena. */
static int copy_item(struct hf_overrides *overrides, const struct hf_override *item,
                     struct hf_override *ret_copy)
{
    struct hf_override copy = *item;
    const char **texts[] = {&copy.subject, &copy.text, &copy.who, &copy.why};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = *texts[i] != NULL ? *texts[i] : "";
        if (!hf_utf8_is_text(text)) {
            return HF_EINVAL;
        }
        *texts[i] = hf_arena_copy(&overrides->arena, text, strlen(text));
        if (*texts[i] == NULL) {
            return HF_ELIMIT;
        }
    }
    if (copy.subject[0] == 0 || (size_t)copy.kind >= KIND_COUNT) {
        return HF_EINVAL;
    }
    *ret_copy = copy;
    return HF_OK;
}

/* Puts an item that is not there yet behind those that are not younger. */
static int insert(struct hf_overrides *overrides, const struct hf_override *item)
{
    if (overrides->count >= HF_OVERRIDES_MAX) {
        return HF_ELIMIT;
    }
    if (overrides->count == overrides->room) {
        uint32_t room = overrides->room == 0 ? OVERRIDES_FIRST_ROOM : overrides->room * 2;
        overrides->items = realloc(overrides->items, room * sizeof(*overrides->items));
        if (overrides->items == NULL) {
            abort();
        }
        overrides->room = room;
    }
    uint32_t at = overrides->count;
    while (at > 0 && overrides->items[at - 1].at_ms > item->at_ms) {
        overrides->items[at] = overrides->items[at - 1];
        at--;
    }
    overrides->items[at] = *item;
    overrides->count++;
    return HF_OK;
}

int hf_overrides_set(struct hf_overrides *overrides, const struct hf_override *item)
{
    struct hf_override copy;
    int error = copy_item(overrides, item, &copy);
    if (error != HF_OK) {
        return error;
    }
    (void)hf_overrides_remove(overrides, copy.kind, copy.subject);
    return insert(overrides, &copy);
}

const struct hf_override *hf_overrides_find(const struct hf_overrides *overrides,
                                            enum hf_override_kind kind, const char *subject)
{
    for (uint32_t i = 0; i < overrides->count; i++) {
        const struct hf_override *item = &overrides->items[i];
        if (item->kind == kind && strcmp(item->subject, subject) == 0) {
            return item;
        }
    }
    return NULL;
}

int hf_overrides_remove(struct hf_overrides *overrides, enum hf_override_kind kind,
                        const char *subject)
{
    const struct hf_override *item = hf_overrides_find(overrides, kind, subject);
    if (item == NULL) {
        return HF_ENOENT;
    }
    size_t at = (size_t)(item - overrides->items);
    overrides->count--;
    memmove(&overrides->items[at], &overrides->items[at + 1],
            (overrides->count - at) * sizeof(*overrides->items));
    return HF_OK;
}

void hf_overrides_encode(const struct hf_overrides *overrides, struct hf_buf *ret_json)
{
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", OVERRIDES_VERSION);
    hf_json_put_number(&json, "revision", overrides->revision);
    hf_json_key(&json, "items");
    hf_json_array(&json);
    for (uint32_t i = 0; i < overrides->count; i++) {
        const struct hf_override *item = &overrides->items[i];
        hf_json_object(&json);
        hf_json_put_text(&json, "kind", hf_override_kind_name(item->kind));
        hf_json_put_text(&json, "subject", item->subject);
        hf_json_put_text(&json, "text", item->text);
        hf_json_put_text(&json, "who", item->who);
        hf_json_put_text(&json, "why", item->why);
        hf_json_put_number(&json, "at_ms", item->at_ms);
        hf_json_put_number(&json, "gen", item->gen);
        hf_json_object_end(&json);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
}

static int kind_parse(const char *name, enum hf_override_kind *ret_kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *ret_kind = (enum hf_override_kind)i;
            return HF_OK;
        }
    }
    return HF_EMALF;
}

/* Texts of ret_item belong to value. */
static int decode_item(const json_t *value, struct hf_override *ret_item)
{
    struct hf_override item = {0};
    const char *kind = NULL;
    if (json_object_size(value) != ITEM_KEYS || hf_json_in_text(value, "kind", &kind) != HF_OK ||
        kind_parse(kind, &item.kind) != HF_OK ||
        hf_json_in_text(value, "subject", &item.subject) != HF_OK ||
        hf_json_in_text(value, "text", &item.text) != HF_OK ||
        hf_json_in_text(value, "who", &item.who) != HF_OK ||
        hf_json_in_text(value, "why", &item.why) != HF_OK ||
        hf_json_in_u64(value, "at_ms", &item.at_ms) != HF_OK ||
        hf_json_in_u64(value, "gen", &item.gen) != HF_OK) {
        return HF_EMALF;
    }
    *ret_item = item;
    return HF_OK;
}

static bool subject_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_overrides *overrides = context;
    const struct hf_override *item = &overrides->items[row];
    return strlen(item->subject) == key_size && memcmp(item->subject, key, key_size) == 0;
}

/* Appends an item that must not be older than the last, nor there already. */
static int append(struct hf_overrides *overrides, struct hf_index subjects[KIND_COUNT],
                  const struct hf_override *item)
{
    struct hf_override copy;
    struct hf_index *index = &subjects[item->kind];
    size_t size = strlen(item->subject);
    uint32_t count = overrides->count;
    if (count > 0 && item->at_ms < overrides->items[count - 1].at_ms) {
        return HF_EMALF;
    }
    if (hf_index_find(index, item->subject, size, subject_equal, overrides) != HF_INDEX_NONE ||
        copy_item(overrides, item, &copy) != HF_OK) {
        return HF_EMALF;
    }
    hf_index_add(index, copy.subject, size, count);
    return insert(overrides, &copy);
}

static int decode_items(const json_t *array, struct hf_overrides *overrides)
{
    struct hf_index subjects[KIND_COUNT];
    for (size_t i = 0; i < KIND_COUNT; i++) {
        hf_index_init(&subjects[i]);
    }
    int error = HF_OK;
    for (size_t i = 0; i < json_array_size(array) && error == HF_OK; i++) {
        struct hf_override item;
        error = decode_item(json_array_get(array, i), &item);
        if (error == HF_OK) {
            error = append(overrides, subjects, &item);
        }
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        hf_index_release(&subjects[i]);
    }
    return error;
}

int hf_overrides_decode(const void *bytes, size_t size, struct hf_overrides *ret_overrides)
{
    json_t *root = NULL;
    if (size > HF_OVERRIDES_BYTES_MAX || hf_json_in_parse(bytes, size, &root) != HF_OK) {
        return HF_EMALF;
    }
    struct hf_overrides overrides;
    hf_overrides_init(&overrides);
    uint64_t version = 0;
    json_t *items = NULL;
    int error = HF_EMALF;
    if (json_object_size(root) == ROOT_KEYS && hf_json_in_u64(root, "version", &version) == HF_OK &&
        version == OVERRIDES_VERSION &&
        hf_json_in_u64(root, "revision", &overrides.revision) == HF_OK &&
        hf_json_in_array(root, "items", HF_OVERRIDES_MAX, &items) == HF_OK) {
        error = decode_items(items, &overrides);
    }
    json_decref(root);
    if (error != HF_OK) {
        hf_overrides_release(&overrides);
        return HF_EMALF;
    }
    *ret_overrides = overrides;
    return HF_OK;
}
