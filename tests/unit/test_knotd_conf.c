/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "io/knotd_conf.h"

static void test_file_names(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *file;
    } rows[] = {
        {"example.test.", "example.test.zone"},
        {".", "root.zone"},
        {"0/25.2.0.192.in-addr.arpa.", "0%2f25.2.0.192.in-addr.arpa.zone"},
        {"_x.example.test.", "_x.example.test.zone"},
    };
    char name[HF_KNOTD_FILE_NAME_MAX + 1] = "before";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_knotd_zone_file(rows[i].zone, name), HF_OK);
        assert_string_equal(name, rows[i].file);
    }
    assert_int_equal(hf_knotd_zone_file("a\\.b.test.", name), HF_EINVAL);
    assert_int_equal(hf_knotd_zone_file("a\"b.test.", name), HF_EINVAL);
    assert_string_equal(name, "_x.example.test.zone");
    char longest[1024];
    memset(longest, '/', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(hf_knotd_zone_file(longest, name), HF_EINVAL);
}

/* The journals of existing installations apply to exactly this text. */
static void test_first_content_never_changes(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 1024);
    hf_knotd_zone_put(&buf, "example.test.");
    assert_string_equal(hf_buf_text(&buf), "example.test. 5 SOA localhost. hostmaster.localhost. "
                                           "1 3600 600 86400 5\n"
                                           "example.test. 3600 NS localhost.\n");
    hf_buf_release(&buf);
}

static const struct hf_config_target targets[] = {
    {.name = "a",
     .type = HF_TARGET_KNOT,
     .host = "127.0.0.1",
     .port = 5354,
     .tsig_name = "we\"ird",
     .tsig_algorithm = "hmac-sha256"},
    {.name = "b",
     .type = HF_TARGET_KNOT,
     .host = "::1",
     .port = 5355,
     .tsig_name = "holdfast",
     .tsig_algorithm = "hmac-sha512"},
};
static const struct hf_config_zone zones[] = {
    {.name = "one.test.", .target = 0},
    {.name = "two.test.", .target = 1},
    {.name = "three.test.", .target = 0},
};

static size_t put(struct hf_buf *buf, uint32_t zone_count, uint32_t target, uint64_t disk_bytes)
{
    struct hf_config config = {
        .targets = targets,
        .target_count = 2,
        .zones = zones,
        .zone_count = zone_count,
    };
    size_t head_size = 0;
    hf_buf_clear(buf);
    assert_int_equal(hf_knotd_conf_put(buf, &config, target, "c2VjcmV0", disk_bytes, &head_size),
                     HF_OK);
    return head_size;
}

static void test_only_the_target_s_zones(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 8192);
    (void)put(&buf, 3, 0, 1ull << 40);
    const char *text = hf_buf_text(&buf);
    assert_non_null(strstr(text, "    listen: [ \"127.0.0.1@5354\" ]\n"));
    assert_non_null(strstr(text, "  - id: \"we\\\"ird\"\n    algorithm: hmac-sha256\n"
                                 "    secret: \"c2VjcmV0\"\n"));
    assert_non_null(strstr(text, "  - domain: \"one.test.\"\n    file: \"one.test.zone\"\n"));
    assert_non_null(strstr(text, "  - domain: \"three.test.\"\n"));
    assert_null(strstr(text, "two.test."));
    (void)put(&buf, 3, 1, 1ull << 40);
    text = hf_buf_text(&buf);
    assert_non_null(strstr(text, "    listen: [ \"::1@5355\" ]\n"));
    assert_null(strstr(text, "one.test."));
    (void)put(&buf, 0, 0, 1ull << 40);
    assert_null(strstr(hf_buf_text(&buf), "zone:\n"));
    hf_buf_release(&buf);
}

/* More zones change nothing of the part that a restart is needed for. */
static void test_head(void **state)
{
    (void)state;
    struct hf_buf one;
    struct hf_buf three;
    hf_buf_init(&one, 8192);
    hf_buf_init(&three, 8192);
    size_t one_size = put(&one, 1, 0, 1ull << 40);
    size_t three_size = put(&three, 3, 0, 1ull << 40);
    assert_int_equal(one_size, three_size);
    assert_memory_equal(one.bytes, three.bytes, one_size);
    assert_memory_equal(one.bytes + one_size, "template:", strlen("template:"));
    hf_buf_release(&one);
    hf_buf_release(&three);
}

static void test_journal_fits_the_disk(void **state)
{
    (void)state;
    static const struct {
        uint64_t disk_mib;
        const char *usage, *database;
    } rows[] = {
        {256, "journal-max-usage: 64M\n", "journal-db-max-size: 20480M\n"},
        {16384, "journal-max-usage: 1024M\n", "journal-db-max-size: 20480M\n"},
        {1048576, "journal-max-usage: 4096M\n", "journal-db-max-size: 1048576M\n"},
    };
    struct hf_buf buf;
    hf_buf_init(&buf, 8192);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)put(&buf, 3, 0, rows[i].disk_mib << 20);
        assert_non_null(strstr(hf_buf_text(&buf), rows[i].usage));
        assert_non_null(strstr(hf_buf_text(&buf), rows[i].database));
    }
    hf_buf_release(&buf);
    struct hf_config config = {.targets = targets, .zones = zones, .zone_count = 1};
    size_t head_size = 42;
    hf_buf_init(&buf, 100);
    assert_int_equal(hf_knotd_conf_put(&buf, &config, 0, "c2VjcmV0", 1, &head_size), HF_ELIMIT);
    assert_int_equal(head_size, 42);
    hf_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_first_content_never_changes),
        cmocka_unit_test(test_only_the_target_s_zones),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_journal_fits_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
