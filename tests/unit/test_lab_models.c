/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of models: what every row must be, so that flags, help and trace files can be made of
 * it, and that every model keeps what model.h says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/lab_command.h"
#include "lab/run.h"

enum { STEPS = 200, SEEDS = 5 };

static bool is_flag(const char *name)
{
    size_t count = 0;
    const struct hf_lab_command *const *commands = hf_lab_commands(&count);
    bool is_found = strcmp(name, "output") == 0 || strcmp(name, "color") == 0 ||
                    strcmp(name, "help") == 0 || strcmp(name, "version") == 0;
    for (size_t i = 0; i < count; i++) {
        const struct hf_lab_flag *flags = commands[i]->flags;
        bool is_of_model = commands[i]->subject == HF_LAB_OF_MODEL;
        for (size_t j = 0; is_of_model && flags[j].name != NULL; j++) {
            is_found = is_found || strcmp(flags[j].name, name) == 0;
        }
    }
    return is_found;
}

static void check_options(const struct hf_lab_model *kind)
{
    uint32_t count = 0;
    assert_true(strlen(kind->name) < HF_TRACE_NAME_SIZE);
    assert_true(kind->options_size % sizeof(uint32_t) == 0);
    for (const struct hf_lab_option *option = kind->options; option->name != NULL; option++) {
        if (is_flag(option->name)) {
            fail_msg("%s: option %s is one of a subcommand", kind->name, option->name);
        }
        assert_true(strlen(option->name) < HF_TRACE_NAME_SIZE);
        assert_int_equal(strcspn(option->name, " ="), strlen(option->name));
        assert_true(option->offset + sizeof(uint32_t) <= kind->options_size);
        assert_in_range(option->standard, option->min, option->max);
        assert_ptr_equal(hf_lab_option_find(kind, option->name), option);
        count++;
    }
    assert_int_equal(count, kind->options_size / sizeof(uint32_t)); /* none is forgotten */
    assert_in_range(count, 0, HF_LAB_OPTIONS_MAX);
}

static void test_every_row(void **state)
{
    (void)state;
    size_t count = 0;
    const struct hf_lab_model *models = hf_lab_models(&count);
    for (size_t i = 0; i < count; i++) {
        check_options(&models[i]);
        assert_ptr_equal(hf_lab_model_find(models[i].name), &models[i]);
    }
    assert_null(hf_lab_model_find("nothing"));
}

/* A state and the one decoded from its canonical form have the same canonical form. */
static void check_encoding(const struct hf_model *model, const void *now)
{
    uint8_t *bytes = malloc(model->encoded_max), *again = malloc(model->encoded_max);
    void *decoded = calloc(1, model->state_size);
    assert_true(bytes != NULL && again != NULL && decoded != NULL);
    size_t size = model->encode(model, now, bytes);
    assert_in_range(size, 1, model->encoded_max);
    if (model->decode != NULL) {
        model->decode(model, bytes, size, decoded);
        assert_int_equal(model->encode(model, decoded, again), size);
        assert_memory_equal(bytes, again, size);
    }
    free(bytes);
    free(again);
    free(decoded);
}

/* A step that was undone by the model's hook leaves nothing behind. */
static void check_restore(const struct hf_model *model, const void *base, uint64_t seed)
{
    struct hf_choice choice = {.random = seed | 1};
    void *work = malloc(model->state_size);
    assert_non_null(work);
    memcpy(work, base, model->state_size);
    for (uint32_t i = 0; i < 4 && model->restore != NULL; i++) {
        hf_choice_begin(&choice, 0);
        (void)model->step(model, work, &choice);
        model->restore(model, base, work);
        assert_memory_equal(work, base, model->state_size);
    }
    free(work);
}

static void walk(struct hf_lab_world *world, uint64_t seed)
{
    const struct hf_model *model = &world->model;
    struct hf_run run;
    void *memory = calloc(1, hf_run_layout(model));
    assert_non_null(memory);
    assert_true(model->encoded_max <= UINT16_MAX);
    hf_run_init(&run, model, memory);
    hf_run_begin(&run, seed, false);
    check_encoding(model, run.state);
    while (run.end == HF_RUN_GOING && run.steps < STEPS) {
        check_restore(model, run.state, run.steps);
        (void)hf_run_draw(&run);
        check_encoding(model, run.state);
    }
    free(memory);
}

static void test_canonical_forms(void **state)
{
    (void)state;
    size_t count = 0;
    const struct hf_lab_model *models = hf_lab_models(&count);
    for (size_t i = 0; i < count; i++) {
        struct hf_lab_world world;
        hf_lab_world_init(&world, &models[i]);
        assert_null(hf_lab_world_make(&world));
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            walk(&world, seed);
        }
    }
}

static void test_a_trace_names_what_differs(void **state)
{
    (void)state;
    struct hf_lab_world world, again;
    struct hf_trace trace = {.steps = NULL};
    struct hf_buf problem;
    const struct hf_lab_model *kind = hf_lab_model_find("two-phase");
    hf_buf_init(&problem, 500);
    hf_lab_world_init(&world, kind);
    *hf_lab_option_at(&world, hf_lab_option_find(kind, "managers")) = 5;
    hf_lab_world_to_trace(&world, &trace);
    assert_string_equal(trace.model, "two-phase");
    assert_int_equal(trace.option_count, 1);
    assert_int_equal(hf_lab_world_of_trace(&again, &trace, &problem), HF_OK);
    assert_memory_equal(world.values, again.values, sizeof world.values);
    trace.options[0].value = 9;
    assert_int_equal(hf_lab_world_of_trace(&again, &trace, &problem), HF_EINVAL);
    assert_string_equal(hf_buf_text(&problem), "found managers=9, expected a number 1 to 8");
    hf_buf_release(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_canonical_forms),
        cmocka_unit_test(test_a_trace_names_what_differs),
    };
    return cmocka_run_group_tests_name("lab models", tests, NULL, NULL);
}
