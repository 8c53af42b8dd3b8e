/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Config: what the operator wrote, read from YAML, checked in full, and kept as flat arrays.
 *
 * The reference of every key is docs/reference/configuration.md. Every problem is reported as
 * file:line:column, what was found and what was expected; reading goes on to report up to
 * HF_CONFIG_PROBLEMS_MAX of them. Fleets live in JSON Lines files (backends_file,
 * endpoints_file), which are streamed line by line and never held as a tree.
 * Everything hangs in the configuration's arena: hf_config_free frees all of it.
 * Rows refer to each other by number: an endpoint names its zone, policy and pools by index.
 * Endpoints share policies and runs of endpoint_pools that are alike. The struct is the head of a
 * larger one: only hf_config_read makes it, and it is never copied.
 */
#ifndef HF_CODEC_CONFIG_H
#define HF_CODEC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "codec/notify.h"
#include "core/health.h"

enum {
    HF_CONFIG_PROBLEMS_MAX = 20,
    HF_CONFIG_TARGETS_MAX = 64,
    HF_CONFIG_ZONES_MAX = 4096,
    HF_CONFIG_POOLS_MAX = 1000000,
    HF_CONFIG_BACKENDS_MAX = 10000000,
    HF_CONFIG_ENDPOINTS_MAX = 10000000,
    HF_CONFIG_POOL_MEMBERS_MAX = 100000, /* backends in one pool */
    HF_CONFIG_ENDPOINT_POOLS_MAX = 16,   /* pools of one endpoint */
    HF_CONFIG_NAME_MAX = 63,             /* of targets, pools, backends, sites */
    HF_CONFIG_ENACTORS_MAX = 16,
    HF_CONFIG_SERVICES_MAX = 1000,
    HF_CONFIG_SERVICE_ENDPOINTS_MAX = 10000, /* of one service */
    HF_CONFIG_DEPENDENTS_MAX = 1000,
    HF_CONFIG_TITLE_MAX = 100,        /* octets, as of services */
    HF_CONFIG_DESCRIPTION_MAX = 1000, /* octets */
};

enum hf_target_type {
    HF_TARGET_RFC2136, /* any server that takes UPDATE and AXFR */
    HF_TARGET_KNOT,    /* a private knotd that Holdfast runs */
};

struct hf_config_target {
    const char *name;
    enum hf_target_type type;
    const char *host;      /* numeric address to speak to, or to listen on */
    uint16_t port;         /* default 53 */
    const char *tsig_name; /* NULL: no TSIG (warned about); knot: default "holdfast" */
    const char *tsig_algorithm;
    const char *tsig_secret_file; /* path; knot: default DATA_DIR/tsig-NAME.key */
    const char *tsig_secret;      /* base64, read from the file; NULL for knot until it is made */
    const char *knotd;            /* knot: program, default "knotd" found in PATH and sbin */
    uint32_t timeout_ms;          /* one request; default 5s, at least 2s for knot */
    uint32_t audit_ms;            /* between drift audits; default 10s, knot 1s */
    uint16_t batch;               /* endpoints in a message; default 100, knot 200 */
    uint16_t window; /* messages in flight per zone; default knot 64, else 32 for all, at most 8 */
};

struct hf_config_zone {
    const char *name;    /* text, lower case, final dot */
    const uint8_t *apex; /* wire */
    uint32_t target;
};

enum hf_check_type {
    HF_CHECK_NONE, /* always up */
    HF_CHECK_TCP,
    HF_CHECK_HTTP,
    HF_CHECK_HTTPS,
    HF_CHECK_FILE, /* state written by another tool */
};

struct hf_config_status_range {
    uint16_t low, high; /* inclusive */
};

struct hf_config_check {
    enum hf_check_type type;
    uint16_t port;
    const char *path; /* http: request target, default "/"; file: path of the state file */
    const char *host; /* http: Host header and SNI; default the backend's address */
    const char *body; /* http: PCRE2 expression the body must match, or NULL */
    const struct hf_config_status_range *statuses; /* default 200-299 */
    uint32_t status_count;
    bool verify;                    /* https: default true */
    const char *ca_file;            /* https: instead of the system's, or NULL */
    bool reuse;                     /* http: keep the connection between checks; default false */
    uint32_t resume_ms;             /* https: a full handshake at least this often, default 60s */
    uint32_t interval_ms;           /* default 2s */
    uint32_t timeout_ms;            /* default 1s, below interval */
    uint32_t stale_ms;              /* file: older state is no statement; default 60s */
    struct hf_health_policy health; /* rise 3, fall 2, hold_down 10s to 5m, flap window 5m */
};

struct hf_config_pool {
    const char *name;
    struct hf_config_check check;
    uint32_t backend_first; /* its backends are a run of hf_config.backends */
    uint32_t backend_count;
};

struct hf_config_backend {
    const char *name;  /* unique in the whole configuration */
    uint32_t weight;   /* 0..65535, default 1; 0: never picked while others can be */
    uint32_t capacity; /* 1..1000000, default 1: what the guards count */
    uint32_t site;     /* index into sites */
    uint16_t port;     /* 0: the check's */
    bool has_a, has_aaaa;
    uint8_t a[4];
    uint8_t aaaa[16];
    uint32_t pool;
};

/* Many endpoints share one policy: what is written at an endpoint or inherited from defaults. */
struct hf_config_policy {
    uint32_t ttl_s;                /* default 30 */
    uint16_t answers_max;          /* 1..100, default: as many as there are, at most 100 */
    uint32_t min_healthy;          /* default 1 */
    uint16_t max_removal_permille; /* default 500 */
    uint32_t max_removal_ms;       /* window, default 60s */
};

struct hf_config_endpoint {
    const uint8_t *owner; /* wire, lower case */
    uint32_t zone;
    uint32_t policy;
    uint32_t pool_first; /* run of endpoint_pools: indexes of pools */
    uint32_t pool_count;
};

/* Who is told of incidents. */
struct hf_config_receiver {
    const char *name;
    enum hf_notify_type type;
    const char *url;           /* alertmanager: its root; webhook: what is posted to */
    const char *secret_file;   /* webhook */
    const char *secret;        /* what messages are signed with, read from the file */
    const char *token_file;    /* or NULL */
    const char *token;         /* sent as bearer token, or NULL */
    const char *ca_file;       /* instead of the system's, or NULL */
    enum hf_severity severity; /* the least that it is told; default warning */
    uint32_t timeout_ms;       /* for one message, default 10s */
    uint32_t repeat_ms;        /* alertmanager: what is open is sent again, default 1m */
};

/* Who is answered over HTTP. */
struct hf_config_api {
    const char *listen;      /* ADDRESS@PORT, default 127.0.0.1@8053; NULL: nowhere */
    const char *socket_path; /* default DATA_DIR/api.sock; NULL: none */
    const char *tokens_path; /* default DATA_DIR/api.tokens, which is made where it is missing */
    bool tokens_are_default;
    const char *certificate_path, *key_path; /* NULL: no TLS */
    const char *const *names;                /* of the host, beside addresses */
    uint32_t name_count;
    bool is_loopback;     /* listen is */
    bool backend_metrics; /* series for each backend, default false */
};

/* What customers know by name. */
struct hf_config_service {
    const char *name;
    const char *title;       /* default: the name */
    const char *description; /* or "" */
    uint32_t endpoint_first; /* run of service_endpoints: indexes of endpoints */
    uint32_t endpoint_count;
};

/* Who depends on services. */
struct hf_config_dependent {
    const char *name;
    const char *title;       /* default: the name */
    const char *criticality; /* "low", "normal" (default), "high", "critical" */
    uint32_t tolerated_ms;   /* default by criticality: 1h, 15m, 5m, 1m */
    uint32_t service_first;  /* run of dependent_services: indexes of services */
    uint32_t service_count;
};

struct hf_config_statuspage {
    const char *out;   /* folder, or NULL: none is kept up to date */
    const char *title; /* default: the installation */
    const char *url;   /* where the public finds it, with a final slash, or NULL */
};

struct hf_config {
    const char *path;         /* of the file, as given */
    const char *installation; /* owner of every fence */
    const char *store_path;   /* of sqlite:… */
    const char *data_dir;     /* private knotd and run files; default: folder of the store */
    struct hf_config_api api;
    uint32_t enactor_count;        /* run: { enactors: 3 } */
    uint32_t retention_ms;         /* janitor: unreachable plans are kept this long, default 1h */
    uint32_t tombstone_ms;         /* janitor: tombstones are kept this long, default 1h */
    uint32_t janitor_ms;           /* janitor: interval, default 60s */
    uint16_t max_changed_permille; /* guard: of all endpoints per window; 1000 (default): all */
    uint32_t max_changed_ms;
    const char *log_format; /* "auto" (default), "logfmt" or "json": as --log-format */
    const char *alerts_url; /* alerts: where people look, or NULL */
    uint32_t receiver_count;
    struct hf_config_receiver receivers[HF_NOTIFY_RECEIVERS_MAX];
    uint32_t incident_hold_ms; /* incidents: { close_after: 30s } */
    struct hf_config_statuspage statuspage;
    const struct hf_config_target *targets;
    const struct hf_config_zone *zones;
    const struct hf_config_pool *pools;
    const struct hf_config_backend *backends;
    const struct hf_config_policy *policies;
    const struct hf_config_endpoint *endpoints;
    const uint32_t *endpoint_pools;
    const char *const *sites;
    const struct hf_config_service *services;
    const uint32_t *service_endpoints;
    const struct hf_config_dependent *dependents;
    const uint32_t *dependent_services;
    uint32_t target_count, zone_count, pool_count, backend_count, policy_count, endpoint_count;
    uint32_t endpoint_pool_count, site_count, service_count, dependent_count;
    const char *const *files; /* every file that was read: what a reload watches */
    uint32_t file_count;
    bool is_zones_only; /* hf_config_read_zones read it */
    struct hf_arena arena;
};

/*
 * Reads and checks path. On failure (HF_EMALF wrong, HF_ENOENT no such file, HF_ELIMIT too big)
 * ret_config stays untouched and problems holds one line per problem:
 *   FILE:LINE:COLUMN: KEY: found X, expected Y
 * Warnings go to problems as well, with "warning: " after the position, and do not fail.
 * Lines are in the order of the files that were read, and in each from the top; the last line may
 * be "stopped after N problems". problems needs a cap of at least 64 KiB to hold all of them.
 */
int hf_config_read(const char *path, struct hf_config **ret_config, struct hf_buf *problems);
/*
 * The same without the fleet: defaults, pools and endpoints are neither read nor checked, and their
 * files are not opened. For who only writes what is planned: a million endpoints would cost it 50
 * octets and a microsecond each, and a typing error among them would stop it for nothing.
 */
int hf_config_read_zones(const char *path, struct hf_config **ret_config, struct hf_buf *problems);
/* Reads the file of a configuration anew, and as much of it as before. */
int hf_config_read_again(const struct hf_config *config, struct hf_config **ret_config,
                         struct hf_buf *problems);
/* The same as hf_config_read for text in memory; name stands for the path in positions and relative
 * paths. */
int hf_config_read_text(const char *text, size_t size, const char *name,
                        struct hf_config **ret_config, struct hf_buf *problems);
void hf_config_free(struct hf_config *config);

/* Index of the row with this name (text as written in the configuration), or UINT32_MAX. */
uint32_t hf_config_find_target(const struct hf_config *config, const char *name);
uint32_t hf_config_find_pool(const struct hf_config *config, const char *name);
uint32_t hf_config_find_zone(const struct hf_config *config, const char *name);
/* The zone that an owner belongs to: the longest that it is within; UINT32_MAX: none. */
uint32_t hf_config_zone_of(const struct hf_config *config, const uint8_t *owner);
uint32_t hf_config_find_backend(const struct hf_config *config, const char *name);
uint32_t hf_config_find_endpoint(const struct hf_config *config, const uint8_t *owner);
uint32_t hf_config_find_site(const struct hf_config *config, const char *name);

#endif
