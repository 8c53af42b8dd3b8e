/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/janitor.h"

#include <assert.h>
#include <string.h>

void hf_janitor_init(struct hf_janitor *janitor, uint32_t interval_ms, uint32_t retention_ms,
                     uint32_t tombstone_ms)
{
    memset(janitor, 0, sizeof(*janitor));
    janitor->interval_ms = interval_ms;
    janitor->retention_ms = retention_ms;
    janitor->tombstone_ms = tombstone_ms;
}

/* Where the wall clock went back, a round does not wait for the time that has gone. */
static bool is_due(const struct hf_janitor *janitor, uint64_t now_ms)
{
    uint32_t pause_ms =
        janitor->interval_ms > HF_JANITOR_RETRY_MS ? janitor->interval_ms : HF_JANITOR_RETRY_MS;
    return now_ms >= janitor->due_ms || janitor->due_ms - now_ms > pause_ms;
}

static uint64_t before(uint64_t now_ms, uint32_t age_ms)
{
    return now_ms > age_ms ? now_ms - age_ms : 0;
}

static void begin(struct hf_janitor *janitor, enum hf_janitor_phase phase,
                  enum hf_janitor_action_kind kind, struct hf_janitor_action *ret_action)
{
    janitor->next_op = janitor->next_op == UINT32_MAX ? 1 : janitor->next_op + 1;
    janitor->op = janitor->next_op;
    janitor->phase = (uint8_t)phase;
    *ret_action = (struct hf_janitor_action){.op = janitor->op, .kind = (uint8_t)kind};
}

static void begin_list(struct hf_janitor *janitor, struct hf_janitor_action *ret_action)
{
    begin(janitor, HF_JANITOR_LISTING, HF_JANITOR_LIST, ret_action);
    ret_action->page_first = janitor->first;
    memcpy(ret_action->name, janitor->last, sizeof(janitor->last));
    janitor->count = 0;
    janitor->at = 0;
}

static void end_round(struct hf_janitor *janitor, uint64_t now_ms, uint32_t pause_ms)
{
    janitor->phase = HF_JANITOR_IDLE;
    janitor->op = 0;
    janitor->due_ms = now_ms + pause_ms;
}

/* Deletes the next of the page that may go, or goes on to the next page. */
static bool go_on(struct hf_janitor *janitor, uint64_t now_ms, struct hf_janitor_action *ret_action)
{
    while (janitor->at < janitor->count && janitor->page[janitor->at].reached) {
        janitor->at++;
    }
    if (janitor->at < janitor->count) {
        const struct hf_janitor_object *object = &janitor->page[janitor->at];
        begin(janitor, HF_JANITOR_DELETING, HF_JANITOR_DELETE, ret_action);
        ret_action->put_number = object->put_number;
        memcpy(ret_action->name, object->name, sizeof(object->name));
        return true;
    }
    if (janitor->more) {
        begin_list(janitor, ret_action);
        return true;
    }
    janitor->rounds++;
    end_round(janitor, now_ms, janitor->interval_ms);
    return false;
}

static bool on_listed(struct hf_janitor *janitor, const struct hf_janitor_event *event,
                      struct hf_janitor_action *ret_action)
{
    janitor->more = event->more;
    if (janitor->count == 0) {
        return go_on(janitor, event->now_ms, ret_action);
    }
    begin(janitor, HF_JANITOR_REACHING, HF_JANITOR_REACH, ret_action);
    return true;
}

static void on_object(struct hf_janitor *janitor, const struct hf_janitor_event *event)
{
    assert(janitor->phase == HF_JANITOR_LISTING);
    memcpy(janitor->last, event->name, sizeof(janitor->last));
    janitor->first = false;
    if (event->put_ms >= before(event->now_ms, janitor->retention_ms)) {
        return;
    }
    assert(janitor->count < HF_JANITOR_PAGE_MAX);
    struct hf_janitor_object *object = &janitor->page[janitor->count++];
    object->put_number = event->put_number;
    object->reached = false;
    memcpy(object->name, event->name, sizeof(object->name));
}

static void on_reached(struct hf_janitor *janitor, const struct hf_janitor_event *event)
{
    uint32_t low = 0;
    uint32_t high = janitor->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(janitor->page[middle].name, event->name, HF_JANITOR_NAME_SIZE);
        if (order == 0) {
            janitor->page[middle].reached = true;
            return;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
}

static bool on_done(struct hf_janitor *janitor, const struct hf_janitor_event *event,
                    struct hf_janitor_action *ret_action)
{
    switch (janitor->phase) {
    case HF_JANITOR_CLEANING:
        janitor->cleaned_rounds += event->result == HF_RESULT_OK;
        janitor->first = true;
        begin_list(janitor, ret_action);
        return true;
    case HF_JANITOR_REACHING:
        if (event->result != HF_RESULT_OK) {
            /* What is reachable is not known: nothing may be deleted. */
            end_round(janitor, event->now_ms, HF_JANITOR_RETRY_MS);
            return false;
        }
        return go_on(janitor, event->now_ms, ret_action);
    default:
        assert(janitor->phase == HF_JANITOR_DELETING);
        janitor->deleted += event->result == HF_RESULT_OK;
        janitor->at++;
        return go_on(janitor, event->now_ms, ret_action);
    }
}

bool hf_janitor_step(struct hf_janitor *janitor, const struct hf_janitor_event *event,
                     struct hf_janitor_action *ret_action)
{
    if (event->type == HF_JANITOR_TICK) {
        if (janitor->phase != HF_JANITOR_IDLE || !is_due(janitor, event->now_ms)) {
            return false;
        }
        begin(janitor, HF_JANITOR_CLEANING, HF_JANITOR_CLEAN, ret_action);
        ret_action->before_ms = before(event->now_ms, janitor->tombstone_ms);
        return true;
    }
    if (janitor->op == 0 || event->op != janitor->op) {
        return false; /* forgotten */
    }
    switch (event->type) {
    case HF_JANITOR_OBJECT:
        on_object(janitor, event);
        return false;
    case HF_JANITOR_REACHED:
        on_reached(janitor, event);
        return false;
    case HF_JANITOR_LISTED:
        if (event->result != HF_RESULT_OK) {
            end_round(janitor, event->now_ms, HF_JANITOR_RETRY_MS);
            return false;
        }
        return on_listed(janitor, event, ret_action);
    default:
        assert(event->type == HF_JANITOR_DONE);
        return on_done(janitor, event, ret_action);
    }
}

uint64_t hf_janitor_deadline_ms(const struct hf_janitor *janitor)
{
    return janitor->phase == HF_JANITOR_IDLE ? janitor->due_ms : HF_NEVER;
}
