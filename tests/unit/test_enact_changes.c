/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an enactor makes of the changes of a zone, on top of what it knows of a lane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/records.h"
#include "io/enact_internal.h"

enum { TTL_S = 5 };

static const uint8_t owner[] = "\3api\7example\4test";
static const uint8_t fence_owner[] = "\11_holdfast\3api\7example\4test";
static const uint8_t first[] = {127, 0, 0, 11};
static const uint8_t second[] = {127, 0, 0, 12};
static const uint8_t both[] = {127, 0, 0, 11, 127, 0, 0, 12};

struct world {
    struct hf_config config;
    struct hf_enact enact;
    struct hf_enact_zone zone;
    struct hf_enact_place place;
    struct hf_enact_changes *changes;
    uint32_t row;
    uint32_t op;      /* the transfer that is under way */
    uint64_t sums[3]; /* by generation */
};

/* An entry of generation gen: the first address, from generation 2 on both. */
static void set_entry(struct world *world, uint64_t gen)
{
    struct hf_plan_entry entry = {
        .gen = gen,
        .records = {.bytes = both, .a_count = (uint16_t)gen, .ttl_s = TTL_S},
        .cause_backend = UINT32_MAX,
        .flags = HF_ROW_EXISTS,
    };
    hf_plan_set(&world->enact.plan, world->row, &entry);
    hf_plan_get(&world->enact.plan, world->row, &entry);
    world->sums[gen] = entry.sum;
}

static int make(void **state)
{
    static const struct hf_enactor_options options = {
        .batch = 1, .window_max = 1, .audit_ms = 1000};
    struct world *world = calloc(1, sizeof(*world));
    struct hf_enact *enact = &world->enact;
    struct hf_enact_zone *zone = &world->zone;
    struct hf_enactor_outbox outbox;
    assert_non_null(world);
    world->config.installation = "prod";
    enact->config = &world->config;
    enact->zones = zone;
    enact->places = &world->place;
    enact->place_count = 1;
    enact->writers = calloc(HF_ENACT_WRITERS_MAX, sizeof(*enact->writers));
    zone->enact = enact;
    zone->lane_rows = calloc(1, sizeof(*zone->lane_rows));
    zone->memory = calloc(1, hf_enactor_layout(&options, 1));
    assert_true(enact->writers != NULL && zone->lane_rows != NULL && zone->memory != NULL);
    (void)hf_enact_writer(enact, "ours");
    hf_plan_init(&enact->plan);
    world->row = hf_plan_row(&enact->plan, owner);
    set_entry(world, 1);
    set_entry(world, 2);
    hf_enactor_init(&zone->machine, &options, zone->memory, 1);
    (void)hf_enact_zone_lane(zone, world->row);
    hf_enactor_step(
        &zone->machine,
        &(struct hf_enactor_event){.type = HF_ENACTOR_EV_ENTRY, .gen = 2, .sum = world->sums[2]},
        &outbox);
    hf_enactor_step(
        &zone->machine,
        &(struct hf_enactor_event){.type = HF_ENACTOR_EV_HEAD, .gen = 2, .result = HF_RESULT_OK},
        &outbox);
    assert_true(outbox.count > 0 && outbox.actions[0].kind == HF_ENACTOR_READ_ZONE);
    world->op = outbox.actions[0].op;
    world->changes = hf_enact_changes_new(zone, world->op);
    *state = world;
    return 0;
}

static int drop(void **state)
{
    struct world *world = *state;
    hf_enact_changes_free(world->changes);
    hf_plan_release(&world->enact.plan);
    free(world->enact.writers);
    free(world->zone.refused_words);
    free(world->zone.lane_rows);
    free(world->zone.memory);
    free(world);
    return 0;
}

static void change_address(struct world *world, const uint8_t *address, bool added)
{
    const struct hf_dns_record record = {
        .owner = owner, .type = KNOT_RRTYPE_A, .ttl_s = TTL_S, .rdata = address, .rdata_size = 4};
    hf_enact_changes_add(world->changes, &record, added);
}

static struct hf_fence fence_of(struct world *world, uint64_t gen)
{
    return (struct hf_fence){.kind = HF_FENCE_OURS,
                             .gen = gen,
                             .sum = world->sums[gen],
                             .count = gen,
                             .writer = hf_enact_writer(&world->enact, "other")};
}

static void change_fence(struct world *world, uint64_t gen, bool added)
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size;
    struct hf_fence fence = fence_of(world, gen);
    hf_fence_format("prod", "other", &fence, rdata, &size);
    const struct hf_dns_record record = {.owner = fence_owner,
                                         .type = KNOT_RRTYPE_TXT,
                                         .rdata = rdata,
                                         .rdata_size = (uint16_t)size};
    hf_enact_changes_add(world->changes, &record, added);
}

/* Another enactor's second generation: what differs from its first, and the fence. */
static void write_second(struct world *world)
{
    change_fence(world, 1, false);
    change_fence(world, 2, true);
    change_address(world, second, true);
}

static void changes_come_on_top_of_what_is_known(void **state)
{
    struct world *world = *state;
    struct hf_lane *lane = &world->zone.machine.lanes[0];
    lane->fence = fence_of(world, 1);
    lane->records = HF_RECORDS_SUM;
    lane->records_sum = world->sums[1];
    set_entry(world, 1); /* a plan that has the records of generation 1 */
    write_second(world);
    assert_true(hf_enact_changes_tell(world->changes));
    assert_int_equal(lane->fence.gen, 2);
    assert_int_equal(lane->records, HF_RECORDS_SUM);
    assert_int_equal(lane->records_sum, world->sums[2]);
}

static void a_name_that_was_created_is_known(void **state)
{
    struct world *world = *state;
    struct hf_lane *lane = &world->zone.machine.lanes[0];
    lane->fence.kind = HF_FENCE_ABSENT;
    lane->records = HF_RECORDS_NONE;
    change_fence(world, 1, true);
    change_address(world, first, true);
    write_second(world);
    assert_true(hf_enact_changes_tell(world->changes));
    assert_int_equal(lane->fence.gen, 2);
    assert_int_equal(lane->records_sum, world->sums[2]);
}

/*
 * The name was read by itself before it was created, and the transfer that told of that was not
 * believed: what is known is older than where these changes begin. The address that came first is
 * not among them, and was not taken away by anybody.
 */
static void changes_of_a_name_that_was_not_there_are_no_edit(void **state)
{
    struct world *world = *state;
    struct hf_lane *lane = &world->zone.machine.lanes[0];
    lane->fence.kind = HF_FENCE_ABSENT;
    lane->records = HF_RECORDS_NONE;
    write_second(world);
    assert_true(hf_enact_changes_tell(world->changes));
    assert_int_equal(lane->fence.kind, HF_FENCE_UNKNOWN);
    assert_int_equal(hf_lane_need(&world->zone.machine, lane, 0), HF_NEED_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_come_on_top_of_what_is_known, make, drop),
        cmocka_unit_test_setup_teardown(a_name_that_was_created_is_known, make, drop),
        cmocka_unit_test_setup_teardown(changes_of_a_name_that_was_not_there_are_no_edit, make,
                                        drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
