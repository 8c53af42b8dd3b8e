/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services, dependents, incidents and the status page of configurations that are right; wrong ones
 * are in config-bad/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "codec/config.h"
#include "codec/name.h"

enum { TEXT_MAX = 1 << 20 };

#define BASE                                                                                       \
    "installation: prod\n"                                                                         \
    "store: sqlite:holdfast.db\n"                                                                  \
    "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"                                  \
    "zones: { example.test: { target: edge } }\n"                                                  \
    "pools:\n"                                                                                     \
    "  web: { check: { type: none }, backends: [{ name: web-1, address: 192.0.2.1 }] }\n"          \
    "endpoints:\n"                                                                                 \
    "  api.example.test: { pools: [web] }\n"                                                       \
    "  www.example.test: { pools: [web] }\n"

static struct hf_config *read_with(const char *more)
{
    struct hf_buf text;
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&text, TEXT_MAX);
    hf_buf_init(&problems, TEXT_MAX);
    hf_buf_put_text(&text, BASE);
    hf_buf_put_text(&text, more);
    int error = hf_config_read_text(hf_buf_text(&text), text.size, "test.yaml", &config, &problems);
    assert_string_equal(hf_buf_text(&problems), "");
    assert_int_equal(error, HF_OK);
    hf_buf_release(&text);
    hf_buf_release(&problems);
    return config;
}

static const char *endpoint_of(const struct hf_config *config, uint32_t service, uint32_t i,
                               char text[HF_NAME_TEXT_MAX])
{
    uint32_t row = config->service_endpoints[config->services[service].endpoint_first + i];
    hf_name_text(config->endpoints[row].owner, text);
    return text;
}

static void test_services(void **state)
{
    (void)state;
    char text[HF_NAME_TEXT_MAX];
    struct hf_config *config =
        read_with("services:\n"
                  "  shop: { endpoints: [WWW.example.test., api.example.test] }\n"
                  "  api: { title: \"\xc3\x84 <b>\", endpoints: [api.example.test] }\n"
                  "dependents:\n"
                  "  till: { services: [api, shop] }\n"
                  "  lamp: { services: [api], criticality: critical }\n"
                  "  mail: { services: [api], criticality: low, tolerates: 7s, title: Mail }\n");
    assert_int_equal(config->service_count, 2);
    assert_string_equal(config->services[0].title, "shop");
    assert_string_equal(config->services[0].description, "");
    assert_int_equal(config->services[0].endpoint_count, 2);
    assert_string_equal(endpoint_of(config, 0, 0, text), "www.example.test.");
    assert_string_equal(endpoint_of(config, 1, 0, text), "api.example.test.");
    assert_string_equal(config->services[1].title, "\xc3\x84 <b>");
    assert_int_equal(config->dependent_count, 3);
    assert_string_equal(config->dependents[0].criticality, "normal");
    assert_int_equal(config->dependents[0].tolerated_ms, 15 * 60 * 1000);
    assert_int_equal(config->dependents[0].service_count, 2);
    assert_int_equal(config->dependent_services[config->dependents[0].service_first], 1);
    assert_int_equal(config->dependents[1].tolerated_ms, 60 * 1000);
    assert_string_equal(config->dependents[2].title, "Mail");
    assert_int_equal(config->dependents[2].tolerated_ms, 7000);
    hf_config_free(config);
}

static void test_defaults(void **state)
{
    (void)state;
    struct hf_config *config = read_with("");
    assert_int_equal(config->service_count, 0);
    assert_int_equal(config->incident_hold_ms, 30000);
    assert_null(config->statuspage.out);
    assert_null(config->statuspage.url);
    assert_string_equal(config->statuspage.title, "prod");
    hf_config_free(config);
}

static void test_page(void **state)
{
    (void)state;
    struct hf_config *config =
        read_with("incidents: { close_after: 1s }\n"
                  "statuspage: { out: /srv/status, title: Us, url: https://s.example.test/ }\n");
    assert_int_equal(config->incident_hold_ms, 1000);
    assert_string_equal(config->statuspage.out, "/srv/status");
    assert_string_equal(config->statuspage.title, "Us");
    assert_string_equal(config->statuspage.url, "https://s.example.test/");
    hf_config_free(config);
}

/* As many services as there may be; one more is in no file that a person would write. */
static void test_limit(void **state)
{
    (void)state;
    struct hf_buf text;
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&text, TEXT_MAX);
    hf_buf_init(&problems, TEXT_MAX);
    hf_buf_put_text(&text, BASE "services:\n");
    for (int i = 0; i < HF_CONFIG_SERVICES_MAX; i++) {
        hf_buf_printf(&text, "  s%d: { endpoints: [api.example.test] }\n", i);
    }
    assert_int_equal(hf_config_read_text(hf_buf_text(&text), text.size, "t", &config, &problems),
                     HF_OK);
    assert_int_equal(config->service_count, HF_CONFIG_SERVICES_MAX);
    hf_config_free(config);
    hf_buf_put_text(&text, "  more: { endpoints: [api.example.test] }\n");
    assert_int_equal(hf_config_read_text(hf_buf_text(&text), text.size, "t", &config, &problems),
                     HF_EMALF);
    assert_non_null(strstr(hf_buf_text(&problems), "expected a map of 1 to 1000 services"));
    hf_buf_release(&text);
    hf_buf_release(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
