/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "holdfast/status.h"

enum { SITE_MIN = 2 }; /* backends: fewer are no site that could be down as a whole */

static uint32_t *counters(uint32_t count)
{
    uint32_t *rows = calloc(count == 0 ? 1 : count, sizeof(*rows));
    if (rows == NULL) {
        abort();
    }
    return rows;
}

bool hf_status_fleet_site_is_down(const struct hf_status_fleet *fleet, uint32_t site)
{
    return fleet->site_down[site] >= SITE_MIN && fleet->site_down[site] == fleet->site_total[site];
}

bool hf_status_fleet_pool_is_down(const struct hf_status_fleet *fleet,
                                  const struct hf_config *config, uint32_t pool)
{
    return (uint64_t)fleet->pool_down[pool] * 2 > config->pools[pool].backend_count;
}

/* The configured backend that is down as the row says, or UINT32_MAX. */
static uint32_t down_backend(const struct hf_look *look, uint32_t row)
{
    return look->backends[row].verdict == HF_VERDICT_DOWN
               ? hf_config_find_backend(look->config, look->backends[row].name)
               : UINT32_MAX;
}

/* For each pool a site that is down, where such sites have at least half of what is down in it. */
static void find_pool_sites(const struct hf_look *look, struct hf_status_fleet *fleet)
{
    const struct hf_config *config = look->config;
    uint32_t *explained = counters(config->pool_count);
    for (uint32_t i = 0; i < look->backend_count; i++) {
        uint32_t number = down_backend(look, i);
        if (number == UINT32_MAX) {
            continue;
        }
        const struct hf_config_backend *backend = &config->backends[number];
        if (hf_status_fleet_site_is_down(fleet, backend->site)) {
            fleet->pool_site[backend->pool] = backend->site;
            explained[backend->pool]++;
        }
    }
    for (uint32_t i = 0; i < config->pool_count; i++) {
        if ((uint64_t)explained[i] * 2 < fleet->pool_down[i]) {
            fleet->pool_site[i] = UINT32_MAX;
        }
    }
    free(explained);
}

void hf_status_fleet_count(const struct hf_look *look, struct hf_status_fleet *ret_fleet)
{
    const struct hf_config *config = look->config;
    struct hf_status_fleet fleet = {.site_total = counters(config->site_count),
                                    .site_down = counters(config->site_count),
                                    .pool_down = counters(config->pool_count),
                                    .pool_site = counters(config->pool_count)};
    memset(fleet.pool_site, 0xff, config->pool_count * sizeof(*fleet.pool_site));
    *ret_fleet = fleet;
    if (!hf_look_has_verdicts(look)) {
        return;
    }
    bool has_sites = config->site_count > 1; /* where there is one, it is no news of its own */
    for (uint32_t i = 0; i < config->backend_count && has_sites; i++) {
        fleet.site_total[config->backends[i].site]++;
    }
    for (uint32_t i = 0; i < look->backend_count; i++) {
        uint32_t number = down_backend(look, i);
        if (number != UINT32_MAX) {
            fleet.site_down[config->backends[number].site] += has_sites;
            fleet.pool_down[config->backends[number].pool]++;
        }
    }
    find_pool_sites(look, &fleet);
}

void hf_status_fleet_release(struct hf_status_fleet *fleet)
{
    free(fleet->site_total);
    free(fleet->site_down);
    free(fleet->pool_down);
    free(fleet->pool_site);
    *fleet = (struct hf_status_fleet){0};
}
