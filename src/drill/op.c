/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>

#include "drill/internal.h"

void hf_op_arm(struct hf_drill *drill, uint32_t op, uint64_t due_us)
{
    struct hf_op *now = &drill->ops[op];
    now->due_us = due_us;
    if (due_us < now->event_us) {
        now->event_us = due_us;
        hf_drill_at(drill, due_us, HF_EVENT_OP, op);
    }
}

bool hf_op_fires(struct hf_drill *drill, uint32_t op)
{
    struct hf_op *now = &drill->ops[op];
    if (now->event_us != drill->now_us) {
        return false; /* its place was taken by an earlier one */
    }
    now->event_us = HF_DRILL_NEVER;
    if (now->due_us > drill->now_us) {
        if (now->due_us != HF_DRILL_NEVER) {
            hf_op_arm(drill, op, now->due_us);
        }
        return false;
    }
    now->due_us = HF_DRILL_NEVER;
    return true;
}

uint32_t hf_op_new(struct hf_drill *drill, uint8_t number)
{
    struct hf_link *link = &drill->links[number];
    uint32_t op = link->free_first;
    if (op != HF_DRILL_NOBODY) {
        link->free_first = drill->ops[op].next;
    } else if (link->op_fresh < link->op_count) {
        op = link->op_first + link->op_fresh++;
        drill->ops[op].event_us = HF_DRILL_NEVER;
    } else {
        return HF_DRILL_NOBODY;
    }
    uint64_t event_us = drill->ops[op].event_us;
    drill->ops[op] = (struct hf_op){.due_us = HF_DRILL_NEVER,
                                    .event_us = event_us,
                                    .attempt = HF_DRILL_NOBODY,
                                    .hedge = HF_DRILL_NOBODY,
                                    .parent = HF_DRILL_NOBODY,
                                    .next = HF_DRILL_NOBODY,
                                    .host = op,
                                    .link = number,
                                    .state = HF_OP_IDLE};
    return op;
}

void hf_op_free(struct hf_drill *drill, uint32_t op)
{
    struct hf_op *now = &drill->ops[op];
    struct hf_link *link = &drill->links[now->link];
    assert(now->state != HF_OP_FREE && link->part != HF_DRILL_PART_MANAGER);
    now->state = HF_OP_FREE;
    now->due_us = HF_DRILL_NEVER;
    now->next = link->free_first;
    link->free_first = op;
}
