/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Config merge: one part of a tree laid over another, and single values set by their path. Nodes
 * move; what was laid over is not to be read on its own afterwards. Positions stay those of the
 * text that a value comes from.
 */
#ifndef HF_CODEC_CONFIG_MERGE_H
#define HF_CODEC_CONFIG_MERGE_H

#include "codec/config_tree.h"

/* The value of a map's key, or 0. */
uint32_t hf_tree_find(const struct hf_tree *tree, uint32_t map, const char *key);

/*
 * Lays the map overlay over the map base, key by key: maps are merged, lists appended, everything
 * else replaced.
 */
void hf_tree_merge(struct hf_tree *tree, uint32_t base, uint32_t overlay);

/*
 * Sets the scalar at path, such as services.db.workers, to text. A part of the path is a key of a
 * map (one with dots in it, too), or in a list the name of an element (its key "name") or its
 * number from 1. The first two parts must be there; what is missing below them is made. Returns the
 * node of the value, or 0 with the first part of the path that is not there.
 */
uint32_t hf_tree_set(struct hf_tree *tree, uint32_t root, const char *path, const char *text,
                     const char **ret_missing);

#endif
