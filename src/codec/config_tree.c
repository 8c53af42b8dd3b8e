/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/config_tree.h"

#include <assert.h>
#include <stdlib.h>

enum { TREE_FIRST_ROOM = 256 };

void hf_tree_init(struct hf_tree *tree)
{
    *tree = (struct hf_tree){0};
    hf_buf_init(&tree->texts, UINT32_MAX - 1);
    hf_tree_clear(tree);
}

void hf_tree_clear(struct hf_tree *tree)
{
    tree->node_count = 1;
    tree->depth = 0;
    tree->root = 0;
    hf_buf_clear(&tree->texts);
    hf_buf_put_u8(&tree->texts, 0); /* offset 0 is the empty text */
}

void hf_tree_release(struct hf_tree *tree)
{
    free(tree->nodes);
    hf_buf_release(&tree->texts);
    *tree = (struct hf_tree){0};
}

static void tree_reserve(struct hf_tree *tree)
{
    if (tree->node_count < tree->node_room) {
        return;
    }
    uint32_t room = tree->node_room == 0 ? TREE_FIRST_ROOM : tree->node_room * 2;
    struct hf_tree_node *nodes = realloc(tree->nodes, room * sizeof(*nodes));
    if (nodes == NULL) {
        abort();
    }
    tree->nodes = nodes;
    tree->node_room = room;
}

static void tree_link(struct hf_tree *tree, uint32_t node)
{
    if (tree->depth == 0) {
        assert(tree->root == 0);
        tree->root = node;
        return;
    }
    uint32_t level = tree->depth - 1;
    if (tree->last[level] == 0) {
        tree->nodes[tree->open[level]].child = node;
    } else {
        tree->nodes[tree->last[level]].next = node;
    }
    tree->nodes[tree->open[level]].count++;
    tree->last[level] = node;
}

uint32_t hf_tree_loose(struct hf_tree *tree, enum hf_tree_kind kind, uint32_t line, uint32_t column,
                       const void *text, size_t size)
{
    if (tree->node_count >= HF_TREE_NODES_MAX) {
        return 0;
    }
    uint32_t offset = 0;
    if (size > 0) {
        offset = (uint32_t)tree->texts.size;
        hf_buf_put(&tree->texts, text, size);
        hf_buf_put_u8(&tree->texts, 0);
        if (hf_buf_error(&tree->texts) != 0) {
            return 0;
        }
    }
    tree_reserve(tree);
    uint32_t node = tree->node_count++;
    tree->nodes[node] = (struct hf_tree_node){
        .line = line, .column = column, .count = (uint32_t)size, .text = offset, .kind = kind};
    return node;
}

uint32_t hf_tree_add(struct hf_tree *tree, enum hf_tree_kind kind, uint32_t line, uint32_t column,
                     const void *text, size_t size)
{
    bool opens = kind == HF_TREE_LIST || kind == HF_TREE_MAP;
    if (opens && tree->depth == HF_TREE_DEPTH_MAX) {
        return 0;
    }
    uint32_t node = hf_tree_loose(tree, kind, line, column, text, size);
    if (node == 0) {
        return 0;
    }
    tree_link(tree, node);
    if (opens) {
        tree->open[tree->depth] = node;
        tree->last[tree->depth] = 0;
        tree->depth++;
    }
    return node;
}

void hf_tree_close(struct hf_tree *tree)
{
    assert(tree->depth > 0);
    tree->depth--;
}

bool hf_tree_is_scalar(const struct hf_tree *tree, uint32_t node)
{
    uint32_t kind = tree->nodes[node].kind;
    return kind == HF_TREE_PLAIN || kind == HF_TREE_TEXT;
}

const char *hf_tree_text(const struct hf_tree *tree, uint32_t node)
{
    return (const char *)tree->texts.bytes + tree->nodes[node].text;
}
