/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_show.h"

#include <inttypes.h>

void hf_lab_title_put(const struct hf_term *term, const char *verb,
                      const struct hf_lab_world *world)
{
    hf_term_put(term, HF_STYLE_BOLD, "%s %s", verb, world->kind->name);
    for (const struct hf_lab_option *option = world->kind->options; option->name != NULL;
         option++) {
        uint32_t value = hf_lab_option_value(world, option);
        bool is_standard = value == option->standard;
        if (is_standard && value == 0) {
            continue; /* most faults of a world */
        }
        hf_term_put(term, is_standard ? HF_STYLE_DIM : HF_STYLE_NAME, " %s=%" PRIu32, option->name,
                    value);
    }
    hf_term_put(term, HF_STYLE_PLAIN, "\n");
}

void hf_lab_put_options(struct hf_json *json, const struct hf_lab_world *world)
{
    hf_json_key(json, "options");
    hf_json_object(json);
    for (const struct hf_lab_option *option = world->kind->options; option->name != NULL;
         option++) {
        hf_json_put_u64(json, option->name, hf_lab_option_value(world, option));
    }
    hf_json_object_end(json);
}

void hf_lab_put_json(const struct hf_term *term, struct hf_buf *buf)
{
    hf_buf_put_text(buf, "\n");
    (void)fputs(hf_buf_text(buf), term->stream);
    hf_buf_release(buf);
}
