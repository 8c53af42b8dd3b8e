/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes of the API on a store that the test fills: no server, no process. */
#include "plan_store_help.h"

#include "holdfast/api.h"
#include "io/wallclock.h"

enum { COUNT = 4, BODY_MAX = 1 << 20 };

struct world {
    struct place *place;
    char config_path[320];
    struct hf_config *config;
    struct hf_invocation invocation;
    struct hf_store *store;
    struct hf_plan plan;
    struct hf_api api;
    struct hf_serve_answer answer;
};

static void write_config(struct world *world)
{
    (void)snprintf(world->config_path, sizeof(world->config_path), "%s/holdfast.yaml",
                   world->place->folder);
    FILE *file = fopen(world->config_path, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "installation: prod\n"
                  "store: sqlite:%s\n"
                  "targets: { edge: { type: rfc2136, server: 127.0.0.1@1 } }\n"
                  "zones: { example.test: { target: edge } }\n"
                  "pools:\n"
                  "  web:\n"
                  "    check: { type: none }\n"
                  "    backends: [{ name: web-0, address: 10.0.0.0, site: a }]\n"
                  "endpoints:\n"
                  "  e0.example.test: { pools: [web] }\n"
                  "  e1.example.test: { pools: [web] }\n"
                  "  new.example.test: { pools: [web] }\n",
                  world->place->path);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    assert_int_equal(place_make((void **)&world->place), 0);
    write_config(world);
    struct hf_buf problems;
    hf_buf_init(&problems, 1 << 20);
    assert_int_equal(hf_config_read(world->config_path, &world->config, &problems), HF_OK);
    hf_buf_release(&problems);
    world->store = store_made(world->place);
    hf_plan_init(&world->plan);
    publish_first(world->store, &world->plan, COUNT);
    world->invocation = (struct hf_invocation){.config_path = world->config_path};
    hf_api_init(&world->api, &world->invocation, world->config);
    hf_buf_init(&world->answer.body, BODY_MAX);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    hf_api_release(&world->api);
    hf_buf_release(&world->answer.body);
    hf_plan_release(&world->plan);
    hf_store_close(world->store);
    hf_config_free(world->config);
    assert_int_equal(place_remove((void **)&world->place), 0);
    free(world);
    return 0;
}

/* The body of an answer. A query has at most one parameter here. */
static const char *ask(struct world *world, struct hf_serve_request request, uint16_t status)
{
    struct hf_serve_answer *answer = &world->answer;
    struct hf_buf body = answer->body;
    hf_buf_clear(&body);
    *answer = (struct hf_serve_answer){.body = body, .status = 200};
    request.who = "ann";
    hf_api_handle(&world->api, &request, answer);
    if (answer->status != status) {
        fail_msg("%s: %u, %s", request.path, answer->status, hf_buf_text(&answer->body));
    }
    return hf_buf_text(&answer->body);
}

static const char *get(struct world *world, const char *path, const char *name, const char *value,
                       uint16_t status)
{
    struct hf_serve_request request = {
        .method = "GET", .path = path, .role = HF_SERVE_READ, .body = ""};
    if (name != NULL) {
        request.query[0] = (struct hf_serve_parameter){.name = name, .value = value};
        request.query_count = 1;
    }
    return ask(world, request, status);
}

static const char *post(struct world *world, const char *path, const char *body,
                        const char *if_match, uint16_t status)
{
    struct hf_serve_request request = {.method = "POST",
                                       .path = path,
                                       .role = HF_SERVE_OPERATOR,
                                       .body = body,
                                       .body_size = strlen(body),
                                       .if_match = if_match};
    return ask(world, request, status);
}

static void expect(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("%s is not in %s", part, text);
    }
}

static void routes_are_found(void **state)
{
    struct world *world = *state;
    expect(get(world, "/healthz", NULL, NULL, 200), "true");
    expect(get(world, "/readyz", NULL, NULL, 200), "true");
    expect(get(world, "/api/v1/me", NULL, NULL, 200), "\"role\":\"read\"");
    expect(get(world, "/api/v1/nothing", NULL, NULL, 404), "not-found");
    expect(get(world, "/api/v1/drain", NULL, NULL, 405), "method");
    expect(get(world, "/api/v1/endpoints/", NULL, NULL, 404), "not-found");
    expect(get(world, "/api/v1/me", "x", "y", 400), "bad-request");
    expect(get(world, "/api/v1/endpoints/e0.example.test/writes", NULL, NULL, 200), "writes");
    expect(get(world, "/api/v1/endpoints/a..b/writes", NULL, NULL, 400), "expected a domain name");
    char path[2 * HF_API_PART_MAX] = "/api/v1/endpoints/";
    memset(path + strlen(path), 'x', HF_API_PART_MAX);
    (void)get(world, path, NULL, NULL, 404); /* longer than a name can be */
}

static void numbers_and_words_are_checked(void **state)
{
    struct world *world = *state;
    const char *bad[] = {"0", "1001", "-1", "1x", "", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect(get(world, "/api/v1/endpoints", "limit", bad[i], 400), "bad-request");
    }
    expect(get(world, "/api/v1/endpoints", "limit", "1", 200), "\"next\":\"e0.example.test.\"");
    expect(get(world, "/api/v1/endpoints", "limit", "1000", 200), "\"next\":null");
    expect(get(world, "/api/v1/status", "detail", "", 400), "short full");
    expect(get(world, "/api/v1/status", "format", "text", 200), "prod");
    assert_string_equal(world->answer.content_type, "text/plain; charset=utf-8");
}

static void endpoints_are_of_plan_and_configuration(void **state)
{
    struct world *world = *state;
    const char *all = get(world, "/api/v1/endpoints", NULL, NULL, 200);
    expect(all, "\"total\":5");
    expect(get(world, "/api/v1/endpoints", "state", "orphan", 200), "\"total\":2");
    expect(get(world, "/api/v1/endpoints", "state", "not-planned", 200), "new.example.test.");
    expect(get(world, "/api/v1/endpoints", "search", "E1.EXA", 200), "\"total\":1");
    expect(get(world, "/api/v1/endpoints", "pool", "web", 200), "\"total\":3");
    expect(get(world, "/api/v1/endpoints", "zone", "other.test", 400), "not in the configuration");
    expect(get(world, "/api/v1/endpoints", "after", "e2.example.test.", 200), "e3.example.test.");
    /* Nobody reports: what is planned is in no known state. */
    expect(get(world, "/api/v1/endpoints", "state", "unknown", 200), "\"total\":4");
    assert_int_equal(publish_one(world->store, &world->plan, 9, 9, 1), HF_OK);
    expect(get(world, "/api/v1/endpoints", NULL, NULL, 200), "\"total\":5"); /* for a moment */
    hf_api_stale(&world->api);
    expect(get(world, "/api/v1/endpoints", NULL, NULL, 200), "\"total\":6");
}

static void put_report(struct world *world, uint64_t started_ms, uint64_t number)
{
    struct hf_report_write writes[] = {{.number = number,
                                        .at_ms = 1700000000000,
                                        .zone = "example.test.",
                                        .endpoint = "e0.example.test.",
                                        .met_writer = "edge-2",
                                        .gen = 1,
                                        .met_gen = 2,
                                        .kind = HF_WRITE_STALE}};
    const char *waiting[] = {"e1.example.test."};
    struct hf_report_zone zone = {.zone = "example.test.",
                                  .state = "open",
                                  .why = "",
                                  .plan_gen = 1,
                                  .endpoints = 4,
                                  .in_step = 3,
                                  .behind = 1};
    zone.lists[HF_REPORT_WAITING] =
        (struct hf_report_names){.names = waiting, .count = 1, .total = 1};
    struct hf_report report = {.enactor = "edge-1",
                               .at_ms = hf_wallclock_ms(),
                               .started_ms = started_ms,
                               .trouble = "",
                               .zones = &zone,
                               .zone_count = 1,
                               .writes = writes,
                               .write_count = 1};
    struct hf_buf json;
    hf_buf_init(&json, BODY_MAX);
    hf_report_encode(&report, &json);
    assert_int_equal(hf_document_put(world->store, "report/edge-1", &json), HF_OK);
    hf_buf_release(&json);
    hf_api_stale(&world->api);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void a_stale_write_is_told_once(void **state)
{
    struct world *world = *state;
    const char *path = "/api/v1/endpoints/E0.example.test/writes";
    put_report(world, 1, 7);
    expect(get(world, path, NULL, NULL, 200),
           "\"kind\":\"stale\",\"generation\":1,\"met_generation\":2,\"met_writer\":\"edge-2\"");
    put_report(world, 1, 7);
    assert_int_equal(occurrences(get(world, path, NULL, NULL, 200), "stale"), 1);
    put_report(world, 1, 8);
    assert_int_equal(occurrences(get(world, path, NULL, NULL, 200), "stale"), 2);
    put_report(world, 2, 1); /* started anew, it counts from one */
    assert_int_equal(occurrences(get(world, path, NULL, NULL, 200), "stale"), 3);
    expect(get(world, "/api/v1/writes", "kind", "written", 200), "\"writes\":[]");
    expect(get(world, "/api/v1/writes", "kind", "odd", 400), "bad-request");
    expect(get(world, "/api/v1/endpoints", "state", "behind", 200), "e1.example.test.");
    expect(get(world, "/api/v1/endpoints", "state", "in-step", 200), "\"total\":3");
}

static void lag_is_counted_from_the_oldest_plan_that_is_lacking(void **state)
{
    struct world *world = *state;
    put_report(world, 1, 1);
    expect(get(world, "/api/v1/enactors", NULL, NULL, 200),
           "\"lag_generations\":0,\"lag_ms\":0,\"name\":\"edge-1\"");
    assert_int_equal(publish_one(world->store, &world->plan, 0, 5, 1), HF_OK);
    assert_int_equal(publish_one(world->store, &world->plan, 0, 6, 1), HF_OK);
    hf_api_stale(&world->api);
    const char *text = get(world, "/api/v1/enactors", NULL, NULL, 200);
    expect(text, "\"lag_generations\":2");
    assert_null(strstr(text, "\"lag_ms\":0"));
}

static void events_tell_what_changed(void **state)
{
    struct world *world = *state;
    struct hf_api_event events[HF_API_EVENTS_MAX];
    hf_api_turn(&world->api); /* what is there at the start is no news */
    uint32_t count = hf_api_take_events(&world->api, events);
    assert_int_equal(count, 1);
    assert_string_equal(events[0].name, "beat");
    free(events[0].json);
    assert_int_equal(publish_one(world->store, &world->plan, 0, 5, 1), HF_OK);
    put_report(world, 1, 1);
    hf_api_turn(&world->api);
    count = hf_api_take_events(&world->api, events);
    const char *const wanted[] = {"head", "enactor", "alerts", "writes"};
    assert_int_equal(count, 4);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(events[i].name, wanted[i]);
        free(events[i].json);
    }
}

static void events_that_nobody_takes_become_a_reset(void **state)
{
    struct world *world = *state;
    struct hf_api_event events[HF_API_EVENTS_MAX];
    for (uint64_t i = 0; i <= HF_API_EVENTS_MAX / 2; i++) {
        put_report(world, 1, i + 1);
        assert_int_equal(publish_one(world->store, &world->plan, 0, (uint32_t)i, 1), HF_OK);
        hf_api_turn(&world->api);
    }
    uint32_t count = hf_api_take_events(&world->api, events);
    assert_true(count > 0 && count <= HF_API_EVENTS_MAX);
    assert_string_equal(events[0].name, "reset");
    for (uint32_t i = 0; i < count; i++) {
        free(events[i].json);
    }
}

static void actions_want_a_basis(void **state)
{
    struct world *world = *state;
    const char *body = "{\"subject\":\"web-0\",\"why\":\"x\"}";
    expect(post(world, "/api/v1/drain", body, NULL, 428), "no-basis");
    expect(post(world, "/api/v1/drain", body, "\"r1\"", 412), "\"basis\":\"r0\"");
    expect(post(world, "/api/v1/drain", body, "\"r0\"", 200), "web-0 drains");
    expect(post(world, "/api/v1/drain", body, "\"r0\"", 412), "\"basis\":\"r1\"");
    expect(get(world, "/api/v1/actions", NULL, NULL, 200), "\"who\":\"ann\"");
    expect(get(world, "/api/v1/actions", "who", "bob", 200), "\"actions\":[]");
    expect(post(world, "/api/v1/retire",
                "{\"endpoint\":\"e0.example.test\",\"confirm\":\"E0.example.test.\"}", "\"r1.g1\"",
                200),
           "is retired");
    expect(post(world, "/api/v1/rollback", "{\"all\":true,\"to\":1}", "\"r2.g9\"", 412),
           "\"basis\":\"r2.g1\"");
    expect(post(world, "/api/v1/rollback", "{\"all\":true,\"to\":1}", "\"r2.g1\"", 200),
           "4 endpoints");
}

static void who_may_only_read_changes_nothing(void **state)
{
    struct world *world = *state;
    struct hf_serve_request request = {.method = "POST",
                                       .path = "/api/v1/drain",
                                       .role = HF_SERVE_READ,
                                       .body = "{\"subject\":\"web-0\"}",
                                       .body_size = 19,
                                       .if_match = "*"};
    expect(ask(world, request, 403), "forbidden");
    expect(get(world, "/api/v1/status", NULL, NULL, 200), "\"overrides\":[]");
}

static void wrong_bodies_are_refused(void **state)
{
    struct world *world = *state;
    const char *bodies[] = {"",
                            "[]",
                            "{\"subject\":\"web-0\"",
                            "{\"subject\":\"web-0\",\"subject\":\"web-0\"}",
                            "{\"subject\":7}",
                            "{\"subject\":\"\"}",
                            "{\"subject\":\"web\\u0000-0\"}",
                            "{\"subject\":\"web-0\",\"other\":1}",
                            "{\"subject\":\"web-0\",\"why\":1}",
                            "{}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        expect(post(world, "/api/v1/drain", bodies[i], "*", 400), "bad-request");
    }
    expect(get(world, "/api/v1/status", NULL, NULL, 200), "\"overrides\":[]");
}

static void a_store_that_is_gone_is_said(void **state)
{
    struct world *world = *state;
    expect(get(world, "/api/v1/status", NULL, NULL, 200), "\"state\":\"open\"");
    assert_int_equal(rename(world->place->path, world->config_path), 0);
    hf_api_stale(&world->api);
    const char *text = get(world, "/api/v1/status", NULL, NULL, 200);
    expect(text, "\"state\":\"missing\"");
    expect(text, "\"code\":\"store-missing\"");
    expect(get(world, "/api/v1/endpoints", NULL, NULL, 200), "\"total\":5"); /* as last read */
    assert_int_equal(rename(world->config_path, world->place->path), 0);
    hf_api_stale(&world->api);
    expect(get(world, "/api/v1/status", NULL, NULL, 200), "\"state\":\"open\"");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(routes_are_found),
        CASE(numbers_and_words_are_checked),
        CASE(endpoints_are_of_plan_and_configuration),
        CASE(a_stale_write_is_told_once),
        CASE(lag_is_counted_from_the_oldest_plan_that_is_lacking),
        CASE(events_tell_what_changed),
        CASE(events_that_nobody_takes_become_a_reset),
        CASE(actions_want_a_basis),
        CASE(who_may_only_read_changes_nothing),
        CASE(wrong_bodies_are_refused),
        CASE(a_store_that_is_gone_is_said),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
