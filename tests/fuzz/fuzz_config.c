/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration: any text as the YAML file, and as lines of JSON Lines. What is accepted must be
 * within the limits that the header states, and every row must be found by its name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/config.h"
#include "codec/config_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 loses up to 4 KiB over a scalar with a run of eight or more doubled quotes. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_rows(const struct hf_config *config)
{
    require(config->endpoint_count > 0 && config->zone_count > 0);
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        const struct hf_config_endpoint *endpoint = &config->endpoints[i];
        const struct hf_config_policy *policy = &config->policies[endpoint->policy];
        require(hf_config_find_endpoint(config, endpoint->owner) == i);
        require(endpoint->zone < config->zone_count && endpoint->policy < config->policy_count);
        require(endpoint->pool_count > 0 && endpoint->pool_count <= HF_CONFIG_ENDPOINT_POOLS_MAX);
        require(endpoint->pool_first + endpoint->pool_count <= config->endpoint_pool_count);
        require(policy->answers_max >= 1 && policy->answers_max <= 100 && policy->ttl_s >= 1);
    }
    for (uint32_t i = 0; i < config->zone_count; i++) {
        require(hf_config_find_zone(config, config->zones[i].name) == i);
        require(config->zones[i].target < config->target_count);
    }
    for (uint32_t i = 0; i < config->pool_count; i++) {
        const struct hf_config_check *check = &config->pools[i].check;
        require(config->pools[i].backend_count > 0);
        require(check->timeout_ms < check->interval_ms && check->status_count > 0);
    }
    for (uint32_t i = 0; i < config->backend_count; i++) {
        const struct hf_config_backend *backend = &config->backends[i];
        require(hf_config_find_backend(config, backend->name) == i);
        require(backend->has_a || backend->has_aaaa);
        require(backend->site < config->site_count && backend->capacity >= 1);
        require(backend->weight <= UINT16_MAX);
    }
}

static void read_lines(const uint8_t *bytes, size_t size)
{
    struct hf_tree tree;
    struct hf_tree_error error = {0};
    hf_tree_init(&tree);
    const char *at = (const char *)bytes;
    const char *end = at + size;
    for (uint32_t line = 1; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t line_size = (size_t)((newline != NULL ? newline : end) - at);
        hf_tree_clear(&tree);
        if (hf_tree_read_json(&tree, at, line_size, line, &error) == HF_OK) {
            require(tree.root != 0 && tree.depth == 0);
        } else {
            require(error.line == line && error.column >= 1 && error.text[0] != 0);
        }
        at += line_size + (newline != NULL);
    }
    hf_tree_release(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, 1 << 20);
    int error = hf_config_read_text((const char *)bytes, size, "fuzz.yaml", &config, &problems);
    if (error == HF_OK) {
        check_rows(config);
    } else {
        require(config == NULL && problems.size > 0 && hf_buf_error(&problems) == HF_OK);
    }
    hf_config_free(config);
    hf_buf_release(&problems);
    read_lines(bytes, size);
    return 0;
}
