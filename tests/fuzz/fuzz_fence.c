/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a zone holds: what is accepted as a fence or a guard can be written again as it is. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "codec/fence.h"
#include "codec/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The owner that the input itself names: random input would never hit a fixed one. */
static void owner_of(const uint8_t *bytes, size_t size, char owner[HF_OWNER_MAX + 1])
{
    struct hf_zone_guard guard;
    hf_zone_guard_parse("prod", 0, bytes, size, &guard, owner);
    if (owner[0] == 0) {
        memcpy(owner, "prod", 5);
    }
}

static void check_fence(const char *owner, const uint8_t *bytes, size_t size)
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t rdata_size = 0;
    struct hf_fence fence;
    char writer[HF_WRITER_MAX + 1];
    hf_fence_parse(owner, bytes, size, &fence, writer);
    assert((fence.kind == HF_FENCE_OURS) == (writer[0] != 0));
    if (fence.kind == HF_FENCE_OURS) {
        hf_fence_format(owner, writer, &fence, rdata, &rdata_size);
        assert(rdata_size == size && memcmp(rdata, bytes, size) == 0);
    }
}

static void check_guard(const char *owner, const uint8_t *bytes, size_t size)
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t rdata_size = 0;
    struct hf_zone_guard guard;
    char seen[HF_OWNER_MAX + 1];
    hf_zone_guard_parse(owner, 0x5e1f09c2, bytes, size, &guard, seen);
    assert((guard.kind == HF_FENCE_DAMAGED) == (seen[0] == 0));
    if (guard.kind != HF_FENCE_DAMAGED) {
        hf_zone_guard_format(seen, &guard, rdata, &rdata_size);
        assert(rdata_size == size && memcmp(rdata, bytes, size) == 0);
    }
}

static void check_name(const uint8_t *bytes, size_t size)
{
    char text[HF_NAME_TEXT_MAX];
    uint8_t wire[HF_NAME_MAX];
    uint8_t again[HF_NAME_MAX];
    if (size >= sizeof(text)) {
        return;
    }
    memcpy(text, bytes, size);
    text[size] = 0;
    if (hf_name_parse(text, wire) == HF_OK) {
        hf_name_text(wire, text);
        assert(hf_name_parse(text, again) == HF_OK);
        assert(hf_name_equal(wire, again) && hf_name_compare(wire, again) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char owner[HF_OWNER_MAX + 1];
    owner_of(bytes, size, owner);
    check_fence(owner, bytes, size);
    check_guard(owner, bytes, size);
    check_name(bytes, size);
    return 0;
}
