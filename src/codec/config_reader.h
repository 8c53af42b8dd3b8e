/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Config reader: what the files config_*.c share while a configuration is read, and drill_*.c while
 * a scenario is. Not for others.
 *
 * Rows are kept in vectors that grow; the public struct points into them when all is read. A
 * function that finds something wrong reports it and goes on with the default, so that one run
 * shows every problem; after HF_CONFIG_PROBLEMS_MAX of them the reader stops.
 */
#ifndef HF_CODEC_CONFIG_READER_H
#define HF_CODEC_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/index.h"
#include "codec/config.h"
#include "codec/config_tree.h"
#include "codec/name.h"

enum {
    HF_READER_LINES_MAX = 2 * HF_CONFIG_PROBLEMS_MAX, /* problems and warnings */
    HF_READER_PATH_MAX = 8,                           /* keys inside each other */
    HF_READER_KEYS_MAX = 48,                          /* keys of one map */
    HF_READER_FILE_MAX = 64 << 20,                    /* octets of the YAML file */
    HF_READER_LINE_MAX = 256 << 10,                   /* octets of a line of JSON Lines */
};

/* A vector of rows of one size. */
struct hf_rows {
    void *rows;
    uint32_t count;
    uint32_t room;
    uint32_t row_size;
};

/* A zeroed row at the end. Aborts when memory ends; the caller keeps to the limits. */
void *hf_rows_add(struct hf_rows *rows);
/* Gives back the room that is not used. */
void hf_rows_trim(struct hf_rows *rows);

/* What hf_config is the head of. */
struct hf_config_own {
    struct hf_config config;
    struct hf_rows targets, zones, pools, backends, policies, endpoints, endpoint_pools;
    struct hf_rows sites, files;
    struct hf_rows services, service_endpoints, dependents, dependent_services;
    struct hf_index target_index, zone_index, pool_index, backend_index, endpoint_index;
    struct hf_index site_index;
};

/* Where a row was written, to name the first of two. */
struct hf_place {
    uint32_t file; /* index into files */
    uint32_t line;
};

/* What the reader needs of a pool beside its row. */
struct hf_pool_note {
    uint32_t a_count, aaaa_count; /* different addresses */
    bool broken;                  /* had problems: the rest of it says little */
};

/* A run of endpoint_pools that endpoints share. */
struct hf_pool_list {
    uint32_t first, count;
};

/* One line of what is reported. */
struct hf_reader_line {
    uint32_t file, line, column;
    size_t text, size; /* in texts */
};

struct hf_reader {
    struct hf_config_own *own; /* of a configuration, else NULL */
    struct hf_arena *arena;    /* of what is kept */
    struct hf_rows *files;     /* paths of all files that were read */
    struct hf_buf *problems;   /* filled by hf_problems_end */
    struct hf_buf texts;
    struct hf_reader_line lines[HF_READER_LINES_MAX]; /* in the order of their positions */
    uint32_t line_count;
    uint32_t error_count;
    uint32_t warning_count;
    bool stopped;
    int error;          /* HF_OK until the first problem */
    const char *folder; /* of the YAML file, with a final slash, or "" */
    const char *file;   /* that is being read */
    uint32_t file_row;
    const struct hf_tree *tree; /* of the file, or of the line */
    const char *path[HF_READER_PATH_MAX];
    uint32_t depth;
    struct hf_config_policy defaults; /* answers_max 0: as many as there are */
    struct hf_rows target_places, zone_places, pool_places, backend_places, endpoint_places;
    struct hf_rows pool_notes;
    struct hf_rows pool_lists;
    struct hf_index policy_index, list_index;
    char *text_chunk; /* small texts are packed */
    size_t text_left;
};

/* Problems (config_problem.c). node 0: the file as a whole. */
void hf_problem(struct hf_reader *reader, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void hf_warning(struct hf_reader *reader, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same at a position. */
void hf_problem_at(struct hf_reader *reader, uint32_t line, uint32_t column, const char *text);
/* "found (what is at node), expected (expected)". */
void hf_expected(struct hf_reader *reader, uint32_t node, const char *expected);
/* Writes what was reported in the order of the files' lines. */
void hf_problems_end(struct hf_reader *reader);
void hf_reader_fail(struct hf_reader *reader, int error);
/* Keys that lead to what is read next; text must stay valid until leave. */
void hf_enter(struct hf_reader *reader, const char *key);
void hf_leave(struct hf_reader *reader);

enum { HF_SHOWN_MAX = 96 };
/* What is at node, in a few words and safe to print. */
const char *hf_shown(const struct hf_reader *reader, uint32_t node, char ret_text[HF_SHOWN_MAX]);

/* "" or ", did you mean "NAME"?" for the candidate that is nearest to text. */
struct hf_nearest {
    const char *text;
    const char *best;
    uint32_t distance;
};
void hf_nearest_try(struct hf_nearest *nearest, const char *candidate);
const char *hf_nearest_hint(const struct hf_nearest *nearest, char ret_text[HF_SHOWN_MAX]);

/* Maps and scalars (config_value.c). */
enum hf_key_kind {
    HF_KEY_NODE,     /* the caller reads it */
    HF_KEY_TEXT,     /* const char *, not empty */
    HF_KEY_PATH,     /* const char *, resolved against the configuration's folder */
    HF_KEY_U16,      /* uint16_t from low to high */
    HF_KEY_U32,      /* uint32_t from low to high */
    HF_KEY_BOOL,     /* bool */
    HF_KEY_DURATION, /* uint32_t milliseconds from low to high */
};

struct hf_key {
    const char *name;
    enum hf_key_kind kind;
    size_t offset; /* in the row */
    uint32_t low, high;
};

/*
 * Reads the map at node: known keys into row, the nodes of their values into ret_values (0 where
 * the key is absent). False when node is no map; wrong values are reported and leave row as is.
 */
bool hf_read_map(struct hf_reader *reader, uint32_t node, const struct hf_key *keys,
                 uint32_t key_count, void *row, uint32_t *ret_values);
/* Reports that a required key is missing from the map at node. */
void hf_missing(struct hf_reader *reader, uint32_t node, const char *key, const char *example);

bool hf_read_number(struct hf_reader *reader, uint32_t node, uint32_t low, uint32_t high,
                    uint32_t *ret_value);
bool hf_read_duration(struct hf_reader *reader, uint32_t node, uint32_t low_ms, uint32_t high_ms,
                      uint32_t *ret_ms);
bool hf_read_rate(struct hf_reader *reader, uint32_t node, uint16_t *ret_permille,
                  uint32_t *ret_window_ms);
/* The text of a scalar that is there and not empty, else a problem and NULL. */
const char *hf_read_text(struct hf_reader *reader, uint32_t node, const char *expected);
/* Names of targets, pools, backends and sites: letters, digits and inner . _ - */
const char *hf_read_name(struct hf_reader *reader, uint32_t node, const char *expected);
bool hf_name_is_plain(const char *text);
/* One of words, NULL-terminated; its number, or UINT32_MAX and a problem. */
uint32_t hf_read_word(struct hf_reader *reader, uint32_t node, const char *const *words);
/* The next child of a list, or of a map the next key; 0 at the end. */
uint32_t hf_first(const struct hf_reader *reader, uint32_t node);
uint32_t hf_next(const struct hf_reader *reader, uint32_t node);

/* Memory and files (config_file.c). */
/* name is the path in positions; its folder is what relative paths begin at. */
void hf_reader_begin(struct hf_reader *reader, struct hf_arena *arena, struct hf_rows *files,
                     const char *name, struct hf_buf *problems);
/* Parses the file's text into tree and makes it the reader's. False after a problem. */
bool hf_reader_parse(struct hf_reader *reader, struct hf_tree *tree, const char *text, size_t size,
                     const char *advice);
void hf_reader_end(struct hf_reader *reader);
/* A whole file into buf; advice: what to do about one that is too big. HF_ENOENT, HF_EMALF, or
 * HF_ELIMIT after a problem. */
int hf_read_whole(const char *path, const char *advice, struct hf_buf *buf,
                  struct hf_buf *problems);
char *hf_pack(struct hf_reader *reader, const void *bytes, size_t size);
char *hf_pack_text(struct hf_reader *reader, const char *text);
const char *hf_resolve(struct hf_reader *reader, const char *path);
/* Remembers that the configuration consists of this file too; its row. */
uint32_t hf_file_note(struct hf_reader *reader, const char *path);
/* Opens a regular file; a problem at node and NULL when that is not possible. */
FILE *hf_file_open(struct hf_reader *reader, uint32_t node, const char *path);
/* True when others than owner and group may read path. */
bool hf_file_is_public(const char *path);
/* The whole of a small file, without space at both ends; a problem at node and false. */
bool hf_file_small(struct hf_reader *reader, uint32_t node, const char *path, struct hf_buf *buf);

/* JSON Lines (config_lines.c): calls read_row with reader->tree at each line's object. */
typedef void hf_row_read(struct hf_reader *reader, uint32_t node, void *context);
void hf_read_lines(struct hf_reader *reader, uint32_t node, const char *path, hf_row_read *read_row,
                   void *context);

/* The parts of the file, each at its node. */
/* node 0: nothing is said of it. */
void hf_read_api(struct hf_reader *reader, uint32_t node);
void hf_read_targets(struct hf_reader *reader, uint32_t node);
void hf_read_zones(struct hf_reader *reader, uint32_t node);
void hf_read_pools(struct hf_reader *reader, uint32_t node);
void hf_read_check(struct hf_reader *reader, uint32_t node, struct hf_config_check *ret_check);
void hf_read_backends(struct hf_reader *reader, uint32_t pool, uint32_t list_node,
                      uint32_t file_node);
void hf_read_endpoints(struct hf_reader *reader, uint32_t node);
void hf_read_endpoints_file(struct hf_reader *reader, uint32_t node);
void hf_read_defaults(struct hf_reader *reader, uint32_t node);
void hf_read_alerts(struct hf_reader *reader, uint32_t node);
void hf_read_log(struct hf_reader *reader, uint32_t node);
/* config_service.c */
void hf_read_services(struct hf_reader *reader, uint32_t node);
void hf_read_dependents(struct hf_reader *reader, uint32_t node);
void hf_read_statuspage(struct hf_reader *reader, uint32_t node);
void hf_read_incidents(struct hf_reader *reader, uint32_t node);
/* The wire form of a zone's or an endpoint's name; a problem at node and false. */
bool hf_read_domain(struct hf_reader *reader, uint32_t node, const char *expected,
                    uint8_t ret_wire[HF_NAME_MAX]);
/* A numeric address into one of the two. */
bool hf_read_address(const char *text, uint8_t ret_a[4], uint8_t ret_aaaa[16], bool *ret_is_ipv6);
/* ADDR@PORT; a problem at node and false. */
bool hf_read_server(struct hf_reader *reader, uint32_t node, const char **ret_host,
                    uint16_t *ret_port);

/* Rows by name (config_find.c). */
uint32_t hf_find_target(const struct hf_config_own *own, const char *name);
uint32_t hf_find_pool(const struct hf_config_own *own, const char *name);
uint32_t hf_find_zone_wire(const struct hf_config_own *own, const uint8_t *apex);
/* The longest zone that owner is in, or UINT32_MAX. */
uint32_t hf_find_zone_of(const struct hf_config_own *own, const uint8_t *owner);

#endif
