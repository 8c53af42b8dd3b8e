/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/drill_suite.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/drill_reader.h"

enum { SUITE_ARENA_MAX = 16 << 20, SEEDS_STANDARD = 5 };
static const char advice[] = "suites are small";

static const struct judged {
    const char *name;
    enum hf_quantity quantity;
} kinds[HF_JUDGED_COUNT] = {
    [HF_JUDGED_RECOVER] = {"recover", HF_QUANTITY_DURATION},
    [HF_JUDGED_DEGRADED] = {"degraded", HF_QUANTITY_DURATION},
    [HF_JUDGED_WORST] = {"worst", HF_QUANTITY_SHARE},
    [HF_JUDGED_WORST_AFTER] = {"worst-after", HF_QUANTITY_SHARE},
    [HF_JUDGED_END] = {"end", HF_QUANTITY_SHARE},
    [HF_JUDGED_UNANSWERED] = {"unanswered", HF_QUANTITY_DURATION},
    [HF_JUDGED_QUEUE_PEAK] = {"queue-peak", HF_QUANTITY_COUNT},
    [HF_JUDGED_WASTED] = {"wasted", HF_QUANTITY_SHARE},
    [HF_JUDGED_AMPLIFICATION] = {"amplification", HF_QUANTITY_RATIO},
    [HF_JUDGED_REMOVED] = {"removed", HF_QUANTITY_SHARE},
};

const char *hf_drill_judged_name(enum hf_drill_judged judged)
{
    return kinds[judged].name;
}

enum hf_quantity hf_drill_judged_quantity(enum hf_drill_judged judged)
{
    return kinds[judged].quantity;
}

uint32_t hf_drill_judged_find(const char *name)
{
    for (uint32_t i = 0; i < HF_JUDGED_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* What it is read with: values need no scenario. */
struct suite_reading {
    struct hf_drill_reading values;
    struct hf_drill_suite *suite;
    uint32_t seeds;
};

enum bound_key { BOUND_MEASURE, BOUND_OF, BOUND_AT_MOST, BOUND_AT_LEAST, BOUND_KEYS };

static void read_limit(struct suite_reading *reading, uint32_t node, struct hf_drill_bound *bound)
{
    enum hf_quantity quantity = kinds[bound->judged].quantity;
    bool is_never = quantity == HF_QUANTITY_DURATION &&
                    strcmp(hf_tree_text(reading->values.tree, node), "never") == 0;
    if (is_never) {
        bound->limit = INFINITY;
    } else {
        (void)hf_drill_read_quantity(&reading->values, node, quantity, &bound->limit);
    }
}

static void read_bound(struct suite_reading *reading, uint32_t node, struct hf_drill_bound *bound)
{
    static const struct hf_key keys[BOUND_KEYS] = {[BOUND_MEASURE] = {.name = "measure"},
                                                   [BOUND_OF] = {.name = "of"},
                                                   [BOUND_AT_MOST] = {.name = "at_most"},
                                                   [BOUND_AT_LEAST] = {.name = "at_least"}};
    struct hf_reader *reader = reading->values.reader;
    uint32_t values[BOUND_KEYS];
    const char *words[HF_JUDGED_COUNT + 1] = {NULL};
    if (!hf_read_map(reader, node, keys, BOUND_KEYS, NULL, values)) {
        return;
    }
    if (values[BOUND_MEASURE] == 0) {
        hf_missing(reader, node, "measure", "what is bounded, such as recover");
        return;
    }
    for (int i = 0; i < HF_JUDGED_COUNT; i++) {
        words[i] = kinds[i].name;
    }
    uint32_t word = hf_read_word(reader, values[BOUND_MEASURE], words);
    if (word == UINT32_MAX) {
        return;
    }
    bound->judged = (enum hf_drill_judged)word;
    bound->line = hf_tree_at(reading->values.tree, node)->line;
    bound->column = hf_tree_at(reading->values.tree, node)->column;
    const char *of =
        values[BOUND_OF] == 0 ? "" : hf_read_name(reader, values[BOUND_OF], "the name of a part");
    (void)snprintf(bound->of, sizeof(bound->of), "%s", of != NULL ? of : "");
    bound->at_least = values[BOUND_AT_LEAST] != 0;
    uint32_t limit = values[bound->at_least ? BOUND_AT_LEAST : BOUND_AT_MOST];
    if (limit == 0 || (bound->at_least && values[BOUND_AT_MOST] != 0)) {
        hf_problem(reader, node, "found %s, expected one of at_most and at_least",
                   limit == 0 ? "no limit" : "two limits");
        return;
    }
    read_limit(reading, limit, bound);
}

static void read_bounds(struct suite_reading *reading, uint32_t node, struct hf_drill_bounds *ret)
{
    struct hf_reader *reader = reading->values.reader;
    if (hf_tree_at(reading->values.tree, node)->kind != HF_TREE_LIST ||
        hf_first(reader, node) == 0) {
        hf_expected(reader, node,
                    "a list of bounds, such as [ { measure: recover, at_most: 10m } ]");
        return;
    }
    for (uint32_t at = hf_first(reader, node); at != 0; at = hf_next(reader, at)) {
        if (ret->count == HF_SUITE_BOUNDS_MAX) {
            hf_problem(reader, at, "found more than %d bounds", HF_SUITE_BOUNDS_MAX);
            return;
        }
        char place[16];
        (void)snprintf(place, sizeof(place), "[%" PRIu32 "]", ret->count + 1);
        hf_enter(reader, place);
        read_bound(reading, at, &ret->rows[ret->count++]);
        hf_leave(reader);
    }
}

static void read_settings(struct suite_reading *reading, uint32_t node, struct hf_drill_test *test)
{
    struct hf_reader *reader = reading->values.reader;
    if (hf_tree_at(reading->values.tree, node)->kind != HF_TREE_MAP) {
        hf_expected(reader, node, "a map of settings, such as { services.db.workers: 20 }");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0; key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        if (test->setting_count == HF_SUITE_SETTINGS_MAX) {
            hf_problem(reader, key, "found more than %d settings", HF_SUITE_SETTINGS_MAX);
            return;
        }
        const char *path = hf_read_text(reader, key, "the path of a value");
        const char *text = hf_read_text(reader, value, "a value");
        if (path != NULL && text != NULL) {
            test->settings[test->setting_count++] =
                (struct hf_drill_setting){hf_pack_text(reader, path), hf_pack_text(reader, text)};
        }
    }
}

static void read_hosts(struct suite_reading *reading, uint32_t node, struct hf_drill_test *test)
{
    struct hf_reader *reader = reading->values.reader;
    bool is_list = hf_tree_at(reading->values.tree, node)->kind == HF_TREE_LIST;
    for (uint32_t at = is_list ? hf_first(reader, node) : node; at != 0;
         at = is_list ? hf_next(reader, at) : 0) {
        double count = 0;
        if (test->host_count == HF_SUITE_HOSTS_MAX) {
            hf_problem(reader, at, "found more than %d scales", HF_SUITE_HOSTS_MAX);
            return;
        }
        if (!hf_drill_read_count(&reading->values, at, false, HF_DRILL_HOLDERS_MAX, &count)) {
            continue;
        }
        if (count < 1) {
            hf_expected(reader, at, "at least 1 host");
            continue;
        }
        test->hosts[test->host_count++] = (uint64_t)count;
    }
}

enum test_key {
    TEST_ABOUT,
    TEST_SCENARIO,
    TEST_WITH,
    TEST_SET,
    TEST_HOSTS,
    TEST_SEEDS,
    TEST_EXPECT,
    TEST_WITHOUT,
    TEST_KEYS
};

#define TEST_ROW(member) offsetof(struct hf_drill_test, member)
static const struct hf_key test_keys[TEST_KEYS] = {
    [TEST_ABOUT] = {.name = "about", .kind = HF_KEY_TEXT, .offset = TEST_ROW(about)},
    [TEST_SCENARIO] = {.name = "scenario", .kind = HF_KEY_PATH, .offset = TEST_ROW(scenario)},
    [TEST_WITH] = {.name = "with", .kind = HF_KEY_TEXT, .offset = TEST_ROW(with)},
    [TEST_SET] = {.name = "set"},
    [TEST_HOSTS] = {.name = "hosts"},
    [TEST_SEEDS] = {.name = "seeds",
                    .kind = HF_KEY_U32,
                    .offset = TEST_ROW(seeds),
                    .low = 1,
                    .high = HF_SUITE_SEEDS_MAX},
    [TEST_EXPECT] = {.name = "expect"},
    [TEST_WITHOUT] = {.name = "without"},
};

static void read_test(struct suite_reading *reading, uint32_t node, struct hf_drill_test *test)
{
    struct hf_reader *reader = reading->values.reader;
    uint32_t values[TEST_KEYS];
    test->seeds = reading->seeds;
    test->about = "";
    if (!hf_read_map(reader, node, test_keys, TEST_KEYS, test, values)) {
        return;
    }
    if (values[TEST_SCENARIO] == 0) {
        hf_missing(reader, node, "scenario", "the path of a scenario");
    }
    if (values[TEST_EXPECT] == 0) {
        hf_missing(reader, node, "expect", "bounds that have to hold");
    }
    if ((values[TEST_WITH] != 0) != (values[TEST_WITHOUT] != 0)) {
        hf_problem(reader, node,
                   "found only one of \"with\" and \"without\", expected both: what "
                   "passes without a remedy as well proves nothing about it");
    }
    static const enum test_key in_turn[] = {TEST_SET, TEST_HOSTS, TEST_EXPECT, TEST_WITHOUT};
    for (size_t i = 0; i < sizeof(in_turn) / sizeof(in_turn[0]); i++) {
        uint32_t value = values[in_turn[i]];
        if (value == 0) {
            continue;
        }
        hf_enter(reader, test_keys[in_turn[i]].name);
        if (in_turn[i] == TEST_SET) {
            read_settings(reading, value, test);
        } else if (in_turn[i] == TEST_HOSTS) {
            read_hosts(reading, value, test);
        } else {
            read_bounds(reading, value, in_turn[i] == TEST_EXPECT ? &test->expect : &test->without);
        }
        hf_leave(reader);
    }
}

static void read_tests(struct suite_reading *reading, uint32_t node)
{
    struct hf_reader *reader = reading->values.reader;
    struct hf_drill_suite *suite = reading->suite;
    if (hf_tree_at(reading->values.tree, node)->kind != HF_TREE_MAP ||
        hf_first(reader, node) == 0) {
        hf_expected(reader, node, "a map of tests, each with its name as the key");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        const char *name = hf_read_name(reader, key, "the name of a test");
        if (suite->test_count == HF_SUITE_TESTS_MAX) {
            hf_problem(reader, key, "found more than %d tests", HF_SUITE_TESTS_MAX);
            return;
        }
        if (name != NULL) {
            struct hf_drill_test *test = &suite->tests[suite->test_count++];
            test->name = hf_pack_text(reader, name);
            hf_enter(reader, test->name);
            read_test(reading, value, test);
            hf_leave(reader);
        }
    }
}

enum suite_key { SUITE_NAME, SUITE_ABOUT, SUITE_SEEDS, SUITE_TESTS, SUITE_KEYS };

static void read_suite(struct suite_reading *reading)
{
    static const struct hf_key keys[SUITE_KEYS] = {[SUITE_NAME] = {.name = "suite"},
                                                   [SUITE_ABOUT] = {.name = "about"},
                                                   [SUITE_SEEDS] = {.name = "seeds"},
                                                   [SUITE_TESTS] = {.name = "tests"}};
    struct hf_reader *reader = reading->values.reader;
    uint32_t root = reading->values.tree->root;
    uint32_t values[SUITE_KEYS];
    reading->suite->name = "";
    if (root == 0) {
        hf_problem(reader, 0, "found an empty file, expected a suite with its tests");
        return;
    }
    if (!hf_read_map(reader, root, keys, SUITE_KEYS, NULL, values)) {
        return;
    }
    if (values[SUITE_NAME] != 0) {
        const char *name = hf_read_text(reader, values[SUITE_NAME], "a name");
        reading->suite->name = name == NULL ? "" : hf_pack_text(reader, name);
    }
    if (values[SUITE_SEEDS] != 0) {
        hf_enter(reader, "seeds");
        (void)hf_read_number(reader, values[SUITE_SEEDS], 1, HF_SUITE_SEEDS_MAX, &reading->seeds);
        hf_leave(reader);
    }
    if (values[SUITE_TESTS] == 0) {
        hf_missing(reader, root, "tests", "at least one");
        return;
    }
    hf_enter(reader, "tests");
    read_tests(reading, values[SUITE_TESTS]);
    hf_leave(reader);
}

int hf_drill_suite_read_text(const char *text, size_t size, const char *name,
                             struct hf_drill_suite **ret_suite, struct hf_buf *problems)
{
    struct hf_drill_suite *suite = calloc(1, sizeof(*suite));
    struct hf_reader *reader = calloc(1, sizeof(*reader));
    if (suite == NULL || reader == NULL) {
        abort();
    }
    struct hf_tree tree;
    struct hf_rows files = {.row_size = sizeof(const char *)};
    struct suite_reading reading = {.values = {.reader = reader, .tree = &tree, .scale = 1},
                                    .suite = suite,
                                    .seeds = SEEDS_STANDARD};
    hf_arena_init(&suite->arena, SUITE_ARENA_MAX);
    hf_reader_begin(reader, &suite->arena, &files, name, problems);
    hf_tree_init(&tree);
    suite->path = reader->file;
    if (hf_reader_parse(reader, &tree, text, size, advice)) {
        read_suite(&reading);
    }
    int error = reader->error;
    hf_reader_end(reader);
    hf_tree_release(&tree);
    free(files.rows);
    free(reader);
    if (error != HF_OK) {
        hf_drill_suite_free(suite);
        return error;
    }
    *ret_suite = suite;
    return HF_OK;
}

int hf_drill_suite_read(const char *path, struct hf_drill_suite **ret_suite,
                        struct hf_buf *problems)
{
    struct hf_buf text;
    hf_buf_init(&text, HF_READER_FILE_MAX);
    int error = hf_read_whole(path, advice, &text, problems);
    if (error == HF_OK) {
        error = hf_drill_suite_read_text(hf_buf_text(&text), text.size, path, ret_suite, problems);
    }
    hf_buf_release(&text);
    return error;
}

void hf_drill_suite_free(struct hf_drill_suite *suite)
{
    if (suite != NULL) {
        hf_arena_release(&suite->arena);
        free(suite);
    }
}
