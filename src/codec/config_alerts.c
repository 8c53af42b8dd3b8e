/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receivers of alerts in a configuration, with their secrets.
 */
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"

enum {
    URL_MAX = 1024,
    DEFAULT_TIMEOUT_MS = 10000,
    DEFAULT_REPEAT_MS = 60000,
    REPEAT_MAX_MS = 3600000,
};

enum receiver_key {
    RECEIVER_TYPE,
    RECEIVER_URL,
    RECEIVER_SECRET_FILE,
    RECEIVER_TOKEN_FILE,
    RECEIVER_CA_FILE,
    RECEIVER_SEVERITY,
    RECEIVER_TIMEOUT,
    RECEIVER_REPEAT,
    RECEIVER_COUNT
};

static const struct hf_key receiver_keys[RECEIVER_COUNT] = {
    [RECEIVER_TYPE] = {"type", HF_KEY_NODE, 0, 0, 0},
    [RECEIVER_URL] = {"url", HF_KEY_NODE, 0, 0, 0},
    [RECEIVER_SECRET_FILE] = {"secret_file", HF_KEY_PATH,
                              offsetof(struct hf_config_receiver, secret_file), 0, 0},
    [RECEIVER_TOKEN_FILE] = {"token_file", HF_KEY_PATH,
                             offsetof(struct hf_config_receiver, token_file), 0, 0},
    [RECEIVER_CA_FILE] = {"ca_file", HF_KEY_PATH, offsetof(struct hf_config_receiver, ca_file), 0,
                          0},
    [RECEIVER_SEVERITY] = {"severity", HF_KEY_NODE, 0, 0, 0},
    [RECEIVER_TIMEOUT] = {"timeout", HF_KEY_DURATION,
                          offsetof(struct hf_config_receiver, timeout_ms), 100, 60000},
    [RECEIVER_REPEAT] = {"repeat", HF_KEY_DURATION, offsetof(struct hf_config_receiver, repeat_ms),
                         1000, REPEAT_MAX_MS},
};

enum alerts_key { ALERTS_URL, ALERTS_RECEIVERS, ALERTS_COUNT };

static const struct hf_key alerts_keys[ALERTS_COUNT] = {
    [ALERTS_URL] = {"url", HF_KEY_NODE, 0, 0, 0},
    [ALERTS_RECEIVERS] = {"receivers", HF_KEY_NODE, 0, 0, 0},
};

static const char *const types[] = {"alertmanager", "webhook", NULL};
static const char *const severities[] = {"critical", "warning", "notice", NULL};

/* What libcurl will parse again; here it is to be said where it is wrong. */
static const char *read_url(struct hf_reader *reader, uint32_t node)
{
    static const char expected[] = "http://HOST… or https://HOST…";
    const char *text = hf_read_text(reader, node, expected);
    if (text == NULL) {
        return NULL;
    }
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;
    size_t host = strcspn(text + scheme, "/?#");
    if (scheme == 0 || host == 0 || strlen(text) > URL_MAX) {
        hf_expected(reader, node, expected);
        return NULL;
    }
    for (const char *at = text; *at != 0; at++) {
        if (*at <= ' ' || *at >= 0x7f || strchr("\"<>\\^`{|}", *at) != NULL) {
            hf_expected(reader, node, "a URL without spaces and other unusual characters");
            return NULL;
        }
    }
    if (memchr(text + scheme, '@', host) != NULL) {
        /* Not shown: it may hold a password. */
        hf_problem(reader, node,
                   "found a user in the URL, expected none: logs would show it; use "
                   "token_file");
        return NULL;
    }
    return hf_pack_text(reader, text);
}

/* A secret in one line of a file of its own; NULL after a problem. */
static const char *read_secret(struct hf_reader *reader, uint32_t node, const char *path)
{
    const char *secret = NULL;
    struct hf_buf text;
    hf_buf_init(&text, HF_READER_LINE_MAX);
    if (hf_file_small(reader, node, path, &text)) {
        (void)hf_file_note(reader, path);
        if (text.size < HF_NOTIFY_SECRET_MIN || strpbrk(hf_buf_text(&text), "\r\n") != NULL ||
            strlen(hf_buf_text(&text)) != text.size) {
            hf_problem(reader, node, "%s: found %s, expected one line of at least %d octets", path,
                       text.size == 0 ? "an empty file" : "something else", HF_NOTIFY_SECRET_MIN);
        } else {
            secret = hf_pack_text(reader, hf_buf_text(&text));
        }
        if (hf_file_is_public(path)) {
            hf_warning(reader, node,
                       "%s: found a secret that everybody may read, expected mode 0600 or 0640",
                       path);
        }
    }
    hf_buf_release(&text);
    return secret;
}

static void read_secrets(struct hf_reader *reader, uint32_t node, const uint32_t *values,
                         struct hf_config_receiver *receiver)
{
    bool is_webhook = receiver->type == HF_NOTIFY_WEBHOOK;
    if (receiver->secret_file != NULL && is_webhook) {
        hf_enter(reader, "secret_file");
        receiver->secret = read_secret(reader, values[RECEIVER_SECRET_FILE], receiver->secret_file);
        hf_leave(reader);
    } else if (values[RECEIVER_SECRET_FILE] == 0 && is_webhook) {
        hf_missing(reader, node, "secret_file",
                   "a file with the secret that messages are signed "
                   "with");
    }
    if (receiver->token_file != NULL) {
        hf_enter(reader, "token_file");
        receiver->token = read_secret(reader, values[RECEIVER_TOKEN_FILE], receiver->token_file);
        hf_leave(reader);
    }
    if (receiver->ca_file != NULL) {
        hf_enter(reader, "ca_file");
        FILE *file = hf_file_open(reader, values[RECEIVER_CA_FILE], receiver->ca_file);
        if (file != NULL) {
            (void)fclose(file);
        }
        hf_leave(reader);
    }
}

static void refuse_key(struct hf_reader *reader, const uint32_t *values, enum receiver_key key,
                       enum hf_notify_type type)
{
    if (values[key] != 0) {
        hf_enter(reader, receiver_keys[key].name);
        hf_problem(reader, values[key], "found a key that has no meaning with type %s",
                   types[type]);
        hf_leave(reader);
    }
}

static uint32_t read_word(struct hf_reader *reader, uint32_t node, const char *key,
                          const char *const *words)
{
    hf_enter(reader, key);
    uint32_t word = hf_read_word(reader, node, words);
    hf_leave(reader);
    return word;
}

static void read_receiver(struct hf_reader *reader, uint32_t node,
                          struct hf_config_receiver *receiver)
{
    uint32_t values[RECEIVER_COUNT];
    receiver->timeout_ms = DEFAULT_TIMEOUT_MS;
    receiver->repeat_ms = DEFAULT_REPEAT_MS;
    receiver->severity = HF_SEVERITY_WARNING;
    if (!hf_read_map(reader, node, receiver_keys, RECEIVER_COUNT, receiver, values)) {
        return;
    }
    if (values[RECEIVER_TYPE] == 0) {
        hf_missing(reader, node, "type", "alertmanager or webhook");
        return;
    }
    uint32_t type = read_word(reader, values[RECEIVER_TYPE], "type", types);
    if (type == UINT32_MAX) {
        return;
    }
    receiver->type = (enum hf_notify_type)type;
    refuse_key(reader, values,
               receiver->type == HF_NOTIFY_WEBHOOK ? RECEIVER_REPEAT : RECEIVER_SECRET_FILE,
               receiver->type);
    if (values[RECEIVER_SEVERITY] != 0) {
        uint32_t word = read_word(reader, values[RECEIVER_SEVERITY], "severity", severities);
        receiver->severity = word == UINT32_MAX ? HF_SEVERITY_WARNING : (enum hf_severity)word;
    }
    if (values[RECEIVER_URL] != 0) {
        hf_enter(reader, "url");
        receiver->url = read_url(reader, values[RECEIVER_URL]);
        hf_leave(reader);
    } else {
        hf_missing(reader, node, "url", "http://HOST… or https://HOST…");
    }
    read_secrets(reader, node, values, receiver);
}

static void read_receivers(struct hf_reader *reader, uint32_t node)
{
    struct hf_config *config = &reader->own->config;
    if (hf_tree_at(reader->tree, node)->kind != HF_TREE_MAP) {
        hf_expected(reader, node, "a map of receivers, such as { pager: { type: webhook, ... } }");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        const char *name = hf_read_name(reader, key, "the name of a receiver");
        if (name == NULL) {
            continue;
        }
        if (config->receiver_count == HF_NOTIFY_RECEIVERS_MAX) {
            hf_problem(reader, key, "found more than %d receivers", HF_NOTIFY_RECEIVERS_MAX);
            return;
        }
        struct hf_config_receiver *receiver = &config->receivers[config->receiver_count];
        for (uint32_t i = 0; i < config->receiver_count; i++) {
            if (strcmp(config->receivers[i].name, name) == 0) {
                hf_problem(reader, key, "found the receiver \"%s\" twice", name);
            }
        }
        receiver->name = hf_pack_text(reader, name);
        config->receiver_count++;
        hf_enter(reader, receiver->name);
        read_receiver(reader, value, receiver);
        hf_leave(reader);
    }
}

void hf_read_alerts(struct hf_reader *reader, uint32_t node)
{
    uint32_t values[ALERTS_COUNT];
    if (!hf_read_map(reader, node, alerts_keys, ALERTS_COUNT, NULL, values)) {
        return;
    }
    if (values[ALERTS_URL] != 0) {
        hf_enter(reader, "url");
        reader->own->config.alerts_url = read_url(reader, values[ALERTS_URL]);
        hf_leave(reader);
    }
    if (values[ALERTS_RECEIVERS] != 0) {
        hf_enter(reader, "receivers");
        read_receivers(reader, values[ALERTS_RECEIVERS]);
        hf_leave(reader);
    } else {
        hf_missing(reader, node, "receivers", "who is told of incidents");
    }
}
