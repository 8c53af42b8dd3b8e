/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "base/error.h"
#include "codec/plan_object.h"

/* An object on its way into an image. */
struct application {
    struct hf_plan *plan;
    const struct hf_plan_events *events; /* or NULL */
    struct hf_plan_reader reader;
    uint32_t *numbers; /* in the image, of each backend of the object; NULL: it keeps none */
    uint8_t *packed;   /* members of the row at hand */
    uint32_t packed_room;
    uint64_t *seen_words;
    struct hf_bitset seen; /* rows that a snapshot names */
    uint32_t *changed;     /* rows, as they changed */
    uint32_t changed_count, changed_room;
};

static void *allocate(size_t count, size_t size)
{
    void *bytes = calloc(count > 0 ? count : 1, size);
    if (bytes == NULL) {
        abort();
    }
    return bytes;
}

static void application_init(struct application *application, struct hf_plan *plan,
                             struct hf_plan_object *object, const struct hf_plan_events *events,
                             bool consume)
{
    *application = (struct application){.plan = plan, .events = events};
    hf_plan_reader_init(&application->reader, object, consume);
    if (!plan->answers_only) {
        application->numbers = allocate(object->backend_count, sizeof(uint32_t));
    }
    if (object->head.snapshot) {
        uint32_t row_limit = plan->entry_count + object->row_count;
        application->seen_words = allocate(hf_bitset_words(row_limit), sizeof(uint64_t));
        hf_bitset_init(&application->seen, application->seen_words, row_limit);
    }
}

static void application_release(struct application *application)
{
    hf_plan_reader_release(&application->reader);
    free(application->numbers);
    free(application->packed);
    free(application->seen_words);
    free(application->changed);
}

/* The row is about to be replaced. */
static void note_change(struct application *application, uint32_t row)
{
    hf_plan_tell_changing(application->events, row);
    if (application->changed_count == application->changed_room) {
        uint32_t room = application->changed_room == 0 ? 64 : application->changed_room * 2;
        application->changed = realloc(application->changed, room * sizeof(uint32_t));
        if (application->changed == NULL) {
            abort();
        }
        application->changed_room = room;
    }
    application->changed[application->changed_count++] = row;
}

static void apply_backends(struct application *application)
{
    uint32_t count = application->reader.object->backend_count;
    for (uint32_t i = 0; i < count; i++) {
        struct hf_plan_backend backend;
        const uint8_t *key = NULL;
        int error = hf_plan_reader_backend(&application->reader, &backend, &key);
        assert(error == HF_OK); /* hf_plan_object_check has read it before */
        if (application->numbers != NULL) {
            application->numbers[i] = hf_plan_backend_number(application->plan, &backend);
        }
    }
}

static int number_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void need_packed(struct application *application, uint32_t count)
{
    if (count <= application->packed_room) {
        return;
    }
    application->packed = realloc(application->packed, (size_t)count * HF_PLAN_MEMBER_OCTETS_MAX);
    if (application->packed == NULL) {
        abort();
    }
    application->packed_room = count;
}

/* From numbers in the object to numbers in the image. */
static void translate(struct application *application, struct hf_plan_entry *entry)
{
    if (application->numbers == NULL) {
        hf_plan_strip(entry);
        return;
    }
    uint32_t *members = application->reader.members;
    uint32_t count = entry->members.count;
    bool ascending = true;
    for (uint32_t i = 0; i < count; i++) {
        members[i] = application->numbers[members[i]];
        ascending = ascending && (i == 0 || members[i - 1] < members[i]);
    }
    if (!ascending) {
        qsort(members, count, sizeof(*members), number_compare);
    }
    need_packed(application, count);
    entry->members = hf_plan_members_pack(members, count, application->packed);
    if (entry->cause_backend != UINT32_MAX) {
        entry->cause_backend = application->numbers[entry->cause_backend];
    }
}

static void apply_row(struct application *application, struct hf_plan_entry *entry)
{
    struct hf_plan *plan = application->plan;
    translate(application, entry);
    uint32_t row = hf_plan_row(plan, entry->owner);
    if (application->seen_words != NULL) {
        hf_bitset_add(&application->seen, row);
    }
    struct hf_plan_entry old;
    hf_plan_get(plan, row, &old);
    if (!hf_plan_entry_equal(entry, &old)) {
        note_change(application, row);
        hf_plan_put(plan, row, entry);
    }
}

/* Rows with a generation below from_gen are passed over. */
static void apply_rows(struct application *application, uint64_t from_gen)
{
    uint32_t count = application->reader.object->row_count;
    for (uint32_t i = 0; i < count; i++) {
        struct hf_plan_entry entry;
        int error = hf_plan_reader_row(&application->reader, &entry);
        assert(error == HF_OK);
        if (entry.gen >= from_gen) {
            apply_row(application, &entry);
        }
    }
}

/* What a snapshot does not name is not in the plan. */
static void remove_unseen(struct application *application)
{
    struct hf_plan *plan = application->plan;
    static const struct hf_plan_entry removed = {.gen = 0};
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        if (hf_plan_gen(plan, row) != 0 && !hf_bitset_has(&application->seen, row)) {
            note_change(application, row);
            hf_plan_put(plan, row, &removed);
        }
    }
}

static bool is_parent(const struct hf_plan *plan, const struct hf_plan_head *head)
{
    return !plan->edited && plan->head.gen == head->parent_gen &&
           memcmp(&plan->name, &head->parent, sizeof(plan->name)) == 0;
}

static bool has_room(const struct hf_plan *plan, const struct hf_plan_object *object)
{
    return object->row_count <= HF_PLAN_ROWS_MAX - plan->entry_count &&
           object->backend_count <= HF_PLAN_ROWS_MAX - plan->backend_count;
}

int hf_plan_object_apply(struct hf_plan *plan, struct hf_plan_object *object,
                         const struct hf_plan_events *events)
{
    bool snapshot = object->head.snapshot;
    if (!snapshot && !is_parent(plan, &object->head)) {
        return HF_ESTALE;
    }
    if (!has_room(plan, object)) {
        return HF_ELIMIT;
    }
    struct application application;
    application_init(&application, plan, object, events, true);
    apply_backends(&application);
    if (plan->entry_count == 0) {
        hf_plan_reserve(plan, object->row_count);
    }
    apply_rows(&application, 0);
    if (snapshot) {
        remove_unseen(&application);
    }
    plan->head = object->head;
    plan->name = object->name;
    plan->edited = false;
    plan->cids[plan->cid_count++ % HF_PLAN_CIDS_MAX] =
        (struct hf_plan_cid){.gen = object->head.gen, .cid = object->head.cid};
    for (uint32_t i = 0; i < application.changed_count; i++) {
        hf_plan_tell_changed(events, application.changed[i]);
    }
    application_release(&application);
    return HF_OK;
}

void hf_plan_object_changes(struct hf_plan_object *object, struct hf_plan *plan)
{
    assert(plan->entry_count == 0 && plan->backend_count == 0 && !plan->answers_only);
    struct application application;
    application_init(&application, plan, object, NULL, false);
    apply_backends(&application);
    apply_rows(&application, object->head.snapshot ? object->head.gen : 0);
    plan->head = object->head;
    plan->name = object->name;
    plan->edited = true;
    application_release(&application);
}

int hf_plan_apply(struct hf_plan *plan, const struct hf_digest *name, const void *bytes,
                  size_t size, hf_plan_get_part *get, void *get_context,
                  const struct hf_plan_events *events)
{
    struct hf_plan_object *object = NULL;
    int error = hf_plan_object_read(name, bytes, size, get, get_context, &object);
    if (error == HF_OK) {
        error = hf_plan_object_apply(plan, object, events);
    }
    hf_plan_object_free(object);
    return error;
}
