/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/impact.h"

/* Longer times say no more, and products of them fit 64 bits. */
static const uint64_t time_max_ms = UINT64_C(1) << 50;

static uint32_t at_most_whole(uint32_t permille)
{
    return permille > HF_IMPACT_WHOLE ? HF_IMPACT_WHOLE : permille;
}

uint32_t hf_impact_harm(uint32_t lost_permille, uint32_t stale_permille)
{
    uint32_t lost = at_most_whole(lost_permille);
    uint32_t stale = at_most_whole(stale_permille);
    return lost + (HF_IMPACT_WHOLE - lost) * stale / HF_IMPACT_WHOLE * HF_IMPACT_STALE_PERMILLE /
                      HF_IMPACT_WHOLE;
}

static uint64_t since(const struct hf_impact *impact, uint64_t now_ms)
{
    return impact->at_ms == 0 || now_ms < impact->at_ms ? 0 : now_ms - impact->at_ms;
}

void hf_impact_set(struct hf_impact *impact, uint32_t share_permille, uint64_t now_ms)
{
    impact->lost += impact->share * since(impact, now_ms);
    impact->at_ms = now_ms;
    impact->share = at_most_whole(share_permille);
    if (impact->share > impact->highest_share) {
        impact->highest_share = impact->share;
    }
}

uint64_t hf_impact_lost_ms(const struct hf_impact *impact, uint64_t now_ms)
{
    return (impact->lost + impact->share * since(impact, now_ms)) / HF_IMPACT_WHOLE;
}

uint32_t hf_impact_score(uint64_t lost_ms, uint64_t tolerated_ms)
{
    uint64_t lost = lost_ms > time_max_ms ? time_max_ms : lost_ms;
    uint64_t tolerated = tolerated_ms > time_max_ms ? time_max_ms : tolerated_ms;
    return lost == 0 ? 0 : (uint32_t)(lost * HF_IMPACT_WHOLE / (lost + tolerated));
}
