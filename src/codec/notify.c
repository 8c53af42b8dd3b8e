/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/notify.h"

#include <assert.h>
#include <string.h>

#include "base/index.h"
#include "codec/utf8.h"

enum { PAUSE_FIRST_MS = 1000, NOWHERE = HF_NOTIFY_INCIDENTS_MAX };

void hf_notify_machine_init(struct hf_notify_machine *machine,
                            const struct hf_notify_options *options, uint32_t count,
                            uint64_t now_ms)
{
    assert(count <= HF_NOTIFY_RECEIVERS_MAX);
    *machine = (struct hf_notify_machine){.receiver_count = count, .started_ms = now_ms};
    for (uint32_t i = 0; i < count; i++) {
        machine->receivers[i].options = options[i];
    }
}

/* --- the table --- */

/* Copies text, cut at a character where it is longer. */
static void keep(char *ret_text, size_t max, const char *text)
{
    size_t size = 0;
    size_t all = strlen(text);
    while (size < all) {
        size_t step = hf_utf8_size((const uint8_t *)text + size, all - size);
        step = step == 0 ? 1 : step;
        if (size + step > max) {
            break;
        }
        size += step;
    }
    memcpy(ret_text, text, size);
    ret_text[size] = 0;
}

static uint64_t news_of(const struct hf_notify_incident *incident)
{
    uint64_t parts[] = {incident->severity, incident->closed_ms != 0,
                        hf_hash64(incident->title, strlen(incident->title))};
    uint64_t news = hf_hash64(parts, sizeof(parts));
    return news == 0 ? 1 : news;
}

static uint32_t find(const struct hf_notify_machine *machine, uint64_t number)
{
    uint32_t place = 0;
    while (place < NOWHERE && machine->incidents[place].number != number) {
        place++;
    }
    return place;
}

/* Whoever heard of an incident hears of it to its end. */
static bool is_for(const struct hf_notify_machine *machine,
                   const struct hf_notify_receiver *receiver, uint32_t place)
{
    const struct hf_notify_incident *incident = &machine->incidents[place];
    return incident->number != 0 &&
           (incident->severity <= receiver->options.severity || receiver->told[place].news != 0);
}

static bool has_news(const struct hf_notify_machine *machine,
                     const struct hf_notify_receiver *receiver, uint32_t place)
{
    return is_for(machine, receiver, place) &&
           receiver->told[place].news != machine->incidents[place].news;
}

static bool is_sending(const struct hf_notify_machine *machine, uint32_t place)
{
    for (uint32_t i = 0; i < machine->receiver_count; i++) {
        if (machine->receivers[i].told[place].sending != 0) {
            return true;
        }
    }
    return false;
}

static void clear(struct hf_notify_machine *machine, uint32_t place)
{
    machine->incidents[place].number = 0;
    for (uint32_t i = 0; i < machine->receiver_count; i++) {
        machine->receivers[i].told[place] = (struct hf_notify_told){0};
    }
}

/* What is closed, and told to all, is forgotten. */
static void clear_if_told(struct hf_notify_machine *machine, uint32_t place)
{
    bool is_done = machine->incidents[place].closed_ms != 0 && !is_sending(machine, place);
    for (uint32_t i = 0; i < machine->receiver_count; i++) {
        is_done = is_done && !has_news(machine, &machine->receivers[i], place);
    }
    if (is_done) {
        clear(machine, place);
    }
}

/* A free place, or that of the closed incident that is oldest and not being told right now. */
static uint32_t make_room(struct hf_notify_machine *machine)
{
    uint32_t oldest = NOWHERE;
    for (uint32_t place = 0; place < NOWHERE; place++) {
        const struct hf_notify_incident *incident = &machine->incidents[place];
        if (incident->number == 0) {
            return place;
        }
        if (incident->closed_ms != 0 && !is_sending(machine, place) &&
            (oldest == NOWHERE || incident->number < machine->incidents[oldest].number)) {
            oldest = place;
        }
    }
    for (uint32_t i = 0; i < machine->receiver_count && oldest != NOWHERE; i++) {
        struct hf_notify_receiver *receiver = &machine->receivers[i];
        receiver->dropped += has_news(machine, receiver, oldest);
    }
    if (oldest != NOWHERE) {
        clear(machine, oldest);
    }
    return oldest;
}

static void change(struct hf_notify_incident *incident, const struct hf_notice *notice,
                   uint64_t now_ms)
{
    incident->severity = notice->severity;
    incident->opened_ms = notice->opened_ms;
    incident->closed_ms = notice->closed_ms;
    incident->is_listed = true;
    keep(incident->title, HF_NOTIFY_TITLE_MAX, notice->title);
    keep(incident->text, HF_NOTIFY_TEXT_MAX, notice->text);
    uint64_t news = news_of(incident);
    if (news != incident->news) {
        incident->news = news;
        incident->news_ms = now_ms;
    }
}

/* Whether one that has no place is to get one: what closed long ago, or was told, does not. */
static bool is_welcome(const struct hf_notify_machine *machine, const struct hf_notice *notice)
{
    if (notice->closed_ms == 0) {
        return true;
    }
    return machine->has_observed ? notice->number > machine->number_max
                                 : notice->closed_ms + HF_NOTIFY_RECENT_MS >= machine->started_ms;
}

static void observe_one(struct hf_notify_machine *machine, const struct hf_notice *notice,
                        uint64_t now_ms)
{
    uint32_t place = find(machine, notice->number);
    if (place == NOWHERE && is_welcome(machine, notice)) {
        place = make_room(machine);
        if (place == NOWHERE) {
            machine->omitted += notice->closed_ms == 0;
            return;
        }
        struct hf_notify_incident *incident = &machine->incidents[place];
        *incident = (struct hf_notify_incident){.number = notice->number};
        keep(incident->code, HF_NOTIFY_CODE_MAX, notice->code);
        keep(incident->subject, HF_NOTIFY_SUBJECT_MAX, notice->subject);
    }
    if (place != NOWHERE) {
        change(&machine->incidents[place], notice, now_ms);
    }
}

void hf_notify_observe(struct hf_notify_machine *machine, const struct hf_notice *notices,
                       uint32_t count, uint64_t now_ms)
{
    uint64_t number_max = machine->number_max;
    machine->omitted = 0;
    for (uint32_t place = 0; place < NOWHERE; place++) {
        machine->incidents[place].is_listed = false;
    }
    for (uint32_t i = 0; i < count; i++) {
        observe_one(machine, &notices[i], now_ms);
        number_max = notices[i].number > number_max ? notices[i].number : number_max;
    }
    for (uint32_t place = 0; place < NOWHERE; place++) {
        struct hf_notify_incident *incident = &machine->incidents[place];
        if (incident->number == 0) {
            continue;
        }
        if (!incident->is_listed && incident->closed_ms == 0) {
            incident->closed_ms = now_ms;
            incident->news = news_of(incident);
            incident->news_ms = now_ms;
        }
        clear_if_told(machine, place);
    }
    machine->number_max = number_max;
    machine->has_observed = true;
}

/* --- messages --- */

static bool is_open_for(const struct hf_notify_machine *machine,
                        const struct hf_notify_receiver *receiver, uint32_t place)
{
    return is_for(machine, receiver, place) && machine->incidents[place].closed_ms == 0;
}

static void add(struct hf_notify_machine *machine, struct hf_notify_receiver *receiver,
                uint32_t place, struct hf_notify_message *message)
{
    receiver->told[place].sending = machine->incidents[place].news;
    receiver->told[place].sending_severity = machine->incidents[place].severity;
    message->places[message->count++] = (uint16_t)place;
}

static void begin_alerts(struct hf_notify_machine *machine, struct hf_notify_receiver *receiver,
                         uint64_t now_ms, struct hf_notify_message *message)
{
    bool is_due = receiver->repeat_ms != 0 && receiver->repeat_ms <= now_ms;
    for (uint32_t place = 0; place < NOWHERE && !is_due; place++) {
        is_due = has_news(machine, receiver, place);
    }
    for (uint32_t place = 0; place < NOWHERE && is_due; place++) {
        if (has_news(machine, receiver, place) || is_open_for(machine, receiver, place)) {
            add(machine, receiver, place, message);
        }
    }
    if (is_due && message->count == 0) {
        receiver->repeat_ms = 0;
    }
}

static void begin_webhook(struct hf_notify_machine *machine, struct hf_notify_receiver *receiver,
                          uint64_t now_ms, struct hf_notify_message *message)
{
    uint32_t best = NOWHERE;
    for (uint32_t place = 0; place < NOWHERE; place++) {
        if (has_news(machine, receiver, place) && receiver->told[place].not_before_ms <= now_ms &&
            (best == NOWHERE ||
             machine->incidents[place].news_ms < machine->incidents[best].news_ms)) {
            best = place;
        }
    }
    if (best != NOWHERE) {
        add(machine, receiver, best, message);
    }
}

bool hf_notify_begin(struct hf_notify_machine *machine, uint32_t number, uint64_t now_ms,
                     struct hf_notify_message *ret_message)
{
    struct hf_notify_receiver *receiver = &machine->receivers[number];
    assert(number < machine->receiver_count);
    struct hf_notify_message message = {.at_ms = now_ms};
    if (receiver->is_busy || receiver->not_before_ms > now_ms) {
        return false;
    }
    if (receiver->options.type == HF_NOTIFY_ALERTMANAGER) {
        begin_alerts(machine, receiver, now_ms, &message);
    } else {
        begin_webhook(machine, receiver, now_ms, &message);
    }
    if (message.count == 0) {
        return false;
    }
    receiver->is_busy = true;
    *ret_message = message;
    return true;
}

static void acknowledge(struct hf_notify_told *told)
{
    told->news = told->sending;
    told->severity = told->sending_severity;
    told->refusals = 0;
    told->not_before_ms = 0;
}

/* What one webhook refuses waits by itself, longer each time, until it is given up. */
static void refuse(struct hf_notify_receiver *receiver, struct hf_notify_told *told,
                   uint64_t now_ms)
{
    told->refusals++;
    told->not_before_ms = now_ms + ((uint64_t)PAUSE_FIRST_MS << (2 * told->refusals));
    if (told->refusals == HF_NOTIFY_REFUSALS_MAX) {
        receiver->dropped++;
        acknowledge(told);
    }
}

static void pause(struct hf_notify_receiver *receiver, uint64_t now_ms)
{
    uint64_t pause_ms = receiver->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * receiver->pause_ms;
    receiver->pause_ms = pause_ms < HF_NOTIFY_PAUSE_MAX_MS ? pause_ms : HF_NOTIFY_PAUSE_MAX_MS;
    receiver->not_before_ms = now_ms + receiver->pause_ms;
}

static void count_result(struct hf_notify_receiver *receiver, enum hf_notify_result result,
                         uint64_t now_ms)
{
    receiver->sent += result == HF_NOTIFY_DONE;
    receiver->refused += result == HF_NOTIFY_REFUSED;
    receiver->failed += result == HF_NOTIFY_FAILED;
    if (result == HF_NOTIFY_DONE) {
        receiver->acknowledged_ms = now_ms;
    }
}

void hf_notify_finish(struct hf_notify_machine *machine, uint32_t number,
                      const struct hf_notify_message *message, enum hf_notify_result result,
                      uint64_t now_ms)
{
    struct hf_notify_receiver *receiver = &machine->receivers[number];
    bool is_webhook = receiver->options.type == HF_NOTIFY_WEBHOOK;
    bool is_away = result == HF_NOTIFY_FAILED || (result == HF_NOTIFY_REFUSED && !is_webhook);
    assert(receiver->is_busy);
    receiver->is_busy = false;
    count_result(receiver, result, now_ms);
    if (is_away) {
        pause(receiver, now_ms);
    } else {
        receiver->pause_ms = 0;
        receiver->repeat_ms = is_webhook ? 0 : message->at_ms + receiver->options.repeat_ms;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        struct hf_notify_told *told = &receiver->told[message->places[i]];
        if (result == HF_NOTIFY_DONE) {
            acknowledge(told);
        } else if (!is_away) {
            refuse(receiver, told, now_ms);
        }
        told->sending = 0;
        clear_if_told(machine, message->places[i]);
    }
}

/* When there is something to send to one receiver, its pause apart. */
static uint64_t due_ms(const struct hf_notify_machine *machine,
                       const struct hf_notify_receiver *receiver)
{
    uint64_t due = receiver->repeat_ms != 0 ? receiver->repeat_ms : UINT64_MAX;
    for (uint32_t place = 0; place < NOWHERE; place++) {
        if (has_news(machine, receiver, place) && receiver->told[place].not_before_ms < due) {
            due = receiver->told[place].not_before_ms;
        }
    }
    return due;
}

uint64_t hf_notify_deadline_ms(const struct hf_notify_machine *machine)
{
    uint64_t deadline = UINT64_MAX;
    for (uint32_t i = 0; i < machine->receiver_count; i++) {
        const struct hf_notify_receiver *receiver = &machine->receivers[i];
        uint64_t due = receiver->is_busy ? UINT64_MAX : due_ms(machine, receiver);
        due = due < receiver->not_before_ms ? receiver->not_before_ms : due;
        deadline = due < deadline ? due : deadline;
    }
    return deadline;
}

uint32_t hf_notify_pending(const struct hf_notify_machine *machine, uint32_t receiver)
{
    uint32_t count = 0;
    for (uint32_t place = 0; place < NOWHERE; place++) {
        count += has_news(machine, &machine->receivers[receiver], place);
    }
    return count;
}
