/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configurations that are accepted, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/config.h"
#include "codec/name.h"
#include "config_help.h"

static void test_byte_order_mark(void **state)
{
    (void)state;
    char text[sizeof(config_base) + 3] = "\xef\xbb\xbf";
    memcpy(text + 3, config_base, sizeof(config_base));
    hf_config_free(accept_text(text));
}

static void test_defaults(void **state)
{
    (void)state;
    struct hf_config *config = accept_text(config_base);
    assert_string_equal(config->path, "test.yaml");
    assert_string_equal(config->installation, "prod");
    assert_string_equal(config->store_path, "holdfast.db");
    assert_string_equal(config->data_dir, ".");
    assert_int_equal(config->enactor_count, 3);
    assert_int_equal(config->retention_ms, 3600000);
    assert_int_equal(config->tombstone_ms, 3600000);
    assert_int_equal(config->janitor_ms, 60000);
    assert_int_equal(config->max_changed_permille, 1000);
    assert_int_equal(config->max_changed_ms, 60000);
    assert_int_equal(config->target_count, 1);
    assert_int_equal(config->zone_count, 1);
    assert_int_equal(config->pool_count, 1);
    assert_int_equal(config->backend_count, 1);
    assert_int_equal(config->policy_count, 1);
    assert_int_equal(config->endpoint_count, 1);
    assert_int_equal(config->site_count, 1);
    assert_int_equal(config->file_count, 1);
    assert_string_equal(config->files[0], "test.yaml");
    const struct hf_config_target *target = &config->targets[0];
    assert_int_equal(target->type, HF_TARGET_KNOT);
    assert_string_equal(target->name, "edge");
    assert_string_equal(target->host, "127.0.0.1");
    assert_int_equal(target->port, 5300);
    assert_string_equal(target->knotd, "knotd");
    assert_string_equal(target->tsig_name, "holdfast");
    assert_string_equal(target->tsig_algorithm, "hmac-sha256");
    assert_string_equal(target->tsig_secret_file, "./tsig-edge.key");
    assert_null(target->tsig_secret);
    assert_int_equal(target->timeout_ms, 5000);
    assert_int_equal(target->audit_ms, 1000);
    assert_int_equal(target->batch, 200);
    assert_int_equal(target->window, 64);
    const struct hf_config_backend *backend = &config->backends[0];
    assert_int_equal(backend->weight, 1);
    assert_int_equal(backend->capacity, 1);
    assert_int_equal(backend->port, 0);
    assert_string_equal(config->sites[backend->site], "default");
    assert_true(backend->has_a);
    assert_false(backend->has_aaaa);
    assert_memory_equal(backend->a, "\xc0\x00\x02\x01", 4);
    const struct hf_config_policy *policy = &config->policies[config->endpoints[0].policy];
    assert_int_equal(policy->ttl_s, 30);
    assert_int_equal(policy->answers_max, 100);
    assert_int_equal(policy->min_healthy, 1);
    assert_int_equal(policy->max_removal_permille, 500);
    assert_int_equal(policy->max_removal_ms, 60000);
    hf_config_free(config);
}

/* The example of the design, with the files that it names. */
static void test_full_example(void **state)
{
    struct folder *folder = *state;
    write_file(folder, "tsig.key", "c2VjcmV0LW9mLXRlc3RzLXRoYXQtcHJvdGVjdHMtbm90aGluZw==\n");
    write_file(folder, "web-backends.jsonl",
               "\xef\xbb\xbf{\"name\":\"web-2\",\"address\":[\"2001:db8::2\",\"127.0.0.12\"],"
               "\"site\":\"b\","
               "\"port\":81,\"weight\":0}\r\n\r\n"
               "{\"name\": \"web-3\", \"address\": \"127.0.0.13\", \"capacity\": 1000000}");
    const char *path = write_file(
        folder, "holdfast.yaml",
        "installation: prod\n"
        "store: sqlite:/var/lib/holdfast/holdfast.db        # or etcd:http://127.0.0.1:2379,...\n"
        "targets:\n"
        "  edge:\n"
        "    type: rfc2136                                   # or knot\n"
        "    server: 127.0.0.1@5300\n"
        "    tsig: { name: holdfast, algorithm: hmac-sha256, secret_file: tsig.key }\n"
        "zones:\n"
        "  example.test: { target: edge }\n"
        "pools:\n"
        "  web:\n"
        "    check: { type: http, port: 8080, path: /healthz, interval: 2s, timeout: 1s, rise: 3, "
        "fall: 2 }\n"
        "    backends:\n"
        "      - { name: web-1, address: 127.0.0.11, weight: 10, capacity: 100, site: a }\n"
        "    backends_file: web-backends.jsonl               # for fleets\n"
        "endpoints:\n"
        "  api.example.test:\n"
        "    pools: [web]\n"
        "    ttl: 30s\n"
        "    answers: { max: 8 }                             # addresses per answer\n"
        "    guard: { min_healthy: 2, max_removal: 34% per 60s }\n");
    struct hf_config *config = accept_file(path);
    assert_string_equal(config->data_dir, "/var/lib/holdfast");
    const struct hf_config_target *target = &config->targets[0];
    assert_int_equal(target->batch, 100);
    assert_int_equal(target->window, 8);
    assert_int_equal(target->audit_ms, 10000);
    assert_string_equal(target->tsig_secret,
                        "c2VjcmV0LW9mLXRlc3RzLXRoYXQtcHJvdGVjdHMtbm90aGluZw==");
    assert_int_equal(config->file_count, 3);
    assert_int_equal(config->backend_count, 3);
    assert_int_equal(config->pools[0].backend_first, 0);
    assert_int_equal(config->pools[0].backend_count, 3);
    const struct hf_config_backend *web_2 =
        &config->backends[hf_config_find_backend(config, "web-2")];
    assert_true(web_2->has_a && web_2->has_aaaa);
    assert_int_equal(web_2->port, 81);
    assert_int_equal(web_2->weight, 0);
    assert_int_equal(web_2->site, hf_config_find_site(config, "b"));
    const struct hf_config_check *check = &config->pools[0].check;
    assert_int_equal(check->type, HF_CHECK_HTTP);
    assert_string_equal(check->path, "/healthz");
    assert_null(check->host);
    assert_int_equal(check->status_count, 1);
    assert_int_equal(check->statuses[0].low, 200);
    assert_int_equal(check->statuses[0].high, 299);
    assert_int_equal(check->health.hold_down_ms, 10000);
    assert_int_equal(check->health.hold_down_max_ms, 300000);
    const struct hf_config_policy *policy = &config->policies[config->endpoints[0].policy];
    assert_int_equal(policy->answers_max, 8);
    assert_int_equal(policy->min_healthy, 2);
    assert_int_equal(policy->max_removal_permille, 340);
    hf_config_free(config);
}

static void test_checks(void **state)
{
    struct folder *folder = *state;
    struct hf_config *config = accept_file(write_file(
        folder, "checks.yaml",
        "installation: prod\nstore: sqlite:/holdfast.db\n"
        "targets: { edge: { type: knot, listen: \"::1@5300\" } }\n"
        "zones: { example.test: { target: edge } }\n"
        "pools:\n"
        "  a:\n    check: { type: https, host: www.example.test, verify: false, body: '^ok\\b',\n"
        "             expect: { status: [200, 301-303] }, hold_down: 0s, interval: 500ms,\n"
        "             reuse: true, resume: 0s }\n"
        "    backends: [ { name: a-1, address: 192.0.2.1 } ]\n"
        "  b:\n    check: { type: tcp }\n"
        "    backends: [ { name: b-1, address: 192.0.2.2, port: 443 } ]\n"
        "  c:\n    check: { type: file, path: state.jsonl, stale: 2m, hold_down: 30s }\n"
        "    backends: [ { name: c-1, address: 192.0.2.3 } ]\n"
        "  d:\n    check: { type: http, expect: { status: 204 } }\n"
        "    backends: [ { name: d-1, address: 192.0.2.4 } ]\n"
        "endpoints: { api.example.test: { pools: [a, b, c, d] } }\n"));
    assert_string_equal(config->data_dir, "/");
    const struct hf_config_check *a = &config->pools[0].check;
    assert_int_equal(a->port, 443);
    assert_string_equal(a->path, "/");
    assert_string_equal(a->body, "^ok\\b");
    assert_false(a->verify);
    assert_true(a->reuse);
    assert_int_equal(a->resume_ms, 0);
    assert_int_equal(a->status_count, 2);
    assert_int_equal(a->statuses[1].low, 301);
    assert_int_equal(a->statuses[1].high, 303);
    assert_int_equal(a->health.hold_down_ms, 0);
    assert_int_equal(a->health.hold_down_max_ms, 0);
    assert_int_equal(a->timeout_ms, 250); /* half of an interval that is short */
    assert_int_equal(config->pools[1].check.port, 0);
    const struct hf_config_check *c = &config->pools[2].check;
    assert_int_equal(c->stale_ms, 120000);
    assert_int_equal(c->health.hold_down_max_ms, 30000);
    assert_memory_equal(c->path, folder->path, strlen(folder->path));
    const struct hf_config_check *d = &config->pools[3].check;
    assert_false(d->reuse);
    assert_int_equal(d->resume_ms, 60000);
    assert_int_equal(d->port, 80);
    assert_int_equal(d->statuses[0].low, 204);
    assert_int_equal(d->statuses[0].high, 204);
    hf_config_free(config);
}

static void expect_owner(const struct hf_config *config, uint32_t endpoint, const char *name)
{
    char text[HF_NAME_TEXT_MAX];
    hf_name_text(config->endpoints[endpoint].owner, text);
    assert_string_equal(text, name);
}

static uint32_t find_owner(const struct hf_config *config, const char *name)
{
    uint8_t wire[HF_NAME_MAX];
    assert_int_equal(hf_name_parse(name, wire), HF_OK);
    return hf_config_find_endpoint(config, wire);
}

static void test_names_and_zones(void **state)
{
    (void)state;
    struct hf_config *config = accept_text(
        "installation: prod\nstore: sqlite:h.db\n"
        "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
        "zones:\n"
        "  Example.Test.: { target: edge }\n"
        "  eu.example.test: { target: edge }\n"
        "pools:\n"
        "  web: { check: { type: none }, backends: [ { name: w, address: 192.0.2.1 } ] }\n"
        "endpoints:\n"
        "  example.test: { pools: [web] }\n"
        "  API.eu.example.test: { pools: [web] }\n"
        "  neu.example.test.: { pools: [web] }\n"
        "  '*.example.test': { pools: [web] }\n"
        "  api._holdfast.example.test: { pools: [web] }\n");
    uint32_t outer = hf_config_find_zone(config, "example.test");
    uint32_t inner = hf_config_find_zone(config, "EU.example.test.");
    assert_int_not_equal(outer, inner);
    assert_string_equal(config->zones[outer].name, "example.test.");
    assert_int_equal(hf_config_find_zone(config, "test"), UINT32_MAX);
    assert_int_equal(hf_config_find_zone(config, "..."), UINT32_MAX);
    uint32_t api = find_owner(config, "api.eu.example.test");
    expect_owner(config, api, "api.eu.example.test.");
    assert_int_equal(config->endpoints[api].zone, inner);
    assert_int_equal(config->endpoints[find_owner(config, "example.test")].zone, outer);
    assert_int_equal(config->endpoints[find_owner(config, "neu.example.test")].zone, outer);
    assert_int_equal(config->endpoints[find_owner(config, "*.example.test")].zone, outer);
    assert_int_equal(find_owner(config, "other.example.test"), UINT32_MAX);
    assert_int_equal(hf_config_find_target(config, "edge"), 0);
    assert_int_equal(hf_config_find_pool(config, "web"), 0);
    assert_int_equal(hf_config_find_pool(config, "we"), UINT32_MAX);
    assert_int_equal(hf_config_find_backend(config, "w"), 0);
    assert_int_equal(hf_config_find_backend(config, "w-1"), UINT32_MAX);
    assert_int_equal(hf_config_find_site(config, "default"), 0);
    assert_int_equal(hf_config_find_site(config, ""), UINT32_MAX);
    hf_config_free(config);
}

static void test_policies_are_shared(void **state)
{
    (void)state;
    struct hf_config *config = accept_text(
        "installation: prod\nstore: sqlite:h.db\n"
        "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
        "zones: { example.test: { target: edge } }\n"
        "defaults: { ttl: 1m, answers: { max: 4 }, guard: { max_removal: 10% per 5m } }\n"
        "pools:\n"
        "  a: { check: { type: none }, backends: [ { name: a-1, address: 192.0.2.1 } ] }\n"
        "  b: { check: { type: none }, backends: [ { name: b-1, address: 192.0.2.2 } ] }\n"
        "endpoints:\n"
        "  one.example.test: { pools: [a, b] }\n"
        "  two.example.test: { pools: [a, b], ttl: 60s, guard: { min_healthy: 1 } }\n"
        "  three.example.test: { pools: [b, a], guard: { min_healthy: 2 } }\n");
    assert_int_equal(config->policy_count, 2);
    assert_int_equal(config->endpoint_pool_count, 4);
    const struct hf_config_endpoint *one = &config->endpoints[0];
    const struct hf_config_endpoint *two = &config->endpoints[1];
    const struct hf_config_endpoint *three = &config->endpoints[2];
    assert_int_equal(one->policy, two->policy);
    assert_int_equal(one->pool_first, two->pool_first);
    assert_int_equal(config->policies[three->policy].ttl_s, 60);
    assert_int_equal(config->policies[three->policy].answers_max, 4);
    assert_int_equal(config->policies[three->policy].min_healthy, 2);
    assert_int_equal(config->policies[three->policy].max_removal_permille, 100);
    assert_int_equal(config->policies[three->policy].max_removal_ms, 300000);
    assert_int_equal(three->pool_count, 2);
    assert_int_equal(config->endpoint_pools[three->pool_first], hf_config_find_pool(config, "b"));
    assert_int_equal(config->endpoint_pools[three->pool_first + 1],
                     hf_config_find_pool(config, "a"));
    hf_config_free(config);
}

static void test_private_server_with_a_secret(void **state)
{
    struct folder *folder = *state;
    write_file(folder, "tsig-edge.key", "c2VjcmV0LW9mLXRlc3RzLXRoYXQtcHJvdGVjdHMtbm90aGluZw==\n");
    struct hf_config *config = accept_file(write_file(folder, "h.yaml", config_base));
    assert_string_equal(config->targets[0].tsig_secret,
                        "c2VjcmV0LW9mLXRlc3RzLXRoYXQtcHJvdGVjdHMtbm90aGluZw==");
    assert_string_equal(config->data_dir, folder->path);
    hf_config_free(config);
}

/* Fleets: more lines than fit into one read, and every row found again. */
static void test_many_lines(void **state)
{
    struct folder *folder = *state;
    enum { ROWS = 20000 };
    struct hf_buf lines;
    hf_buf_init(&lines, 16 << 20);
    for (int i = 0; i < ROWS; i++) {
        hf_buf_printf(&lines, "{\"name\":\"host-%d.example.test\",\"pools\":[\"web\"]}\n", i);
    }
    write_file(folder, "endpoints.jsonl", hf_buf_text(&lines));
    hf_buf_clear(&lines);
    for (int i = 0; i < ROWS; i++) {
        hf_buf_printf(&lines, "{\"name\":\"web-%d\",\"address\":\"10.0.%d.%d\",\"site\":\"s%d\"}\n",
                      i, i >> 8, i & 255, i % 3);
    }
    write_file(folder, "backends.jsonl", hf_buf_text(&lines));
    hf_buf_release(&lines);
    struct hf_config *config = accept_file(
        write_file(folder, "h.yaml",
                   "installation: prod\nstore: sqlite:h.db\n"
                   "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
                   "zones: { example.test: { target: edge } }\n"
                   "defaults: { answers: { max: 8 } }\n"
                   "pools: { web: { check: { type: none }, backends_file: backends.jsonl } }\n"
                   "endpoints_file: endpoints.jsonl\n"));
    assert_int_equal(config->backend_count, ROWS);
    assert_int_equal(config->endpoint_count, ROWS);
    assert_int_equal(config->site_count, 3);
    assert_int_equal(config->policy_count, 1);
    assert_int_equal(config->endpoint_pool_count, 1);
    for (uint32_t i = 0; i < ROWS; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "host-%u.example.test.", i);
        assert_int_equal(find_owner(config, name), i);
        expect_owner(config, i, name);
        (void)snprintf(name, sizeof(name), "web-%u", i);
        assert_int_equal(hf_config_find_backend(config, name), i);
    }
    /* Flat: names twice (text and wire), and little else. */
    assert_true(config->arena.used_bytes < (size_t)ROWS * 80);
    hf_config_free(config);
}

/* The number-th example in YAML of the reference. */
static void example_of_reference(int number, struct hf_buf *example)
{
    FILE *file = fopen("docs/reference/configuration.md", "rb");
    assert_non_null(file);
    char line[4096];
    int block = 0;
    bool inside = false;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "```", 3) == 0) {
            inside = strcmp(line, "```yaml\n") == 0;
            block += inside;
        } else if (inside && block == number) {
            hf_buf_put_text(example, line);
        }
    }
    (void)fclose(file);
}

static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUa8n/QTHhH7Sh9T0DDrey4yCEG5cwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjMwNjEyNDNaGA8yMTI2MTAzMDA2MTI0\n"
    "M1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABD83\n"
    "StoTNRdsY/WuxQUwC6IM+3z9hr6aZ1Tpf6z1QG/HxxbNZmCp0lVLg9UL+588YpZ+\n"
    "Qs9TpQhymK4O+rziw0KjUzBRMB0GA1UdDgQWBBRbXFQZ5Vqmj+hEkoMbjYc2QdAO\n"
    "3DAfBgNVHSMEGDAWgBRbXFQZ5Vqmj+hEkoMbjYc2QdAO3DAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIDQAWjBIDPImCo4EOcqL1u13/PXlemv6Coxo\n"
    "LodgCg/eAiEAmV/lcPF57cigfnhk9E/wFqW6fhxiLVOUAXwcNx9qh3U=\n"
    "-----END CERTIFICATE-----\n";

static void test_examples_of_reference(void **state)
{
    struct folder *folder = *state;
    struct hf_buf example;
    hf_buf_init(&example, TEXT_MAX);
    example_of_reference(1, &example);
    hf_config_free(accept_text(hf_buf_text(&example)));
    hf_buf_clear(&example);
    example_of_reference(2, &example);
    write_file(folder, "tsig.key", "c2VjcmV0LW9mLXRlc3RzLXRoYXQtcHJvdGVjdHMtbm90aGluZw==\n");
    write_file(folder, "ca.pem", certificate);
    write_file(folder, "web-backends.jsonl", "{\"name\":\"web-3\",\"address\":\"192.0.2.3\"}\n");
    write_file(folder, "endpoints.jsonl", "{\"name\":\"x.example.test\",\"pools\":[\"web\"]}\n");
    struct hf_config *config =
        accept_file(write_file(folder, "holdfast.yaml", hf_buf_text(&example)));
    assert_int_equal(config->endpoint_count, 3);
    assert_int_equal(config->file_count, 4);
    assert_int_equal(config->max_changed_permille, 200);
    assert_string_equal(config->services[0].description, "Ordering and payment");
    assert_int_equal(config->dependents[0].tolerated_ms, 120000);
    hf_config_free(config);
    hf_buf_release(&example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test_setup_teardown(test_full_example, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_checks, folder_make, folder_remove),
        cmocka_unit_test(test_names_and_zones),
        cmocka_unit_test(test_policies_are_shared),
        cmocka_unit_test_setup_teardown(test_private_server_with_a_secret, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(test_examples_of_reference, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_many_lines, folder_make, folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
