/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names as they are seen through caches: RFC 2308, RFC 8767, RFC 9520. */
#include "drill/internal.h"

static uint64_t clamp_s(uint64_t ttl_s, uint32_t min_s, uint32_t max_s)
{
    ttl_s = ttl_s < min_s ? min_s : ttl_s;
    return ttl_s < max_s ? ttl_s : max_s;
}

static struct hf_cache *cache_of(struct hf_drill *drill, uint16_t resolver, uint32_t instance,
                                 uint16_t name)
{
    uint64_t instances = drill->scenario.resolvers[resolver].instances;
    return &drill->caches[drill->resolvers[resolver].cache_first + name * instances +
                          instance % instances];
}

static bool is_address(enum hf_seen seen)
{
    return seen == HF_SEEN_RIGHT || seen == HF_SEEN_LATE || seen == HF_SEEN_OLD;
}

static struct hf_lookup ask_servers(struct hf_drill *drill,
                                    const struct hf_drill_resolver *resolver, uint16_t name)
{
    const struct hf_drill_name *facts = &drill->scenario.names[name];
    const struct hf_drill_name_now *now = &drill->names[name];
    uint64_t negative_s =
        facts->soa_ttl_s < facts->soa_minimum_s ? facts->soa_ttl_s : facts->soa_minimum_s;
    struct hf_lookup lookup = {.latency_us = resolver->latency_us};
    now->buckets[drill->bucket].asked++;
    switch (now->answer) {
    case HF_DRILL_RIGHT:
    case HF_DRILL_STALE:
        lookup.seen = now->answer == HF_DRILL_RIGHT ? HF_SEEN_RIGHT : HF_SEEN_OLD;
        lookup.left_us = (uint64_t)now->ttl_s * HF_DRILL_SECOND_US;
        break;
    case HF_DRILL_EMPTY:
    case HF_DRILL_NXDOMAIN:
        lookup.seen = HF_SEEN_EMPTY;
        lookup.left_us = negative_s * HF_DRILL_SECOND_US;
        break;
    default:
        lookup.seen = HF_SEEN_FAILED;
        lookup.latency_us += now->answer == HF_DRILL_SILENT ? resolver->timeout_us : 0;
        break;
    }
    return lookup;
}

/* What this cache keeps of what it was told, and tells. */
static void keep(struct hf_drill *drill, const struct hf_drill_resolver *resolver,
                 struct hf_cache *cache, struct hf_lookup *lookup)
{
    uint64_t now_us = drill->now_us, left_s = lookup->left_us / HF_DRILL_SECOND_US;
    uint64_t part_us = lookup->left_us % HF_DRILL_SECOND_US;
    if (is_address(lookup->seen)) {
        uint64_t kept_s = clamp_s(left_s, resolver->ttl_min_s, resolver->ttl_max_s);
        lookup->left_us = kept_s * HF_DRILL_SECOND_US + (kept_s == left_s ? part_us : 0);
        if (lookup->seen != HF_SEEN_LATE) {
            cache->good_until_us = now_us + lookup->left_us;
            cache->good = (uint8_t)lookup->seen;
        }
    } else if (lookup->seen == HF_SEEN_EMPTY) {
        /* Fresh data: what was there before is not stale, it is gone (RFC 8767 section 6). */
        uint64_t kept_s = clamp_s(left_s, resolver->negative_min_s, resolver->negative_max_s);
        lookup->left_us = kept_s * HF_DRILL_SECOND_US + (kept_s == left_s ? part_us : 0);
        cache->good_until_us = 0;
    } else if (resolver->stale_max_s > 0 && cache->good_until_us > 0 &&
               now_us <
                   cache->good_until_us + (uint64_t)resolver->stale_max_s * HF_DRILL_SECOND_US) {
        lookup->seen = cache->good == HF_SEEN_OLD ? HF_SEEN_OLD : HF_SEEN_LATE;
        lookup->left_us = (uint64_t)resolver->stale_ttl_s * HF_DRILL_SECOND_US;
    } else {
        lookup->left_us = (uint64_t)resolver->failure_s * HF_DRILL_SECOND_US;
    }
    cache->answer = (uint8_t)lookup->seen;
    cache->until_us = now_us + lookup->left_us;
}

static struct hf_lookup look_up(struct hf_drill *drill, uint16_t number, uint32_t instance,
                                uint16_t name)
{
    /* Down to a cache that knows or to the servers, then back up; a chain has no cycles. */
    uint16_t chain[HF_DRILL_RESOLVERS_MAX];
    uint32_t depth = 0;
    struct hf_lookup lookup = {.seen = HF_SEEN_FAILED};
    for (;;) {
        const struct hf_cache *cache = cache_of(drill, number, instance, name);
        if (drill->resolvers[number].is_overridden) {
            lookup = (struct hf_lookup){.seen = HF_SEEN_RIGHT};
            break;
        }
        if (drill->now_us < cache->until_us) {
            lookup.seen = (enum hf_seen)cache->answer;
            lookup.left_us = cache->until_us - drill->now_us;
            break;
        }
        chain[depth++] = number;
        if (drill->scenario.resolvers[number].upstream == HF_DRILL_NONE) {
            lookup = ask_servers(drill, &drill->scenario.resolvers[number], name);
            break;
        }
        number = drill->scenario.resolvers[number].upstream;
    }
    uint32_t last = depth;
    while (depth-- > 0) {
        const struct hf_drill_resolver *resolver = &drill->scenario.resolvers[chain[depth]];
        lookup.latency_us += depth + 1 < last ? resolver->latency_us : 0;
        keep(drill, resolver, cache_of(drill, chain[depth], instance, name), &lookup);
    }
    return lookup;
}

struct hf_lookup hf_resolver_ask(struct hf_drill *drill, uint16_t resolver, uint32_t instance,
                                 uint16_t name)
{
    struct hf_lookup lookup = look_up(drill, resolver, instance, name);
    struct hf_drill_name_now *now = &drill->names[name];
    struct hf_drill_name_bucket *bucket = &now->buckets[drill->bucket];
    bucket->right += lookup.seen == HF_SEEN_RIGHT;
    bucket->stale += lookup.seen == HF_SEEN_LATE || lookup.seen == HF_SEEN_OLD;
    bucket->empty += lookup.seen == HF_SEEN_EMPTY;
    bucket->failed += lookup.seen == HF_SEEN_FAILED;
    now->second_asked++;
    now->second_answered += is_address(lookup.seen);
    return lookup;
}

void hf_resolver_flush(struct hf_drill *drill, uint16_t resolver, uint32_t count)
{
    uint32_t instances = drill->scenario.resolvers[resolver].instances;
    count = count == 0 || count > instances ? instances : count;
    for (uint16_t name = 0; name < drill->scenario.name_count; name++) {
        for (uint32_t i = 0; i < count; i++) {
            *cache_of(drill, resolver, i, name) = (struct hf_cache){0};
        }
    }
}

void hf_resolver_warm(struct hf_drill *drill)
{
    const struct hf_drill_scenario *scenario = &drill->scenario;
    for (uint16_t r = 0; r < scenario->resolver_count; r++) {
        const struct hf_drill_resolver *resolver = &scenario->resolvers[r];
        for (uint16_t name = 0; resolver->warm && name < scenario->name_count; name++) {
            uint64_t ttl_us =
                HF_DRILL_SECOND_US *
                clamp_s(scenario->names[name].ttl_s, resolver->ttl_min_s, resolver->ttl_max_s);
            for (uint32_t i = 0; i < resolver->instances; i++) {
                uint64_t until_us = (uint64_t)((double)ttl_us * (i + 1) / resolver->instances);
                *cache_of(drill, r, i, name) = (struct hf_cache){
                    .until_us = until_us, .good_until_us = until_us, .answer = HF_SEEN_RIGHT};
            }
        }
    }
}
