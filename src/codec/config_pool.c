/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pools of a configuration.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"

enum pool_key { POOL_CHECK, POOL_BACKENDS, POOL_BACKENDS_FILE, POOL_COUNT };

static const struct hf_key pool_keys[POOL_COUNT] = {
    [POOL_CHECK] = {.name = "check", .kind = HF_KEY_NODE},
    [POOL_BACKENDS] = {.name = "backends", .kind = HF_KEY_NODE},
    [POOL_BACKENDS_FILE] = {.name = "backends_file", .kind = HF_KEY_NODE},
};

static void read_pool(struct hf_reader *reader, uint32_t node, uint32_t pool)
{
    struct hf_config_own *own = reader->own;
    uint32_t values[POOL_COUNT];
    struct hf_config_check check = {0};
    if (!hf_read_map(reader, node, pool_keys, POOL_COUNT, NULL, values)) {
        return;
    }
    uint32_t problems = reader->error_count;
    if (values[POOL_CHECK] != 0) {
        hf_enter(reader, "check");
        hf_read_check(reader, values[POOL_CHECK], &check);
        hf_leave(reader);
    } else {
        hf_missing(reader, node, "check",
                   "one, such as { type: tcp, port: 443 } or { type: none }");
    }
    struct hf_config_pool *row = (struct hf_config_pool *)own->pools.rows + pool;
    row->check = check;
    row->backend_first = own->backends.count;
    struct hf_pool_note *note = (struct hf_pool_note *)reader->pool_notes.rows + pool;
    note->broken = problems != reader->error_count;
    problems = reader->error_count;
    hf_read_backends(reader, pool, values[POOL_BACKENDS], values[POOL_BACKENDS_FILE]);
    row->backend_count = own->backends.count - row->backend_first;
    bool broken = problems != reader->error_count;
    if (row->backend_count == 0 && !broken) {
        hf_missing(reader, node, "backends", "at least one in backends or backends_file");
    }
    note->broken = note->broken || broken;
}

/* A new row for the pool at key, or UINT32_MAX and a problem. */
static uint32_t pool_add(struct hf_reader *reader, uint32_t key)
{
    struct hf_config_own *own = reader->own;
    const char *name = hf_read_name(reader, key, "the name of a pool");
    if (name == NULL) {
        return UINT32_MAX;
    }
    uint32_t first = hf_find_pool(own, name);
    if (first != UINT32_MAX) {
        const struct hf_place *places = reader->pool_places.rows;
        hf_problem(reader, key, "found the pool \"%s\" twice, first in line %" PRIu32, name,
                   places[first].line);
        return UINT32_MAX;
    }
    if (own->pools.count == HF_CONFIG_POOLS_MAX) {
        hf_problem(reader, key, "found more than %d pools", HF_CONFIG_POOLS_MAX);
        reader->stopped = true;
        return UINT32_MAX;
    }
    struct hf_config_pool *pool = hf_rows_add(&own->pools);
    struct hf_place *place = hf_rows_add(&reader->pool_places);
    (void)hf_rows_add(&reader->pool_notes);
    *place = (struct hf_place){reader->file_row, hf_tree_at(reader->tree, key)->line};
    pool->name = hf_pack_text(reader, name);
    hf_index_add(&own->pool_index, name, strlen(name), own->pools.count - 1);
    return own->pools.count - 1;
}

void hf_read_pools(struct hf_reader *reader, uint32_t node)
{
    if (hf_tree_at(reader->tree, node)->kind != HF_TREE_MAP || hf_first(reader, node) == 0) {
        hf_expected(reader, node, "a map of pools, such as { web: { check: ..., backends: ... } }");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        uint32_t pool = pool_add(reader, key);
        if (pool != UINT32_MAX) {
            const struct hf_config_pool *pools = reader->own->pools.rows;
            hf_enter(reader, pools[pool].name);
            read_pool(reader, value, pool);
            hf_leave(reader);
        }
    }
}
