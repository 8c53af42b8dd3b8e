/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

#define INSTANCE UINT32_C(0x5e1f09c2)

static size_t rdata_of(const char *text, uint8_t rdata[HF_FENCE_RDATA_MAX])
{
    size_t size = strlen(text);
    assert_true(size <= 255);
    rdata[0] = (uint8_t)size;
    memcpy(rdata + 1, text, size);
    return 1 + size;
}

static struct hf_fence parse(const char *owner, const char *text, char writer[HF_WRITER_MAX + 1])
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    struct hf_fence fence;
    size_t size = rdata_of(text, rdata);
    hf_fence_parse(owner, rdata, size, &fence, writer);
    return fence;
}

static struct hf_zone_guard parse_guard(const char *owner, const char *text,
                                        char seen[HF_OWNER_MAX + 1])
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    struct hf_zone_guard guard;
    size_t size = rdata_of(text, rdata);
    hf_zone_guard_parse(owner, INSTANCE, rdata, size, &guard, seen);
    return guard;
}

static void the_design_example(void **state)
{
    (void)state;
    const char *text = "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7";
    char writer[HF_WRITER_MAX + 1] = "x";
    struct hf_fence fence = parse("prod", text, writer);
    assert_int_equal(fence.kind, HF_FENCE_OURS);
    assert_true(fence.gen == 42 && fence.sum == UINT64_C(0x9f86d081884c7d65) && fence.count == 7);
    assert_int_equal(fence.writer, 0);
    assert_string_equal(writer, "edge-1");

    uint8_t expected[HF_FENCE_RDATA_MAX];
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size = 0;
    hf_fence_format("prod", writer, &fence, rdata, &size);
    assert_int_equal(size, rdata_of(text, expected));
    assert_memory_equal(rdata, expected, size);

    fence = parse("dev", text, writer);
    assert_int_equal(fence.kind, HF_FENCE_ALIEN);
    assert_string_equal(writer, "");
}

static void the_largest_values_come_back(void **state)
{
    (void)state;
    const char *longest = "0123456789-abcdefghijklmnopqrst-z";
    char owner[HF_OWNER_MAX + 1];
    memcpy(owner, longest, HF_OWNER_MAX - 1);
    memcpy(owner + HF_OWNER_MAX - 1, "9", 2);
    assert_int_equal(hf_label_check(owner), HF_OK);
    const struct hf_fence fence = {.gen = UINT64_MAX, .sum = UINT64_MAX, .count = UINT64_MAX};
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size = 0;
    hf_fence_format(owner, owner, &fence, rdata, &size);
    struct hf_fence back;
    char writer[HF_WRITER_MAX + 1];
    hf_fence_parse(owner, rdata, size, &back, writer);
    assert_int_equal(back.kind, HF_FENCE_OURS);
    assert_true(back.gen == UINT64_MAX && back.sum == UINT64_MAX && back.count == UINT64_MAX);
    assert_string_equal(writer, owner);
}

static void any_other_text_is_damaged(void **state)
{
    (void)state;
    const char *const damaged[] = {
        "",
        "v=spf1 -all",
        "Holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=2 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=Prod gen=42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 sum=9F86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=EDGE-1.7",
        "holdfast=1  owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7",
        " holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7 ",
        "holdfast=1 owner=prod gen=042 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.07",
        "holdfast=1 owner=prod gen=+42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=-42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen= sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=18446744073709551616 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d6 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d655 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=-edge.7",
        "holdfast=1 owner=prod- gen=42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner= gen=42 sum=9f86d081884c7d65 by=edge-1.7",
        "holdfast=1 owner=prod gen=42 by=edge-1.7 sum=9f86d081884c7d65",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7 x=1",
        "holdfast=1 owner=prod-prod-prod-prod-prod-prod-prod gen=42 sum=9f86d081884c7d65 by=e.7",
        "holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=open",
    };
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        char writer[HF_WRITER_MAX + 1] = "x";
        struct hf_fence fence = parse("prod", damaged[i], writer);
        if (fence.kind != HF_FENCE_DAMAGED) {
            fail_msg("taken for a fence: %s", damaged[i]);
        }
        assert_string_equal(writer, "");
    }
}

static void two_strings_are_damaged(void **state)
{
    (void)state;
    const char *first = "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7";
    uint8_t rdata[2 * HF_FENCE_RDATA_MAX];
    uint8_t second[HF_FENCE_RDATA_MAX];
    struct hf_fence fence;
    char writer[HF_WRITER_MAX + 1];
    size_t size = rdata_of(first, rdata);
    size_t second_size = rdata_of("x", second);
    memcpy(rdata + size, second, second_size);
    hf_fence_parse("prod", rdata, size + second_size, &fence, writer);
    assert_int_equal(fence.kind, HF_FENCE_DAMAGED);
    /* An empty second string, a length that lies in either direction, nothing at all. */
    rdata[size] = 0;
    hf_fence_parse("prod", rdata, size + 1, &fence, writer);
    assert_int_equal(fence.kind, HF_FENCE_DAMAGED);
    rdata[0]++;
    hf_fence_parse("prod", rdata, size, &fence, writer);
    assert_int_equal(fence.kind, HF_FENCE_DAMAGED);
    hf_fence_parse("prod", rdata, 0, &fence, writer);
    assert_int_equal(fence.kind, HF_FENCE_DAMAGED);
    rdata[0]--;
    hf_fence_parse("prod", rdata, size, &fence, writer);
    assert_int_equal(fence.kind, HF_FENCE_OURS);
}

static void zone_guards(void **state)
{
    (void)state;
    const char *text = "holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=open";
    char seen[HF_OWNER_MAX + 1];
    struct hf_zone_guard guard = parse_guard("prod", text, seen);
    assert_int_equal(guard.kind, HF_FENCE_OURS);
    assert_true(guard.instance == INSTANCE && guard.floor == 17 && !guard.frozen);
    assert_string_equal(seen, "prod");

    uint8_t expected[HF_FENCE_RDATA_MAX];
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size = 0;
    hf_zone_guard_format("prod", &guard, rdata, &size);
    assert_int_equal(size, rdata_of(text, expected));
    assert_memory_equal(rdata, expected, size);
    guard.frozen = true;
    hf_zone_guard_format("prod", &guard, rdata, &size);
    hf_zone_guard_parse("prod", INSTANCE, rdata, size, &guard, seen);
    assert_true(guard.kind == HF_FENCE_OURS && guard.frozen);

    guard = parse_guard("dev", text, seen);
    assert_int_equal(guard.kind, HF_FENCE_ALIEN);
    assert_string_equal(seen, "prod");
    text = "holdfast=1 owner=prod instance=00000001 floor=17 state=frozen";
    guard = parse_guard("prod", text, seen);
    assert_int_equal(guard.kind, HF_FENCE_ALIEN);
    assert_int_equal(guard.instance, 1);
    assert_string_equal(seen, "prod");
}

static void damaged_zone_guards(void **state)
{
    (void)state;
    const char *const damaged[] = {
        "",
        "holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=",
        "holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=o",
        "holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=opens",
        "holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=fro",
        "holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=OPEN",
        "holdfast=1 owner=prod instance=5E1F09C2 floor=17 state=open",
        "holdfast=1 owner=prod instance=5e1f09c floor=17 state=open",
        "holdfast=1 owner=prod instance=5e1f09c2 floor=017 state=open",
        "holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7",
    };
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        char seen[HF_OWNER_MAX + 1] = "x";
        struct hf_zone_guard guard = parse_guard("prod", damaged[i], seen);
        if (guard.kind != HF_FENCE_DAMAGED) {
            fail_msg("taken for a guard: %s", damaged[i]);
        }
        assert_string_equal(seen, "");
    }
}

static void labels(void **state)
{
    (void)state;
    const char *const good[] = {"a",      "0",    "prod",
                                "edge-1", "a--b", "0123456789abcdef0123456789abcdef"};
    const char *const bad[] = {"",
                               "-",
                               "-a",
                               "a-",
                               "A",
                               "a.b",
                               "a b",
                               "a_b",
                               "a\n",
                               "\xc3\xa4",
                               "0123456789abcdef0123456789abcdef0"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(hf_label_check(good[i]), HF_OK);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(hf_label_check(bad[i]), HF_EMALF);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_design_example),
        cmocka_unit_test(the_largest_values_come_back),
        cmocka_unit_test(any_other_text_is_damaged),
        cmocka_unit_test(two_strings_are_damaged),
        cmocka_unit_test(zone_guards),
        cmocka_unit_test(damaged_zone_guards),
        cmocka_unit_test(labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
