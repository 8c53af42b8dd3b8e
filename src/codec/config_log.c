/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the log of a configuration's roles is written.
 */
#include "codec/config_reader.h"

static const struct hf_key log_keys[] = {{.name = "format", .kind = HF_KEY_NODE}};

void hf_read_log(struct hf_reader *reader, uint32_t node)
{
    static const char *const formats[] = {"auto", "logfmt", "json", NULL};
    uint32_t values[1];
    if (!hf_read_map(reader, node, log_keys, 1, NULL, values) || values[0] == 0) {
        return;
    }
    hf_enter(reader, "format");
    uint32_t word = hf_read_word(reader, values[0], formats);
    if (word != UINT32_MAX) {
        reader->own->config.log_format = formats[word];
    }
    hf_leave(reader);
}
