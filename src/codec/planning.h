/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planning: configuration, head plan and overrides become a fleet and a planner machine, and the
 * machine's decisions become entries of the plan. The planner's process, `holdfast plan` and
 * `holdfast explain` all go through here: what is shown is what would be done.
 *
 * A planning is built anew when the configuration, the head (by somebody else) or the set of pins
 * changes. It numbers things three ways: configuration rows, fleet numbers, plan rows.
 * Fleet backend i is configuration backend i for all that are configured; behind them come the
 * plan's backends that an entry still serves and its pools do not name any more (GONE).
 * Configuration endpoint i is fleet endpoint i; behind them come orphans.
 */
#ifndef HF_CODEC_PLANNING_H
#define HF_CODEC_PLANNING_H

#include <stdint.h>

#include "codec/config.h"
#include "codec/overrides.h"
#include "codec/plan.h"
#include "core/planner.h"

struct hf_planning {
    const struct hf_config *config;
    struct hf_plan *plan;
    struct hf_fleet fleet;
    struct hf_planner planner;
    uint32_t *endpoint_rows;   /* plan row of each fleet endpoint */
    uint32_t *backend_numbers; /* plan backend number of each fleet backend */
    uint32_t *row_endpoints;   /* fleet endpoint of each plan row, or UINT32_MAX */
    uint32_t row_count;        /* plan rows when it was built */
    /* private from here */
    struct hf_fleet_backend *backends;
    struct hf_fleet_endpoint *endpoints;
    struct hf_fleet_policy *policies;
    struct hf_fleet_run *user_runs;
    uint32_t *members, *users;
    uint32_t *ghosts; /* fleet number of a plan backend that is GONE, or UINT32_MAX */
    uint32_t member_count, member_room, backend_room;
    uint32_t members_max; /* of one endpoint */
    uint32_t *served;     /* plan backends of the entry at hand, ascending */
    uint32_t served_count, served_room;
    void *memory;
    uint32_t *number_backends; /* configuration backend of a plan number, or UINT32_MAX */
};

/*
 * Builds fleet and machine, and lets the machine adopt the image's entries. config and plan are
 * borrowed and must outlive the planning; plan rows and backend numbers are made for what is new.
 * overrides: pins (their members must be in the fleet) are fed; so are drains, retirements and
 * what was taken back. earlier (or NULL): the planning that this one replaces.
 */
struct hf_planning *hf_planning_new(const struct hf_config *config, struct hf_plan *plan,
                                    const struct hf_overrides *overrides,
                                    const struct hf_planning *earlier, uint64_t now_ms);
void hf_planning_free(struct hf_planning *planning);

/* Feeds one event; outbox as hf_planner_step. */
void hf_planning_step(struct hf_planning *planning, struct hf_planner_event *event, uint64_t now_ms,
                      struct hf_planner_outbox *outbox);

/* Feeds the drains of overrides that differ from what the machine has. */
void hf_planning_drains(struct hf_planning *planning, const struct hf_overrides *overrides,
                        uint64_t now_ms);

/*
 * Writes the entries of planner.publishing into the image as generation gen. ret_rows (room for
 * planner.publishing.count) gets their plan rows.
 */
int hf_planning_fill(struct hf_planning *planning, uint64_t gen, uint64_t now_ms,
                     uint32_t *ret_rows, uint32_t *ret_count);

/* The name of a fleet backend. */
const char *hf_planning_backend_name(const struct hf_planning *planning, uint32_t backend);

/*
 * What is held back, a line each: "ENDPOINT HOLD -member … +member …", in order of endpoints, and
 * the digest that is the held plan's name for `holdfast approve`: of the lines without HOLD, since
 * of several guards another one may be the strongest once a part has been published.
 */
void hf_planning_held(const struct hf_planning *planning, struct hf_buf *ret_lines,
                      struct hf_digest *ret_digest);

#endif
