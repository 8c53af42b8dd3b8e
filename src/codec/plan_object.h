/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan object: an object in memory, and how its items are read. Private to plan*.c.
 */
#ifndef HF_CODEC_PLAN_OBJECT_H
#define HF_CODEC_PLAN_OBJECT_H

#include "base/cursor.h"
#include "codec/plan_internal.h"

struct hf_plan_object {
    struct hf_plan_head head;
    struct hf_digest name;
    struct hf_buf *parts; /* an inline body is one part */
    uint32_t part_count;
    uint32_t backend_count, row_count;
};

/*
 * Walks over an object's items: all backends, then all rows. The error is sticky: HF_EMALF at the
 * first item that is not as the encoder writes it.
 */
struct hf_plan_reader {
    struct hf_plan_object *object;
    bool consume; /* give back every part once it has been read */
    uint32_t part;
    struct hf_cursor cursor;
    uint32_t *members; /* of the row read last: numbers in the object */
    uint32_t member_room;
    char name[HF_PLAN_NAME_MAX + 1]; /* of the backend read last */
};

void hf_plan_reader_init(struct hf_plan_reader *reader, struct hf_plan_object *object,
                         bool consume);
void hf_plan_reader_release(struct hf_plan_reader *reader);

/* The next backend; its name is valid until the next call. ret_key: its key, in the object. */
int hf_plan_reader_backend(struct hf_plan_reader *reader, struct hf_plan_backend *ret_backend,
                           const uint8_t **ret_key);

/*
 * The next row. Owner, RDATA and packed members lie in the object; the members' numbers (in the
 * object) are in reader->members as well.
 */
int hf_plan_reader_row(struct hf_plan_reader *reader, struct hf_plan_entry *ret_entry);

/* HF_EMALF if anything is left. */
int hf_plan_reader_end(const struct hf_plan_reader *reader);

/* Reads everything, and compares what only the whole can show: names that come twice, sums. */
int hf_plan_object_check(struct hf_plan_object *object);

#endif
