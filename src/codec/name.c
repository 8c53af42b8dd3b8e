/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/name.h"

#include <assert.h>
#include <libknot/libknot.h>
#include <string.h>

#include "base/error.h"

enum {
    LABEL_MAX = 63,
    LABELS_MAX = 128, /* in 255 octets, the root included */
};

static_assert(HF_NAME_MAX == KNOT_DNAME_MAXLEN, "one limit for names");
static_assert(HF_NAME_TEXT_MAX >= KNOT_DNAME_TXT_MAXLEN + 1, "any name fits as text");

int hf_name_parse(const char *text, uint8_t ret_wire[HF_NAME_MAX])
{
    uint8_t wire[HF_NAME_MAX];
    for (const char *at = text; *at != 0; at++) {
        if (*at <= ' ' || *at > '~') { /* libknot would take them: they are slips of a hand */
            return HF_EMALF;
        }
    }
    if (text[0] == 0 || knot_dname_from_str(wire, text, sizeof(wire)) == NULL) {
        return HF_EMALF;
    }
    knot_dname_to_lower(wire);
    memcpy(ret_wire, wire, hf_name_size(wire));
    return HF_OK;
}

void hf_name_text(const uint8_t *wire, char ret_text[HF_NAME_TEXT_MAX])
{
    char *text = knot_dname_to_str(ret_text, wire, HF_NAME_TEXT_MAX);
    assert(text != NULL);
}

size_t hf_name_size(const uint8_t *wire)
{
    size_t size = 0;
    while (wire[size] != 0) {
        assert(wire[size] <= LABEL_MAX);
        size += 1U + wire[size];
    }
    assert(size < HF_NAME_MAX);
    return size + 1;
}

bool hf_name_equal(const uint8_t *a, const uint8_t *b)
{
    size_t size = hf_name_size(a);
    return size == hf_name_size(b) && memcmp(a, b, size) == 0;
}

bool hf_name_is_within(const uint8_t *name, const uint8_t *zone)
{
    size_t zone_size = hf_name_size(zone);
    size_t left = hf_name_size(name);
    while (left > zone_size) {
        left -= 1U + name[0];
        name += 1U + name[0];
    }
    return left == zone_size && memcmp(name, zone, left) == 0;
}

/* Puts where each label starts into starts and returns how many there are, without the root. */
static size_t name_labels(const uint8_t *wire, const uint8_t *starts[LABELS_MAX])
{
    size_t count = 0;
    for (; wire[0] != 0; wire += 1U + wire[0]) {
        assert(count < LABELS_MAX);
        starts[count++] = wire;
    }
    return count;
}

static int label_compare(const uint8_t *a, const uint8_t *b)
{
    int order = memcmp(a + 1, b + 1, a[0] < b[0] ? a[0] : b[0]);
    return order != 0 ? order : (int)a[0] - (int)b[0];
}

int hf_name_compare(const uint8_t *a, const uint8_t *b)
{
    const uint8_t *a_labels[LABELS_MAX];
    const uint8_t *b_labels[LABELS_MAX];
    size_t a_left = name_labels(a, a_labels);
    size_t b_left = name_labels(b, b_labels);
    while (a_left > 0 && b_left > 0) {
        int order = label_compare(a_labels[--a_left], b_labels[--b_left]);
        if (order != 0) {
            return order;
        }
    }
    return (a_left > 0) - (b_left > 0);
}

int hf_name_prefix(const char *label, const uint8_t *name, uint8_t ret_wire[HF_NAME_MAX])
{
    size_t label_size = strlen(label);
    size_t name_size = hf_name_size(name);
    assert(label_size > 0 && label_size <= LABEL_MAX);
    if (1 + label_size + name_size > HF_NAME_MAX) {
        return HF_ELIMIT;
    }
    memmove(ret_wire + 1 + label_size, name, name_size);
    ret_wire[0] = (uint8_t)label_size;
    memcpy(ret_wire + 1, label, label_size);
    return HF_OK;
}

int hf_name_fence_of(const uint8_t *endpoint, uint8_t ret_wire[HF_NAME_MAX])
{
    return hf_name_prefix(HF_FENCE_LABEL, endpoint, ret_wire);
}

int hf_name_endpoint_of(const uint8_t *fence_owner, const uint8_t **ret_endpoint)
{
    const size_t label_size = sizeof(HF_FENCE_LABEL) - 1;
    if (fence_owner[0] != label_size || memcmp(fence_owner + 1, HF_FENCE_LABEL, label_size) != 0) {
        return HF_ENOENT;
    }
    *ret_endpoint = fence_owner + 1 + label_size;
    return HF_OK;
}

int hf_name_guard_of(const uint8_t *apex, uint8_t ret_wire[HF_NAME_MAX])
{
    return hf_name_prefix(HF_GUARD_LABEL, apex, ret_wire);
}
