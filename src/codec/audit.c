/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/audit.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "codec/json_in.h"
#include "codec/utf8.h"

enum { AUDIT_VERSION = 1 };

/* Cut between characters. */
static void put_text(struct hf_json *json, const char *key, const char *text)
{
    const char *given = text != NULL ? text : "";
    size_t left = strlen(given);
    size_t used = 0;
    while (used < left) {
        size_t size = hf_utf8_size((const uint8_t *)given + used, left - used);
        size = size == 0 ? 1 : size;
        if (used + size > HF_AUDIT_TEXT_MAX) {
            break;
        }
        used += size;
    }
    hf_json_key(json, key);
    hf_json_bytes(json, given, used);
}

void hf_audit_put_json(const struct hf_audit_entry *entry, struct hf_json *json)
{
    hf_json_object(json);
    hf_json_put_number(json, "number", entry->number);
    hf_json_put_number(json, "at_ms", entry->at_ms);
    put_text(json, "command", entry->command);
    put_text(json, "subject", entry->subject);
    hf_json_put_number(json, "generation", entry->gen);
    put_text(json, "who", entry->who);
    put_text(json, "why", entry->why);
    put_text(json, "via", entry->via);
    put_text(json, "text", entry->text);
    hf_json_object_end(json);
}

void hf_audit_encode(const struct hf_audit_segment *segment, struct hf_buf *ret_json)
{
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", AUDIT_VERSION);
    hf_json_key(&json, "entries");
    hf_json_array(&json);
    for (uint32_t i = 0; i < segment->count; i++) {
        hf_audit_put_json(&segment->entries[i], &json);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
}

static int decode_entry(const json_t *object, struct hf_arena *arena,
                        struct hf_audit_entry *ret_entry)
{
    struct hf_audit_entry entry = {0};
    if (hf_json_in_u64(object, "number", &entry.number) != HF_OK ||
        hf_json_in_u64(object, "at_ms", &entry.at_ms) != HF_OK ||
        hf_json_in_copy(object, "command", arena, &entry.command) != HF_OK ||
        hf_json_in_copy(object, "subject", arena, &entry.subject) != HF_OK ||
        hf_json_in_u64(object, "generation", &entry.gen) != HF_OK ||
        hf_json_in_copy(object, "who", arena, &entry.who) != HF_OK ||
        hf_json_in_copy(object, "why", arena, &entry.why) != HF_OK ||
        hf_json_in_copy(object, "via", arena, &entry.via) != HF_OK ||
        hf_json_in_copy(object, "text", arena, &entry.text) != HF_OK) {
        return HF_EMALF;
    }
    *ret_entry = entry;
    return HF_OK;
}

static int decode(const json_t *root, struct hf_audit_segment *segment)
{
    uint64_t version = 0;
    json_t *array = NULL;
    if (hf_json_in_u64(root, "version", &version) != HF_OK || version != AUDIT_VERSION ||
        hf_json_in_array(root, "entries", HF_AUDIT_SEGMENT_MAX, &array) != HF_OK) {
        return HF_EMALF;
    }
    int error = HF_OK;
    for (size_t i = 0; i < json_array_size(array) && error == HF_OK; i++) {
        error = decode_entry(json_array_get(array, i), &segment->arena,
                             &segment->entries[segment->count++]);
    }
    return error;
}

int hf_audit_decode(const void *bytes, size_t size, struct hf_audit_segment *ret_segment)
{
    json_t *root = NULL;
    if (size > HF_AUDIT_SEGMENT_BYTES_MAX || hf_json_in_parse(bytes, size, &root) != HF_OK) {
        return HF_EMALF;
    }
    ret_segment->count = 0;
    hf_arena_init(&ret_segment->arena, (size_t)HF_AUDIT_SEGMENT_BYTES_MAX * 16);
    int error = decode(root, ret_segment);
    json_decref(root);
    if (error != HF_OK) {
        hf_audit_release(ret_segment);
    }
    return error;
}

void hf_audit_release(struct hf_audit_segment *segment)
{
    hf_arena_release(&segment->arena);
    segment->count = 0;
}
