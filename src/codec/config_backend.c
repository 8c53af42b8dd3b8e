/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Backends of a pool, from the YAML file and from JSON Lines alike.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"

enum {
    CAPACITY_MAX = 1000000,
    KEY_TEXT_MAX = 16, /* of "[99999]" */
};

/* Of backends that name none. */
static const char default_site[] = "default";

enum backend_key {
    BACKEND_NAME,
    BACKEND_ADDRESS,
    BACKEND_WEIGHT,
    BACKEND_CAPACITY,
    BACKEND_SITE,
    BACKEND_PORT,
    BACKEND_COUNT
};

static const struct hf_key backend_keys[BACKEND_COUNT] = {
    [BACKEND_NAME] = {"name", HF_KEY_NODE, 0, 0, 0},
    [BACKEND_ADDRESS] = {"address", HF_KEY_NODE, 0, 0, 0},
    [BACKEND_WEIGHT] = {"weight", HF_KEY_U32, offsetof(struct hf_config_backend, weight), 0,
                        UINT16_MAX},
    [BACKEND_CAPACITY] = {"capacity", HF_KEY_U32, offsetof(struct hf_config_backend, capacity), 1,
                          CAPACITY_MAX},
    [BACKEND_SITE] = {"site", HF_KEY_NODE, 0, 0, 0},
    [BACKEND_PORT] = {"port", HF_KEY_U16, offsetof(struct hf_config_backend, port), 1, UINT16_MAX},
};

/* One pool's backends while they are read. */
struct pool_reader {
    uint32_t pool;
    uint32_t first; /* row of its first backend */
    bool needs_port;
    bool full;
    struct hf_index a_index, aaaa_index; /* rows of backends by address, within the pool */
};

static bool a_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_config_backend *backends = context;
    return memcmp(backends[row].a, key, key_size) == 0;
}

static bool aaaa_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_config_backend *backends = context;
    return memcmp(backends[row].aaaa, key, key_size) == 0;
}

/* Why nothing can answer at an address, or NULL. */
static const char *unfit_a(const uint8_t a[4])
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    if (a[0] == 0) {
        return "an unspecified address";
    }
    if (a[0] >= 224 && a[0] <= 239) {
        return "a multicast address";
    }
    return memcmp(a, broadcast, 4) == 0 ? "the broadcast address" : NULL;
}

static const char *unfit_aaaa(const uint8_t aaaa[16])
{
    static const uint8_t zeros[16] = {0};
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(aaaa, zeros, 16) == 0) {
        return "an unspecified address";
    }
    if (aaaa[0] == 0xff) {
        return "a multicast address";
    }
    if (aaaa[0] == 0xfe && (aaaa[1] & 0xc0) == 0x80) {
        return "a link-local address";
    }
    return memcmp(aaaa, mapped, 12) == 0 ? "an IPv4 address in IPv6 form" : NULL;
}

static void read_one_address(struct hf_reader *reader, uint32_t node,
                             struct hf_config_backend *backend)
{
    static const char expected[] = "an IPv4 or IPv6 address, such as 192.0.2.1 or 2001:db8::1";
    const char *text = hf_read_text(reader, node, expected);
    uint8_t a[4];
    uint8_t aaaa[16];
    bool is_ipv6 = false;
    if (text == NULL) {
        return;
    }
    if (!hf_read_address(text, a, aaaa, &is_ipv6)) {
        hf_expected(reader, node, expected);
        return;
    }
    const char *unfit = is_ipv6 ? unfit_aaaa(aaaa) : unfit_a(a);
    if (unfit != NULL) {
        hf_problem(reader, node, "found %s, which is %s, expected one that clients can reach", text,
                   unfit);
        return;
    }
    if (is_ipv6 ? backend->has_aaaa : backend->has_a) {
        hf_problem(reader, node,
                   "found a second IPv%d address, expected at most one: a backend is "
                   "one machine",
                   is_ipv6 ? 6 : 4);
        return;
    }
    if (is_ipv6) {
        backend->has_aaaa = true;
        memcpy(backend->aaaa, aaaa, sizeof(aaaa));
    } else {
        backend->has_a = true;
        memcpy(backend->a, a, sizeof(a));
    }
}

static void read_addresses(struct hf_reader *reader, uint32_t node,
                           struct hf_config_backend *backend)
{
    const struct hf_tree_node *at = hf_tree_at(reader->tree, node);
    if (at->kind != HF_TREE_LIST) {
        read_one_address(reader, node, backend);
        return;
    }
    if (at->count == 0) {
        hf_problem(reader, node, "found an empty list, expected one IPv4 or IPv6 address, or both");
        return;
    }
    for (uint32_t item = at->child; item != 0 && !reader->stopped; item = hf_next(reader, item)) {
        read_one_address(reader, item, backend);
    }
}

static void name_clash(struct hf_reader *reader, uint32_t node, const char *name)
{
    hf_problem(reader, node,
               "found \"%s\" as the name of a site and of a backend, expected "
               "different names: drain takes either",
               name);
}

static uint32_t site_row(struct hf_reader *reader, uint32_t node, const char *name)
{
    struct hf_config_own *own = reader->own;
    uint32_t row = hf_config_find_site(&own->config, name);
    if (row == UINT32_MAX) {
        const char **site = hf_rows_add(&own->sites);
        *site = hf_pack_text(reader, name);
        row = own->sites.count - 1;
        if (hf_config_find_backend(&own->config, name) != UINT32_MAX) {
            name_clash(reader, node, name);
        }
        hf_index_add(&own->site_index, name, strlen(name), row);
    }
    return row;
}

/* Puts the backend's addresses into the pool's indexes; says where another has the same. */
static void note_addresses(struct hf_reader *reader, uint32_t node, struct pool_reader *pool,
                           uint32_t row)
{
    const struct hf_config_backend *backends = reader->own->backends.rows;
    struct hf_pool_note *note = (struct hf_pool_note *)reader->pool_notes.rows + pool->pool;
    const struct hf_config_backend *backend = &backends[row];
    uint32_t same = UINT32_MAX;
    if (backend->has_a) {
        same = hf_index_find(&pool->a_index, backend->a, 4, a_equal, backends);
        if (same == UINT32_MAX) {
            hf_index_add(&pool->a_index, backend->a, 4, row);
            note->a_count++;
        }
    }
    uint32_t same6 = UINT32_MAX;
    if (backend->has_aaaa) {
        same6 = hf_index_find(&pool->aaaa_index, backend->aaaa, 16, aaaa_equal, backends);
        if (same6 == UINT32_MAX) {
            hf_index_add(&pool->aaaa_index, backend->aaaa, 16, row);
            note->aaaa_count++;
        }
    }
    same = same != UINT32_MAX ? same : same6;
    if (same != UINT32_MAX) {
        hf_warning(reader, node,
                   "found the address of backend \"%s\" again: it is answered once, "
                   "and counted twice by the guards",
                   backends[same].name);
    }
}

/* The name, if it is there, right and new; else a problem and NULL. */
static const char *read_backend_name(struct hf_reader *reader, uint32_t node, uint32_t value)
{
    if (value == 0) {
        hf_missing(reader, node, "name", "a name that no other backend has, such as web-1");
        return NULL;
    }
    hf_enter(reader, "name");
    const char *name = hf_read_name(reader, value, "the name of a backend");
    uint32_t first = name == NULL ? UINT32_MAX : hf_config_find_backend(&reader->own->config, name);
    if (first != UINT32_MAX) {
        const struct hf_place *place = (const struct hf_place *)reader->backend_places.rows + first;
        const char *const *files = reader->own->files.rows;
        hf_problem(reader, value,
                   "found the backend \"%s\" twice, first in %s line %" PRIu32
                   ", expected names that are unique in the whole configuration",
                   name, files[place->file], place->line);
        name = NULL;
    } else if (name != NULL && hf_config_find_site(&reader->own->config, name) != UINT32_MAX) {
        name_clash(reader, value, name);
    }
    hf_leave(reader);
    return name;
}

static void read_site(struct hf_reader *reader, uint32_t value, struct hf_config_backend *backend)
{
    const char *name = default_site;
    if (value != 0) {
        hf_enter(reader, "site");
        name = hf_read_name(reader, value, "the name of a site");
        hf_leave(reader);
    }
    if (name != NULL) {
        backend->site = site_row(reader, value, name);
    }
}

static bool has_room(struct hf_reader *reader, uint32_t node, struct pool_reader *pool)
{
    uint32_t count = reader->own->backends.count;
    if (count - pool->first < HF_CONFIG_POOL_MEMBERS_MAX && count < HF_CONFIG_BACKENDS_MAX) {
        return true;
    }
    if (!pool->full) {
        bool total = count == HF_CONFIG_BACKENDS_MAX;
        hf_problem(reader, node, "found more than %d backends%s",
                   total ? HF_CONFIG_BACKENDS_MAX : HF_CONFIG_POOL_MEMBERS_MAX,
                   total ? "" : " in one pool");
        pool->full = true;
    }
    return false;
}

static void read_backend(struct hf_reader *reader, uint32_t node, void *context)
{
    struct pool_reader *pool = context;
    struct hf_config_own *own = reader->own;
    uint32_t values[BACKEND_COUNT];
    struct hf_config_backend backend = {.weight = 1, .capacity = 1, .pool = pool->pool};
    if (!has_room(reader, node, pool) ||
        !hf_read_map(reader, node, backend_keys, BACKEND_COUNT, &backend, values)) {
        return;
    }
    const char *name = read_backend_name(reader, node, values[BACKEND_NAME]);
    if (values[BACKEND_ADDRESS] != 0) {
        hf_enter(reader, "address");
        read_addresses(reader, values[BACKEND_ADDRESS], &backend);
        hf_leave(reader);
    } else {
        hf_missing(reader, node, "address", "an IPv4 or IPv6 address, or a list of both");
    }
    read_site(reader, values[BACKEND_SITE], &backend);
    if (pool->needs_port && backend.port == 0 && values[BACKEND_PORT] == 0) {
        hf_missing(reader, node, "port", "a port here or in the pool's check");
    }
    if (name == NULL) {
        return;
    }
    backend.name = hf_pack_text(reader, name);
    struct hf_config_backend *row = hf_rows_add(&own->backends);
    struct hf_place *place = hf_rows_add(&reader->backend_places);
    *row = backend;
    *place = (struct hf_place){reader->file_row, hf_tree_at(reader->tree, node)->line};
    hf_index_add(&own->backend_index, name, strlen(name), own->backends.count - 1);
    note_addresses(reader, node, pool, own->backends.count - 1);
}

static void read_list(struct hf_reader *reader, uint32_t node, struct pool_reader *pool)
{
    const struct hf_tree_node *at = hf_tree_at(reader->tree, node);
    if (at->kind != HF_TREE_LIST) {
        hf_expected(reader, node,
                    "a list of backends, each such as { name: web-1, address: "
                    "192.0.2.1 }");
        return;
    }
    uint32_t number = 0;
    for (uint32_t item = at->child; item != 0 && !reader->stopped && !pool->full;
         item = hf_next(reader, item)) {
        char place[KEY_TEXT_MAX];
        (void)snprintf(place, sizeof(place), "[%" PRIu32 "]", number++);
        hf_enter(reader, place);
        read_backend(reader, item, pool);
        hf_leave(reader);
    }
}

void hf_read_backends(struct hf_reader *reader, uint32_t pool, uint32_t list_node,
                      uint32_t file_node)
{
    const struct hf_config_check *check =
        &((const struct hf_config_pool *)reader->own->pools.rows + pool)->check;
    const struct hf_pool_note *note = (const struct hf_pool_note *)reader->pool_notes.rows + pool;
    struct pool_reader rows = {.pool = pool,
                               .first = reader->own->backends.count,
                               .needs_port = check->type == HF_CHECK_TCP && check->port == 0 &&
                                             !note->broken};
    if (list_node != 0) {
        hf_enter(reader, "backends");
        read_list(reader, list_node, &rows);
        hf_leave(reader);
    }
    if (file_node != 0) {
        hf_enter(reader, "backends_file");
        const char *path = hf_read_text(reader, file_node, "the path of a JSON Lines file");
        if (path != NULL) {
            path = hf_resolve(reader, path);
            uint32_t count = reader->own->backends.count;
            uint32_t problems = reader->error_count;
            hf_read_lines(reader, file_node, path, read_backend, &rows);
            if (count == reader->own->backends.count && problems == reader->error_count) {
                hf_problem(reader, file_node, "found no backend in %s, expected at least one",
                           path);
            }
        }
        hf_leave(reader);
    }
    hf_index_release(&rows.a_index);
    hf_index_release(&rows.aaaa_index);
}
