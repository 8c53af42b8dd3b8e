/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Holdfast's own world: small ones in full, states as octets and back, canaries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/explore.h"
#include "lab/world.h"
#include "lab/world_internal.h"

enum { ROOM = 1 << 20 };

static const struct hf_world_options small = {.enactors = 2,
                                              .planners = 1,
                                              .endpoints = 2,
                                              .members = 2,
                                              .batch = 2,
                                              .window = 1,
                                              .generations = 2};

/*
 * Random walks in a world without time: octets of a state are those of the state made of them.
 * Prints its timeline when it is run again.
 */
static bool walk(const struct hf_world_options *options, uint64_t seed, uint32_t steps,
                 bool is_told)
{
    bool holds = true;
    struct hf_buf line;
    struct hf_model model;
    struct hf_choice choice = {.random = seed * 2 + 1};
    hf_world_model(&model, options);
    struct hf_world *world = calloc(1, model.state_size), *again = calloc(1, model.state_size);
    uint8_t *octets = malloc(model.encoded_max), *others = malloc(model.encoded_max);
    if (world == NULL || again == NULL || octets == NULL || others == NULL) {
        abort();
    }
    model.init(&model, world, 0);
    hf_buf_init(&line, ROOM);
    for (uint32_t i = 0; holds && i < steps; i++) {
        hf_choice_begin(&choice, 0);
        memcpy(again, world, model.state_size);
        enum hf_step step = model.step(&model, world, &choice);
        if (step == HF_STEP_DISABLED) {
            break;
        }
        model.tell(&model, again, &choice, world, &line);
        hf_buf_printf(&line, "%s\n", i % 2 == 0 ? " *" : "");
        size_t size = model.encode(&model, world, octets);
        model.decode(&model, octets, size, again);
        size_t other = model.encode(&model, again, others);
        bool is_same = size == other && memcmp(octets, others, size) == 0;
        holds = step == HF_STEP_TAKEN && is_same;
        if (!holds && is_told) {
            (void)fprintf(stderr, "%.*s%s\n", (int)line.size, (const char *)line.bytes,
                          is_same ? model.why(&model, world) : "octets differ");
        }
        if (i % 2 == 0) {
            memcpy(world, again, model.state_size); /* go on from what was made */
        }
    }
    free(world);
    free(again);
    free(octets);
    free(others);
    hf_buf_release(&line);
    return holds;
}

static void test_octets(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind <= HF_BOUND_GENERATIONS; kind++) {
        struct hf_world_options options = small;
        uint32_t *bounds = &options.retires;
        options.planners = 1 + kind % 2;
        options.cold = kind % 3 == 0;
        options.generations = 6;
        for (uint32_t i = 0; i < HF_BOUND_GENERATIONS; i++) {
            bounds[i] = i == kind || kind == HF_BOUND_GENERATIONS ? 2 : 0;
        }
        for (uint64_t seed = 1; seed <= 200; seed++) {
            if (!walk(&options, seed, 150, false)) {
                (void)walk(&options, seed, 150, true);
                fail_msg("kind of fault %u, seed %ju", kind, (uintmax_t)seed);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octets),
    };
    return cmocka_run_group_tests_name("lab world", tests, NULL, NULL);
}
