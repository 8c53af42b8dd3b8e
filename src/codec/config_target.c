/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Targets of a configuration: servers, keys, and how hard to press them.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/name.h"
#include "codec/tsig.h"

enum {
    TIMEOUT_MIN_MS = 100,
    TIMEOUT_MAX_MS = 60 * 1000,
    KNOT_TIMEOUT_MIN_MS = 2000, /* its commits of a large zone take that long */
    AUDIT_MIN_MS = 1000,
    AUDIT_MAX_MS = 24 * 3600 * 1000,
    BATCH_MAX = 400, /* endpoints that fit into a message of 65535 octets */
    BATCH_DEFAULT = 100,
    KNOT_BATCH_DEFAULT = 200,
    WINDOW_MAX = 240, /* an enactor has 256 operations at a time, of all kinds */
    KNOT_WINDOW_DEFAULT = 64,
    SECRET_SHORT = 22, /* characters of base64: 16 octets */
};

enum target_key {
    TARGET_TYPE,
    TARGET_SERVER,
    TARGET_LISTEN,
    TARGET_TSIG,
    TARGET_KNOTD,
    TARGET_TIMEOUT,
    TARGET_AUDIT,
    TARGET_BATCH,
    TARGET_WINDOW,
    TARGET_COUNT
};

static const struct hf_key target_keys[TARGET_COUNT] = {
    [TARGET_TYPE] = {"type", HF_KEY_NODE, 0, 0, 0},
    [TARGET_SERVER] = {"server", HF_KEY_NODE, 0, 0, 0},
    [TARGET_LISTEN] = {"listen", HF_KEY_NODE, 0, 0, 0},
    [TARGET_TSIG] = {"tsig", HF_KEY_NODE, 0, 0, 0},
    [TARGET_KNOTD] = {"knotd", HF_KEY_TEXT, offsetof(struct hf_config_target, knotd), 0, 0},
    [TARGET_TIMEOUT] = {"timeout", HF_KEY_DURATION, offsetof(struct hf_config_target, timeout_ms),
                        TIMEOUT_MIN_MS, TIMEOUT_MAX_MS},
    [TARGET_AUDIT] = {"audit", HF_KEY_DURATION, offsetof(struct hf_config_target, audit_ms),
                      AUDIT_MIN_MS, AUDIT_MAX_MS},
    [TARGET_BATCH] = {"batch", HF_KEY_U16, offsetof(struct hf_config_target, batch), 1, BATCH_MAX},
    [TARGET_WINDOW] = {"window", HF_KEY_U16, offsetof(struct hf_config_target, window), 1,
                       WINDOW_MAX},
};

enum tsig_key { TSIG_NAME, TSIG_ALGORITHM, TSIG_SECRET_FILE, TSIG_COUNT };

static const struct hf_key tsig_keys[TSIG_COUNT] = {
    [TSIG_NAME] = {"name", HF_KEY_NODE, 0, 0, 0},
    [TSIG_ALGORITHM] = {"algorithm", HF_KEY_NODE, 0, 0, 0},
    [TSIG_SECRET_FILE] = {"secret_file", HF_KEY_PATH,
                          offsetof(struct hf_config_target, tsig_secret_file), 0, 0},
};

static const char *const types[] = {"rfc2136", "knot", NULL};
static const char *const algorithms[] = {"hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224",
                                         "hmac-sha1",   "hmac-md5",    NULL};

static bool is_base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strspn(text, digits);
    size_t pads = strspn(text + size, "=");
    return size > 0 && pads <= 2 && (size + pads) % 4 == 0 && text[size + pads] == 0;
}

static bool file_exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    (void)fclose(file);
    return true;
}

static void read_secret(struct hf_reader *reader, uint32_t node, struct hf_config_target *target)
{
    const char *path = target->tsig_secret_file;
    if (target->type == HF_TARGET_KNOT && !file_exists(path)) {
        return; /* it is made with the private server */
    }
    struct hf_buf secret;
    hf_buf_init(&secret, HF_READER_LINE_MAX);
    if (hf_file_small(reader, node, path, &secret)) {
        (void)hf_file_note(reader, path);
        knot_tsig_key_t key;
        const char *text = hf_buf_text(&secret);
        if (!is_base64(text) ||
            (target->tsig_name != NULL &&
             hf_tsig_init(target->tsig_name, target->tsig_algorithm, text, &key) != HF_OK)) {
            /* Not shown: it may be most of a secret. */
            hf_problem(reader, node, "%s: found %s, expected the secret in base64 and nothing else",
                       path, secret.size == 0 ? "an empty file" : "something else");
        } else {
            if (target->tsig_name != NULL) {
                hf_tsig_release(&key);
            }
            target->tsig_secret = hf_pack_text(reader, text);
            if (secret.size < SECRET_SHORT) {
                hf_warning(reader, node, "%s: found a secret of less than 16 octets", path);
            }
        }
        if (target->tsig_secret != NULL && hf_file_is_public(path)) {
            hf_warning(reader, node,
                       "%s: found a secret that everybody may read, expected mode "
                       "0600 or 0640",
                       path);
        }
    }
    hf_buf_release(&secret);
}

static void read_tsig_name(struct hf_reader *reader, uint32_t node, struct hf_config_target *target)
{
    uint8_t wire[HF_NAME_MAX];
    const char *text = hf_read_text(reader, node, "the name of the key");
    if (text == NULL) {
        return;
    }
    if (hf_name_parse(text, wire) != HF_OK) {
        hf_expected(reader, node, "the name of the key, which is a domain name");
        return;
    }
    target->tsig_name = hf_pack_text(reader, text);
}

static void read_tsig(struct hf_reader *reader, uint32_t node, struct hf_config_target *target)
{
    uint32_t values[TSIG_COUNT];
    if (!hf_read_map(reader, node, tsig_keys, TSIG_COUNT, target, values)) {
        return;
    }
    target->tsig_algorithm = algorithms[0];
    if (values[TSIG_ALGORITHM] != 0) {
        hf_enter(reader, "algorithm");
        uint32_t word = hf_read_word(reader, values[TSIG_ALGORITHM], algorithms);
        target->tsig_algorithm = algorithms[word == UINT32_MAX ? 0 : word];
        if (word != UINT32_MAX && word >= 4) {
            hf_warning(reader, values[TSIG_ALGORITHM], "found %s, which is weak, expected %s",
                       algorithms[word], algorithms[0]);
        }
        hf_leave(reader);
    }
    if (values[TSIG_NAME] != 0) {
        hf_enter(reader, "name");
        read_tsig_name(reader, values[TSIG_NAME], target);
        hf_leave(reader);
    } else {
        hf_missing(reader, node, "name", "the key's name as the server knows it");
    }
    if (target->tsig_secret_file != NULL) {
        hf_enter(reader, "secret_file");
        read_secret(reader, values[TSIG_SECRET_FILE], target);
        hf_leave(reader);
    } else if (values[TSIG_SECRET_FILE] == 0 && target->type == HF_TARGET_RFC2136) {
        hf_missing(reader, node, "secret_file", "a file that holds the secret in base64");
    }
}

/* A private server always has a key: what is not written is made. */
static void default_knot_key(struct hf_reader *reader, const char *name,
                             struct hf_config_target *target)
{
    if (target->tsig_name == NULL) {
        target->tsig_name = "holdfast";
    }
    if (target->tsig_algorithm == NULL) {
        target->tsig_algorithm = algorithms[0];
    }
    if (target->tsig_secret_file == NULL) {
        const char *folder = reader->own->config.data_dir;
        struct hf_buf path;
        hf_buf_init(&path, HF_READER_LINE_MAX);
        size_t size = strlen(folder);
        hf_buf_printf(&path, "%s%stsig-%s.key", folder, folder[size - 1] == '/' ? "" : "/", name);
        target->tsig_secret_file = hf_pack_text(reader, hf_buf_text(&path));
        hf_buf_release(&path);
        read_secret(reader, 0, target);
    }
}

/* One map for each type says which keys have no meaning with it. */
static void refuse_keys(struct hf_reader *reader, const uint32_t *values, enum hf_target_type type)
{
    for (uint32_t i = 0; i < TARGET_COUNT; i++) {
        bool wrong =
            type == HF_TARGET_KNOT ? i == TARGET_SERVER : i == TARGET_LISTEN || i == TARGET_KNOTD;
        if (values[i] != 0 && wrong) {
            hf_enter(reader, target_keys[i].name);
            hf_problem(reader, values[i], "found a key that has no meaning with type %s%s",
                       types[type],
                       i == TARGET_KNOTD        ? ""
                       : type == HF_TARGET_KNOT ? ", expected listen"
                                                : ", expected server");
            hf_leave(reader);
        }
    }
}

static void check_server(struct hf_reader *reader, uint32_t node,
                         const struct hf_config_target *target)
{
    const struct hf_config_target *others = reader->own->targets.rows;
    const struct hf_place *places = reader->target_places.rows;
    for (uint32_t i = 0; i + 1 < reader->own->targets.count; i++) {
        if (others[i].host == NULL || others[i].port != target->port ||
            strcmp(others[i].host, target->host) != 0) {
            continue;
        }
        if (others[i].type == HF_TARGET_KNOT || target->type == HF_TARGET_KNOT) {
            hf_problem(reader, node,
                       "found the address of target \"%s\" (line %" PRIu32 "), expected another "
                       "one: a private server needs its own",
                       others[i].name, places[i].line);
        } else {
            hf_warning(reader, node,
                       "found the server of target \"%s\" (line %" PRIu32 "), expected one target "
                       "for each server: their windows add up",
                       others[i].name, places[i].line);
        }
        return;
    }
}

static void read_host(struct hf_reader *reader, uint32_t node, const uint32_t *values,
                      struct hf_config_target *target)
{
    bool is_knot = target->type == HF_TARGET_KNOT;
    const char *key = is_knot ? "listen" : "server";
    uint32_t value = values[is_knot ? TARGET_LISTEN : TARGET_SERVER];
    if (value == 0) {
        hf_missing(reader, node, key, "ADDRESS@PORT, such as 127.0.0.1@5300");
        return;
    }
    hf_enter(reader, key);
    if (hf_read_server(reader, value, &target->host, &target->port)) {
        check_server(reader, value, target);
    }
    hf_leave(reader);
}

static bool read_type(struct hf_reader *reader, uint32_t node, uint32_t value,
                      struct hf_config_target *target)
{
    if (value == 0) {
        hf_missing(reader, node, "type",
                   "rfc2136 (any server that takes UPDATE) or knot (a "
                   "private one that Holdfast runs)");
        return false;
    }
    hf_enter(reader, "type");
    uint32_t word = hf_read_word(reader, value, types);
    hf_leave(reader);
    if (word == UINT32_MAX) {
        return false;
    }
    target->type = (enum hf_target_type)word;
    return true;
}

static void read_target(struct hf_reader *reader, uint32_t node, struct hf_config_target *target)
{
    uint32_t values[TARGET_COUNT];
    if (!hf_read_map(reader, node, target_keys, TARGET_COUNT, target, values) ||
        !read_type(reader, node, values[TARGET_TYPE], target)) {
        return;
    }
    bool is_knot = target->type == HF_TARGET_KNOT;
    refuse_keys(reader, values, target->type);
    read_host(reader, node, values, target);
    if (values[TARGET_TSIG] != 0) {
        hf_enter(reader, "tsig");
        read_tsig(reader, values[TARGET_TSIG], target);
        hf_leave(reader);
    } else if (!is_knot) {
        hf_warning(reader, node,
                   "found no \"tsig\": anybody who can send from this address can "
                   "write the zones");
    }
    if (is_knot) {
        default_knot_key(reader, target->name, target);
    }
    if (is_knot && values[TARGET_TIMEOUT] != 0 && target->timeout_ms < KNOT_TIMEOUT_MIN_MS) {
        hf_enter(reader, "timeout");
        hf_expected(reader, values[TARGET_TIMEOUT],
                    "at least 2s with type knot: a commit of a large zone takes that long");
        hf_leave(reader);
    }
    target->knotd = target->knotd != NULL ? target->knotd : "knotd";
    target->audit_ms = target->audit_ms != 0 ? target->audit_ms : is_knot ? 1000 : 10000;
    uint16_t batch = is_knot ? KNOT_BATCH_DEFAULT : BATCH_DEFAULT;
    target->batch = target->batch != 0 ? target->batch : batch;
    target->window = target->window == 0 && is_knot ? KNOT_WINDOW_DEFAULT : target->window;
}

void hf_read_targets(struct hf_reader *reader, uint32_t node)
{
    if (hf_tree_at(reader->tree, node)->kind != HF_TREE_MAP || hf_first(reader, node) == 0) {
        hf_expected(reader, node, "a map of targets, such as { edge: { type: rfc2136, ... } }");
        return;
    }
    struct hf_config_own *own = reader->own;
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        const char *name = hf_read_name(reader, key, "the name of a target");
        if (name == NULL) {
            continue;
        }
        uint32_t first = hf_find_target(own, name);
        if (first != UINT32_MAX) {
            const struct hf_place *places = reader->target_places.rows;
            hf_problem(reader, key, "found the target \"%s\" twice, first in line %" PRIu32, name,
                       places[first].line);
            continue;
        }
        if (own->targets.count == HF_CONFIG_TARGETS_MAX) {
            hf_problem(reader, key, "found more than %d targets", HF_CONFIG_TARGETS_MAX);
            return;
        }
        struct hf_config_target *target = hf_rows_add(&own->targets);
        struct hf_place *place = hf_rows_add(&reader->target_places);
        *place = (struct hf_place){reader->file_row, hf_tree_at(reader->tree, key)->line};
        target->name = hf_pack_text(reader, name);
        target->timeout_ms = 5000;
        hf_index_add(&own->target_index, name, strlen(name), own->targets.count - 1);
        hf_enter(reader, target->name);
        read_target(reader, value, target);
        hf_leave(reader);
    }
}
