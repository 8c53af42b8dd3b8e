/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill file: a scenario of holdfast-drill as an operator wrote it, read from YAML into the
 * engine's plain structs. The reference of every key is docs/reference/drill.md.
 *
 * Problems read as those of a configuration do: file:line:column, what was found, what was
 * expected, all of them at once. A scenario that was read can be run: hf_drill_check has seen it,
 * and what it found is said at the place in the file where it was written. Remedies are parts of a
 * scenario that are laid over the rest of it where the caller chooses them. Everything hangs in the
 * file's arena: hf_drill_file_free frees all of it.
 */
#ifndef HF_CODEC_DRILL_FILE_H
#define HF_CODEC_DRILL_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "drill/scenario.h"

enum {
    HF_DRILL_REMEDIES_MAX = 32,
    HF_DRILL_SETTINGS_MAX = 64,
};

struct hf_drill_remedy {
    const char *name;
    const char *about; /* "" where it says nothing */
};

struct hf_drill_file {
    struct hf_drill_scenario scenario;
    const char *path;
    const char *about; /* "" where it says nothing */
    uint32_t clock_s;  /* time of day at time 0 */
    bool has_clock;
    const char *clock_zone; /* such as PDT, or "" */
    struct hf_drill_remedy remedies[HF_DRILL_REMEDIES_MAX];
    uint32_t remedy_count;
    uint64_t hosts; /* holders of leases; where there are none, users; else 0 */
    struct hf_arena arena;
};

/* services.db.workers = 20: what YAML would have there instead. */
struct hf_drill_setting {
    const char *path, *value;
};

/* Which variant of a file to read. */
struct hf_drill_choice {
    const char *remedies; /* names with '+' between them, "all", or NULL: none */
    const struct hf_drill_setting *settings;
    uint32_t setting_count;
    double scale; /* of everything that grows with the fleet: hosts, rates, workers, queues; 0: 1 */
};

/*
 * Reads path. HF_OK, or HF_ENOENT, HF_EMALF (wrong), HF_ELIMIT (too big to be run) with a line per
 * problem; warnings do not fail. problems needs a cap of at least 64 KiB.
 */
int hf_drill_file_read(const char *path, const struct hf_drill_choice *choice,
                       struct hf_drill_file **ret_file, struct hf_buf *problems);
/* The same for text in memory; name stands for the path in positions. */
int hf_drill_file_read_text(const char *text, size_t size, const char *name,
                            const struct hf_drill_choice *choice, struct hf_drill_file **ret_file,
                            struct hf_buf *problems);
void hf_drill_file_free(struct hf_drill_file *file);

/* The label of a part, "" for a number that is none. */
const char *hf_drill_label(const struct hf_drill_scenario *scenario, enum hf_drill_part part,
                           uint32_t index);
/* The part with a label, or HF_DRILL_NONE. */
uint16_t hf_drill_find(const struct hf_drill_scenario *scenario, enum hf_drill_part part,
                       const char *label);
/* What an action does, in words: "answer database: empty", "throttle dwfm to 500/s". */
enum { HF_DRILL_WORDS_MAX = 160 };
void hf_drill_action_text(const struct hf_drill_scenario *scenario,
                          const struct hf_drill_action *action, char ret_text[HF_DRILL_WORDS_MAX]);

#endif
