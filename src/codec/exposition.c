/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/exposition.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "codec/utf8.h"

enum { BOUND_MAX = 64 };

void hf_exposition_begin(struct hf_exposition *exposition,
                         const struct hf_exposition_family *family)
{
    exposition->family = family;
    exposition->is_headed = false;
}

static void put_head(struct hf_exposition *exposition)
{
    const struct hf_exposition_family *family = exposition->family;
    hf_buf_printf(exposition->text, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                  family->name, family->type);
    exposition->is_headed = true;
}

static void put_value(struct hf_buf *text, const char *value)
{
    const uint8_t *at = (const uint8_t *)value;
    size_t left = strlen(value);
    while (left > 0) {
        size_t size = hf_utf8_size(at, left);
        if (size == 0) {
            hf_buf_put_text(text, "\xef\xbf\xbd");
            size = 1;
        } else if (*at == '\n') {
            hf_buf_put_text(text, "\\n");
        } else {
            if (*at == '"' || *at == '\\') {
                hf_buf_put_u8(text, '\\');
            }
            hf_buf_put(text, at, size);
        }
        at += size;
        left -= size;
    }
}

static void put_number(struct hf_buf *text, uint64_t value, unsigned decimals)
{
    uint64_t whole = 1;
    for (unsigned i = 0; i < decimals; i++) {
        whole *= 10;
    }
    hf_buf_printf(text, "%" PRIu64, value / whole);
    if (value % whole != 0) {
        hf_buf_printf(text, ".%0*" PRIu64, (int)decimals, value % whole);
    }
}

/* suffix: of the family's name. */
static void put_sample(struct hf_exposition *exposition, const char *suffix,
                       const struct hf_exposition_label *labels, uint32_t label_count,
                       uint64_t value, unsigned decimals)
{
    struct hf_buf *text = exposition->text;
    const char *before = "{";
    assert(label_count <= HF_EXPOSITION_LABELS_MAX);
    if (!exposition->is_headed) {
        put_head(exposition);
    }
    hf_buf_printf(text, "%s%s", exposition->family->name, suffix);
    for (uint32_t i = 0; i < label_count; i++) {
        if (labels[i].value == NULL || labels[i].value[0] == 0) {
            continue;
        }
        hf_buf_printf(text, "%s%s=\"", before, labels[i].name);
        put_value(text, labels[i].value);
        hf_buf_put_u8(text, '"');
        before = ",";
    }
    if (before[0] == ',') {
        hf_buf_put_u8(text, '}');
    }
    hf_buf_put_u8(text, ' ');
    put_number(text, value, decimals);
    hf_buf_put_u8(text, '\n');
}

void hf_exposition_put(struct hf_exposition *exposition, const struct hf_exposition_label *labels,
                       uint32_t label_count, uint64_t value, unsigned decimals)
{
    put_sample(exposition, "", labels, label_count, value, decimals);
}

void hf_exposition_put_histogram(struct hf_exposition *exposition, const uint64_t *bounds,
                                 const uint64_t *counts, uint32_t bound_count, uint64_t sum,
                                 unsigned decimals)
{
    struct hf_exposition_label le = {"le", "+Inf"};
    struct hf_buf bound;
    uint64_t count = 0;
    hf_buf_init(&bound, BOUND_MAX);
    for (uint32_t i = 0; i < bound_count; i++) {
        hf_buf_clear(&bound);
        unsigned places = decimals;
        uint64_t shown = bounds[i];
        for (; places > 0 && shown % 10 == 0; places--) {
            shown /= 10; /* 0.1 and not 0.100: it is a name */
        }
        put_number(&bound, shown, places);
        le.value = hf_buf_text(&bound);
        count += counts[i];
        put_sample(exposition, "_bucket", &le, 1, count, 0);
    }
    count += counts[bound_count];
    le.value = "+Inf";
    put_sample(exposition, "_bucket", &le, 1, count, 0);
    put_sample(exposition, "_sum", NULL, 0, sum, decimals);
    put_sample(exposition, "_count", NULL, 0, count, 0);
    hf_buf_release(&bound);
}
