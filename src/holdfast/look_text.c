/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/look.h"

enum {
    JSON_MAX = 1024 * 1024 * 1024,
    JSON_VERSION = 1,
    WRAP_MIN = 40, /* narrower terminals get this width */
};

void hf_look_address(const uint8_t *bytes, size_t size, char ret_text[HF_LOOK_ADDRESS_MAX])
{
    if (inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, ret_text, HF_LOOK_ADDRESS_MAX) == NULL) {
        ret_text[0] = 0;
    }
}

void hf_look_backend_addresses(const struct hf_plan_backend *backend,
                               char ret_text[2 * HF_LOOK_ADDRESS_MAX])
{
    char a[HF_LOOK_ADDRESS_MAX] = "";
    char aaaa[HF_LOOK_ADDRESS_MAX] = "";
    if (backend->has_a) {
        hf_look_address(backend->a, 4, a);
    }
    if (backend->has_aaaa) {
        hf_look_address(backend->aaaa, 16, aaaa);
    }
    (void)snprintf(ret_text, 2 * HF_LOOK_ADDRESS_MAX, "%s%s%s", a,
                   backend->has_a && backend->has_aaaa ? ", " : "", aaaa);
}

void hf_look_cause(enum hf_cause cause, const char *backend, char ret_text[HF_LOOK_SENTENCE_MAX])
{
    static const char *const words[] = {
        [HF_CAUSE_NONE] = "unknown",
        [HF_CAUSE_CREATED] = "created",
        [HF_CAUSE_HEALTH] = "health",
        [HF_CAUSE_DRAIN] = "drain",
        [HF_CAUSE_CONFIG] = "configuration",
        [HF_CAUSE_ROTATION] = "rotation by weights",
        [HF_CAUSE_PIN] = "rolled back or released",
        [HF_CAUSE_RETIRED] = "retired",
        [HF_CAUSE_RECREATED] = "created again",
        [HF_CAUSE_STAMP] = "stamped anew",
        [HF_CAUSE_APPROVED] = "approved",
        [HF_CAUSE_CLAIMED] = "marks only",
    };
    bool is_known = (size_t)cause < sizeof(words) / sizeof(words[0]);
    (void)snprintf(ret_text, HF_LOOK_SENTENCE_MAX, "%s%s%s", is_known ? words[cause] : "unknown",
                   backend != NULL ? " of " : "", backend != NULL ? backend : "");
}

const char *hf_look_hold(enum hf_hold hold)
{
    switch (hold) {
    case HF_HOLD_MIN_HEALTHY:
        return "too few of its backends are healthy";
    case HF_HOLD_FAMILY:
        return "the last address of a family would leave";
    case HF_HOLD_REMOVAL:
        return "more capacity would leave than max_removal allows";
    case HF_HOLD_CHANGED:
        return "more endpoints would change than max_changed allows";
    default:
        return "nothing is held";
    }
}

const char *hf_look_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void hf_look_ago(const struct hf_look *look, uint64_t at_ms, char ret_text[HF_TERM_SHORT_MAX])
{
    if (at_ms == 0) {
        (void)snprintf(ret_text, HF_TERM_SHORT_MAX, "never");
        return;
    }
    hf_term_ago(look->now_ms, at_ms, ret_text);
}

void hf_look_wrap(const struct hf_term *term, unsigned indent, const char *text)
{
    size_t width = term->width > indent + WRAP_MIN ? term->width - indent : WRAP_MIN;
    while (hf_term_columns(text) > width) {
        size_t cut = 0;
        size_t columns = 0;
        for (size_t i = 0; text[i] != 0 && columns <= width; i++) {
            columns += ((unsigned char)text[i] & 0xc0) != 0x80;
            cut = text[i] == ' ' && columns <= width + 1 ? i : cut;
        }
        if (cut == 0) {
            break; /* one long word */
        }
        hf_term_put(term, HF_STYLE_PLAIN, "%.*s\n%*s", (int)cut, text, (int)indent, "");
        text += cut + 1;
    }
    hf_term_put(term, HF_STYLE_PLAIN, "%s\n", text);
}

static void put_problems(const struct hf_look *look, struct hf_json *json)
{
    hf_json_key(json, "problems");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->problem_count; i++) {
        hf_json_object(json);
        hf_json_put_text(json, "what", look->problems[i].what);
        hf_json_put_text(json, "why", look->problems[i].why);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

void hf_look_json_head(const struct hf_look *look, struct hf_json *json)
{
    hf_json_object(json);
    hf_json_put_u64(json, "version", JSON_VERSION);
    hf_json_put_text(json, "installation", look->config->installation);
    hf_json_put_u64(json, "now_ms", look->now_ms);
    put_problems(look, json);
}

void hf_look_json_begin(const struct hf_look *look, struct hf_look_json *output)
{
    hf_buf_init(&output->buf, JSON_MAX);
    hf_json_init(&output->json, &output->buf, HF_JSON_PRETTY);
    hf_look_json_head(look, &output->json);
}

int hf_look_json_end(const struct hf_look *look, struct hf_look_json *output)
{
    hf_json_object_end(&output->json);
    int error = hf_json_error(&output->json);
    if (error == HF_OK) {
        (void)fprintf(look->invocation->out.stream, "%s\n", hf_buf_text(&output->buf));
    } else {
        (void)hf_command_fail(look->invocation, "the JSON would be too large: %s",
                              hf_strerror(error));
    }
    hf_buf_release(&output->buf);
    return error == HF_OK ? HF_EXIT_DONE : HF_EXIT_FAILED;
}

void hf_look_json_time(struct hf_json *json, const char *key, uint64_t at_ms)
{
    if (at_ms == 0) {
        hf_json_put_null(json, key);
    } else {
        hf_json_put_u64(json, key, at_ms);
    }
}

void hf_look_json_records(struct hf_json *json, const char *key, const struct hf_records *records)
{
    char text[HF_LOOK_ADDRESS_MAX];
    hf_json_key(json, key);
    hf_json_array(json);
    for (uint32_t i = 0; i < records->a_count; i++) {
        hf_look_address(records->bytes + i * 4, 4, text);
        hf_json_text(json, text);
    }
    for (uint32_t i = 0; i < records->aaaa_count; i++) {
        hf_look_address(records->bytes + records->a_count * 4U + i * 16, 16, text);
        hf_json_text(json, text);
    }
    hf_json_array_end(json);
}

void hf_look_json_override(struct hf_json *json, const struct hf_override *item)
{
    hf_json_object(json);
    hf_json_put_text(json, "kind", hf_override_kind_name(item->kind));
    hf_json_put_text(json, "subject", item->subject);
    hf_json_put_text(json, "who", item->who);
    hf_json_put_text(json, "why", item->why);
    hf_json_put_u64(json, "at_ms", item->at_ms);
    hf_json_put_u64(json, "generation", item->gen);
    hf_json_object_end(json);
}

void hf_look_basis(const struct hf_look *look, char mark, uint64_t gen,
                   char ret_text[HF_LOOK_BASIS_MAX])
{
    int size = snprintf(ret_text, HF_LOOK_BASIS_MAX, "r%llu",
                        (unsigned long long)look->overrides.revision);
    if (mark != 0) {
        (void)snprintf(ret_text + size, HF_LOOK_BASIS_MAX - (size_t)size, ".%c%llu", mark,
                       (unsigned long long)gen);
    }
}

void hf_look_basis_held(const struct hf_look *look, char ret_text[HF_LOOK_BASIS_MAX])
{
    ret_text[0] = 0;
    if (look->has_planner && look->planner.held_count > 0) {
        (void)snprintf(ret_text, HF_LOOK_BASIS_MAX, "r%llu.h%.16s",
                       (unsigned long long)look->overrides.revision, look->planner.held_id);
    }
}

void hf_look_put_problems(const struct hf_look *look)
{
    for (uint32_t i = 0; i < look->problem_count; i++) {
        (void)hf_command_fail(look->invocation, "%s", look->problems[i].why);
    }
}
