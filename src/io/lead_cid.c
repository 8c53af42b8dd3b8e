/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Correlations: what was seen, the plan that follows from it, and the writes of that plan have one
 * number in their log lines. It is drawn with the first verdict after a plan, or with a plan that
 * has another cause, and travels in the plan's object. Plans that only mark entries or rotate picks
 * have none.
 */
#include <unistd.h>

#include "base/index.h"
#include "io/lead_internal.h"

enum { CID_MS = 30000 }; /* what nothing followed from for so long, and nothing is held of */

uint64_t hf_lead_cid(struct hf_lead *lead)
{
    uint64_t now_ms = uv_now(&lead->loop);
    bool is_held = lead->planning != NULL && lead->planning->planner.held.count > 0;
    if (lead->cid == 0 || (now_ms - lead->cid_ms > CID_MS && !is_held)) {
        uint64_t parts[] = {lead->started_ms, (uint64_t)getpid(), lead->instance,
                            ++lead->cid_count};
        uint64_t cid = hf_hash64(parts, sizeof(parts));
        lead->cid = cid == 0 ? 1 : cid;
        lead->cid_ms = now_ms;
    }
    return lead->cid;
}

uint64_t hf_lead_cid_take(struct hf_lead *lead)
{
    uint64_t cid = hf_lead_cid(lead);
    lead->cid = 0;
    return cid;
}

void hf_lead_cid_give_back(struct hf_lead *lead, uint64_t cid)
{
    if (cid != 0 && lead->cid == 0) {
        lead->cid = cid;
        lead->cid_ms = uv_now(&lead->loop);
    }
}
