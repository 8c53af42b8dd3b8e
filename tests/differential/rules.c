/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trial.h"

static const struct rule RULES[] = {
    {SERVER_COUNT, "", "", NULL},
};

enum { RULE_COUNT = sizeof(RULES) / sizeof(RULES[0]) };

int rule_find(const struct trial *trial)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        if (RULES[i].server == trial->server && RULES[i].applies(trial)) {
            return i;
        }
    }
    return RULE_NONE;
}

uint32_t rule_count(void)
{
    return RULE_COUNT;
}

const struct rule *rule_at(uint32_t number)
{
    return &RULES[number];
}
