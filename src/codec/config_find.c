/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of a configuration by name.
 */
#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/name.h"

static_assert(HF_INDEX_NONE == UINT32_MAX, "what find functions return for no row");

static bool text_is(const char *text, const void *key, size_t key_size)
{
    return strncmp(text, key, key_size) == 0 && text[key_size] == 0;
}

static bool target_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_config_target *targets = context;
    return text_is(targets[row].name, key, key_size);
}

static bool pool_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_config_pool *pools = context;
    return text_is(pools[row].name, key, key_size);
}

static bool backend_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_config_backend *backends = context;
    return text_is(backends[row].name, key, key_size);
}

static bool site_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const char *const *sites = context;
    return text_is(sites[row], key, key_size);
}

static bool zone_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_config_zone *zones = context;
    (void)key_size;
    return hf_name_equal(zones[row].apex, key);
}

static bool endpoint_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_config_endpoint *endpoints = context;
    (void)key_size;
    return hf_name_equal(endpoints[row].owner, key);
}

static const struct hf_config_own *own_of(const struct hf_config *config)
{
    return (const struct hf_config_own *)config;
}

uint32_t hf_find_target(const struct hf_config_own *own, const char *name)
{
    return hf_index_find(&own->target_index, name, strlen(name), target_equal, own->targets.rows);
}

uint32_t hf_find_pool(const struct hf_config_own *own, const char *name)
{
    return hf_index_find(&own->pool_index, name, strlen(name), pool_equal, own->pools.rows);
}

uint32_t hf_find_zone_wire(const struct hf_config_own *own, const uint8_t *apex)
{
    return hf_index_find(&own->zone_index, apex, hf_name_size(apex), zone_equal, own->zones.rows);
}

uint32_t hf_find_zone_of(const struct hf_config_own *own, const uint8_t *owner)
{
    for (;; owner += 1U + owner[0]) {
        uint32_t zone = hf_find_zone_wire(own, owner);
        if (zone != UINT32_MAX || owner[0] == 0) {
            return zone;
        }
    }
}

uint32_t hf_config_zone_of(const struct hf_config *config, const uint8_t *owner)
{
    return hf_find_zone_of(own_of(config), owner);
}

uint32_t hf_config_find_target(const struct hf_config *config, const char *name)
{
    return hf_find_target(own_of(config), name);
}

uint32_t hf_config_find_pool(const struct hf_config *config, const char *name)
{
    return hf_find_pool(own_of(config), name);
}

uint32_t hf_config_find_zone(const struct hf_config *config, const char *name)
{
    uint8_t wire[HF_NAME_MAX];
    return hf_name_parse(name, wire) == HF_OK ? hf_find_zone_wire(own_of(config), wire)
                                              : UINT32_MAX;
}

uint32_t hf_config_find_backend(const struct hf_config *config, const char *name)
{
    const struct hf_config_own *own = own_of(config);
    return hf_index_find(&own->backend_index, name, strlen(name), backend_equal,
                         own->backends.rows);
}

uint32_t hf_config_find_endpoint(const struct hf_config *config, const uint8_t *owner)
{
    const struct hf_config_own *own = own_of(config);
    return hf_index_find(&own->endpoint_index, owner, hf_name_size(owner), endpoint_equal,
                         own->endpoints.rows);
}

uint32_t hf_config_find_site(const struct hf_config *config, const char *name)
{
    const struct hf_config_own *own = own_of(config);
    return hf_index_find(&own->site_index, name, strlen(name), site_equal, own->sites.rows);
}
