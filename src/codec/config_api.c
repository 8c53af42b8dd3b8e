/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The API of a configuration: where it listens, who may ask. */
#include <stdio.h>
#include <string.h>

#include "codec/config_reader.h"

enum {
    SOCKET_PATH_MAX = 107, /* of sun_path */
    LISTEN_MAX = 64,
    NAMES_MAX = 64,
};

enum api_key { API_LISTEN, API_SOCKET, API_TOKENS, API_TLS, API_NAMES, API_METRICS, API_COUNT };

static const struct hf_key api_keys[API_COUNT] = {
    [API_LISTEN] = {"listen", HF_KEY_NODE, 0, 0, 0},
    [API_SOCKET] = {"socket", HF_KEY_NODE, 0, 0, 0},
    [API_TOKENS] = {"tokens_file", HF_KEY_PATH, offsetof(struct hf_config_api, tokens_path), 0, 0},
    [API_TLS] = {"tls", HF_KEY_NODE, 0, 0, 0},
    [API_NAMES] = {"names", HF_KEY_NODE, 0, 0, 0},
    [API_METRICS] = {"backend_metrics", HF_KEY_BOOL,
                     offsetof(struct hf_config_api, backend_metrics), 0, 0},
};

enum tls_key { TLS_CERTIFICATE, TLS_KEY, TLS_COUNT };

static const struct hf_key tls_keys[TLS_COUNT] = {
    [TLS_CERTIFICATE] = {"certificate_file", HF_KEY_PATH,
                         offsetof(struct hf_config_api, certificate_path), 0, 0},
    [TLS_KEY] = {"key_file", HF_KEY_PATH, offsetof(struct hf_config_api, key_path), 0, 0},
};

static bool is_off(const struct hf_reader *reader, uint32_t node)
{
    const struct hf_tree_node *row = hf_tree_at(reader->tree, node);
    return row->kind == HF_TREE_PLAIN && strcmp(hf_tree_text(reader->tree, node), "off") == 0;
}

static void read_listen(struct hf_reader *reader, uint32_t node, struct hf_config_api *api)
{
    char text[LISTEN_MAX];
    const char *host;
    uint16_t port;
    if (is_off(reader, node)) {
        api->listen = NULL;
        return;
    }
    const char *given = hf_read_text(reader, node, "ADDRESS@PORT, or off");
    if (given == NULL) {
        return;
    }
    if (strchr(given, '@') == NULL) {
        hf_expected(reader, node,
                    "ADDRESS@PORT with a numeric address, such as 127.0.0.1@8053, "
                    "or off");
        return;
    }
    if (hf_read_server(reader, node, &host, &port)) {
        (void)snprintf(text, sizeof(text), "%s@%u", host, (unsigned)port);
        api->listen = hf_pack_text(reader, text);
        api->is_loopback = strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
    }
}

static void read_socket(struct hf_reader *reader, uint32_t node, struct hf_config_api *api)
{
    api->socket_path = NULL;
    if (is_off(reader, node)) {
        return;
    }
    const char *given = hf_read_text(reader, node, "a path, or off");
    if (given == NULL) {
        return;
    }
    const char *path = hf_resolve(reader, given);
    if (strlen(path) > SOCKET_PATH_MAX) {
        hf_problem(reader, node,
                   "found a path of %zu octets, expected at most %d: that is all "
                   "that a socket's can have",
                   strlen(path), SOCKET_PATH_MAX);
        return;
    }
    api->socket_path = path;
}

static void read_tls(struct hf_reader *reader, uint32_t node, struct hf_config_api *api)
{
    uint32_t found[HF_READER_KEYS_MAX];
    if (!hf_read_map(reader, node, tls_keys, TLS_COUNT, api, found)) {
        return;
    }
    for (uint32_t i = 0; i < TLS_COUNT; i++) {
        if (found[i] == 0) {
            hf_missing(reader, node, tls_keys[i].name, "a file in PEM format");
        }
    }
}

static void read_names(struct hf_reader *reader, uint32_t node, struct hf_config_api *api)
{
    const char **names = hf_arena_array(&reader->own->config.arena, NAMES_MAX, sizeof(*names));
    uint32_t count = 0;
    if (hf_tree_at(reader->tree, node)->kind != HF_TREE_LIST) {
        hf_expected(reader, node, "a list of host names, such as [holdfast.example.test]");
        return;
    }
    for (uint32_t item = hf_first(reader, node); item != 0; item = hf_next(reader, item)) {
        const char *name = hf_read_text(reader, item, "a host name");
        if (name == NULL) {
            continue;
        }
        if (count == NAMES_MAX) {
            hf_problem(reader, item, "found more than %d names", NAMES_MAX);
            return;
        }
        names[count++] = hf_pack_text(reader, name);
    }
    api->names = names;
    api->name_count = count;
}

/* Where nobody says another, socket and tokens are in the data folder. */
static void place_files(struct hf_reader *reader, struct hf_config_api *api)
{
    const char *folder = reader->own->config.data_dir;
    struct hf_buf path;
    hf_buf_init(&path, HF_READER_FILE_MAX);
    hf_buf_printf(&path, "%s/api.sock", folder != NULL ? folder : ".");
    api->socket_path =
        path.size <= SOCKET_PATH_MAX ? hf_pack_text(reader, hf_buf_text(&path)) : NULL;
    hf_buf_clear(&path);
    hf_buf_printf(&path, "%s/api.tokens", folder != NULL ? folder : ".");
    api->tokens_path = hf_pack_text(reader, hf_buf_text(&path));
    api->tokens_are_default = true;
    hf_buf_release(&path);
}

void hf_read_api(struct hf_reader *reader, uint32_t node)
{
    struct hf_config_api *api = &reader->own->config.api;
    uint32_t found[HF_READER_KEYS_MAX];
    *api = (struct hf_config_api){.listen = "127.0.0.1@8053", .is_loopback = true};
    place_files(reader, api);
    if (node == 0 || !hf_read_map(reader, node, api_keys, API_COUNT, api, found)) {
        return;
    }
    static const struct {
        enum api_key key;
        void (*read)(struct hf_reader *reader, uint32_t node, struct hf_config_api *api);
    } parts[] = {{API_LISTEN, read_listen},
                 {API_SOCKET, read_socket},
                 {API_TLS, read_tls},
                 {API_NAMES, read_names}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (found[parts[i].key] != 0) {
            hf_enter(reader, api_keys[parts[i].key].name);
            parts[i].read(reader, found[parts[i].key], api);
            hf_leave(reader);
        }
    }
    if (api->listen != NULL && !api->is_loopback && api->tokens_path == NULL) {
        hf_problem(
            reader, found[API_LISTEN],
            "found an address beyond loopback and no tokens_file, expected one: nobody could "
            "ask without a token");
    } else if (api->listen != NULL && !api->is_loopback && api->certificate_path == NULL) {
        hf_warning(reader, found[API_LISTEN],
                   "beyond loopback and without tls: tokens can be read on the way");
    }
}
