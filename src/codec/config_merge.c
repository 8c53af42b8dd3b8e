/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/config_merge.h"

#include <stdlib.h>
#include <string.h>

static struct hf_tree_node *node_at(struct hf_tree *tree, uint32_t node)
{
    return &tree->nodes[node];
}

uint32_t hf_tree_find(const struct hf_tree *tree, uint32_t map, const char *key)
{
    if (hf_tree_at(tree, map)->kind != HF_TREE_MAP) {
        return 0;
    }
    for (uint32_t at = hf_tree_at(tree, map)->child; at != 0;) {
        uint32_t value = hf_tree_at(tree, at)->next;
        if (hf_tree_is_scalar(tree, at) && strcmp(hf_tree_text(tree, at), key) == 0) {
            return value;
        }
        at = hf_tree_at(tree, value)->next;
    }
    return 0;
}

/* Appends what begins at first to the children of node. */
static void append(struct hf_tree *tree, uint32_t node, uint32_t first, uint32_t count)
{
    uint32_t *link = &node_at(tree, node)->child;
    while (*link != 0) {
        link = &node_at(tree, *link)->next;
    }
    *link = first;
    node_at(tree, node)->count += count;
}

/* Puts value where old is in its map. */
static void replace(struct hf_tree *tree, uint32_t map, uint32_t old, uint32_t value)
{
    uint32_t *link = &node_at(tree, map)->child;
    while (*link != old) {
        link = &node_at(tree, *link)->next;
    }
    *link = value;
    node_at(tree, value)->next = node_at(tree, old)->next;
}

void hf_tree_merge(struct hf_tree *tree, uint32_t base, uint32_t overlay)
{
    for (uint32_t key = hf_tree_at(tree, overlay)->child; key != 0;) {
        uint32_t value = hf_tree_at(tree, key)->next;
        uint32_t following = hf_tree_at(tree, value)->next;
        uint32_t old = hf_tree_find(tree, base, hf_tree_text(tree, key));
        node_at(tree, value)->next = 0;
        uint32_t kind = hf_tree_at(tree, value)->kind;
        bool is_alike = old != 0 && hf_tree_at(tree, old)->kind == kind;
        if (old == 0) {
            append(tree, base, key, 2);
        } else if (is_alike && kind == HF_TREE_MAP) {
            hf_tree_merge(tree, old, value);
        } else if (is_alike && kind == HF_TREE_LIST) {
            append(tree, old, hf_tree_at(tree, value)->child, hf_tree_at(tree, value)->count);
        } else {
            replace(tree, base, old, value);
        }
        key = following;
    }
}

/* The element of a list that is called so, or has that number. */
static uint32_t element_of(const struct hf_tree *tree, uint32_t list, const char *name)
{
    char *end = NULL;
    unsigned long number = strtoul(name, &end, 10);
    bool is_number = name[0] >= '0' && name[0] <= '9' && *end == 0;
    uint32_t at = hf_tree_at(tree, list)->child;
    for (unsigned long i = 1; at != 0; i++, at = hf_tree_at(tree, at)->next) {
        uint32_t label = hf_tree_find(tree, at, "name");
        bool is_named = label != 0 && strcmp(hf_tree_text(tree, label), name) == 0;
        if (is_named || (is_number && i == number)) {
            return at;
        }
    }
    return 0;
}

enum { SEGMENT_MAX = 256 };

/*
 * The part that path begins with, as long as there is one: in a map names may have dots in them.
 * ret_segment is that part, or what stands before the first dot where there is none.
 */
static uint32_t part_of(const struct hf_tree *tree, uint32_t node, const char **path,
                        char ret_segment[SEGMENT_MAX])
{
    size_t size = strlen(*path);
    bool is_list = hf_tree_at(tree, node)->kind == HF_TREE_LIST;
    for (;;) {
        size_t kept = size < SEGMENT_MAX - 1 ? size : SEGMENT_MAX - 1;
        memcpy(ret_segment, *path, kept);
        ret_segment[kept] = 0;
        uint32_t found =
            is_list ? element_of(tree, node, ret_segment) : hf_tree_find(tree, node, ret_segment);
        size_t shorter = size;
        while (found == 0 && shorter > 0 && (*path)[--shorter] != '.') {
        }
        if (found != 0 || shorter == 0) {
            *path += size + ((*path)[size] == '.');
            return found;
        }
        size = shorter;
    }
}

/* A key and its value at the end of a map; the value, or 0 when the tree is too big. */
static uint32_t make(struct hf_tree *tree, uint32_t map, const char *key, enum hf_tree_kind kind,
                     const char *text)
{
    struct hf_tree_node at = *hf_tree_at(tree, map);
    uint32_t fresh = hf_tree_loose(tree, HF_TREE_PLAIN, at.line, at.column, key, strlen(key));
    uint32_t value = hf_tree_loose(tree, kind, at.line, at.column, text, strlen(text));
    if (fresh == 0 || value == 0 || at.kind != HF_TREE_MAP) {
        return 0;
    }
    node_at(tree, fresh)->next = value;
    append(tree, map, fresh, 2);
    return value;
}

uint32_t hf_tree_set(struct hf_tree *tree, uint32_t root, const char *path, const char *text,
                     const char **ret_missing)
{
    enum { MUST_BE_THERE = 2 };
    uint32_t node = root;
    char segment[SEGMENT_MAX];
    for (uint32_t depth = 1;; depth++) {
        const char *begin = path;
        uint32_t found = part_of(tree, node, &path, segment);
        bool is_last = *path == 0;
        *ret_missing = begin;
        if (is_last && found != 0) {
            struct hf_tree_node old = *hf_tree_at(tree, found);
            if (old.kind == HF_TREE_MAP || old.kind == HF_TREE_LIST) {
                return 0;
            }
            uint32_t fresh =
                hf_tree_loose(tree, HF_TREE_PLAIN, old.line, old.column, text, strlen(text));
            if (fresh != 0) {
                replace(tree, node, found, fresh);
            }
            return fresh;
        }
        if (is_last) {
            bool is_free = depth == 1 || depth > MUST_BE_THERE;
            return is_free ? make(tree, node, segment, HF_TREE_PLAIN, text) : 0;
        }
        if (found == 0 && depth > MUST_BE_THERE) {
            found = make(tree, node, segment, HF_TREE_MAP, "");
        }
        if (found == 0) {
            return 0;
        }
        node = found;
    }
}
