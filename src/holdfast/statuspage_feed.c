/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page for programs: Atom and JSON. */
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "codec/json.h"
#include "holdfast/look.h"
#include "holdfast/statuspage.h"

enum { FEED_MAX = HF_STATUSPAGE_INCIDENTS_MAX / 4 };

/* --- Atom (RFC 4287) --- */

/* The same for every feed of this installation: its address, or an UUID made of its name. */
static void put_identity(const struct hf_statuspage *page, struct hf_buf *text)
{
    struct hf_digest digest;
    char hex[HF_DIGEST_TEXT_SIZE];
    const char *title = page->config->statuspage.title;
    if (page->config->statuspage.url != NULL) {
        hf_statuspage_put(text, page->config->statuspage.url);
        return;
    }
    hf_digest_of(title, strlen(title), &digest);
    hf_digest_text(&digest, hex);
    hf_buf_printf(text, "urn:uuid:%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17,
                  hex + 20);
}

static void put_time(struct hf_buf *text, const char *element, uint64_t at_ms)
{
    hf_buf_printf(text, "<%s>", element);
    hf_statuspage_put_time(text, at_ms, true);
    hf_buf_printf(text, "</%s>\n", element);
}

static void put_entry(const struct hf_statuspage *page, struct hf_buf *text,
                      const struct hf_incident *incident)
{
    hf_buf_put_text(text, "<entry>\n<id>");
    put_identity(page, text);
    hf_buf_printf(text, "#incident-%" PRIu64 "</id>\n<title>", incident->number);
    hf_statuspage_put(text, hf_statuspage_title(incident));
    hf_buf_put_text(text, incident->closed_ms == 0 ? "</title>\n" : " (over)</title>\n");
    if (page->config->statuspage.url != NULL) {
        hf_buf_put_text(text, "<link rel=\"alternate\" type=\"text/html\" href=\"");
        hf_statuspage_put(text, page->config->statuspage.url);
        hf_buf_printf(text, "#incident-%" PRIu64 "\"/>\n", incident->number);
    }
    put_time(text, "published", incident->opened_ms);
    put_time(text, "updated", hf_statuspage_updated_ms(incident));
    hf_buf_put_text(text, "<content type=\"text\">");
    for (uint32_t i = 0; i < incident->service_count; i++) {
        hf_buf_put_text(text, i == 0 ? "Services: " : ", ");
        hf_statuspage_put(text, incident->services[i].title);
    }
    for (uint32_t i = 0; i < incident->message_count; i++) {
        if (incident->messages[i].is_public) {
            hf_buf_put_text(text, "\n");
            hf_statuspage_put_time(text, incident->messages[i].at_ms, false);
            hf_buf_put_text(text, " UTC: ");
            hf_statuspage_put(text, incident->messages[i].text);
        }
    }
    hf_buf_put_text(text, "</content>\n</entry>\n");
}

void hf_statuspage_atom(const struct hf_statuspage *page, struct hf_buf *ret_text)
{
    const struct hf_incident *incident;
    uint64_t updated_ms = page->log->since_ms != 0 ? page->log->since_ms : page->now_ms;
    for (uint32_t i = 0; (incident = hf_statuspage_incident(page, i)) != NULL; i++) {
        uint64_t at_ms = hf_statuspage_updated_ms(incident);
        updated_ms = at_ms > updated_ms ? at_ms : updated_ms;
    }
    hf_buf_put_text(ret_text, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                              "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n<id>");
    put_identity(page, ret_text);
    hf_buf_put_text(ret_text, "</id>\n<title>");
    hf_statuspage_put(ret_text, page->config->statuspage.title);
    hf_buf_put_text(ret_text, "</title>\n<author><name>");
    hf_statuspage_put(ret_text, page->config->statuspage.title);
    hf_buf_put_text(ret_text, "</name></author>\n");
    if (page->config->statuspage.url != NULL) {
        hf_buf_put_text(ret_text, "<link rel=\"self\" type=\"application/atom+xml\" href=\"");
        hf_statuspage_put(ret_text, page->config->statuspage.url);
        hf_buf_put_text(ret_text, "feed.atom\"/>\n<link rel=\"alternate\" type=\"text/html\" "
                                  "href=\"");
        hf_statuspage_put(ret_text, page->config->statuspage.url);
        hf_buf_put_text(ret_text, "\"/>\n");
    }
    put_time(ret_text, "updated", updated_ms);
    for (uint32_t i = 0; i < FEED_MAX && (incident = hf_statuspage_incident(page, i)) != NULL;
         i++) {
        put_entry(page, ret_text, incident);
    }
    hf_buf_put_text(ret_text, "</feed>\n");
}

/* --- JSON --- */

static void json_services(const struct hf_statuspage *page, struct hf_json *json)
{
    hf_json_key(json, "services");
    hf_json_array(json);
    for (uint32_t i = 0; i < page->config->service_count; i++) {
        const struct hf_config_service *service = &page->config->services[i];
        enum hf_service_state days[HF_STATUSPAGE_DAYS];
        hf_statuspage_days(page, service, days);
        hf_json_object(json);
        hf_json_put_text(json, "service", service->name);
        hf_json_put_text(json, "title", service->title);
        hf_json_put_text(json, "description", service->description);
        hf_json_put_text(json, "state", hf_service_state_name(hf_statuspage_now(page, service)));
        hf_json_key(json, "days");
        hf_json_array(json);
        for (uint32_t day = 0; day < HF_STATUSPAGE_DAYS; day++) {
            hf_json_text(json, hf_service_state_name(days[day]));
        }
        hf_json_array_end(json);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void json_incident(struct hf_json *json, const struct hf_incident *incident)
{
    hf_json_object(json);
    hf_json_put_u64(json, "number", incident->number);
    hf_json_put_text(json, "title", hf_statuspage_title(incident));
    hf_json_put_text(json, "state", incident->closed_ms == 0 ? "open" : "closed");
    hf_json_put_u64(json, "opened_ms", incident->opened_ms);
    hf_look_json_time(json, "closed_ms", incident->closed_ms);
    hf_json_key(json, "services");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->service_count; i++) {
        const struct hf_incident_affected *row = &incident->services[i];
        hf_json_object(json);
        hf_json_put_text(json, "service", row->name);
        hf_json_put_text(json, "title", row->title);
        hf_json_put_double(json, "share", row->impact.share / 1000.0);
        hf_json_put_double(json, "highest_share", row->impact.highest_share / 1000.0);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
    hf_json_key(json, "messages");
    hf_json_array(json);
    for (uint32_t i = 0; i < incident->message_count; i++) {
        if (incident->messages[i].is_public) {
            hf_json_object(json);
            hf_json_put_u64(json, "at_ms", incident->messages[i].at_ms);
            hf_json_put_text(json, "text", incident->messages[i].text);
            hf_json_object_end(json);
        }
    }
    hf_json_array_end(json);
    hf_json_object_end(json);
}

void hf_statuspage_json(const struct hf_statuspage *page, struct hf_buf *ret_text)
{
    struct hf_json json;
    const struct hf_incident *incident;
    hf_json_init(&json, ret_text, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_put_text(&json, "title", page->config->statuspage.title);
    hf_json_put_u64(&json, "made_ms", page->now_ms);
    hf_json_put_text(&json, "state", hf_service_state_name(hf_statuspage_overall(page)));
    json_services(page, &json);
    hf_json_key(&json, "incidents");
    hf_json_array(&json);
    for (uint32_t i = 0;
         i < HF_STATUSPAGE_INCIDENTS_MAX && (incident = hf_statuspage_incident(page, i)) != NULL;
         i++) {
        json_incident(&json, incident);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    hf_buf_put_text(ret_text, "\n");
}
