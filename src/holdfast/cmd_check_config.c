/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/json.h"
#include "holdfast/command.h"
#include "holdfast/open.h"

enum { PROBLEMS_MAX = 1024 * 1024, JSON_MAX = 8 * 1024 * 1024 };

/* Takes ":NUMBER" off the end of a text. */
static uint64_t take_number(const char *text, size_t *size)
{
    size_t start = *size;
    while (start > 0 && text[start - 1] != ':') {
        start--;
    }
    uint64_t number = strtoull(text + start, NULL, 10);
    *size = start > 0 ? start - 1 : 0;
    return number;
}

/* FILE:LINE:COLUMN: [warning: ]TEXT */
static void put_problem(struct hf_json *json, const char *line, size_t size)
{
    static const char warning[] = "warning: ";
    const char *end = memmem(line, size, ": ", 2);
    size_t place = end != NULL ? (size_t)(end - line) : 0;
    const char *text = end != NULL ? end + 2 : line;
    size_t text_size = size - (size_t)(text - line);
    bool is_warning = text_size >= strlen(warning) && memcmp(text, warning, strlen(warning)) == 0;
    if (is_warning) {
        text += strlen(warning);
        text_size -= strlen(warning);
    }
    uint64_t column = take_number(line, &place);
    uint64_t number = take_number(line, &place);
    hf_json_object(json);
    hf_json_key(json, "file");
    hf_json_bytes(json, line, place);
    hf_json_put_u64(json, "line", number);
    hf_json_put_u64(json, "column", column);
    hf_json_put_text(json, "severity", is_warning ? "warning" : "error");
    hf_json_key(json, "text");
    hf_json_bytes(json, text, text_size);
    hf_json_object_end(json);
}

static void put_problems(struct hf_json *json, const char *text)
{
    hf_json_key(json, "problems");
    hf_json_array(json);
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        put_problem(json, text, size);
        text += size;
        text += *text == '\n';
    }
    hf_json_array_end(json);
}

static int check_json(const struct hf_invocation *invocation)
{
    struct hf_config *config = NULL;
    struct hf_buf problems;
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&problems, PROBLEMS_MAX);
    hf_buf_init(&buf, JSON_MAX);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    int status = hf_config_read(invocation->config_path, &config, &problems);
    hf_json_object(&json);
    hf_json_put_text(&json, "path", invocation->config_path);
    hf_json_put_bool(&json, "valid", status == HF_OK);
    hf_json_put_text(&json, "error", status == HF_OK ? NULL : hf_strerror(status));
    put_problems(&json, hf_buf_text(&problems));
    if (status == HF_OK) {
        hf_json_put_text(&json, "installation", config->installation);
        hf_json_put_u64(&json, "targets", config->target_count);
        hf_json_put_u64(&json, "zones", config->zone_count);
        hf_json_put_u64(&json, "pools", config->pool_count);
        hf_json_put_u64(&json, "backends", config->backend_count);
        hf_json_put_u64(&json, "endpoints", config->endpoint_count);
        hf_config_free(config);
    }
    hf_json_object_end(&json);
    (void)fprintf(invocation->out.stream, "%s\n", hf_buf_text(&buf));
    hf_buf_release(&buf);
    hf_buf_release(&problems);
    return status == HF_OK ? HF_EXIT_DONE : HF_EXIT_FAILED;
}

static int check(const struct hf_invocation *invocation)
{
    struct hf_config *config = NULL;
    if (invocation->json) {
        return check_json(invocation);
    }
    if (hf_open_config(invocation, &config) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    hf_term_put(&invocation->out, HF_STYLE_GOOD, "%s is valid", invocation->config_path);
    hf_term_put(&invocation->out, HF_STYLE_PLAIN,
                ": installation %s, %u targets, %u zones, %u pools, %u backends, %u endpoints\n",
                config->installation, config->target_count, config->zone_count, config->pool_count,
                config->backend_count, config->endpoint_count);
    hf_config_free(config);
    return HF_EXIT_DONE;
}

const struct hf_command hf_command_check_config = {
    .name = "check-config",
    .group = HF_COMMAND_LOOK,
    .arguments = "",
    .summary = "read the configuration and say what is wrong with it",
    .details = "Reads the configuration and every file that it names, and prints each problem as\n"
               "FILE:LINE:COLUMN, what was found and what was expected. Nothing is written and\n"
               "no server is asked.",
    .run = check,
};
