/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Actions: a POST becomes a call of the command of the same name, which does what it does on a
 * terminal and says what came of it. Before that, what the operator saw is compared with what is.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/actions.h"
#include "holdfast/api.h"

enum { WHY_MAX = 1000, ARGUMENT_MAX = HF_NAME_TEXT_MAX };

extern const struct hf_command hf_command_drain, hf_command_undrain, hf_command_freeze,
    hf_command_thaw, hf_command_approve, hf_command_rollback, hf_command_release, hf_command_retire;

/* What the basis of an action is beside the operators' words. */
enum mark { MARK_NONE, MARK_HELD, MARK_ENDPOINT };

struct act {
    const char *path;
    const struct hf_command *command;
    const char *argument; /* the member that is the command's argument */
    const char *members;  /* all that may be there */
    enum mark mark;
    bool is_optional; /* the argument */
};

static const struct act acts[] = {
    {"/api/v1/drain", &hf_command_drain, "subject", "subject why", MARK_NONE, false},
    {"/api/v1/undrain", &hf_command_undrain, "subject", "subject why", MARK_NONE, false},
    {"/api/v1/freeze", &hf_command_freeze, "zone", "zone why", MARK_NONE, true},
    {"/api/v1/thaw", &hf_command_thaw, "zone", "zone why", MARK_NONE, true},
    {"/api/v1/approve", &hf_command_approve, "plan", "plan why", MARK_HELD, false},
    {"/api/v1/rollback", &hf_command_rollback, "endpoint", "endpoint all to why", MARK_ENDPOINT,
     true},
    {"/api/v1/release", &hf_command_release, "endpoint", "endpoint all why", MARK_ENDPOINT, true},
    {"/api/v1/retire", &hf_command_retire, "endpoint", "endpoint confirm why", MARK_ENDPOINT,
     false},
};

/* One action under way. */
struct doing {
    struct hf_api_call *call;
    const struct act *act;
    struct hf_invocation invocation;
    struct hf_remote remote;
    char argument[ARGUMENT_MAX];
    char *arguments[1];
    char to[24];
    char basis[HF_LOOK_BASIS_MAX + 2]; /* with quotes, as it is now */
    json_t *body;
    char *out, *err; /* what the command printed */
    size_t out_size, err_size;
};

/* --- the body --- */

static bool fail_member(struct doing *doing, const char *name, const char *expected)
{
    hf_api_fail(doing->call, 400, "bad-request", "%s: expected %s", name, expected);
    return false;
}

static bool check_members(struct doing *doing)
{
    const char *name;
    json_t *value;
    json_object_foreach(doing->body, name, value)
    {
        (void)value;
        if (!hf_api_is_word(doing->act->members, name)) {
            return fail_member(doing, name, doing->act->members);
        }
    }
    return true;
}

static void set_option(struct doing *doing, const char *name, const char *value)
{
    const struct hf_option *options = doing->invocation.command->options;
    for (int i = 0; options[i].name != NULL; i++) {
        if (strcmp(options[i].name, name) == 0) {
            doing->invocation.values[i] = value;
        }
    }
}

static bool take_argument(struct doing *doing)
{
    const json_t *value = json_object_get(doing->body, doing->act->argument);
    const char *text = json_string_value(value);
    if (value == NULL && doing->act->is_optional) {
        return true;
    }
    if (text == NULL || text[0] == 0 || json_string_length(value) >= ARGUMENT_MAX ||
        strlen(text) != json_string_length(value)) {
        return fail_member(doing, doing->act->argument, "a text");
    }
    (void)snprintf(doing->argument, sizeof(doing->argument), "%s", text);
    doing->arguments[0] = doing->argument;
    doing->invocation.arguments = doing->arguments;
    doing->invocation.argument_count = 1;
    return true;
}

static bool take_why(struct doing *doing)
{
    const json_t *why = json_object_get(doing->body, "why");
    if (why != NULL && (!json_is_string(why) || json_string_length(why) > WHY_MAX)) {
        return fail_member(doing, "why", "a text of up to 1000 octets");
    }
    set_option(doing, "why", json_string_value(why));
    set_option(doing, "as", doing->call->request->who);
    return true;
}

/* "all", and the generation of a rollback. */
static bool take_scope(struct doing *doing)
{
    const json_t *all = json_object_get(doing->body, "all");
    const json_t *to = json_object_get(doing->body, "to");
    if (all != NULL && !json_is_boolean(all)) {
        return fail_member(doing, "all", "true or false");
    }
    if (json_is_true(all)) {
        set_option(doing, "all", "");
    }
    if (doing->act->command != &hf_command_rollback) {
        return true;
    }
    if (!json_is_integer(to) || json_integer_value(to) < 1) {
        return fail_member(doing, "to", "a generation");
    }
    (void)snprintf(doing->to, sizeof(doing->to), "%lld", (long long)json_integer_value(to));
    set_option(doing, "to", doing->to);
    return true;
}

static bool take_confirm(struct doing *doing)
{
    uint8_t one[HF_NAME_MAX];
    uint8_t other[HF_NAME_MAX];
    if (doing->act->command != &hf_command_retire) {
        return true;
    }
    const char *confirm = json_string_value(json_object_get(doing->body, "confirm"));
    if (confirm == NULL || hf_name_parse(confirm, one) != HF_OK ||
        hf_name_parse(doing->argument, other) != HF_OK || !hf_name_equal(one, other)) {
        return fail_member(doing, "confirm", "the endpoint's name once more");
    }
    set_option(doing, "yes", "");
    return true;
}

static bool take_body(struct doing *doing)
{
    const struct hf_serve_request *request = doing->call->request;
    json_error_t why;
    doing->body = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(doing->body)) {
        hf_api_fail(doing->call, 400, "bad-request", "the body is no JSON object");
        return false;
    }
    return check_members(doing) && take_argument(doing) && take_why(doing) && take_scope(doing) &&
           take_confirm(doing);
}

/* --- what it is based on --- */

static void read_basis(struct doing *doing)
{
    struct hf_api *api = doing->call->api;
    char basis[HF_LOOK_BASIS_MAX];
    uint8_t owner[HF_NAME_MAX];
    uv_mutex_lock(&api->lock);
    hf_api_refresh(api, 0);
    const struct hf_look *look = api->look;
    if (doing->act->mark == MARK_NONE) {
        hf_look_basis(look, 0, 0, basis);
    } else if (doing->act->mark == MARK_HELD) {
        hf_look_basis_held(look, basis);
    } else if (doing->invocation.argument_count == 0) {
        hf_look_basis(look, 'g', look->plan.head.gen, basis);
    } else {
        bool is_name = hf_name_parse(doing->argument, owner) == HF_OK;
        uint32_t row = is_name ? hf_plan_find(&look->plan, owner) : UINT32_MAX;
        hf_look_basis(look, 'g', row != UINT32_MAX ? hf_plan_gen(&look->plan, row) : 0, basis);
    }
    doing->remote.revision = look->overrides.revision;
    uv_mutex_unlock(&api->lock);
    (void)snprintf(doing->basis, sizeof(doing->basis), "\"%s\"", basis);
}

static void fail_changed(struct doing *doing)
{
    struct hf_json *json = &doing->call->json;
    char basis[HF_LOOK_BASIS_MAX];
    hf_api_fail_begin(doing->call, 412, "changed",
                      "it is not any more as it was when you looked; look again");
    (void)snprintf(basis, sizeof(basis), "%.*s", (int)strlen(doing->basis) - 2, doing->basis + 1);
    hf_json_put_text(json, "basis", basis);
    hf_api_fail_end(doing->call);
}

static bool is_as_seen(struct doing *doing)
{
    const char *seen = doing->call->request->if_match;
    return strcmp(seen, "*") == 0 || strcmp(seen, doing->basis) == 0;
}

/* --- the command --- */

/* "holdfast drain: TEXT" of each line, without what everybody knows. */
static void fail_refused(struct doing *doing)
{
    char prefix[64];
    int size = snprintf(prefix, sizeof(prefix), "holdfast %s: ", doing->act->command->name);
    const char *text = doing->err_size > 0 ? doing->err : "it failed";
    if (strncmp(text, prefix, (size_t)size) == 0) {
        text += size;
    }
    size_t length = strcspn(text, "\n");
    hf_api_fail(doing->call, 409, "refused", "%.*s", (int)length, text);
}

static void run_command(struct doing *doing)
{
    struct hf_invocation *invocation = &doing->invocation;
    FILE *out = open_memstream(&doing->out, &doing->out_size);
    FILE *err = open_memstream(&doing->err, &doing->err_size);
    if (out == NULL || err == NULL) {
        abort();
    }
    invocation->out = (struct hf_term){.stream = out, .width = 80};
    invocation->err = (struct hf_term){.stream = err, .width = 80};
    int exit = invocation->command->run(invocation);
    hf_api_stale(doing->call->api);
    (void)fclose(out);
    (void)fclose(err);
    if (exit == HF_EXIT_DONE) {
        hf_buf_put(&doing->call->answer->body, doing->out, doing->out_size);
        return;
    }
    read_basis(doing);
    if (is_as_seen(doing)) {
        fail_refused(doing);
    } else {
        fail_changed(doing);
    }
}

static void act(struct hf_api_call *call, const struct act *act)
{
    struct doing doing = {.call = call, .act = act};
    const char *seen = call->request->if_match;
    doing.invocation = *call->api->invocation;
    doing.invocation.command = act->command;
    doing.invocation.json = true;
    doing.invocation.remote = &doing.remote;
    doing.invocation.argument_count = 0;
    memset(doing.invocation.values, 0, sizeof(doing.invocation.values));
    if (seen == NULL) {
        hf_api_fail(call, 428, "no-basis",
                    "If-Match is missing: the basis of what you saw, or *, whatever it is");
    } else if (take_body(&doing)) {
        uv_mutex_lock(&call->api->act_lock);
        read_basis(&doing);
        doing.remote.has_revision = strcmp(seen, "*") != 0;
        if (is_as_seen(&doing)) {
            run_command(&doing);
        } else {
            fail_changed(&doing);
        }
        uv_mutex_unlock(&call->api->act_lock);
    }
    json_decref(doing.body);
    free(doing.out);
    free(doing.err);
}

static void post(struct hf_api_call *call)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(acts[i].path, call->request->path) == 0) {
            act(call, &acts[i]);
        }
    }
}

/* --- what was done --- */

static void put_actions(struct hf_api_call *call, const struct hf_look *look,
                        const struct hf_actions *actions)
{
    struct hf_api_text text;
    if (hf_api_text_begin(call, &text)) {
        hf_actions_show(look, &text.invocation.out, actions);
        hf_api_text_end(call, &text);
        return;
    }
    hf_look_json_head(look, &call->json);
    hf_actions_put_json(actions, &call->json);
    hf_json_object_end(&call->json);
}

static void actions(struct hf_api_call *call)
{
    struct hf_api *api = call->api;
    struct hf_actions_query query = {.subject = hf_api_value(call, "subject"),
                                     .who = hf_api_value(call, "who")};
    struct hf_actions found;
    uint64_t limit;
    if (!hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit) ||
        !hf_api_number(call, "after", 1, UINT64_MAX, 0, &query.below)) {
        return;
    }
    query.max = (uint32_t)limit;
    struct hf_look *look = hf_api_slow_take(api);
    int error = look->store != NULL ? hf_actions_load(look->store, &query, &found) : HF_ENOENT;
    if (error == HF_OK) {
        put_actions(call, look, &found);
        hf_actions_release(&found);
    } else {
        hf_api_fail(call, 503, "store", "%s",
                    look->store != NULL ? hf_store_why(look->store) : "there is no store");
    }
    hf_api_slow_give(api);
}

const struct hf_api_route hf_api_routes_acts[] = {
    {"POST", "/api/v1/drain", "", post, true},
    {"POST", "/api/v1/undrain", "", post, true},
    {"POST", "/api/v1/freeze", "", post, true},
    {"POST", "/api/v1/thaw", "", post, true},
    {"POST", "/api/v1/approve", "", post, true},
    {"POST", "/api/v1/rollback", "", post, true},
    {"POST", "/api/v1/release", "", post, true},
    {"POST", "/api/v1/retire", "", post, true},
    {"GET", "/api/v1/actions", "limit after subject who format width colour fresh", actions, true},
    {0},
};
