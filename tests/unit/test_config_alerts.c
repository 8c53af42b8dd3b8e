/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receivers of alerts as an operator may write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "codec/config.h"
#include "config_help.h"

static void test_alerts(void **state)
{
    struct folder *folder = *state;
    struct hf_buf text;
    hf_buf_init(&text, 65536);
    (void)write_file(folder, "hook.key", "0123456789abcdef\n");
    hf_buf_printf(
        &text, "%s%s", config_base,
        "log: { format: json }\n"
        "alerts:\n"
        "  url: https://dns.example.test/\n"
        "  receivers:\n"
        "    am: { type: alertmanager, url: 'http://127.0.0.1:9093', repeat: 5s }\n"
        "    hook: { type: webhook, url: 'https://hooks.example.test/a?b=c', timeout: 1s,\n"
        "            secret_file: hook.key, token_file: hook.key, severity: notice }\n");
    struct hf_config *config = accept_file(write_file(folder, "holdfast.yaml", hf_buf_text(&text)));
    assert_string_equal(config->log_format, "json");
    assert_string_equal(config->alerts_url, "https://dns.example.test/");
    assert_int_equal(config->receiver_count, 2);
    const struct hf_config_receiver *manager = &config->receivers[0];
    const struct hf_config_receiver *hook = &config->receivers[1];
    assert_int_equal(manager->type, HF_NOTIFY_ALERTMANAGER);
    assert_int_equal(manager->severity, HF_SEVERITY_WARNING);
    assert_int_equal(manager->repeat_ms, 5000);
    assert_int_equal(manager->timeout_ms, 10000);
    assert_null(manager->token);
    assert_string_equal(hook->name, "hook");
    assert_string_equal(hook->secret, "0123456789abcdef");
    assert_string_equal(hook->token, "0123456789abcdef");
    assert_int_equal(hook->severity, HF_SEVERITY_NOTICE);
    assert_int_equal(config->file_count, 3); /* a secret that changes is read again */
    hf_config_free(config);
    hf_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alerts, folder_make, folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
