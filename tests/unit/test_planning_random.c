/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random configurations, edits, verdicts and overrides: whatever comes, what was published is
 * readable, no endpoint loses its last address unless it is retired, generations never fall, and
 * building the machine anew changes nothing.
 */
#include "planning_world.h"

enum {
    RUNS = 200,
    EDITS = 8, /* in each run */
    POOLS_MAX = 4,
    BACKENDS_MAX = 12,
    ENDPOINTS_MAX = 8,
    CONFIG_MAX = 16 * 1024,
};

/* What the random configuration is made from; edits change one thing of it. */
struct shape {
    uint8_t pool[BACKENDS_MAX]; /* 0: not configured */
    uint8_t address[BACKENDS_MAX];
    uint8_t family[BACKENDS_MAX]; /* 0: A, 1: AAAA, 2: both */
    uint8_t weight[BACKENDS_MAX];
    uint8_t capacity[BACKENDS_MAX];
    uint8_t pools[ENDPOINTS_MAX]; /* bits; 0: not configured */
    uint8_t answers_max[ENDPOINTS_MAX];
    uint8_t removal[ENDPOINTS_MAX];
    uint8_t min_healthy[ENDPOINTS_MAX];
    uint8_t ttl[ENDPOINTS_MAX];
    uint8_t changed;
};

/* xorshift64*: the same sequence everywhere. */
static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % below;
}

static void draw_backend(struct shape *shape, uint64_t *seed, uint32_t i)
{
    shape->pool[i] = (uint8_t)draw(seed, POOLS_MAX + 1);
    shape->address[i] = (uint8_t)draw(seed, 8);
    shape->family[i] = (uint8_t)draw(seed, 3);
    shape->weight[i] = (uint8_t)draw(seed, 4);
    shape->capacity[i] = (uint8_t)(1 + draw(seed, 20));
}

static void draw_endpoint(struct shape *shape, uint64_t *seed, uint32_t i)
{
    shape->pools[i] = (uint8_t)draw(seed, 1 << POOLS_MAX);
    shape->answers_max[i] = (uint8_t)(1 + draw(seed, 6));
    shape->removal[i] = (uint8_t)(10 + draw(seed, 91));
    shape->min_healthy[i] = (uint8_t)(1 + draw(seed, 4));
    shape->ttl[i] = (uint8_t)(1 + draw(seed, 60));
}

static void put_pools(const struct shape *shape, struct hf_buf *text)
{
    hf_buf_put_text(text, "pools:\n");
    for (uint32_t pool = 1; pool <= POOLS_MAX; pool++) {
        hf_buf_printf(text, "  p%u:\n    check: { type: none }\n    backends:\n", pool);
        /* So that no pool is empty; another site each, and on no edit. */
        hf_buf_printf(text, "      - { name: fix-%u, address: 192.0.2.%u, site: s%u }\n", pool,
                      pool, pool);
        for (uint32_t i = 0; i < BACKENDS_MAX; i++) {
            if (shape->pool[i] != pool) {
                continue;
            }
            /* Another family is another address: two members with one are picked as one. */
            uint32_t host = i * 8U + shape->address[i];
            hf_buf_printf(text, "      - { name: b%u, address: [", i);
            if (shape->family[i] != 1) {
                hf_buf_printf(text, "198.51.%u.%u%s", 100U + shape->family[i], host,
                              shape->family[i] == 2 ? ", " : "");
            }
            if (shape->family[i] != 0) {
                hf_buf_printf(text, "'2001:db8:%u::%x'", 100U + shape->family[i], host);
            }
            hf_buf_printf(text, "], weight: %u, capacity: %u, site: s%u }\n", shape->weight[i],
                          shape->capacity[i], i % 3);
        }
    }
}

static void put_config(const struct shape *shape, struct hf_buf *text)
{
    hf_buf_clear(text);
    hf_buf_printf(text, "%sguard: { max_changed: %u%% per 60s }\n", WORLD_HEAD, shape->changed);
    put_pools(shape, text);
    hf_buf_put_text(text, "endpoints:\n"
                          "  fix.example.test: { pools: [p1] }\n");
    for (uint32_t i = 0; i < ENDPOINTS_MAX; i++) {
        if (shape->pools[i] == 0) {
            continue;
        }
        hf_buf_printf(text, "  e%u.example.test: { pools: [", i);
        uint32_t healthy = 0; /* at most one of each pool: what is always there */
        const char *comma = "";
        for (uint32_t pool = 0; pool < POOLS_MAX; pool++) {
            if ((shape->pools[i] >> pool & 1) != 0) {
                hf_buf_printf(text, "%sp%u", comma, pool + 1);
                comma = ", ";
                healthy += healthy < shape->min_healthy[i];
            }
        }
        hf_buf_printf(text,
                      "], ttl: %us, answers: { max: %u }, "
                      "guard: { max_removal: %u%% per 60s, min_healthy: %u } }\n",
                      shape->ttl[i], shape->answers_max[i], shape->removal[i], healthy);
    }
    assert_int_equal(hf_buf_error(text), HF_OK);
}

static void draw_names(uint64_t *seed, char *names, uint32_t one_in)
{
    size_t used = (size_t)snprintf(names, WORLD_TEXT_MAX, " ");
    for (uint32_t i = 0; i < BACKENDS_MAX; i++) {
        if (draw(seed, one_in) == 0) {
            used += (size_t)snprintf(names + used, WORLD_TEXT_MAX - used, "b%u ", i);
        }
    }
    if (draw(seed, one_in) == 0) {
        (void)snprintf(names + used, WORLD_TEXT_MAX - used, "fix-1 fix-2 ");
    }
}

static void draw_override(struct world *world, uint64_t *seed)
{
    char subject[64];
    char pin[128];
    enum hf_override_kind kinds[] = {HF_OVERRIDE_DRAIN_BACKEND, HF_OVERRIDE_DRAIN_SITE,
                                     HF_OVERRIDE_PIN, HF_OVERRIDE_RETIRE};
    uint32_t kind = draw(seed, 4);
    (void)snprintf(subject, sizeof(subject),
                   kind == 0   ? "b%u"
                   : kind == 1 ? "s%u"
                               : "e%u.example.test.",
                   draw(seed, ENDPOINTS_MAX));
    uint32_t backend = draw(seed, BACKENDS_MAX);
    (void)snprintf(pin, sizeof(pin), "fix-1 192.0.2.1\nb%u 198.51.100.%u", backend,
                   backend * 8 + draw(seed, 8));
    if (draw(seed, 2) == 0) {
        (void)hf_overrides_remove(&world->overrides, kinds[kind], subject);
    } else {
        world_set(world, kinds[kind], subject, kind == 2 ? pin : "");
    }
}

static void change_one(struct world *world, struct shape *shape, uint64_t *seed, char *down,
                       char *unknown, struct hf_buf *text)
{
    switch (draw(seed, 6)) {
    case 0:
    case 1:
        for (uint32_t n = 1 + draw(seed, 4); n > 0; n--) {
            draw_backend(shape, seed, draw(seed, BACKENDS_MAX));
        }
        break;
    case 2:
        draw_endpoint(shape, seed, draw(seed, ENDPOINTS_MAX));
        break;
    case 3:
        draw_names(seed, down, 2);
        draw_names(seed, unknown, 5);
        break;
    case 4:
        world->now_ms += draw(seed, 90000);
        break;
    default:
        draw_override(world, seed);
        break;
    }
    put_config(shape, text);
    world_configure(world, hf_buf_text(text));
}

/* How many of each row's addresses and what generation, before a change. */
struct memory {
    uint64_t gen[ENDPOINTS_MAX + 1];
    uint32_t addresses[ENDPOINTS_MAX + 1];
};

static void look(struct world *world, struct memory *ret_memory)
{
    *ret_memory = (struct memory){0};
    for (uint32_t i = 0; i <= ENDPOINTS_MAX; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), i == 0 ? "fix.example.test" : "e%u.example.test", i - 1);
        const struct hf_plan_entry *entry = world_entry(world, name);
        if (entry != NULL) {
            ret_memory->gen[i] = entry->gen;
            ret_memory->addresses[i] = (uint32_t)entry->records.a_count + entry->records.aaaa_count;
            bool retired = (entry->flags & HF_ROW_RETIRED) != 0;
            assert_true(entry->gen == 0 || retired == (ret_memory->addresses[i] == 0));
            (void)snprintf(name, sizeof(name), "e%u.example.test.", i - 1);
            const struct hf_override *retire =
                hf_overrides_find(&world->overrides, HF_OVERRIDE_RETIRE, name);
            assert_true(!retired || retire != NULL ||
                        world->planning->fleet
                            .endpoints[world->planning->row_endpoints[hf_plan_find(&world->plan,
                                                                                   entry->owner)]]
                            .orphan);
        }
    }
}

static void expect_fixed_point(struct world *world, uint32_t run, const char *text)
{
    struct hf_digest before;
    struct hf_digest after;
    (void)world_held(world, &before);
    world_expect_users(world);
    world_restart(world);
    world_expect_users(world);
    if (world_settle(world) != 0) {
        fail_msg("run %u: a restart published\n%s", run, text);
    }
    const char *held = world_held(world, &after);
    if (memcmp(&before, &after, sizeof(before)) != 0) {
        fail_msg("run %u: after a restart this is held:\n%s%s", run, held, text);
    }
}

static void run_one(uint32_t run)
{
    struct world world;
    struct shape shape = {0};
    struct hf_buf text;
    struct memory before;
    struct memory after;
    char down[WORLD_TEXT_MAX] = "";
    char unknown[WORLD_TEXT_MAX] = "";
    uint64_t seed = 0x9e3779b97f4a7c15 * (run + 1);
    hf_buf_init(&text, CONFIG_MAX);
    for (uint32_t i = 0; i < BACKENDS_MAX; i++) {
        draw_backend(&shape, &seed, i);
    }
    for (uint32_t i = 0; i < ENDPOINTS_MAX; i++) {
        draw_endpoint(&shape, &seed, i);
    }
    shape.changed = (uint8_t)(draw(&seed, 2) == 0 ? 100 : 10 + draw(&seed, 90));
    put_config(&shape, &text);
    world_start(&world, hf_buf_text(&text));
    world.down = down;
    world.unknown = unknown;
    (void)world_settle(&world);
    look(&world, &before);
    for (uint32_t edit = 0; edit < EDITS; edit++) {
        change_one(&world, &shape, &seed, down, unknown, &text);
        (void)world_settle(&world);
        look(&world, &after);
        for (uint32_t i = 0; i <= ENDPOINTS_MAX; i++) {
            assert_true(after.gen[i] >= before.gen[i]);
        }
        assert_true(after.gen[0] > 0 && after.addresses[0] > 0);
        before = after;
        expect_fixed_point(&world, run, hf_buf_text(&text));
    }
    world_end(&world);
    hf_buf_release(&text);
}

static void random_worlds(void **state)
{
    (void)state;
    for (uint32_t run = 0; run < RUNS; run++) {
        run_one(run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
