/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the planner and the enactors of the cloud do. */
#include "lab/cloud.h"

static bool has_tree(const struct hf_cloud *cloud, uint32_t endpoint, uint32_t plan)
{
    return (cloud->trees[endpoint] >> plan & 1) != 0;
}

uint32_t hf_cloud_answer(const struct hf_cloud *cloud, uint32_t endpoint)
{
    uint32_t plan = cloud->alias[endpoint];
    return has_tree(cloud, endpoint, plan) ? plan : 0;
}

static bool publish(const struct hf_cloud_options *options, struct hf_cloud *cloud,
                    struct hf_cloud_event *event)
{
    if (cloud->published >= options->plans) {
        return false;
    }
    event->what = HF_CLOUD_PUBLISHED;
    event->plan = ++cloud->published;
    return true;
}

static uint8_t applied(const struct hf_cloud_options *options, const struct hf_cloud *cloud)
{
    uint8_t newest = 0;
    for (uint32_t e = 0; e < options->endpoints; e++) {
        newest = cloud->alias[e] > newest ? cloud->alias[e] : newest;
    }
    return newest;
}

/* The oldest plan that a clean-up after that plan deletes; 0: there is none. */
static uint8_t oldest(const struct hf_cloud_options *options, const struct hf_cloud *cloud,
                      uint32_t after)
{
    for (uint32_t plan = 1; plan + options->age <= after; plan++) {
        for (uint32_t e = 0; e < options->endpoints; e++) {
            if (has_tree(cloud, e, plan)) {
                return (uint8_t)plan;
            }
        }
    }
    return 0;
}

static void rest(struct hf_cloud_enactor *enactor)
{
    *enactor = (struct hf_cloud_enactor){.failed = enactor->failed};
}

/* Its transaction is done: whoever else knew the lock knows an old value. */
static void swap_lock(const struct hf_cloud_options *options, struct hf_cloud *cloud,
                      struct hf_cloud_enactor *winner)
{
    for (uint32_t i = 0; i < options->enactors; i++) {
        cloud->enactors[i].knows_lock = false;
    }
    winner->knows_lock = true;
}

static void check(const struct hf_cloud_options *options, struct hf_cloud *cloud,
                  struct hf_cloud_enactor *enactor, struct hf_cloud_event *event)
{
    event->other = applied(options, cloud);
    event->what = enactor->plan > event->other ? HF_CLOUD_NEWER : HF_CLOUD_NOT_NEWER;
    if (event->what == HF_CLOUD_NEWER) {
        enactor->at = HF_CLOUD_WALKING;
        enactor->knows_lock = true;
    } else {
        rest(enactor);
    }
}

/* One transaction for the next endpoint of the walk. */
static void install(const struct hf_cloud_options *options, struct hf_cloud *cloud,
                    struct hf_cloud_enactor *enactor, struct hf_cloud_event *event)
{
    uint8_t endpoint = enactor->endpoint, plan = enactor->plan;
    event->endpoint = endpoint;
    event->other = cloud->alias[endpoint];
    if (options->fence != 0 && event->other > plan) {
        event->what = HF_CLOUD_FENCED;
        rest(enactor);
        return;
    }
    if (event->other != plan && !has_tree(cloud, endpoint, event->other)) {
        event->what = HF_CLOUD_FAILED;
        enactor->failed = true;
        rest(enactor);
        return;
    }
    event->what = HF_CLOUD_INSTALLED;
    cloud->trees[endpoint] |= (uint16_t)(1U << plan);
    cloud->alias[endpoint] = plan;
    enactor->failed = false;
    swap_lock(options, cloud, enactor);
    if (++enactor->endpoint == options->endpoints) {
        enactor->endpoint = 0;
        enactor->at = HF_CLOUD_CLEANING;
    }
}

static void clean(const struct hf_cloud_options *options, struct hf_cloud *cloud,
                  struct hf_cloud_enactor *enactor, struct hf_cloud_event *event)
{
    event->other = enactor->plan;
    event->plan = oldest(options, cloud, enactor->plan);
    event->what = event->plan == 0 ? HF_CLOUD_CLEANED : HF_CLOUD_DELETED;
    if (event->plan == 0) {
        return;
    }
    for (uint32_t e = 0; e < options->endpoints; e++) {
        bool answered = hf_cloud_answer(cloud, e) != 0;
        cloud->trees[e] &= (uint16_t) ~(1U << event->plan);
        bool emptied = answered && hf_cloud_answer(cloud, e) == 0;
        event->emptied |= (uint8_t)((uint32_t)emptied << e);
    }
    swap_lock(options, cloud, enactor);
}

static void enact(const struct hf_cloud_options *options, struct hf_cloud *cloud,
                  struct hf_cloud_enactor *enactor, struct hf_cloud_event *event)
{
    event->plan = enactor->plan;
    if (enactor->at == HF_CLOUD_IDLE) {
        event->what = HF_CLOUD_TOOK;
        enactor->at = HF_CLOUD_TAKEN;
        enactor->plan = event->plan = cloud->published;
    } else if (enactor->at == HF_CLOUD_TAKEN) {
        check(options, cloud, enactor, event);
    } else if (!enactor->knows_lock) {
        event->what = HF_CLOUD_LOST;
        enactor->knows_lock = true;
    } else if (enactor->at == HF_CLOUD_WALKING) {
        install(options, cloud, enactor, event);
    } else {
        clean(options, cloud, enactor, event);
    }
    bool cleaning = enactor->at == HF_CLOUD_CLEANING;
    if (cleaning && oldest(options, cloud, enactor->plan) == 0) {
        rest(enactor);
    }
}

bool hf_cloud_move(const struct hf_cloud_options *options, struct hf_cloud *cloud, uint32_t actor,
                   struct hf_cloud_event *ret_event)
{
    *ret_event = (struct hf_cloud_event){.actor = (uint8_t)actor};
    if (actor == 0) {
        return publish(options, cloud, ret_event);
    }
    enact(options, cloud, &cloud->enactors[actor - 1], ret_event);
    return true;
}
