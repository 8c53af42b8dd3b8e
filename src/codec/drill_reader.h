/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill reader: what the files drill_*.c share while a scenario is read. Not for others.
 *
 * A part's keys are a table: what YAML calls it, what the engine calls it, where it is in the
 * struct and of which kind. The same table says where a problem of hf_drill_check was written.
 */
#ifndef HF_CODEC_DRILL_READER_H
#define HF_CODEC_DRILL_READER_H

#include "codec/config_merge.h"
#include "codec/config_reader.h"
#include "codec/drill_file.h"
#include "codec/quantity.h"

enum hf_drill_field_kind {
    HF_FIELD_NODE, /* the caller reads it */
    HF_FIELD_US,   /* uint64_t, a duration */
    HF_FIELD_S,    /* uint32_t, a duration of whole seconds */
    HF_FIELD_U16,  /* a count, as the following */
    HF_FIELD_U32,
    HF_FIELD_U64,
    HF_FIELD_FOREVER, /* uint32_t, a count or "forever" */
    HF_FIELD_RATE,    /* double, as the following */
    HF_FIELD_SHARE,
    HF_FIELD_RATIO,
    HF_FIELD_BOOL,
    HF_FIELD_WORD, /* uint8_t: which of words */
    HF_FIELD_DIST,
    HF_FIELD_REF, /* uint16_t: a part of the kind of ref */
};

struct hf_drill_field {
    const char *key;
    const char *field; /* the engine's name for it */
    size_t offset;
    enum hf_drill_field_kind kind;
    bool is_scaled; /* grows with the fleet */
    enum hf_drill_part ref;
    const char *const *words;
    const struct hf_drill_table *inner; /* of a NODE that is a map with a struct of its own */
};

struct hf_drill_table {
    const struct hf_drill_field *fields;
    uint32_t count;
};

extern const struct hf_drill_table hf_drill_root_table, hf_drill_name_table,
    hf_drill_resolver_table, hf_drill_client_table, hf_drill_service_table, hf_drill_manager_table,
    hf_drill_fleet_table, hf_drill_call_table, hf_drill_renew_table, hf_drill_rule_table;
extern const char *const hf_drill_answer_words[], *const hf_drill_queue_words[];

/* A section of the file: a map of parts of one kind. */
struct hf_drill_section {
    const char *key;  /* "services" */
    const char *word; /* "service" */
    enum hf_drill_part part;
    const struct hf_drill_table *table;
    size_t offset, size, count_offset; /* of its array in the scenario */
    uint32_t max;
};
enum { HF_DRILL_SECTIONS = 6 };
extern const struct hf_drill_section hf_drill_sections[HF_DRILL_SECTIONS];
/* The section of a kind of part, or NULL. */
const struct hf_drill_section *hf_drill_section_of(enum hf_drill_part part);

enum { HF_DRILL_PARTS = HF_DRILL_PART_RULE + 1, HF_DRILL_OF_KIND_MAX = 128 };

struct hf_drill_reading {
    struct hf_reader *reader;
    struct hf_tree *tree;
    struct hf_drill_file *file;
    double scale;
    uint32_t root;
    uint32_t nodes[HF_DRILL_PARTS][HF_DRILL_OF_KIND_MAX]; /* where each part is written */
};

/* --- drill_value.c --- */

/* The map at node into row; ret_nodes (count of the table) says where each key's value is. */
bool hf_drill_read_row(struct hf_drill_reading *reading, uint32_t node,
                       const struct hf_drill_table *table, void *row, uint32_t *ret_nodes);
/* The quantity at node; a problem and false. */
bool hf_drill_read_quantity(struct hf_drill_reading *reading, uint32_t node, enum hf_quantity kind,
                            double *ret_value);
/* A count, as 32 bits hold it; scaled counts are at least 1 unless they are 0. */
bool hf_drill_read_count(struct hf_drill_reading *reading, uint32_t node, bool is_scaled,
                         double max, double *ret_value);
/* The part of a kind with the name at node; HF_DRILL_NONE after a problem. */
uint16_t hf_drill_read_ref(struct hf_drill_reading *reading, uint32_t node,
                           enum hf_drill_part part);
bool hf_drill_read_bool(struct hf_drill_reading *reading, uint32_t node, bool *ret_value);

/* --- drill_part.c --- */

/* The labels of all parts, so that they can name each other, and then the parts. */
void hf_drill_read_labels(struct hf_drill_reading *reading);
void hf_drill_read_parts(struct hf_drill_reading *reading);

/* --- drill_action.c --- */

void hf_drill_read_actions(struct hf_drill_reading *reading, uint32_t node);
void hf_drill_read_rules(struct hf_drill_reading *reading, uint32_t node);

#endif
