/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transfers as words: "S7" is the zone's SOA with serial 7, "s7" one with other timers, "o7" a SOA
 * of another owner, "+" the end of a message, any other word an address. What comes out: "N"
 * newest,
 * "-" deleted, "+" added, "w" whole, "." a mark; then what the end is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "io/dns_sequence.h"

enum { TEXT_MAX = 256, SOA_SIZE = 2 + HF_DNS_SOA_TAIL, AXFR = -1 };

static const uint8_t zone[] = "\1z";
static const uint8_t other[] = "\1e\1z";

static struct hf_dns_record record_of(const char *word, uint8_t rdata[SOA_SIZE])
{
    struct hf_dns_record record = {.owner = other, .type = KNOT_RRTYPE_A, .rdata = rdata};
    memset(rdata, 0, SOA_SIZE);
    record.rdata_size = 4;
    if (strchr("Sso", word[0]) != NULL) {
        uint32_t serial = (uint32_t)strtoul(word + 1, NULL, 10);
        for (int i = 0; i < 4; i++) {
            rdata[2 + i] = (uint8_t)(serial >> (24 - 8 * i));
        }
        rdata[SOA_SIZE - 1] = word[0] == 's';
        record.type = KNOT_RRTYPE_SOA;
        record.owner = word[0] == 'o' ? other : zone;
        record.rdata_size = SOA_SIZE;
    }
    return record;
}

/* serial: AXFR for a whole zone. */
static void expect(int64_t serial, const char *words, const char *senses, const char *end)
{
    struct hf_dns_sequence sequence;
    char text[TEXT_MAX];
    char seen[TEXT_MAX] = {0};
    size_t seen_count = 0;
    char *rest = text;
    const char *seen_end = "more";
    if (serial == AXFR) {
        hf_dns_sequence_axfr(&sequence, zone);
    } else {
        hf_dns_sequence_ixfr(&sequence, zone, (uint32_t)serial);
    }
    assert_true(strlen(words) < sizeof(text));
    (void)snprintf(text, sizeof(text), "%s", words);
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
        uint8_t rdata[SOA_SIZE];
        enum hf_dns_sense sense = HF_DNS_NEWEST;
        bool is_mark = false;
        if (strcmp(word, "+") == 0) {
            assert_false(hf_dns_sequence_is_over(&sequence));
            continue;
        }
        const struct hf_dns_record record = record_of(word, rdata);
        int error = hf_dns_sequence_next(&sequence, &record, &sense, &is_mark);
        if (error != HF_OK) {
            assert_int_equal(error, HF_EMALF);
            assert_null(rest);
            seen_end = sequence.broken;
            break;
        }
        seen[seen_count] = "N-+w"[sense];
        if (is_mark) {
            seen[seen_count] = '.';
        }
        seen_count++;
        seen_end = hf_dns_sequence_is_over(&sequence) ? "over" : "more";
    }
    assert_string_equal(seen, senses);
    if (strstr(seen_end, end) == NULL) {
        fail_msg("%s: expected \"%s\", got \"%s\"", words, end, seen_end);
    }
}

static void test_whole_zone(void **state)
{
    (void)state;
    expect(AXFR, "S7", "N", "more");
    expect(AXFR, "S7 S7", "N.", "over");
    expect(AXFR, "S7 a + b o3 + c", "Nwwww", "more");
    expect(AXFR, "S7 a + b o3 + S7", "Nwww.", "over");
    expect(AXFR, "a", "", "does not begin");
    expect(AXFR, "o7", "", "does not begin");
    expect(AXFR, "S7 a S8", "Nw", "changed during");
    expect(AXFR, "S7 a s7", "Nw", "changed during");
    expect(AXFR, "S7 a S7 b", "Nw.", "goes on");
    expect(AXFR, "S7 a S7 S7", "Nw.", "goes on");
}

static void test_nothing_newer(void **state)
{
    (void)state;
    expect(7, "S7", "N", "over");
    expect(7, "S6", "N", "over");
    expect(0, "S4294967295", "N", "over");
    expect(7, "S2147483655", "N", "over"); /* half of the circle away: neither is newer */
    expect(7, "S8", "N", "more");
    expect(4294967295, "S0", "N", "more");
    expect(8, "S2147483655", "N", "more");
}

static void test_whole_zone_instead(void **state)
{
    (void)state;
    expect(3, "S7 a b S7", "Nww.", "over");
    expect(3, "S7 + a b + S7", "Nww.", "over");
    expect(3, "S7 a S3", "Nw", "changed during");
    expect(3, "S7 a b", "Nww", "more");
    /* From a serial that is not older, in one message: is_over is asked after it. */
    expect(7, "S7 a S7", "Nw.", "over");
    expect(9, "S7 a S7", "Nw.", "over");
    expect(7, "S7 S7", "N.", "over");
    expect(3, "S7 S7", "N", "nothing but its SOA");
    expect(9, "S7 S7", "N", "nothing but its SOA");
}

static void test_differences(void **state)
{
    (void)state;
    expect(3, "S7 S3 a b S7 c S7", "N.--.+.", "over");
    expect(3, "S7 S3 a S5 b c S5 d S7 e S7", "N.-.++.-.+.", "over");
    expect(3, "S7 S3 S7 S7", "N...", "over");
    expect(3, "S7 S3 S5 S5 o9 S7 S7", "N...-..", "over");
    expect(3, "S7 + S3 + a + S7 + b + S7", "N.-.+.", "over");
    expect(4294967295, "S2 S4294967295 a S0 b S0 S2 S2", "N.-.+...", "over");
    expect(3, "S7 S3 a S7 b", "N.-.+", "more");
    expect(3, "S7 S3 a S5 b", "N.-.+", "more");
}

static void test_differences_that_do_not_fit(void **state)
{
    (void)state;
    expect(3, "S7 S4", "N", "do not begin");
    expect(3, "S7 S2", "N", "do not begin");
    expect(3, "S7 S3 a S5 b S6", "N.-.+", "gap");
    expect(3, "S7 S3 a S5 b S4", "N.-.+", "gap");
    expect(3, "S7 S3 a S5 b S7", "N.-.+", "gap");
    expect(3, "S7 S3 a S3", "N.-", "leads back");
    expect(3, "S7 S3 a S2", "N.-", "leads back");
    expect(3, "S7 S3 a S8", "N.-", "beyond");
    expect(3, "S7 S3 a S2147483652", "N.-", "beyond");
    expect(3, "S7 S3 a S7 b s7", "N.-.+", "changed during");
    expect(3, "S7 S3 a S7 b S8", "N.-.+", "changed during");
    expect(3, "S7 S3 a S7 b S7 c", "N.-.+.", "goes on");
    expect(3, "S7 S3 a S7 b S7 S7", "N.-.+.", "goes on");
    expect(9, "S7 S9", "N", "not newer");
    expect(9, "S7 a S7 S9", "Nw.", "goes on");
}

static void test_malformed_soa(void **state)
{
    (void)state;
    uint8_t rdata[HF_DNS_SOA_MAX + 1] = {0};
    struct hf_dns_record soa = {.owner = zone, .type = KNOT_RRTYPE_SOA, .rdata = rdata};
    const uint16_t sizes[] = {0, HF_DNS_SOA_TAIL - 1, HF_DNS_SOA_MAX + 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct hf_dns_sequence sequence;
        enum hf_dns_sense sense;
        bool is_mark;
        hf_dns_sequence_ixfr(&sequence, zone, 1);
        soa.rdata_size = sizes[i];
        assert_int_equal(hf_dns_sequence_next(&sequence, &soa, &sense, &is_mark), HF_EMALF);
        assert_non_null(sequence.broken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_zone),
        cmocka_unit_test(test_nothing_newer),
        cmocka_unit_test(test_whole_zone_instead),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_differences_that_do_not_fit),
        cmocka_unit_test(test_malformed_soa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
