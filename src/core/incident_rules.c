/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What explains what. A kind explains only kinds behind it in the list, so there are no circles. */
#include <stddef.h>

#include "core/incident.h"

enum { SCOPE_ALL = HF_SCOPE_COUNT }; /* whatever they are about */

static const struct {
    enum hf_condition_kind cause, effect;
    uint32_t scope;
} rules[] = {
    {HF_CONDITION_STORE, HF_CONDITION_NO_ENACTOR, SCOPE_ALL},
    {HF_CONDITION_STORE, HF_CONDITION_PLANNER_DEAD, SCOPE_ALL},
    {HF_CONDITION_STORE, HF_CONDITION_ENACTOR_DEAD, SCOPE_ALL},
    {HF_CONDITION_STORE, HF_CONDITION_JANITOR_DEAD, SCOPE_ALL},
    {HF_CONDITION_STORE, HF_CONDITION_TROUBLE, SCOPE_ALL},
    {HF_CONDITION_STORE, HF_CONDITION_BEHIND, SCOPE_ALL},
    {HF_CONDITION_SITE_DOWN, HF_CONDITION_POOL_DOWN, HF_SCOPE_SITE},
    {HF_CONDITION_SITE_DOWN, HF_CONDITION_TOO_FEW, HF_SCOPE_SITE},
    {HF_CONDITION_SITE_DOWN, HF_CONDITION_HELD, HF_SCOPE_SITE},
    {HF_CONDITION_POOL_DOWN, HF_CONDITION_TOO_FEW, HF_SCOPE_POOL},
    {HF_CONDITION_POOL_DOWN, HF_CONDITION_HELD, HF_SCOPE_POOL},
    {HF_CONDITION_TARGET_UNREACHABLE, HF_CONDITION_ZONE_UNREACHABLE, HF_SCOPE_TARGET},
    {HF_CONDITION_TARGET_UNREACHABLE, HF_CONDITION_BEHIND, HF_SCOPE_TARGET},
    {HF_CONDITION_ZONE_UNREACHABLE, HF_CONDITION_BEHIND, HF_SCOPE_ZONE},
    {HF_CONDITION_NO_ENACTOR, HF_CONDITION_ENACTOR_DEAD, SCOPE_ALL},
    {HF_CONDITION_NO_ENACTOR, HF_CONDITION_BEHIND, SCOPE_ALL},
    {HF_CONDITION_FREEZE_ALL, HF_CONDITION_FREEZE_ZONE, SCOPE_ALL},
    {HF_CONDITION_FREEZE_ALL, HF_CONDITION_BEHIND, SCOPE_ALL},
    {HF_CONDITION_FREEZE_ZONE, HF_CONDITION_BEHIND, HF_SCOPE_ZONE},
    {HF_CONDITION_ZONE_REFUSED, HF_CONDITION_BEHIND, HF_SCOPE_ZONE},
    {HF_CONDITION_AHEAD, HF_CONDITION_PLANNER_STOPPED, SCOPE_ALL},
    {HF_CONDITION_AHEAD, HF_CONDITION_BEHIND, HF_SCOPE_ZONE},
    {HF_CONDITION_CONTESTED, HF_CONDITION_BEHIND, HF_SCOPE_ZONE},
    {HF_CONDITION_FOREIGN, HF_CONDITION_BEHIND, HF_SCOPE_ZONE},
};

bool hf_condition_explains(const struct hf_condition *cause, const struct hf_condition *effect)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].cause != cause->kind || rules[i].effect != effect->kind) {
            continue;
        }
        uint32_t scope = rules[i].scope;
        if (scope == SCOPE_ALL ||
            (cause->scopes[scope] != 0 && cause->scopes[scope] == effect->scopes[scope])) {
            return true;
        }
    }
    return false;
}

uint32_t hf_condition_delay_ms(enum hf_condition_kind kind)
{
    static const uint32_t delays[HF_CONDITION_KIND_COUNT] = {
#define HF_CONDITION_DELAY(name, delay_ms) [HF_CONDITION_##name] = (delay_ms),
        HF_CONDITION_KINDS(HF_CONDITION_DELAY)
#undef HF_CONDITION_DELAY
    };
    return delays[kind];
}
