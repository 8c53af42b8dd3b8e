/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/fence.h"
#include "core/incident.h"

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
};

/* About files that are too big. */
static const char advice[] = "fleets go in backends_file and endpoints_file";

/* Texts of ten million rows with long names stay below this. */
static const size_t arena_cap_bytes = (size_t)64 << 30;

enum root_key {
    ROOT_INSTALLATION,
    ROOT_STORE,
    ROOT_DATA_DIR,
    ROOT_RUN,
    ROOT_API,
    ROOT_JANITOR,
    ROOT_GUARD,
    ROOT_LOG,
    ROOT_ALERTS,
    ROOT_DEFAULTS,
    ROOT_TARGETS,
    ROOT_ZONES,
    ROOT_POOLS,
    ROOT_ENDPOINTS,
    ROOT_ENDPOINTS_FILE,
    ROOT_SERVICES,
    ROOT_DEPENDENTS,
    ROOT_INCIDENTS,
    ROOT_STATUSPAGE,
    ROOT_COUNT
};

static const struct hf_key root_keys[ROOT_COUNT] = {
    [ROOT_INSTALLATION] = {.name = "installation", .kind = HF_KEY_NODE},
    [ROOT_STORE] = {.name = "store", .kind = HF_KEY_NODE},
    [ROOT_DATA_DIR] = {.name = "data_dir",
                       .kind = HF_KEY_PATH,
                       .offset = offsetof(struct hf_config, data_dir)},
    [ROOT_RUN] = {.name = "run", .kind = HF_KEY_NODE},
    [ROOT_API] = {.name = "api", .kind = HF_KEY_NODE},
    [ROOT_JANITOR] = {.name = "janitor", .kind = HF_KEY_NODE},
    [ROOT_GUARD] = {.name = "guard", .kind = HF_KEY_NODE},
    [ROOT_LOG] = {.name = "log", .kind = HF_KEY_NODE},
    [ROOT_ALERTS] = {.name = "alerts", .kind = HF_KEY_NODE},
    [ROOT_DEFAULTS] = {.name = "defaults", .kind = HF_KEY_NODE},
    [ROOT_TARGETS] = {.name = "targets", .kind = HF_KEY_NODE},
    [ROOT_ZONES] = {.name = "zones", .kind = HF_KEY_NODE},
    [ROOT_POOLS] = {.name = "pools", .kind = HF_KEY_NODE},
    [ROOT_ENDPOINTS] = {.name = "endpoints", .kind = HF_KEY_NODE},
    [ROOT_ENDPOINTS_FILE] = {.name = "endpoints_file", .kind = HF_KEY_NODE},
    [ROOT_SERVICES] = {.name = "services", .kind = HF_KEY_NODE},
    [ROOT_DEPENDENTS] = {.name = "dependents", .kind = HF_KEY_NODE},
    [ROOT_INCIDENTS] = {.name = "incidents", .kind = HF_KEY_NODE},
    [ROOT_STATUSPAGE] = {.name = "statuspage", .kind = HF_KEY_NODE},
};

static const struct hf_key run_keys[] = {
    {"enactors", HF_KEY_U32, offsetof(struct hf_config, enactor_count), 1, HF_CONFIG_ENACTORS_MAX},
};

static const struct hf_key janitor_keys[] = {
    {"retention", HF_KEY_DURATION, offsetof(struct hf_config, retention_ms), 1000, 30U * DAY_MS},
    {"tombstones", HF_KEY_DURATION, offsetof(struct hf_config, tombstone_ms), 1000, 30U * DAY_MS},
    {"interval", HF_KEY_DURATION, offsetof(struct hf_config, janitor_ms), 1000, DAY_MS},
};

static const struct hf_key guard_keys[] = {{.name = "max_changed", .kind = HF_KEY_NODE}};

static void read_installation(struct hf_reader *reader, uint32_t node)
{
    const char *text = hf_read_text(reader, node, "a name, such as prod");
    if (text == NULL) {
        return;
    }
    if (hf_label_check(text) != HF_OK) {
        hf_expected(reader, node,
                    "1 to 32 lower case letters, digits and inner hyphens, such as prod: it is "
                    "the owner in every fence");
        return;
    }
    reader->own->config.installation = hf_pack_text(reader, text);
}

/* The folder that a path is in, without a final slash. */
static const char *parent_of(struct hf_reader *reader, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return ".";
    }
    return slash == path ? "/" : hf_pack(reader, path, (size_t)(slash - path));
}

static void read_store(struct hf_reader *reader, uint32_t node)
{
    static const char sqlite[] = "sqlite:";
    const char *text = hf_read_text(reader, node, "sqlite:PATH");
    if (text == NULL) {
        return;
    }
    if (strncmp(text, "etcd:", 5) == 0) {
        hf_problem(reader, node,
                   "found a store on etcd, which this version does not support yet, "
                   "expected sqlite:PATH");
        return;
    }
    const char *path = text + strlen(sqlite);
    if (strncmp(text, sqlite, strlen(sqlite)) != 0 || path[0] == 0 ||
        path[strlen(path) - 1] == '/') {
        hf_expected(reader, node, "sqlite:PATH, such as sqlite:/var/lib/holdfast/holdfast.db");
        return;
    }
    reader->own->config.store_path = hf_resolve(reader, path);
}

static void read_small_maps(struct hf_reader *reader, const uint32_t *values)
{
    struct hf_config *config = &reader->own->config;
    uint32_t found[HF_READER_KEYS_MAX];
    if (values[ROOT_RUN] != 0) {
        hf_enter(reader, "run");
        (void)hf_read_map(reader, values[ROOT_RUN], run_keys, 1, config, found);
        hf_leave(reader);
    }
    if (values[ROOT_JANITOR] != 0) {
        hf_enter(reader, "janitor");
        (void)hf_read_map(reader, values[ROOT_JANITOR], janitor_keys, 3, config, found);
        hf_leave(reader);
    }
    if (values[ROOT_GUARD] != 0) {
        hf_enter(reader, "guard");
        if (hf_read_map(reader, values[ROOT_GUARD], guard_keys, 1, config, found) &&
            found[0] != 0) {
            hf_enter(reader, "max_changed");
            (void)hf_read_rate(reader, found[0], &config->max_changed_permille,
                               &config->max_changed_ms);
            hf_leave(reader);
        }
        hf_leave(reader);
    }
}

typedef void part_read(struct hf_reader *reader, uint32_t node);

struct part {
    enum root_key key;
    part_read *read;
    const char *example; /* of a part that must be there */
    bool is_fleet;
};

/* In the order in which they refer to each other. */
static const struct part parts[] = {
    {ROOT_INSTALLATION, read_installation, "the name of this deployment, such as prod", false},
    {ROOT_STORE, read_store, "sqlite:PATH", false},
    {ROOT_LOG, hf_read_log, NULL, false},
    {ROOT_ALERTS, hf_read_alerts, NULL, true},
    {ROOT_DEFAULTS, hf_read_defaults, NULL, true},
    {ROOT_TARGETS, hf_read_targets, "the servers that are written to", false},
    {ROOT_ZONES, hf_read_zones, "the zones that hold the endpoints, each with its target", false},
    {ROOT_POOLS, hf_read_pools, "the backends, in pools with one check each", true},
    {ROOT_ENDPOINTS, hf_read_endpoints, NULL, true},
    {ROOT_ENDPOINTS_FILE, hf_read_endpoints_file, NULL, true},
    {ROOT_SERVICES, hf_read_services, NULL, true},
    {ROOT_DEPENDENTS, hf_read_dependents, NULL, true},
    {ROOT_INCIDENTS, hf_read_incidents, NULL, false},
    {ROOT_STATUSPAGE, hf_read_statuspage, NULL, false},
};

static void read_parts(struct hf_reader *reader, uint32_t root, const uint32_t *values)
{
    bool with_fleet = !reader->own->config.is_zones_only;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !reader->stopped; i++) {
        if (parts[i].is_fleet && !with_fleet) {
            continue;
        }
        uint32_t node = values[parts[i].key];
        const char *name = root_keys[parts[i].key].name;
        if (parts[i].key == ROOT_TARGETS && reader->own->config.data_dir == NULL) {
            /* Private servers keep their files there. */
            const char *store = reader->own->config.store_path;
            reader->own->config.data_dir = store == NULL ? "." : parent_of(reader, store);
        }
        if (node != 0) {
            hf_enter(reader, name);
            parts[i].read(reader, node);
            hf_leave(reader);
        } else if (parts[i].example != NULL) {
            hf_missing(reader, root, name, parts[i].example);
        }
    }
    if (with_fleet && !reader->stopped && reader->own->endpoints.count == 0 &&
        reader->error_count == 0) {
        hf_problem(reader, root,
                   "found no endpoint, expected at least one in endpoints or endpoints_file");
    }
}

static void read_tree(struct hf_reader *reader)
{
    uint32_t root = reader->tree->root;
    uint32_t values[ROOT_COUNT];
    if (root == 0 || hf_tree_at(reader->tree, root)->kind == HF_TREE_NOTHING) {
        hf_problem(reader, 0, "found an empty file, expected a configuration in YAML");
        return;
    }
    if (!hf_read_map(reader, root, root_keys, ROOT_COUNT, &reader->own->config, values)) {
        return;
    }
    read_small_maps(reader, values);
    read_parts(reader, root, values);
    if (values[ROOT_API] != 0) {
        hf_enter(reader, "api");
    }
    hf_read_api(reader, values[ROOT_API]);
    if (values[ROOT_API] != 0) {
        hf_leave(reader);
    }
}

static void rows_init(struct hf_config_own *own)
{
    own->targets.row_size = sizeof(struct hf_config_target);
    own->zones.row_size = sizeof(struct hf_config_zone);
    own->pools.row_size = sizeof(struct hf_config_pool);
    own->backends.row_size = sizeof(struct hf_config_backend);
    own->policies.row_size = sizeof(struct hf_config_policy);
    own->endpoints.row_size = sizeof(struct hf_config_endpoint);
    own->endpoint_pools.row_size = sizeof(uint32_t);
    own->sites.row_size = sizeof(const char *);
    own->files.row_size = sizeof(const char *);
    own->services.row_size = sizeof(struct hf_config_service);
    own->service_endpoints.row_size = sizeof(uint32_t);
    own->dependents.row_size = sizeof(struct hf_config_dependent);
    own->dependent_services.row_size = sizeof(uint32_t);
}

static void reader_init(struct hf_reader *reader, struct hf_config_own *own, const char *name,
                        struct hf_buf *problems)
{
    own->config = (struct hf_config){
        .enactor_count = 3,
        .retention_ms = HOUR_MS,
        .tombstone_ms = HOUR_MS,
        .janitor_ms = MINUTE_MS,
        .max_changed_permille = 1000,
        .max_changed_ms = MINUTE_MS,
        .log_format = "auto",
        .incident_hold_ms = HF_INCIDENT_HOLD_MS,
    };
    hf_arena_init(&own->config.arena, arena_cap_bytes);
    rows_init(own);
    hf_reader_begin(reader, &own->config.arena, &own->files, name, problems);
    reader->own = own;
    reader->defaults = (struct hf_config_policy){
        .ttl_s = 30, .min_healthy = 1, .max_removal_permille = 500, .max_removal_ms = MINUTE_MS};
    reader->target_places.row_size = sizeof(struct hf_place);
    reader->zone_places.row_size = sizeof(struct hf_place);
    reader->pool_places.row_size = sizeof(struct hf_place);
    reader->backend_places.row_size = sizeof(struct hf_place);
    reader->endpoint_places.row_size = sizeof(struct hf_place);
    reader->pool_notes.row_size = sizeof(struct hf_pool_note);
    reader->pool_lists.row_size = sizeof(struct hf_pool_list);
    own->config.path = reader->file;
}

static void reader_release(struct hf_reader *reader)
{
    free(reader->target_places.rows);
    free(reader->zone_places.rows);
    free(reader->pool_places.rows);
    free(reader->backend_places.rows);
    free(reader->endpoint_places.rows);
    free(reader->pool_notes.rows);
    free(reader->pool_lists.rows);
    hf_index_release(&reader->policy_index);
    hf_index_release(&reader->list_index);
    hf_reader_end(reader);
}

static void free_rows(struct hf_rows *rows)
{
    free(rows->rows);
}

static void each_rows(struct hf_config_own *own, void (*call)(struct hf_rows *rows))
{
    struct hf_rows *all[] = {&own->targets,           &own->zones,      &own->pools,
                             &own->backends,          &own->policies,   &own->endpoints,
                             &own->endpoint_pools,    &own->sites,      &own->files,
                             &own->services,          &own->dependents, &own->service_endpoints,
                             &own->dependent_services};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        call(all[i]);
    }
}

/* Points the public struct at the rows. */
static void publish(struct hf_config_own *own)
{
    struct hf_config *config = &own->config;
    each_rows(own, hf_rows_trim);
    hf_index_trim(&own->endpoint_index);
    /* While it was being read, 0 said that answers.max was not written. */
    struct hf_config_policy *policies = own->policies.rows;
    for (uint32_t i = 0; i < own->policies.count; i++) {
        policies[i].answers_max = policies[i].answers_max == 0 ? 100 : policies[i].answers_max;
    }
    config->targets = own->targets.rows;
    config->zones = own->zones.rows;
    config->pools = own->pools.rows;
    config->backends = own->backends.rows;
    config->policies = own->policies.rows;
    config->endpoints = own->endpoints.rows;
    config->endpoint_pools = own->endpoint_pools.rows;
    config->sites = own->sites.rows;
    config->files = own->files.rows;
    config->services = own->services.rows;
    config->service_endpoints = own->service_endpoints.rows;
    config->dependents = own->dependents.rows;
    config->dependent_services = own->dependent_services.rows;
    config->target_count = own->targets.count;
    config->zone_count = own->zones.count;
    config->pool_count = own->pools.count;
    config->backend_count = own->backends.count;
    config->policy_count = own->policies.count;
    config->endpoint_count = own->endpoints.count;
    config->endpoint_pool_count = own->endpoint_pools.count;
    config->site_count = own->sites.count;
    config->file_count = own->files.count;
    config->service_count = own->services.count;
    config->dependent_count = own->dependents.count;
    if (config->statuspage.title == NULL) {
        config->statuspage.title = config->installation;
    }
}

static int read_text(const char *text, size_t size, const char *name, bool is_zones_only,
                     struct hf_config **ret_config, struct hf_buf *problems)
{
    struct hf_config_own *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        abort();
    }
    struct hf_reader reader;
    struct hf_tree tree;
    reader_init(&reader, own, name, problems);
    own->config.is_zones_only = is_zones_only;
    hf_tree_init(&tree);
    if (hf_reader_parse(&reader, &tree, text, size, advice)) {
        read_tree(&reader);
    }
    hf_tree_release(&tree);
    reader_release(&reader);
    if (reader.error != HF_OK) {
        hf_config_free(&own->config);
        return reader.error;
    }
    publish(own);
    *ret_config = &own->config;
    return HF_OK;
}

int hf_config_read_text(const char *text, size_t size, const char *name,
                        struct hf_config **ret_config, struct hf_buf *problems)
{
    return read_text(text, size, name, false, ret_config, problems);
}

static int read_path(const char *path, bool is_zones_only, struct hf_config **ret_config,
                     struct hf_buf *problems)
{
    struct hf_buf text;
    hf_buf_init(&text, HF_READER_FILE_MAX);
    int error = hf_read_whole(path, advice, &text, problems);
    if (error == HF_OK) {
        error = read_text(hf_buf_text(&text), text.size, path, is_zones_only, ret_config, problems);
    }
    hf_buf_release(&text);
    return error;
}

int hf_config_read(const char *path, struct hf_config **ret_config, struct hf_buf *problems)
{
    return read_path(path, false, ret_config, problems);
}

int hf_config_read_zones(const char *path, struct hf_config **ret_config, struct hf_buf *problems)
{
    return read_path(path, true, ret_config, problems);
}

int hf_config_read_again(const struct hf_config *config, struct hf_config **ret_config,
                         struct hf_buf *problems)
{
    return read_path(config->path, config->is_zones_only, ret_config, problems);
}

void hf_config_free(struct hf_config *config)
{
    if (config == NULL) {
        return;
    }
    struct hf_config_own *own = (struct hf_config_own *)config;
    each_rows(own, free_rows);
    struct hf_index *indexes[] = {&own->target_index,  &own->zone_index,     &own->pool_index,
                                  &own->backend_index, &own->endpoint_index, &own->site_index};
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        hf_index_release(indexes[i]);
    }
    hf_arena_release(&config->arena);
    free(own);
}
