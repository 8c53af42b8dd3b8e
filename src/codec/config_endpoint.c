/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Endpoints of a configuration, and the policies that they share.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/name.h"

enum {
    TTL_MIN_MS = 1000,
    TTL_MAX_MS = 7 * 24 * 3600 * 1000,
    ANSWERS_MAX = 100, /* BIND refuses more in an RRset, and its cache too */
    POLICY_KEY_WORDS = 5,
};

enum endpoint_key {
    ENDPOINT_POOLS,
    ENDPOINT_NAME, /* in endpoints_file only */
    ENDPOINT_TTL,
    ENDPOINT_ANSWERS,
    ENDPOINT_GUARD,
    ENDPOINT_COUNT
};

static const struct hf_key line_keys[ENDPOINT_COUNT] = {
    [ENDPOINT_POOLS] = {.name = "pools", .kind = HF_KEY_NODE},
    [ENDPOINT_NAME] = {.name = "name", .kind = HF_KEY_NODE},
    [ENDPOINT_TTL] = {.name = "ttl", .kind = HF_KEY_NODE},
    [ENDPOINT_ANSWERS] = {.name = "answers", .kind = HF_KEY_NODE},
    [ENDPOINT_GUARD] = {.name = "guard", .kind = HF_KEY_NODE},
};

/* An endpoint in the YAML file has its name in front; defaults have no pools either. */
enum map_key { MAP_TTL, MAP_ANSWERS, MAP_GUARD, MAP_POOLS, MAP_COUNT };

static const struct hf_key map_keys[MAP_COUNT] = {
    [MAP_TTL] = {.name = "ttl", .kind = HF_KEY_NODE},
    [MAP_ANSWERS] = {.name = "answers", .kind = HF_KEY_NODE},
    [MAP_GUARD] = {.name = "guard", .kind = HF_KEY_NODE},
    [MAP_POOLS] = {.name = "pools", .kind = HF_KEY_NODE},
};

enum guard_key { GUARD_MIN_HEALTHY, GUARD_MAX_REMOVAL, GUARD_COUNT };

static const struct hf_key guard_keys[GUARD_COUNT] = {
    [GUARD_MIN_HEALTHY] = {"min_healthy", HF_KEY_U32,
                           offsetof(struct hf_config_policy, min_healthy), 1,
                           HF_CONFIG_POOL_MEMBERS_MAX},
    [GUARD_MAX_REMOVAL] = {"max_removal", HF_KEY_NODE, 0, 0, 0},
};

static const struct hf_key answers_keys[] = {
    {"max", HF_KEY_U16, offsetof(struct hf_config_policy, answers_max), 1, ANSWERS_MAX},
};

/* What an endpoint consists of, wherever it was written. */
struct endpoint_nodes {
    uint32_t row; /* the endpoint's map */
    uint32_t name, pools, ttl, answers, guard;
    uint32_t min_healthy; /* set by read_policy: where it was written, or 0 */
};

static void read_ttl(struct hf_reader *reader, uint32_t node, struct hf_config_policy *policy)
{
    uint32_t ms = 0;
    if (!hf_read_duration(reader, node, TTL_MIN_MS, TTL_MAX_MS, &ms)) {
        return;
    }
    if (ms % 1000 != 0) {
        hf_expected(reader, node, "whole seconds");
        return;
    }
    policy->ttl_s = ms / 1000;
}

static void read_policy(struct hf_reader *reader, struct endpoint_nodes *nodes,
                        struct hf_config_policy *policy)
{
    uint32_t values[GUARD_COUNT];
    if (nodes->ttl != 0) {
        hf_enter(reader, "ttl");
        read_ttl(reader, nodes->ttl, policy);
        hf_leave(reader);
    }
    if (nodes->answers != 0) {
        hf_enter(reader, "answers");
        (void)hf_read_map(reader, nodes->answers, answers_keys, 1, policy, values);
        hf_leave(reader);
    }
    if (nodes->guard != 0) {
        hf_enter(reader, "guard");
        if (hf_read_map(reader, nodes->guard, guard_keys, GUARD_COUNT, policy, values)) {
            nodes->min_healthy = values[GUARD_MIN_HEALTHY];
            if (values[GUARD_MAX_REMOVAL] != 0) {
                hf_enter(reader, "max_removal");
                (void)hf_read_rate(reader, values[GUARD_MAX_REMOVAL], &policy->max_removal_permille,
                                   &policy->max_removal_ms);
                hf_leave(reader);
            }
        }
        hf_leave(reader);
    }
}

void hf_read_defaults(struct hf_reader *reader, uint32_t node)
{
    uint32_t values[MAP_COUNT];
    if (hf_read_map(reader, node, map_keys, MAP_POOLS, NULL, values)) {
        struct endpoint_nodes nodes = {
            .ttl = values[MAP_TTL], .answers = values[MAP_ANSWERS], .guard = values[MAP_GUARD]};
        read_policy(reader, &nodes, &reader->defaults);
    }
}

static void policy_words(const struct hf_config_policy *policy, uint32_t words[POLICY_KEY_WORDS])
{
    words[0] = policy->ttl_s;
    words[1] = policy->answers_max;
    words[2] = policy->min_healthy;
    words[3] = policy->max_removal_permille;
    words[4] = policy->max_removal_ms;
}

static bool policy_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    uint32_t words[POLICY_KEY_WORDS];
    policy_words((const struct hf_config_policy *)context + row, words);
    return memcmp(words, key, key_size) == 0;
}

static uint32_t policy_row(struct hf_reader *reader, const struct hf_config_policy *policy)
{
    struct hf_rows *policies = &reader->own->policies;
    uint32_t words[POLICY_KEY_WORDS];
    policy_words(policy, words);
    uint32_t row =
        hf_index_find(&reader->policy_index, words, sizeof(words), policy_equal, policies->rows);
    if (row == HF_INDEX_NONE) {
        struct hf_config_policy *fresh = hf_rows_add(policies);
        *fresh = *policy;
        row = policies->count - 1;
        hf_index_add(&reader->policy_index, words, sizeof(words), row);
    }
    return row;
}

static bool list_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_reader *reader = context;
    const struct hf_pool_list *list = (const struct hf_pool_list *)reader->pool_lists.rows + row;
    const uint32_t *pools = (const uint32_t *)reader->own->endpoint_pools.rows + list->first;
    return list->count * sizeof(*pools) == key_size && memcmp(pools, key, key_size) == 0;
}

/* Endpoints with the same pools share one run of them. */
static struct hf_pool_list list_row(struct hf_reader *reader, const uint32_t *pools, uint32_t count)
{
    size_t size = count * sizeof(*pools);
    uint32_t row = hf_index_find(&reader->list_index, pools, size, list_equal, reader);
    if (row != HF_INDEX_NONE) {
        return ((const struct hf_pool_list *)reader->pool_lists.rows)[row];
    }
    struct hf_rows *all = &reader->own->endpoint_pools;
    struct hf_pool_list *list = hf_rows_add(&reader->pool_lists);
    *list = (struct hf_pool_list){.first = all->count, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t *slot = hf_rows_add(all);
        *slot = pools[i];
    }
    hf_index_add(&reader->list_index, pools, size, reader->pool_lists.count - 1);
    return *list;
}

static uint32_t read_pool_name(struct hf_reader *reader, uint32_t node)
{
    const char *name = hf_read_text(reader, node, "the name of a pool");
    if (name == NULL) {
        return UINT32_MAX;
    }
    uint32_t pool = hf_find_pool(reader->own, name);
    if (pool == UINT32_MAX && reader->own->pools.count > 0) {
        struct hf_nearest nearest = {.text = name};
        const struct hf_config_pool *pools = reader->own->pools.rows;
        for (uint32_t i = 0; i < reader->own->pools.count; i++) {
            hf_nearest_try(&nearest, pools[i].name);
        }
        char shown[HF_SHOWN_MAX];
        char hint[HF_SHOWN_MAX];
        hf_problem(reader, node, "found %s, expected the name of a pool%s",
                   hf_shown(reader, node, shown), hf_nearest_hint(&nearest, hint));
    }
    return pool;
}

/* The pools in the order in which they were written; how many, or 0 and a problem. */
static uint32_t read_pool_names(struct hf_reader *reader, uint32_t node,
                                uint32_t ret_pools[HF_CONFIG_ENDPOINT_POOLS_MAX])
{
    const struct hf_tree_node *at = hf_tree_at(reader->tree, node);
    if (at->kind != HF_TREE_LIST || at->count == 0 || at->count > HF_CONFIG_ENDPOINT_POOLS_MAX) {
        hf_expected(reader, node, "a list of 1 to 16 names of pools, such as [web]");
        return 0;
    }
    uint32_t count = 0;
    for (uint32_t item = at->child; item != 0; item = hf_next(reader, item)) {
        uint32_t pool = read_pool_name(reader, item);
        for (uint32_t i = 0; i < count; i++) {
            if (pool != UINT32_MAX && ret_pools[i] == pool) {
                hf_problem(reader, item, "found the pool \"%s\" twice",
                           hf_tree_text(reader->tree, item));
                pool = UINT32_MAX;
            }
        }
        if (pool == UINT32_MAX) {
            return 0;
        }
        ret_pools[count++] = pool;
    }
    return count;
}

/* What the pools together cannot give, or a server cannot take. */
static void check_answers(struct hf_reader *reader, const struct endpoint_nodes *nodes,
                          const struct hf_config_policy *policy, const uint32_t *pools,
                          uint32_t count)
{
    const struct hf_pool_note *notes = reader->pool_notes.rows;
    const struct hf_config_pool *rows = reader->own->pools.rows;
    uint64_t backends = 0;
    uint64_t a_count = 0;
    uint64_t aaaa_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (notes[pools[i]].broken) {
            return;
        }
        backends += rows[pools[i]].backend_count;
        a_count += notes[pools[i]].a_count;
        aaaa_count += notes[pools[i]].aaaa_count;
    }
    if (backends == 0) {
        return; /* said at the pool */
    }
    uint64_t most = a_count > aaaa_count ? a_count : aaaa_count;
    if (policy->answers_max == 0 && most > ANSWERS_MAX) {
        hf_problem(reader, nodes->pools,
                   "found %" PRIu64 " %s addresses in one answer, expected at most %d: BIND "
                   "refuses more in an RRset; set answers: { max: N }, such as { max: 8 }",
                   most, a_count >= aaaa_count ? "IPv4" : "IPv6", ANSWERS_MAX);
    }
    if (policy->min_healthy > backends) {
        hf_problem(reader, nodes->min_healthy != 0 ? nodes->min_healthy : nodes->pools,
                   "found min_healthy %" PRIu32 "%s, expected at most %" PRIu64
                   ", the number of backends in its pools",
                   policy->min_healthy, nodes->min_healthy != 0 ? "" : " from defaults", backends);
    }
}

static void no_zone(struct hf_reader *reader, uint32_t node, const char *text)
{
    const struct hf_config_zone *zones = reader->own->zones.rows;
    if (reader->own->zones.count == 1) {
        hf_problem(reader, node, "found %s, expected a name in the zone %s", text, zones[0].name);
    } else {
        hf_problem(reader, node,
                   "found %s, expected a name in one of the zones (none of %" PRIu32
                   " is above it)",
                   text, reader->own->zones.count);
    }
}

/* The zone of a name that an endpoint can have, or UINT32_MAX and a problem. */
static uint32_t check_owner(struct hf_reader *reader, uint32_t node, const uint8_t *owner,
                            const char *text)
{
    static const char reserved[] = HF_FENCE_LABEL;
    uint8_t fence[HF_NAME_MAX];
    size_t size = sizeof(reserved) - 1;
    if (owner[0] >= size && memcmp(owner + 1, reserved, size) == 0) {
        hf_problem(reader, node,
                   "found %s, expected a name that does not begin with %s: fences "
                   "and zone guards do",
                   text, reserved);
        return UINT32_MAX;
    }
    if (hf_name_fence_of(owner, fence) != HF_OK) {
        hf_problem(reader, node,
                   "found a name too long for its fence, %s.%.40s...; expected at "
                   "most %zu characters",
                   reserved, text, (size_t)HF_NAME_MAX - 2 - size - 1);
        return UINT32_MAX;
    }
    uint32_t zone = hf_find_zone_of(reader->own, owner);
    if (zone == UINT32_MAX) {
        if (reader->own->zones.count > 0) {
            no_zone(reader, node, text);
        }
        return UINT32_MAX;
    }
    uint32_t first = hf_config_find_endpoint(&reader->own->config, owner);
    if (first != UINT32_MAX) {
        const struct hf_place *place =
            (const struct hf_place *)reader->endpoint_places.rows + first;
        const char *const *files = reader->own->files.rows;
        hf_problem(reader, node, "found the endpoint %s twice, first in %s line %" PRIu32, text,
                   files[place->file], place->line);
        return UINT32_MAX;
    }
    return zone;
}

static void endpoint_add(struct hf_reader *reader, uint32_t node, const uint8_t *owner,
                         struct hf_config_endpoint endpoint)
{
    struct hf_config_own *own = reader->own;
    if (own->endpoints.count == HF_CONFIG_ENDPOINTS_MAX) {
        hf_problem(reader, node, "found more than %d endpoints", HF_CONFIG_ENDPOINTS_MAX);
        reader->stopped = true;
        return;
    }
    size_t owner_size = hf_name_size(owner);
    endpoint.owner = (const uint8_t *)hf_pack(reader, owner, owner_size);
    struct hf_config_endpoint *row = hf_rows_add(&own->endpoints);
    struct hf_place *place = hf_rows_add(&reader->endpoint_places);
    *row = endpoint;
    *place = (struct hf_place){reader->file_row, hf_tree_at(reader->tree, node)->line};
    hf_index_add(&own->endpoint_index, owner, owner_size, own->endpoints.count - 1);
}

static void read_endpoint(struct hf_reader *reader, struct endpoint_nodes *nodes)
{
    struct hf_config_policy policy = reader->defaults;
    uint32_t pools[HF_CONFIG_ENDPOINT_POOLS_MAX];
    uint32_t count = 0;
    uint8_t owner[HF_NAME_MAX];
    char text[HF_NAME_TEXT_MAX];
    uint32_t zone = UINT32_MAX;
    if (hf_read_domain(reader, nodes->name, "the name of an endpoint", owner)) {
        hf_name_text(owner, text);
        zone = check_owner(reader, nodes->name, owner, text);
    }
    read_policy(reader, nodes, &policy);
    if (nodes->pools == 0) {
        hf_missing(reader, nodes->row, "pools", "a list of names of pools, such as [web]");
    } else {
        hf_enter(reader, "pools");
        count = read_pool_names(reader, nodes->pools, pools);
        hf_leave(reader);
    }
    if (count == 0) {
        return;
    }
    check_answers(reader, nodes, &policy, pools, count);
    if (zone == UINT32_MAX) {
        return;
    }
    struct hf_pool_list list = list_row(reader, pools, count);
    struct hf_config_endpoint endpoint = {.zone = zone,
                                          .policy = policy_row(reader, &policy),
                                          .pool_first = list.first,
                                          .pool_count = list.count};
    endpoint_add(reader, nodes->name, owner, endpoint);
}

void hf_read_endpoints(struct hf_reader *reader, uint32_t node)
{
    if (hf_tree_at(reader->tree, node)->kind != HF_TREE_MAP) {
        hf_expected(reader, node,
                    "a map of endpoints, such as { api.example.test: { pools: "
                    "[web] } }");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        uint32_t values[MAP_COUNT];
        hf_enter(reader, hf_tree_text(reader->tree, key));
        if (hf_read_map(reader, value, map_keys, MAP_COUNT, NULL, values)) {
            struct endpoint_nodes nodes = {.row = value,
                                           .name = key,
                                           .pools = values[MAP_POOLS],
                                           .ttl = values[MAP_TTL],
                                           .answers = values[MAP_ANSWERS],
                                           .guard = values[MAP_GUARD]};
            read_endpoint(reader, &nodes);
        }
        hf_leave(reader);
    }
}

static void read_line(struct hf_reader *reader, uint32_t node, void *context)
{
    (void)context;
    uint32_t values[ENDPOINT_COUNT];
    if (!hf_read_map(reader, node, line_keys, ENDPOINT_COUNT, NULL, values)) {
        return;
    }
    if (values[ENDPOINT_NAME] == 0) {
        hf_missing(reader, node, "name", "the endpoint's name");
        return;
    }
    struct endpoint_nodes nodes = {.row = node,
                                   .name = values[ENDPOINT_NAME],
                                   .pools = values[ENDPOINT_POOLS],
                                   .ttl = values[ENDPOINT_TTL],
                                   .answers = values[ENDPOINT_ANSWERS],
                                   .guard = values[ENDPOINT_GUARD]};
    read_endpoint(reader, &nodes);
}

void hf_read_endpoints_file(struct hf_reader *reader, uint32_t node)
{
    const char *path = hf_read_text(reader, node, "the path of a JSON Lines file");
    if (path == NULL) {
        return;
    }
    path = hf_resolve(reader, path);
    uint32_t count = reader->own->endpoints.count;
    uint32_t problems = reader->error_count;
    hf_read_lines(reader, node, path, read_line, NULL);
    if (count == reader->own->endpoints.count && problems == reader->error_count) {
        hf_problem(reader, node, "found no endpoint in %s, expected at least one", path);
    }
}
