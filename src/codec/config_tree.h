/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Config tree: what YAML and JSON Lines have in common, as flat nodes with positions.
 *
 * A node is a number; 0 is no node. Children of a map are key, value, key, value. The YAML file
 * becomes one tree; each line of a JSON Lines file becomes one after the other in the same
 * memory. So the code that checks a row does not know which of the two it came from.
 */
#ifndef HF_CODEC_CONFIG_TREE_H
#define HF_CODEC_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    HF_TREE_DEPTH_MAX = 16,
    HF_TREE_NODES_MAX = 200000000,
};

enum hf_tree_kind {
    HF_TREE_NOTHING, /* null, or no value at all */
    HF_TREE_PLAIN,   /* a scalar without quotes: a number, a word */
    HF_TREE_TEXT,    /* a scalar in quotes */
    HF_TREE_LIST,
    HF_TREE_MAP,
};

struct hf_tree_node {
    uint32_t line, column; /* from 1; a column is a character */
    uint32_t next;         /* sibling */
    uint32_t child;        /* the first */
    uint32_t count;        /* children; octets of a scalar */
    uint32_t text;         /* where the scalar's NUL-terminated text is in texts */
    uint32_t kind;         /* enum hf_tree_kind */
};

struct hf_tree {
    struct hf_tree_node *nodes;
    uint32_t node_count; /* node 0 included */
    uint32_t node_room;
    uint32_t depth;
    uint32_t open[HF_TREE_DEPTH_MAX]; /* lists and maps that are being filled */
    uint32_t last[HF_TREE_DEPTH_MAX]; /* and their last child */
    uint32_t root;
    struct hf_buf texts;
};

void hf_tree_init(struct hf_tree *tree);
void hf_tree_clear(struct hf_tree *tree); /* no nodes; keeps the memory */
void hf_tree_release(struct hf_tree *tree);

/*
 * Appends a node to the open list or map, or makes it the root; a list or map becomes open.
 * Returns its number, or 0 when the tree is too deep or too big.
 */
uint32_t hf_tree_add(struct hf_tree *tree, enum hf_tree_kind kind, uint32_t line, uint32_t column,
                     const void *text, size_t size);
void hf_tree_close(struct hf_tree *tree);
/* A node that is in nothing yet, or 0 when the tree is too big. */
uint32_t hf_tree_loose(struct hf_tree *tree, enum hf_tree_kind kind, uint32_t line, uint32_t column,
                       const void *text, size_t size);

static inline const struct hf_tree_node *hf_tree_at(const struct hf_tree *tree, uint32_t node)
{
    return &tree->nodes[node];
}

/* The text of a scalar, "" for anything else. */
const char *hf_tree_text(const struct hf_tree *tree, uint32_t node);
bool hf_tree_is_scalar(const struct hf_tree *tree, uint32_t node);

/* Where reading stopped, and why. */
struct hf_tree_error {
    uint32_t line, column;
    char text[256];
};

/*
 * Parses a whole YAML file (1.2; no anchors, aliases or tags; one document). HF_EMALF with
 * ret_error filled in.
 */
int hf_tree_read_yaml(struct hf_tree *tree, const char *text, size_t size,
                      struct hf_tree_error *ret_error);

/* Parses one line of JSON Lines (RFC 8259, UTF-8): line is its number, for positions. */
int hf_tree_read_json(struct hf_tree *tree, const char *text, size_t size, uint32_t line,
                      struct hf_tree_error *ret_error);

#endif
