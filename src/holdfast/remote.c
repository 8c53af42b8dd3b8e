/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/remote.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/config.h"
#include "codec/json.h"
#include "holdfast/incidents.h"
#include "io/reach.h"

enum {
    READ_MS = 10000,
    CHANGE_MS = 30000,
    TARGET_MAX = 16 * 1024,
    BODY_MAX = 60 * 1024,
    PROBLEMS_MAX = 64 * 1024,
};

/* The socket of the configuration, as long as it lasts; NULL: there is none. Problems are for the
 * command itself to tell. */
static const char *find_socket(const struct hf_invocation *invocation,
                               struct hf_config **ret_config)
{
    struct hf_buf problems;
    hf_buf_init(&problems, PROBLEMS_MAX);
    int error = hf_config_read_zones(invocation->config_path, ret_config, &problems);
    hf_buf_release(&problems);
    return error == HF_OK ? (*ret_config)->api.socket_path : NULL;
}

static int reach(const struct hf_invocation *invocation, struct hf_reach_request *request,
                 struct hf_reach_answer *ret_answer)
{
    struct hf_config *config = NULL;
    request->socket_path = find_socket(invocation, &config);
    int error = request->socket_path != NULL ? hf_reach(request, ret_answer) : HF_ECONN;
    hf_config_free(config);
    return error;
}

/* --- reading --- */

static void put_encoded(struct hf_buf *target, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; text[i] != 0; i++) {
        if (strchr(plain, text[i]) != NULL) {
            hf_buf_put_u8(target, (uint8_t)text[i]);
        } else {
            hf_buf_printf(target, "%%%02X", (unsigned)(unsigned char)text[i]);
        }
    }
}

/* What the error says, as the command would have; false: the store is to be asked. */
static bool tell_error(const struct hf_invocation *invocation, const struct hf_reach_answer *answer)
{
    json_error_t why;
    json_t *root = json_loadb((const char *)answer->body.bytes, answer->body.size, 0, &why);
    const json_t *error = json_object_get(root, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    const json_t *nearest = json_object_get(error, "nearest");
    if (text != NULL) {
        bool has_nearest = json_array_size(nearest) > 0;
        (void)hf_command_fail(invocation, "%s%s", text, has_nearest ? "; did you mean" : "");
        for (size_t i = 0; i < json_array_size(nearest); i++) {
            const char *name = json_string_value(json_array_get(nearest, i));
            hf_term_put(&invocation->err, HF_STYLE_NAME, "  %s\n", name != NULL ? name : "");
        }
    }
    json_decref(root);
    return text != NULL;
}

static void put_body(const struct hf_invocation *invocation, struct hf_reach_answer *answer)
{
    FILE *out = invocation->out.stream;
    (void)fwrite(answer->body.bytes, 1, answer->body.size, out);
    if (answer->body.size > 0 && answer->body.bytes[answer->body.size - 1] != '\n') {
        (void)fputc('\n', out);
    }
}

/* target: path and a query that is begun. */
static bool show(const struct hf_invocation *invocation, struct hf_buf *target, int *ret_exit)
{
    struct hf_reach_answer answer;
    const struct hf_term *out = &invocation->out;
    if (invocation->json) {
        hf_buf_put_text(target, "fresh=yes&format=pretty");
    } else {
        hf_buf_printf(target, "fresh=yes&format=text&width=%u&colour=%s",
                      out->width < 20     ? 20
                      : out->width > 1000 ? 1000
                                          : out->width,
                      out->colour ? "yes" : "no");
    }
    struct hf_reach_request request = {.target = hf_buf_text(target), .timeout_ms = READ_MS};
    if (hf_buf_error(target) != HF_OK || reach(invocation, &request, &answer) != HF_OK) {
        return false;
    }
    bool is_told = true;
    if (answer.status == 200) {
        put_body(invocation, &answer);
        *ret_exit = HF_EXIT_DONE;
    } else {
        *ret_exit = HF_EXIT_FAILED;
        is_told = answer.status == 404 && tell_error(invocation, &answer);
    }
    hf_buf_release(&answer.body);
    return is_told;
}

bool hf_remote_status(const struct hf_invocation *invocation, int *ret_exit)
{
    struct hf_buf target;
    if (hf_option_given(invocation, "exit-code")) {
        return false;
    }
    hf_buf_init(&target, TARGET_MAX);
    hf_buf_put_text(&target, "/api/v1/status?detail=full&");
    bool is_told = show(invocation, &target, ret_exit);
    hf_buf_release(&target);
    return is_told;
}

bool hf_remote_explain(const struct hf_invocation *invocation, int *ret_exit)
{
    struct hf_buf target;
    hf_buf_init(&target, TARGET_MAX);
    hf_buf_put_text(&target, "/api/v1/endpoints/");
    put_encoded(&target, invocation->arguments[0]);
    hf_buf_put_text(&target, "?");
    bool is_told = show(invocation, &target, ret_exit);
    hf_buf_release(&target);
    return is_told;
}

bool hf_remote_history(const struct hf_invocation *invocation, int *ret_exit)
{
    struct hf_buf target;
    const char *max = hf_option_value(invocation, "max");
    hf_buf_init(&target, TARGET_MAX);
    if (hf_option_given(invocation, "actions") && invocation->argument_count == 0) {
        hf_buf_put_text(&target, "/api/v1/actions?");
    } else if (invocation->argument_count > 0) {
        hf_buf_put_text(&target, "/api/v1/endpoints/");
        put_encoded(&target, invocation->arguments[0]);
        hf_buf_put_text(&target, "/history?");
    } else {
        hf_buf_put_text(&target, "/api/v1/plans?");
    }
    hf_buf_put_text(&target, "limit=");
    put_encoded(&target, max != NULL ? max : "20");
    hf_buf_put_text(&target, "&");
    bool is_told = show(invocation, &target, ret_exit);
    hf_buf_release(&target);
    return is_told;
}

/* --- changing --- */

static void put_text(struct hf_json *json, const char *key, const char *text)
{
    if (text != NULL) {
        hf_json_put_text(json, key, text);
    }
}

/* The command's argument is the API's member of this name. */
static const char *argument_name(const char *command)
{
    if (strcmp(command, "drain") == 0 || strcmp(command, "undrain") == 0) {
        return "subject";
    }
    return strcmp(command, "approve") == 0 ? "plan" : "endpoint";
}

static void put_change(const struct hf_invocation *invocation, struct hf_buf *body)
{
    struct hf_json json;
    const char *command = invocation->command->name;
    const char *argument = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    hf_json_init(&json, body, HF_JSON_COMPACT);
    hf_json_object(&json);
    put_text(&json, argument_name(command), argument);
    put_text(&json, "why", hf_option_value(invocation, "why"));
    if (strcmp(command, "rollback") == 0 || strcmp(command, "release") == 0) {
        hf_json_put_bool(&json, "all", hf_option_given(invocation, "all"));
    }
    if (strcmp(command, "rollback") == 0) {
        hf_json_put_u64(&json, "to", strtoull(hf_option_value(invocation, "to"), NULL, 10));
    }
    if (strcmp(command, "retire") == 0) {
        hf_json_put_text(&json, "confirm", argument);
    }
    hf_json_object_end(&json);
}

/* What is wrong in itself is for the command to say. */
static bool is_sound(const struct hf_invocation *invocation)
{
    const char *command = invocation->command->name;
    bool is_scoped = strcmp(command, "rollback") == 0 || strcmp(command, "release") == 0;
    if (is_scoped && (invocation->argument_count == 1) == hf_option_given(invocation, "all")) {
        return false;
    }
    return (strcmp(command, "rollback") != 0 || hf_option_given(invocation, "to")) &&
           (strcmp(command, "retire") != 0 || hf_option_given(invocation, "yes"));
}

static void put_done(const struct hf_invocation *invocation, struct hf_reach_answer *answer)
{
    json_error_t why;
    if (invocation->json) {
        put_body(invocation, answer);
        return;
    }
    json_t *root = json_loadb((const char *)answer->body.bytes, answer->body.size, 0, &why);
    const char *text = json_string_value(json_object_get(root, "text"));
    hf_term_put(&invocation->out, HF_STYLE_PLAIN, "%s\n", text != NULL ? text : "done");
    json_decref(root);
}

/*
 * Posts the body. False: it is for the command to do, or to say what is wrong. refusal: the status
 * whose error is told as it is. Where *ret_exit is HF_EXIT_DONE the answer is to be released.
 */
static bool post(const struct hf_invocation *invocation, const char *target, struct hf_buf *body,
                 uint16_t refusal, struct hf_reach_answer *ret_answer, int *ret_exit)
{
    struct hf_reach_request request = {
        .target = target, .if_match = "*", .body = hf_buf_text(body), .timeout_ms = CHANGE_MS};
    int error = hf_buf_error(body) == HF_OK ? reach(invocation, &request, ret_answer) : HF_ECONN;
    if (error == HF_ECONN) {
        return false;
    }
    *ret_exit = HF_EXIT_FAILED;
    if (error != HF_OK) {
        (void)hf_command_fail(invocation,
                              "the daemon was told, and has not said what came of it: %s; see "
                              "`holdfast history --actions`",
                              hf_strerror(error));
        return true;
    }
    if (ret_answer->status == 200) {
        *ret_exit = HF_EXIT_DONE;
        return true;
    }
    bool is_told = ret_answer->status == refusal && tell_error(invocation, ret_answer);
    hf_buf_release(&ret_answer->body);
    return is_told;
}

bool hf_remote_change(const struct hf_invocation *invocation, int *ret_exit)
{
    struct hf_buf body;
    struct hf_buf target;
    struct hf_reach_answer answer;
    if (hf_option_given(invocation, "as") || !is_sound(invocation)) {
        return false;
    }
    hf_buf_init(&body, BODY_MAX);
    hf_buf_init(&target, TARGET_MAX);
    hf_buf_printf(&target, "/api/v1/%s", invocation->command->name);
    put_change(invocation, &body);
    bool is_told = post(invocation, hf_buf_text(&target), &body, 409, &answer, ret_exit);
    if (is_told && *ret_exit == HF_EXIT_DONE) {
        put_done(invocation, &answer);
        hf_buf_release(&answer.body);
    }
    hf_buf_release(&body);
    hf_buf_release(&target);
    return is_told;
}

/* --- incidents --- */

static bool show_incidents(const struct hf_invocation *invocation, int *ret_exit)
{
    struct hf_buf target;
    hf_buf_init(&target, TARGET_MAX);
    if (invocation->argument_count < 2) {
        hf_buf_printf(&target, "/api/v1/incidents?limit=%d&", HF_INCIDENTS_MAX);
    } else {
        hf_buf_put_text(&target, "/api/v1/incidents/");
        put_encoded(&target, invocation->arguments[1]);
        hf_buf_put_text(&target, "?");
    }
    bool is_told = show(invocation, &target, ret_exit);
    hf_buf_release(&target);
    return is_told;
}

static bool say(const struct hf_invocation *invocation, int *ret_exit)
{
    struct hf_buf body;
    struct hf_buf target;
    struct hf_json json;
    struct hf_reach_answer answer;
    const char *number = invocation->arguments[1];
    bool is_public = hf_option_given(invocation, "public");
    hf_buf_init(&body, BODY_MAX);
    hf_json_init(&json, &body, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_text(&json, "text", invocation->arguments[2]);
    hf_json_put_bool(&json, "public", is_public);
    hf_json_object_end(&json);
    hf_buf_init(&target, TARGET_MAX);
    hf_buf_put_text(&target, "/api/v1/incidents/");
    put_encoded(&target, number);
    hf_buf_put_text(&target, "/messages");
    bool is_told = post(invocation, hf_buf_text(&target), &body, 404, &answer, ret_exit);
    if (is_told && *ret_exit == HF_EXIT_DONE) {
        if (invocation->json) {
            put_body(invocation, &answer);
        } else {
            hf_incident_said(&invocation->out, number, is_public);
        }
        hf_buf_release(&answer.body);
    }
    hf_buf_release(&body);
    hf_buf_release(&target);
    return is_told;
}

/* What is no number, or not as many words as it takes, is for the command to say. */
bool hf_remote_incident(const struct hf_invocation *invocation, int *ret_exit)
{
    int count = invocation->argument_count;
    const char *verb = count > 0 ? invocation->arguments[0] : "list";
    const char *number = count > 1 ? invocation->arguments[1] : "1";
    if (number[0] == 0 || number[strspn(number, "0123456789")] != 0) {
        return false;
    }
    if ((count <= 1 && strcmp(verb, "list") == 0) || (count == 2 && strcmp(verb, "show") == 0)) {
        return show_incidents(invocation, ret_exit);
    }
    return count == 3 && strcmp(verb, "message") == 0 && !hf_option_given(invocation, "as") &&
           say(invocation, ret_exit);
}
