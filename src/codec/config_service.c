/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What incidents and the status page need to know: services, who depends on them, and the page.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/utf8.h"

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    HINTS_MAX = 10000, /* names that are compared with a wrong one */
    URL_MAX = 1000,
};

/* --- texts for people --- */

/* A text of one line for people, or NULL and a problem. */
static const char *read_line(struct hf_reader *reader, uint32_t node, size_t max)
{
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "a text of 1 to %zu octets in one line", max);
    const char *text = hf_read_text(reader, node, expected);
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text);
    bool is_right = size <= max;
    for (size_t i = 0; i < size && is_right;) {
        size_t step = hf_utf8_size((const uint8_t *)text + i, size - i);
        is_right = step > 0 && (uint8_t)text[i] >= ' ' && text[i] != 0x7f;
        i += step;
    }
    if (!is_right) {
        hf_expected(reader, node, expected);
        return NULL;
    }
    return hf_pack_text(reader, text);
}

static void read_line_at(struct hf_reader *reader, const char *key, uint32_t node, size_t max,
                         const char **ret_text)
{
    if (node != 0) {
        hf_enter(reader, key);
        const char *text = read_line(reader, node, max);
        *ret_text = text != NULL ? text : *ret_text;
        hf_leave(reader);
    }
}

/* --- lists of names of rows that were read before --- */

/* What a name in a list means: a row, or UINT32_MAX after a problem. */
typedef uint32_t find_row(struct hf_reader *reader, uint32_t node);

static bool has_row(const struct hf_rows *rows, uint32_t first, uint32_t row)
{
    const uint32_t *all = rows->rows;
    uint32_t i = first;
    while (i < rows->count && all[i] != row) {
        i++;
    }
    return i < rows->count;
}

/* Appends the rows that the list names; how many. */
static uint32_t read_names(struct hf_reader *reader, uint32_t node, const char *expected,
                           uint32_t most, find_row *find, struct hf_rows *rows)
{
    const struct hf_tree_node *at = hf_tree_at(reader->tree, node);
    uint32_t first = rows->count;
    if (at->kind != HF_TREE_LIST || at->count == 0 || at->count > most) {
        hf_expected(reader, node, expected);
        return 0;
    }
    for (uint32_t item = at->child; item != 0 && !reader->stopped; item = hf_next(reader, item)) {
        uint32_t row = find(reader, item);
        if (row == UINT32_MAX) {
            continue;
        }
        if (has_row(rows, first, row)) {
            hf_problem(reader, item, "found %s twice in this list",
                       hf_tree_text(reader->tree, item));
            continue;
        }
        uint32_t *slot = hf_rows_add(rows);
        *slot = row;
    }
    return rows->count - first;
}

static uint32_t find_endpoint(struct hf_reader *reader, uint32_t node)
{
    uint8_t owner[HF_NAME_MAX];
    if (!hf_read_domain(reader, node, "the name of an endpoint", owner)) {
        return UINT32_MAX;
    }
    const struct hf_config_own *own = reader->own;
    uint32_t row = hf_config_find_endpoint(&own->config, owner);
    if (row == UINT32_MAX && reader->error_count == 0) {
        char texts[HF_NAME_TEXT_MAX];
        char best[HF_NAME_TEXT_MAX] = "";
        struct hf_nearest nearest = {.text = hf_tree_text(reader->tree, node)};
        const struct hf_config_endpoint *endpoints = own->endpoints.rows;
        for (uint32_t i = 0; i < own->endpoints.count && i < HINTS_MAX; i++) {
            hf_name_text(endpoints[i].owner, texts);
            texts[strlen(texts) - 1] = 0; /* as people write it: without the final dot */
            hf_nearest_try(&nearest, texts);
            if (nearest.best == texts) {
                (void)snprintf(best, sizeof(best), "%s", texts);
                nearest.best = best;
            }
        }
        char shown[HF_SHOWN_MAX];
        char hint[HF_SHOWN_MAX];
        hf_problem(reader, node, "found %s, expected the name of an endpoint%s",
                   hf_shown(reader, node, shown), hf_nearest_hint(&nearest, hint));
    }
    return row;
}

static uint32_t service_named(const struct hf_config_own *own, const char *name)
{
    const struct hf_config_service *services = own->services.rows;
    for (uint32_t i = 0; i < own->services.count; i++) {
        if (strcmp(services[i].name, name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

static uint32_t find_service(struct hf_reader *reader, uint32_t node)
{
    const char *name = hf_read_text(reader, node, "the name of a service");
    if (name == NULL) {
        return UINT32_MAX;
    }
    uint32_t row = service_named(reader->own, name);
    if (row == UINT32_MAX && reader->error_count == 0) {
        struct hf_nearest nearest = {.text = name};
        const struct hf_config_service *services = reader->own->services.rows;
        for (uint32_t i = 0; i < reader->own->services.count; i++) {
            hf_nearest_try(&nearest, services[i].name);
        }
        char shown[HF_SHOWN_MAX];
        char hint[HF_SHOWN_MAX];
        hf_problem(reader, node, "found %s, expected the name of a service%s",
                   hf_shown(reader, node, shown), hf_nearest_hint(&nearest, hint));
    }
    return row;
}

/* --- services --- */

enum service_key { SERVICE_TITLE, SERVICE_DESCRIPTION, SERVICE_ENDPOINTS, SERVICE_COUNT };

static const struct hf_key service_keys[SERVICE_COUNT] = {
    [SERVICE_TITLE] = {.name = "title", .kind = HF_KEY_NODE},
    [SERVICE_DESCRIPTION] = {.name = "description", .kind = HF_KEY_NODE},
    [SERVICE_ENDPOINTS] = {.name = "endpoints", .kind = HF_KEY_NODE},
};

static void read_service(struct hf_reader *reader, uint32_t key, uint32_t node)
{
    struct hf_config_own *own = reader->own;
    uint32_t values[SERVICE_COUNT];
    const char *name = hf_read_name(reader, key, "the name of a service");
    if (name == NULL || !hf_read_map(reader, node, service_keys, SERVICE_COUNT, NULL, values)) {
        return;
    }
    struct hf_config_service service = {.name = hf_pack_text(reader, name),
                                        .description = "",
                                        .endpoint_first = own->service_endpoints.count};
    service.title = service.name;
    if (service_named(own, name) != UINT32_MAX) {
        hf_problem(reader, key, "found the service \"%s\" twice", name);
    }
    read_line_at(reader, "title", values[SERVICE_TITLE], HF_CONFIG_TITLE_MAX, &service.title);
    read_line_at(reader, "description", values[SERVICE_DESCRIPTION], HF_CONFIG_DESCRIPTION_MAX,
                 &service.description);
    if (values[SERVICE_ENDPOINTS] == 0) {
        hf_missing(reader, node, "endpoints", "a list of names of endpoints");
    } else {
        hf_enter(reader, "endpoints");
        service.endpoint_count =
            read_names(reader, values[SERVICE_ENDPOINTS],
                       "a list of 1 to 10000 names of endpoints, such as [api.example.test]",
                       HF_CONFIG_SERVICE_ENDPOINTS_MAX, find_endpoint, &own->service_endpoints);
        hf_leave(reader);
    }
    struct hf_config_service *row = hf_rows_add(&own->services);
    *row = service;
}

/* --- dependents --- */

enum dependent_key {
    DEPENDENT_TITLE,
    DEPENDENT_CRITICALITY,
    DEPENDENT_TOLERATES,
    DEPENDENT_SERVICES,
    DEPENDENT_COUNT
};

static const struct hf_key dependent_keys[DEPENDENT_COUNT] = {
    [DEPENDENT_TITLE] = {.name = "title", .kind = HF_KEY_NODE},
    [DEPENDENT_CRITICALITY] = {.name = "criticality", .kind = HF_KEY_NODE},
    [DEPENDENT_TOLERATES] = {"tolerates", HF_KEY_DURATION,
                             offsetof(struct hf_config_dependent, tolerated_ms), 1000,
                             24U * HOUR_MS},
    [DEPENDENT_SERVICES] = {.name = "services", .kind = HF_KEY_NODE},
};

static const char *const criticalities[] = {"low", "normal", "high", "critical", NULL};
static const uint32_t tolerated_ms[] = {HOUR_MS, 15 * MINUTE_MS, 5 * MINUTE_MS, MINUTE_MS};
enum { CRITICALITY_NORMAL = 1 };

static bool has_dependent(const struct hf_config_own *own, const char *name)
{
    const struct hf_config_dependent *dependents = own->dependents.rows;
    uint32_t i = 0;
    while (i < own->dependents.count && strcmp(dependents[i].name, name) != 0) {
        i++;
    }
    return i < own->dependents.count;
}

static void read_criticality(struct hf_reader *reader, uint32_t node,
                             struct hf_config_dependent *dependent)
{
    uint32_t word = CRITICALITY_NORMAL;
    if (node != 0) {
        hf_enter(reader, "criticality");
        word = hf_read_word(reader, node, criticalities);
        hf_leave(reader);
    }
    word = word == UINT32_MAX ? CRITICALITY_NORMAL : word;
    dependent->criticality = criticalities[word];
    if (dependent->tolerated_ms == 0) {
        dependent->tolerated_ms = tolerated_ms[word];
    }
}

static void read_dependent(struct hf_reader *reader, uint32_t key, uint32_t node)
{
    struct hf_config_own *own = reader->own;
    uint32_t values[DEPENDENT_COUNT];
    struct hf_config_dependent dependent = {.service_first = own->dependent_services.count};
    const char *name = hf_read_name(reader, key, "the name of a dependent");
    if (name == NULL ||
        !hf_read_map(reader, node, dependent_keys, DEPENDENT_COUNT, &dependent, values)) {
        return;
    }
    dependent.name = hf_pack_text(reader, name);
    dependent.title = dependent.name;
    if (has_dependent(own, name)) {
        hf_problem(reader, key, "found the dependent \"%s\" twice", name);
    }
    read_line_at(reader, "title", values[DEPENDENT_TITLE], HF_CONFIG_TITLE_MAX, &dependent.title);
    read_criticality(reader, values[DEPENDENT_CRITICALITY], &dependent);
    if (values[DEPENDENT_SERVICES] == 0) {
        hf_missing(reader, node, "services", "a list of names of services");
    } else {
        hf_enter(reader, "services");
        dependent.service_count =
            read_names(reader, values[DEPENDENT_SERVICES],
                       "a list of 1 to 1000 names of services, such as [shop]",
                       HF_CONFIG_SERVICES_MAX, find_service, &own->dependent_services);
        hf_leave(reader);
    }
    struct hf_config_dependent *row = hf_rows_add(&own->dependents);
    *row = dependent;
}

/* --- maps of them --- */

typedef void row_read(struct hf_reader *reader, uint32_t key, uint32_t node);

static void read_rows(struct hf_reader *reader, uint32_t node, const char *expected, uint32_t most,
                      row_read *read)
{
    const struct hf_tree_node *at = hf_tree_at(reader->tree, node);
    if (at->kind != HF_TREE_MAP || at->count == 0 || at->count / 2 > most) {
        hf_expected(reader, node, expected);
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        hf_enter(reader, hf_tree_text(reader->tree, key));
        read(reader, key, value);
        hf_leave(reader);
    }
}

void hf_read_services(struct hf_reader *reader, uint32_t node)
{
    read_rows(reader, node,
              "a map of 1 to 1000 services, such as { shop: { endpoints: [www.example.test] } }",
              HF_CONFIG_SERVICES_MAX, read_service);
}

void hf_read_dependents(struct hf_reader *reader, uint32_t node)
{
    read_rows(reader, node,
              "a map of 1 to 1000 dependents, such as { checkout: { services: [shop] } }",
              HF_CONFIG_DEPENDENTS_MAX, read_dependent);
}

/* --- the page --- */

enum page_key { PAGE_OUT, PAGE_TITLE, PAGE_URL, PAGE_COUNT };

static const struct hf_key page_keys[PAGE_COUNT] = {
    [PAGE_OUT] = {.name = "out",
                  .kind = HF_KEY_PATH,
                  .offset = offsetof(struct hf_config_statuspage, out)},
    [PAGE_TITLE] = {.name = "title", .kind = HF_KEY_NODE},
    [PAGE_URL] = {.name = "url", .kind = HF_KEY_NODE},
};

static void read_url(struct hf_reader *reader, uint32_t node, struct hf_config_statuspage *page)
{
    static const char expected[] = "an address such as https://status.example.test/";
    const char *text = hf_read_text(reader, node, expected);
    if (text == NULL) {
        return;
    }
    bool is_right = strlen(text) <= URL_MAX &&
                    (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0) &&
                    text[strlen(text) - 1] == '/';
    for (const char *at = text; *at != 0; at++) {
        is_right = is_right && *at > ' ' && *at < 0x7f && strchr("<>\"'?#", *at) == NULL;
    }
    if (!is_right) {
        hf_expected(reader, node, expected);
        return;
    }
    page->url = hf_pack_text(reader, text);
}

void hf_read_statuspage(struct hf_reader *reader, uint32_t node)
{
    uint32_t values[PAGE_COUNT];
    struct hf_config_statuspage *page = &reader->own->config.statuspage;
    if (!hf_read_map(reader, node, page_keys, PAGE_COUNT, page, values)) {
        return;
    }
    read_line_at(reader, "title", values[PAGE_TITLE], HF_CONFIG_TITLE_MAX, &page->title);
    if (values[PAGE_URL] != 0) {
        hf_enter(reader, "url");
        read_url(reader, values[PAGE_URL], page);
        hf_leave(reader);
    }
}

void hf_read_incidents(struct hf_reader *reader, uint32_t node)
{
    static const struct hf_key keys[] = {{"close_after", HF_KEY_DURATION,
                                          offsetof(struct hf_config, incident_hold_ms), 1000,
                                          HOUR_MS}};
    uint32_t values[1];
    (void)hf_read_map(reader, node, keys, 1, &reader->own->config, values);
}
