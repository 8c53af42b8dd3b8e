/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/utf8.h"
#include "holdfast/statuspage.h"
#include "holdfast/statuspage_style.h"

/* --- text --- */

/* What XML 1.0 allows (section 2.2), and line breaks. */
static bool is_allowed(const uint8_t *at, size_t size)
{
    bool is_control = size == 1 && (*at < ' ' || *at == 0x7f) && *at != '\n' && *at != '\t';
    bool is_no_character = size == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe;
    return size > 0 && !is_control && !is_no_character;
}

void hf_statuspage_put(struct hf_buf *text, const char *value)
{
    size_t left = strlen(value);
    const uint8_t *at = (const uint8_t *)value;
    while (left > 0) {
        size_t size = hf_utf8_size(at, left);
        if (!is_allowed(at, size)) {
            hf_buf_put_text(text, "\xef\xbf\xbd");
        } else if (size == 1 && strchr("&<>\"'", *at) != NULL) {
            hf_buf_printf(text, "&#%u;", *at);
        } else {
            hf_buf_put(text, at, size);
        }
        size = size == 0 ? 1 : size;
        at += size;
        left -= size;
    }
}

void hf_statuspage_put_time(struct hf_buf *text, uint64_t at_ms, bool is_exact)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    char stamp[32] = "";
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(stamp, sizeof(stamp), is_exact ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M",
                       &parts);
    }
    hf_buf_put_text(text, stamp);
}

static void put_day(struct hf_buf *text, uint64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    char day[32] = "";
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(day, sizeof(day), "%Y-%m-%d", &parts);
    }
    hf_buf_put_text(text, day);
}

/* <time>, UTC. */
static void put_time(struct hf_buf *text, uint64_t at_ms)
{
    hf_buf_put_text(text, "<time datetime=\"");
    hf_statuspage_put_time(text, at_ms, true);
    hf_buf_put_text(text, "\">");
    hf_statuspage_put_time(text, at_ms, false);
    hf_buf_put_text(text, " UTC</time>");
}

/* A name from outside: marks in it that turn the direction of text end with it. */
static void put_name(struct hf_buf *text, const char *name)
{
    hf_buf_put_text(text, "<bdi>");
    hf_statuspage_put(text, name);
    hf_buf_put_text(text, "</bdi>");
}

static void put_duration(struct hf_buf *text, uint64_t duration_ms)
{
    uint64_t minutes = duration_ms / 60000;
    if (minutes >= 60) {
        hf_buf_printf(text, "%" PRIu64 " h %" PRIu64 " min", minutes / 60, minutes % 60);
    } else if (minutes > 0) {
        hf_buf_printf(text, "%" PRIu64 " min", minutes);
    } else {
        hf_buf_put_text(text, "less than a minute");
    }
}

/* --- services --- */

static const char *overall_words(enum hf_service_state state)
{
    switch (state) {
    case HF_SERVICE_OUTAGE:
        return "Outage: most requests to a service may fail";
    case HF_SERVICE_DEGRADED:
        return "Degraded: some requests may fail";
    case HF_SERVICE_WATCHED:
        return "All services can be reached; an incident is open";
    default:
        return "All services are operational";
    }
}

static void put_bars(const struct hf_statuspage *page, struct hf_buf *text,
                     const struct hf_config_service *service)
{
    enum hf_service_state days[HF_STATUSPAGE_DAYS];
    uint32_t counts[HF_SERVICE_OUTAGE + 1] = {0};
    hf_statuspage_days(page, service, days);
    for (uint32_t day = 0; day < HF_STATUSPAGE_DAYS; day++) {
        counts[days[day]]++;
    }
    hf_buf_printf(text,
                  "<div class=\"days\" role=\"img\" aria-label=\"Last %d days: outage on %u, "
                  "degraded on %u, no data for %u\">",
                  HF_STATUSPAGE_DAYS, counts[HF_SERVICE_OUTAGE], counts[HF_SERVICE_DEGRADED],
                  counts[HF_SERVICE_UNKNOWN]);
    for (uint32_t day = 0; day < HF_STATUSPAGE_DAYS; day++) {
        static const char *const classes[] = {" class=\"u\"", "", "", " class=\"d\"",
                                              " class=\"o\""};
        hf_buf_printf(text, "<i%s title=\"", classes[days[day]]);
        put_day(text, hf_statuspage_day_ms(page, day));
        hf_buf_printf(text, ": %s\"></i>", hf_service_state_words(days[day]));
    }
    hf_buf_put_text(text, "</div>\n<div class=\"scale\" aria-hidden=\"true\">"
                          "<span class=\"long\">90 days ago</span>"
                          "<span class=\"short\">45 days ago</span><span>today</span></div>\n");
}

static void put_services(const struct hf_statuspage *page, struct hf_buf *text)
{
    hf_buf_put_text(text, "<h2>Services</h2>\n");
    for (uint32_t i = 0; i < page->config->service_count; i++) {
        const struct hf_config_service *service = &page->config->services[i];
        enum hf_service_state state = hf_statuspage_now(page, service);
        hf_buf_printf(text, "<section class=\"service %s\">\n<div class=\"top\"><h3>",
                      hf_service_state_name(state));
        put_name(text, service->title);
        hf_buf_printf(text, "</h3><span class=\"state\">%s</span></div>\n",
                      hf_service_state_words(state));
        if (service->description[0] != 0) {
            hf_buf_put_text(text, "<p class=\"description\">");
            put_name(text, service->description);
            hf_buf_put_text(text, "</p>\n");
        }
        put_bars(page, text, service);
        hf_buf_put_text(text, "</section>\n");
    }
    if (page->config->service_count == 0) {
        hf_buf_put_text(text, "<p>No service is configured.</p>\n");
    }
}

/* --- incidents --- */

static enum hf_service_state worst_of(const struct hf_incident *incident)
{
    enum hf_service_state worst = HF_SERVICE_WATCHED;
    for (uint32_t i = 0; i < incident->service_count; i++) {
        uint32_t share = incident->services[i].impact.highest_share;
        if (share >= HF_STATUSPAGE_OUTAGE_PERMILLE) {
            worst = HF_SERVICE_OUTAGE;
        } else if (share > 0 && worst == HF_SERVICE_WATCHED) {
            worst = HF_SERVICE_DEGRADED;
        }
    }
    return worst;
}

static void put_messages(struct hf_buf *text, const struct hf_incident *incident)
{
    bool is_first = true;
    for (uint32_t i = incident->message_count; i-- > 0;) {
        const struct hf_incident_message *message = &incident->messages[i];
        if (!message->is_public) {
            continue;
        }
        hf_buf_put_text(text, is_first ? "<ul class=\"messages\">\n<li>" : "<li>");
        hf_buf_put_text(text, "<span class=\"when\">");
        put_time(text, message->at_ms);
        hf_buf_put_text(text, "</span><p>");
        put_name(text, message->text);
        hf_buf_put_text(text, "</p></li>\n");
        is_first = false;
    }
    hf_buf_put_text(text, is_first ? "" : "</ul>\n");
}

static void put_incident(const struct hf_statuspage *page, struct hf_buf *text,
                         const struct hf_incident *incident)
{
    bool is_open = incident->closed_ms == 0;
    uint64_t end_ms = is_open ? page->now_ms : incident->closed_ms;
    hf_buf_printf(text, "<article id=\"incident-%" PRIu64 "\" class=\"%s\">\n<h3>",
                  incident->number, hf_service_state_name(worst_of(incident)));
    hf_statuspage_put(text, hf_statuspage_title(incident));
    hf_buf_put_text(text, "</h3>\n<p class=\"when\">Since ");
    put_time(text, incident->opened_ms);
    if (!is_open) {
        hf_buf_put_text(text, ", over at ");
        put_time(text, incident->closed_ms);
    }
    hf_buf_put_text(text, is_open ? ", for " : ", lasted ");
    put_duration(text, end_ms > incident->opened_ms ? end_ms - incident->opened_ms : 0);
    hf_buf_put_text(text, "</p>\n");
    for (uint32_t i = 0; i < incident->service_count; i++) {
        hf_buf_put_text(text, i == 0 ? "<p>Services: " : ", ");
        put_name(text, incident->services[i].title);
    }
    hf_buf_put_text(text, incident->service_count > 0 ? "</p>\n" : "");
    put_messages(text, incident);
    hf_buf_put_text(text, "</article>\n");
}

static void put_incidents(const struct hf_statuspage *page, struct hf_buf *text, bool is_open)
{
    const struct hf_incident *incident;
    uint32_t told = 0;
    hf_buf_put_text(text, is_open ? "<h2>Open incidents</h2>\n" : "<h2>Past incidents</h2>\n");
    for (uint32_t i = 0;
         (incident = hf_statuspage_incident(page, i)) != NULL && i < HF_STATUSPAGE_INCIDENTS_MAX;
         i++) {
        if ((incident->closed_ms == 0) == is_open) {
            put_incident(page, text, incident);
            told++;
        }
    }
    if (told == 0) {
        hf_buf_put_text(text, is_open ? "<p>None.</p>\n" : "<p>None in the last 90 days.</p>\n");
    }
}

/* --- the page --- */

static void put_head(const struct hf_statuspage *page, struct hf_buf *text)
{
    enum hf_service_state state = hf_statuspage_overall(page);
    hf_buf_put_text(text,
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta http-equiv=\"refresh\" content=\"60\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                    "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    hf_statuspage_put(text, page->config->statuspage.title);
    hf_buf_printf(text, ": %s</title>\n", hf_service_state_words(state));
    hf_buf_put_text(text, "<link rel=\"alternate\" type=\"application/atom+xml\" "
                          "href=\"feed.atom\" title=\"Incidents\">\n<style>\n" HF_STATUSPAGE_STYLE
                          "</style>\n</head>\n<body>\n<header>\n<h1>");
    put_name(text, page->config->statuspage.title);
    hf_buf_printf(text, "</h1>\n<p class=\"overall %s\">%s</p>\n", hf_service_state_name(state),
                  overall_words(state));
    hf_buf_put_text(text, "<p class=\"made\">As of ");
    put_time(text, page->now_ms);
    hf_buf_put_text(text, ". If that is more than a few minutes ago, this page may be out of "
                          "date.</p>\n</header>\n<main>\n");
}

void hf_statuspage_html(const struct hf_statuspage *page, struct hf_buf *ret_text)
{
    put_head(page, ret_text);
    put_incidents(page, ret_text, true);
    put_services(page, ret_text);
    put_incidents(page, ret_text, false);
    hf_buf_put_text(ret_text, "</main>\n<footer>Times are UTC. <a href=\"feed.atom\">Feed</a>, "
                              "<a href=\"status.json\">JSON</a>. Made by Holdfast.</footer>\n"
                              "</body>\n</html>\n");
}
