/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "holdfast/api.h"

enum { NS_IN_MS = 1000000 };

static uint64_t clock_ms(void)
{
    return uv_hrtime() / NS_IN_MS;
}

static void drop_planning(struct hf_api_slow *slow)
{
    hf_planning_free(slow->planning);
    slow->planning = NULL;
}

struct hf_look *hf_api_slow_take(struct hf_api *api)
{
    /* What a planning is made of, but for what is new in reports: it ages soon enough. */
    const uint32_t basis = HF_LOOK_STORE | HF_LOOK_PLAN | HF_LOOK_OVERRIDES | HF_LOOK_BACKENDS;
    struct hf_api_slow *slow = &api->slow;
    uv_mutex_lock(&slow->lock);
    uint32_t news = hf_look_refresh(slow->look);
    slow->used_ms = clock_ms();
    if ((news & basis) != 0 || slow->used_ms - slow->planned_ms >= HF_API_PLANNING_MS) {
        drop_planning(slow);
    }
    return slow->look;
}

void hf_api_slow_give(struct hf_api *api)
{
    uv_mutex_unlock(&api->slow.lock);
}

void hf_api_slow_forget(struct hf_api *api)
{
    struct hf_api_slow *slow = &api->slow;
    if (uv_mutex_trylock(&slow->lock) != 0) {
        return; /* in use */
    }
    uint64_t now_ms = clock_ms();
    if (slow->planning != NULL && now_ms - slow->planned_ms >= HF_API_PLANNING_MS) {
        drop_planning(slow);
    }
    if (slow->look->has_plan && now_ms - slow->used_ms >= HF_API_SLOW_KEEP_MS) {
        drop_planning(slow);
        hf_look_forget_plan(slow->look);
    }
    uv_mutex_unlock(&slow->lock);
}

void hf_api_slow_init(struct hf_api_slow *slow, const struct hf_invocation *invocation,
                      const struct hf_config *config)
{
    slow->look = hf_look_new(invocation, config);
    if (uv_mutex_init(&slow->lock) != 0) {
        abort();
    }
}

void hf_api_slow_release(struct hf_api_slow *slow)
{
    drop_planning(slow);
    hf_look_close(slow->look);
    uv_mutex_destroy(&slow->lock);
}
