/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "core/planner_internal.h"

static bool pick_family(struct hf_planner *planner, const struct hf_planner_draft *draft,
                        uint8_t family, uint64_t slot, uint8_t *pick)
{
    const struct hf_fleet_policy *policy = draft->policy;
    uint32_t count = 0;
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        const struct hf_fleet_backend *backend = &planner->fleet->backends[draft->members[i]];
        if (hf_bit(draft->in, i) && (backend->flags & family) != 0) {
            planner->candidates[count++] =
                (struct hf_pick_candidate){.member = i, .weight = backend->weight};
        }
    }
    bool rotates = false;
    uint32_t size = hf_pick_size(planner->candidates, count, policy->answers_max, &rotates);
    if (size > 0) {
        hf_pick(planner->candidates, count, policy->answers_max, policy->ttl_s, draft->shape->seed,
                slot, pick);
    }
    return rotates;
}

bool hf_planner_picks(struct hf_planner *planner, struct hf_planner_draft *draft, uint64_t now_ms)
{
    memset(draft->pick_a, 0, draft->octets);
    memset(draft->pick_aaaa, 0, draft->octets);
    uint64_t slot = hf_pick_slot(draft->policy->ttl_s, now_ms);
    bool rotates_a = pick_family(planner, draft, HF_FLEET_HAS_A, slot, draft->pick_a);
    bool rotates_aaaa = pick_family(planner, draft, HF_FLEET_HAS_AAAA, slot, draft->pick_aaaa);
    return rotates_a || rotates_aaaa;
}
