/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages to receivers of alerts, as octets. */
#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/notify.h"
#include "codec/timestamp.h"

enum { MAC_SIZE = 32 };

static void put_time(struct hf_json *json, const char *key, uint64_t at_ms)
{
    char text[HF_TIMESTAMP_MAX];
    hf_timestamp(at_ms, text);
    hf_json_put_text(json, key, text);
}

static void put_url(struct hf_json *json, const char *key, const struct hf_notify_sender *sender,
                    const struct hf_notify_incident *incident)
{
    if (sender->url != NULL) {
        struct hf_buf url;
        size_t size = strlen(sender->url);
        hf_buf_init(&url, size + 64);
        hf_buf_printf(&url, "%s%s#/incidents/%" PRIu64, sender->url,
                      sender->url[size - 1] == '/' ? "" : "/", incident->number);
        hf_json_put_text(json, key, hf_buf_text(&url));
        hf_buf_release(&url);
    }
}

static void put_labels(struct hf_json *json, const struct hf_notify_incident *incident,
                       enum hf_severity severity, const struct hf_notify_sender *sender)
{
    char number[24];
    (void)snprintf(number, sizeof(number), "%" PRIu64, incident->number);
    hf_json_key(json, "labels");
    hf_json_object(json);
    hf_json_put_text(json, "alertname", "HoldfastIncident");
    hf_json_put_text(json, "installation", sender->installation);
    hf_json_put_text(json, "incident", number);
    hf_json_put_text(json, "code", incident->code);
    if (incident->subject[0] != 0) {
        hf_json_put_text(json, "subject", incident->subject);
    }
    hf_json_put_text(json, "severity", hf_severity_name(severity));
    hf_json_object_end(json);
}

static void put_alert(struct hf_json *json, const struct hf_notify_incident *incident,
                      enum hf_severity severity, uint64_t ends_ms,
                      const struct hf_notify_sender *sender)
{
    hf_json_object(json);
    put_labels(json, incident, severity, sender);
    hf_json_key(json, "annotations");
    hf_json_object(json);
    hf_json_put_text(json, "summary", incident->title);
    if (incident->text[0] != 0) {
        hf_json_put_text(json, "description", incident->text);
    }
    hf_json_object_end(json);
    put_time(json, "startsAt", incident->opened_ms);
    put_time(json, "endsAt", ends_ms);
    put_url(json, "generatorURL", sender, incident);
    hf_json_object_end(json);
}

void hf_notify_alerts(const struct hf_notify_machine *machine, uint32_t number,
                      const struct hf_notify_message *message,
                      const struct hf_notify_sender *sender, struct hf_buf *ret_json)
{
    const struct hf_notify_receiver *receiver = &machine->receivers[number];
    uint64_t alive_ms = message->at_ms + HF_NOTIFY_ENDS_REPEATS * receiver->options.repeat_ms;
    struct hf_json json;
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_array(&json);
    for (uint32_t i = 0; i < message->count; i++) {
        const struct hf_notify_incident *incident = &machine->incidents[message->places[i]];
        const struct hf_notify_told *told = &receiver->told[message->places[i]];
        bool is_closed = incident->closed_ms != 0;
        if (told->news != 0 && told->severity != incident->severity) {
            put_alert(&json, incident, told->severity, message->at_ms, sender);
        }
        put_alert(&json, incident, incident->severity, is_closed ? incident->closed_ms : alive_ms,
                  sender);
    }
    hf_json_array_end(&json);
}

void hf_notify_webhook(const struct hf_notify_machine *machine, uint32_t number,
                       const struct hf_notify_message *message,
                       const struct hf_notify_sender *sender, struct hf_buf *ret_json)
{
    const struct hf_notify_incident *incident = &machine->incidents[message->places[0]];
    const struct hf_notify_told *told = &machine->receivers[number].told[message->places[0]];
    const char *event = incident->closed_ms != 0 ? "closed"
                        : told->news != 0        ? "changed"
                                                 : "opened";
    struct hf_json json;
    assert(message->count == 1);
    hf_json_init(&json, ret_json, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_put_text(&json, "event", event);
    hf_json_put_text(&json, "installation", sender->installation);
    hf_json_put_u64(&json, "at_ms", message->at_ms);
    hf_json_key(&json, "incident");
    hf_json_object(&json);
    hf_json_put_u64(&json, "number", incident->number);
    hf_json_put_text(&json, "severity", hf_severity_name(incident->severity));
    hf_json_put_text(&json, "code", incident->code);
    hf_json_put_text(&json, "subject", incident->subject);
    hf_json_put_text(&json, "title", incident->title);
    hf_json_put_text(&json, "text", incident->text);
    hf_json_put_u64(&json, "opened_ms", incident->opened_ms);
    if (incident->closed_ms != 0) {
        hf_json_put_u64(&json, "closed_ms", incident->closed_ms);
    } else {
        hf_json_put_null(&json, "closed_ms");
    }
    put_url(&json, "url", sender, incident);
    hf_json_object_end(&json);
    hf_json_object_end(&json);
}

void hf_notify_delivery(const struct hf_notify_machine *machine,
                        const struct hf_notify_message *message,
                        const struct hf_notify_sender *sender,
                        char ret_text[HF_NOTIFY_DELIVERY_MAX])
{
    const struct hf_notify_incident *incident = &machine->incidents[message->places[0]];
    (void)snprintf(ret_text, HF_NOTIFY_DELIVERY_MAX, "%.32s-%" PRIu64 "-%016" PRIx64,
                   sender->installation, incident->number, incident->news);
}

void hf_notify_sign(const void *secret, size_t secret_size, uint64_t at_ms, const void *body,
                    size_t body_size, char ret_text[HF_NOTIFY_SIGNATURE_MAX])
{
    uint8_t mac[MAC_SIZE];
    unsigned mac_size = sizeof(mac);
    struct hf_buf signed_text;
    hf_buf_init(&signed_text, body_size + 32);
    hf_buf_printf(&signed_text, "%" PRIu64 ".", at_ms / 1000);
    hf_buf_put(&signed_text, body, body_size);
    if (HMAC(EVP_sha256(), secret, (int)secret_size, signed_text.bytes, signed_text.size, mac,
             &mac_size) == NULL ||
        mac_size != MAC_SIZE) {
        abort(); /* out of memory */
    }
    int size = snprintf(ret_text, HF_NOTIFY_SIGNATURE_MAX, "t=%" PRIu64 ",v1=", at_ms / 1000);
    for (unsigned i = 0; i < mac_size; i++) {
        size += snprintf(ret_text + size, HF_NOTIFY_SIGNATURE_MAX - (size_t)size, "%02x", mac[i]);
    }
    hf_buf_release(&signed_text);
}
