/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan in memory: rows, backends, entries; and the text of the ref "head". */
#include "plan_sample.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_backend_numbers(void **state)
{
    (void)state;
    struct hf_plan plan;
    hf_plan_init(&plan);
    uint32_t first = sample_backend(&plan, 7);
    assert_int_equal(sample_backend(&plan, 8), first + 1);
    assert_int_equal(sample_backend(&plan, 7), first);
    struct hf_plan_backend other = plan.backends[first];
    other.capacity = 5;
    assert_int_equal(hf_plan_backend_number(&plan, &other), first);
    assert_int_equal(plan.backends[first].capacity, 5);
    other.a[3]++;
    assert_int_equal(hf_plan_backend_number(&plan, &other), first + 2);
    other.has_aaaa = true;
    assert_int_equal(hf_plan_backend_number(&plan, &other), first + 3);
    assert_int_equal(plan.backend_count, 4);
    hf_plan_release(&plan);
}

static void test_rows(void **state)
{
    (void)state;
    struct hf_plan plan;
    hf_plan_init(&plan);
    uint8_t owner[HF_NAME_MAX];
    assert_int_equal(hf_name_parse("E1.Example.test", owner), HF_OK);
    assert_int_equal(hf_plan_find(&plan, owner), UINT32_MAX);
    uint32_t row = sample_row(&plan, 1);
    assert_int_equal(hf_plan_find(&plan, owner), row);
    assert_int_equal(sample_entry(&plan, row).gen, 0);
    for (uint32_t i = 0; i < 5000; i++) {
        (void)sample_row(&plan, i);
    }
    assert_int_equal(plan.entry_count, 5000);
    assert_int_equal(hf_plan_find(&plan, owner), row);
    hf_plan_release(&plan);
}

static void test_members_are_packed(void **state)
{
    const uint32_t numbers[] = {0, 1, 128, 129, 300, 1 << 20, UINT32_MAX - 1};
    enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
    uint8_t packed[COUNT * HF_PLAN_MEMBER_OCTETS_MAX];
    uint32_t back[COUNT];
    (void)state;
    struct hf_plan_members members = hf_plan_members_pack(numbers, COUNT, packed);
    assert_int_equal(members.count, COUNT);
    assert_int_equal(members.size, 1 + 1 + 1 + 1 + 2 + 3 + 5);
    hf_plan_members_unpack(&members, back);
    assert_memory_equal(back, numbers, sizeof(numbers));
    members = hf_plan_members_pack(numbers, 0, packed);
    struct hf_plan_walk walk = hf_plan_walk(&members);
    assert_false(hf_plan_walk_next(&walk, back));
    assert_int_equal(members.size, 0);
}

static void test_set_copies(void **state)
{
    (void)state;
    struct hf_plan plan;
    hf_plan_init(&plan);
    uint32_t row = sample_set(&plan, 1, 5, 3, 4);
    assert_true(plan.edited);
    /* From the row's own entry: only a flag changes. A wrong sum is not believed. */
    struct hf_plan_entry entry = sample_entry(&plan, row);
    assert_int_equal(entry.sum, hf_records_sum(entry.owner, &entry.records));

    entry.flags |= HF_ROW_CLAIMED;
    entry.sum = 1;
    hf_plan_set(&plan, row, &entry);
    struct hf_plan same;
    hf_plan_init(&same);
    uint32_t other = sample_set(&same, 1, 5, 3, 4);
    assert_int_equal(sample_entry(&plan, row).flags, HF_ROW_EXISTS | HF_ROW_CLAIMED);
    entry = sample_entry(&plan, row);
    entry.flags = sample_entry(&same, other).flags;
    hf_plan_set(&plan, row, &entry);
    sample_plans_equal(&plan, &same);
    (void)sample_remove(&plan, 1);
    assert_int_equal(sample_in_plan(&plan), 0);
    assert_int_equal(sample_entry(&plan, row).members.count, 0);
    hf_plan_release(&plan);
    hf_plan_release(&same);
}

/* Runs in a child: true when the process is aborted. */
static bool aborts(void (*body)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(2);
        (void)signal(SIGABRT, SIG_DFL);
        body();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void set_empty(void)
{
    struct hf_plan plan;
    hf_plan_init(&plan);
    struct hf_plan_entry entry = {.gen = 1, .cause_backend = UINT32_MAX};
    hf_plan_set(&plan, sample_row(&plan, 1), &entry);
}

static void set_retired(void)
{
    struct hf_plan plan;
    hf_plan_init(&plan);
    (void)sample_set(&plan, 1, 1, 0, 0);
}

static void test_empty_answer_cannot_be_set(void **state)
{
    (void)state;
    assert_true(aborts(set_empty));
    assert_false(aborts(set_retired));
}

static void test_ref(void **state)
{
    (void)state;
    char text[HF_PLAN_REF_MAX];
    struct hf_digest name = {.bytes = {1, 2, [31] = 0xff}}, again;
    uint64_t gen = 0;
    hf_plan_ref_format(UINT64_MAX, &name, text);
    assert_int_equal(strlen(text), HF_PLAN_REF_MAX - 1);
    assert_int_equal(hf_plan_ref_parse(text, &gen, &again), HF_OK);
    assert_true(gen == UINT64_MAX && memcmp(&name, &again, sizeof(name)) == 0);
    text[0] = '9'; /* one more digit than 64 bits hold */
    assert_int_equal(hf_plan_ref_parse(text, &gen, &again), HF_EMALF);
    hf_plan_ref_format(7, &name, text);
    assert_int_equal(hf_plan_ref_parse(text + 1, &gen, &again), HF_EMALF);
    text[0] = '0';
    assert_int_equal(hf_plan_ref_parse(text, &gen, &again), HF_EMALF);
    assert_int_equal(hf_plan_ref_parse("7 00", &gen, &again), HF_EMALF);
    assert_int_equal(hf_plan_ref_parse("", &gen, &again), HF_EMALF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backend_numbers),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_members_are_packed),
        cmocka_unit_test(test_set_copies),
        cmocka_unit_test(test_empty_answer_cannot_be_set),
        cmocka_unit_test(test_ref),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
