/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/fence.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* What is left of a text while it is parsed; the first mismatch makes ok false for good. */
struct scan {
    const char *at;
    const char *end;
    bool ok;
};

static bool is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

static bool is_alnum(char octet)
{
    return is_digit(octet) || (octet >= 'a' && octet <= 'z');
}

/* How many octets at the start of text are a name (see HF_OWNER_MAX); 0 when none is. */
static size_t label_size(const char *text, size_t left)
{
    size_t size = 0;
    while (size < left && (is_alnum(text[size]) || text[size] == '-')) {
        size++;
    }
    bool good = size > 0 && size <= HF_OWNER_MAX && text[0] != '-' && text[size - 1] != '-';
    return good ? size : 0;
}

static_assert(HF_OWNER_MAX == HF_WRITER_MAX, "one form for both names");

int hf_label_check(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && label_size(text, size) == size ? HF_OK : HF_EMALF;
}

static struct scan scan_rdata(const uint8_t *rdata, size_t size)
{
    const char *text = (const char *)rdata;
    bool one_string = size > 0 && size == 1U + rdata[0];
    return (struct scan){
        .at = one_string ? text + 1 : text,
        .end = one_string ? text + size : text,
        .ok = one_string,
    };
}

static void scan_literal(struct scan *scan, const char *literal)
{
    size_t size = strlen(literal);
    if (!scan->ok || (size_t)(scan->end - scan->at) < size ||
        memcmp(scan->at, literal, size) != 0) {
        scan->ok = false;
        return;
    }
    scan->at += size;
}

static void scan_label(struct scan *scan, char ret_label[HF_OWNER_MAX + 1])
{
    size_t size = scan->ok ? label_size(scan->at, (size_t)(scan->end - scan->at)) : 0;
    if (size == 0) {
        scan->ok = false;
        return;
    }
    memcpy(ret_label, scan->at, size);
    ret_label[size] = 0;
    scan->at += size;
}

/* Decimal without leading zeros. */
static uint64_t scan_decimal(struct scan *scan)
{
    const char *start = scan->at;
    uint64_t value = 0;
    for (; scan->ok && scan->at < scan->end && is_digit(*scan->at); scan->at++) {
        uint64_t digit = (uint64_t)(*scan->at - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            scan->ok = false;
            return 0;
        }
        value = value * 10 + digit;
    }
    size_t size = (size_t)(scan->at - start);
    if (size == 0 || (size > 1 && *start == '0')) {
        scan->ok = false;
    }
    return value;
}

/* Exactly digits lower case hexadecimal digits. */
static uint64_t scan_hex(struct scan *scan, size_t digits)
{
    uint64_t value = 0;
    if (!scan->ok || (size_t)(scan->end - scan->at) < digits) {
        scan->ok = false;
        return 0;
    }
    for (size_t i = 0; i < digits; i++) {
        char octet = scan->at[i];
        if (!is_digit(octet) && (octet < 'a' || octet > 'f')) {
            scan->ok = false;
            return 0;
        }
        value = value << 4 | (uint64_t)(is_digit(octet) ? octet - '0' : octet - 'a' + 10);
    }
    scan->at += digits;
    return value;
}

static bool scan_done(const struct scan *scan)
{
    return scan->ok && scan->at == scan->end;
}

/* Puts the length octet before a text of size octets that stands behind it. */
static void finish_rdata(uint8_t rdata[HF_FENCE_RDATA_MAX], int size, size_t *ret_size)
{
    assert(size > 0 && size < HF_FENCE_RDATA_MAX);
    rdata[0] = (uint8_t)size;
    *ret_size = 1 + (size_t)size;
}

void hf_fence_format(const char *owner, const char *writer, const struct hf_fence *fence,
                     uint8_t ret_rdata[HF_FENCE_RDATA_MAX], size_t *ret_size)
{
    assert(hf_label_check(owner) == HF_OK && hf_label_check(writer) == HF_OK);
    char text[HF_FENCE_RDATA_MAX];
    int size = snprintf(text, sizeof(text),
                        "holdfast=1 owner=%s gen=%" PRIu64 " sum=%016" PRIx64 " by=%s.%" PRIu64,
                        owner, fence->gen, fence->sum, writer, fence->count);
    finish_rdata(ret_rdata, size, ret_size);
    memcpy(ret_rdata + 1, text, *ret_size - 1);
}

void hf_fence_parse(const char *owner, const uint8_t *rdata, size_t size,
                    struct hf_fence *ret_fence, char ret_writer[HF_WRITER_MAX + 1])
{
    char seen_owner[HF_OWNER_MAX + 1] = "";
    char writer[HF_WRITER_MAX + 1] = "";
    struct hf_fence fence = {.kind = HF_FENCE_OURS};
    struct scan scan = scan_rdata(rdata, size);
    scan_literal(&scan, "holdfast=1 owner=");
    scan_label(&scan, seen_owner);
    scan_literal(&scan, " gen=");
    fence.gen = scan_decimal(&scan);
    scan_literal(&scan, " sum=");
    fence.sum = scan_hex(&scan, 16);
    scan_literal(&scan, " by=");
    scan_label(&scan, writer);
    scan_literal(&scan, ".");
    fence.count = scan_decimal(&scan);
    ret_writer[0] = 0;
    if (!scan_done(&scan)) {
        *ret_fence = (struct hf_fence){.kind = HF_FENCE_DAMAGED};
    } else if (strcmp(seen_owner, owner) != 0) {
        *ret_fence = (struct hf_fence){.kind = HF_FENCE_ALIEN};
    } else {
        *ret_fence = fence;
        memcpy(ret_writer, writer, sizeof(writer));
    }
}

void hf_zone_guard_format(const char *owner, const struct hf_zone_guard *guard,
                          uint8_t ret_rdata[HF_FENCE_RDATA_MAX], size_t *ret_size)
{
    assert(hf_label_check(owner) == HF_OK);
    char text[HF_FENCE_RDATA_MAX];
    int size = snprintf(text, sizeof(text),
                        "holdfast=1 owner=%s instance=%08" PRIx32 " floor=%" PRIu64 " state=%s",
                        owner, guard->instance, guard->floor, guard->frozen ? "frozen" : "open");
    finish_rdata(ret_rdata, size, ret_size);
    memcpy(ret_rdata + 1, text, *ret_size - 1);
}

void hf_zone_guard_parse(const char *owner, uint32_t instance, const uint8_t *rdata, size_t size,
                         struct hf_zone_guard *ret_guard, char ret_owner[HF_OWNER_MAX + 1])
{
    char seen_owner[HF_OWNER_MAX + 1] = "";
    struct hf_zone_guard guard = {.kind = HF_FENCE_OURS};
    struct scan scan = scan_rdata(rdata, size);
    scan_literal(&scan, "holdfast=1 owner=");
    scan_label(&scan, seen_owner);
    scan_literal(&scan, " instance=");
    guard.instance = (uint32_t)scan_hex(&scan, 8);
    scan_literal(&scan, " floor=");
    guard.floor = scan_decimal(&scan);
    scan_literal(&scan, " state=");
    guard.frozen = scan.ok && scan.at < scan.end && *scan.at == 'f';
    scan_literal(&scan, guard.frozen ? "frozen" : "open");
    ret_owner[0] = 0;
    if (!scan_done(&scan)) {
        *ret_guard = (struct hf_zone_guard){.kind = HF_FENCE_DAMAGED};
        return;
    }
    if (strcmp(seen_owner, owner) != 0 || guard.instance != instance) {
        guard.kind = HF_FENCE_ALIEN;
    }
    *ret_guard = guard;
    memcpy(ret_owner, seen_owner, sizeof(seen_owner));
}
