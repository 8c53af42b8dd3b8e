/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/exposition.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "codec/utf8.h"

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
    hf_buf_printf(text, " %" PRIu64, value / whole);
    if (value % whole != 0) {
        hf_buf_printf(text, ".%0*" PRIu64, (int)decimals, value % whole);
    }
    hf_buf_put_u8(text, '\n');
}

void hf_exposition_put(struct hf_exposition *exposition, const struct hf_exposition_label *labels,
                       uint32_t label_count, uint64_t value, unsigned decimals)
{
    struct hf_buf *text = exposition->text;
    const char *before = "{";
    assert(label_count <= HF_EXPOSITION_LABELS_MAX);
    if (!exposition->is_headed) {
        put_head(exposition);
    }
    hf_buf_put_text(text, exposition->family->name);
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
    put_number(text, value, decimals);
}
