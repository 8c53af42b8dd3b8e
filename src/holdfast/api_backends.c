/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Backends, page by page, and all at once in columns. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/index.h"
#include "holdfast/api.h"

/* --- in order of name, with filters --- */

struct filter {
    const struct hf_look *look;
    const char *search, *pool, *site, *verdict, *after;
    bool is_drained_given, is_drained;
};

static bool is_wanted(const struct filter *filter, uint32_t number)
{
    const struct hf_config *config = filter->look->config;
    const struct hf_config_backend *backend = &config->backends[number];
    const struct hf_backend_status *row = hf_look_backend(filter->look, backend->name);
    enum hf_verdict verdict = row != NULL ? row->verdict : HF_VERDICT_UNKNOWN;
    bool is_drained = row != NULL && row->drained;
    return (filter->search == NULL || strcasestr(backend->name, filter->search) != NULL) &&
           (filter->pool == NULL || strcmp(config->pools[backend->pool].name, filter->pool) == 0) &&
           (filter->site == NULL || strcmp(config->sites[backend->site], filter->site) == 0) &&
           (filter->verdict == NULL || strcmp(hf_verdict_name(verdict), filter->verdict) == 0) &&
           (!filter->is_drained_given || is_drained == filter->is_drained);
}

static int compare_numbers(const void *a, const void *b, void *context)
{
    const struct hf_config *config = context;
    const uint32_t *one = a;
    const uint32_t *other = b;
    return strcmp(config->backends[*one].name, config->backends[*other].name);
}

/* The numbers of those that are wanted, in order of name. To be freed. */
static uint32_t *select_rows(const struct filter *filter, uint32_t *ret_count)
{
    const struct hf_config *config = filter->look->config;
    uint32_t *numbers = calloc(config->backend_count + 1U, sizeof(*numbers));
    uint32_t count = 0;
    if (numbers == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < config->backend_count; i++) {
        if (is_wanted(filter, i)) {
            numbers[count++] = i;
        }
    }
    union {
        const void *given;
        void *context;
    } cast = {.given = config};
    qsort_r(numbers, count, sizeof(*numbers), compare_numbers, cast.context);
    *ret_count = count;
    return numbers;
}

static void put_page(struct hf_api_call *call, const struct filter *filter, uint64_t limit)
{
    const struct hf_config *config = filter->look->config;
    struct hf_json *json = &call->json;
    uint32_t count;
    uint32_t *numbers = select_rows(filter, &count);
    uint32_t at = 0;
    while (filter->after != NULL && at < count &&
           strcmp(config->backends[numbers[at]].name, filter->after) <= 0) {
        at++;
    }
    hf_look_json_head(filter->look, json);
    hf_look_json_time(json, "at_ms", filter->look->backends_at_ms);
    hf_json_put_u64(json, "total", count);
    hf_json_key(json, "backends");
    hf_json_array(json);
    uint32_t end = count - at > limit ? at + (uint32_t)limit : count;
    for (uint32_t i = at; i < end; i++) {
        hf_status_put_backend(filter->look, numbers[i], json);
    }
    hf_json_array_end(json);
    hf_api_put_next(call, end < count ? config->backends[numbers[end - 1]].name : NULL);
    hf_json_object_end(json);
    free(numbers);
}

static void backends(struct hf_api_call *call)
{
    uint64_t limit;
    struct filter filter = {
        .look = call->api->look,
        .search = hf_api_value(call, "search"),
        .pool = hf_api_value(call, "pool"),
        .site = hf_api_value(call, "site"),
        .verdict = hf_api_value(call, "verdict"),
        .after = hf_api_value(call, "after"),
        .is_drained_given = hf_api_value(call, "drained") != NULL,
        .is_drained = hf_api_is(call, "drained", "yes"),
    };
    if (hf_api_one_of(call, "verdict", "up down unknown") &&
        hf_api_one_of(call, "drained", "yes no") &&
        hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit)) {
        put_page(call, &filter, limit);
    }
}

/* --- in columns --- */

/* Texts of last checks, each once. */
struct whys {
    struct hf_index index;
    const char **texts;
    uint32_t *numbers; /* of each backend that is wanted */
    uint32_t count;
};

static bool equals(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct whys *whys = context;
    return strlen(whys->texts[row]) == key_size && memcmp(whys->texts[row], key, key_size) == 0;
}

static uint32_t number_of(struct whys *whys, const char *text)
{
    size_t size = strlen(text);
    uint32_t row = hf_index_find(&whys->index, text, size, equals, whys);
    if (row == HF_INDEX_NONE) {
        row = whys->count++;
        whys->texts[row] = text;
        hf_index_add(&whys->index, text, size, row);
    }
    return row;
}

struct columns {
    const struct hf_look *look;
    struct hf_json *json;
    uint32_t *numbers; /* of configured backends */
    uint32_t count;
};

static const struct hf_backend_status *status_of(const struct columns *columns, uint32_t at)
{
    return hf_look_backend(columns->look,
                           columns->look->config->backends[columns->numbers[at]].name);
}

static void put_whys(const struct columns *columns)
{
    struct whys whys = {.texts = calloc(columns->count + 1U, sizeof(*whys.texts)),
                        .numbers = calloc(columns->count + 1U, sizeof(*whys.numbers))};
    if (whys.texts == NULL || whys.numbers == NULL) {
        abort();
    }
    hf_index_init(&whys.index);
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct hf_backend_status *row = status_of(columns, i);
        whys.numbers[i] = number_of(&whys, row != NULL ? row->why : "");
    }
    struct hf_json *json = columns->json;
    hf_json_key(json, "whys");
    hf_json_array(json);
    for (uint32_t i = 0; i < whys.count; i++) {
        hf_json_text(json, whys.texts[i]);
    }
    hf_json_array_end(json);
    hf_json_key(json, "why");
    hf_json_array(json);
    for (uint32_t i = 0; i < columns->count; i++) {
        hf_json_u64(json, whys.numbers[i]);
    }
    hf_json_array_end(json);
    hf_index_release(&whys.index);
    free(whys.texts);
    free(whys.numbers);
}

static int64_t number_in(const struct columns *columns, uint32_t at, const char *column)
{
    const struct hf_config_backend *backend =
        &columns->look->config->backends[columns->numbers[at]];
    const struct hf_backend_status *row = status_of(columns, at);
    if (strcmp(column, "pool") == 0) {
        return backend->pool;
    }
    if (strcmp(column, "site") == 0) {
        return backend->site;
    }
    if (strcmp(column, "checked_ago_ms") == 0) {
        uint64_t now_ms = columns->look->now_ms;
        if (row == NULL || row->checked_ms == 0) {
            return -1;
        }
        return now_ms > row->checked_ms ? (int64_t)(now_ms - row->checked_ms) : 0;
    }
    if (row == NULL) {
        return 0;
    }
    return strcmp(column, "since_ms") == 0      ? (int64_t)row->since_ms
           : strcmp(column, "duration_us") == 0 ? (int64_t)row->duration_us
                                                : (int64_t)row->flaps;
}

static void put_numbers(const struct columns *columns, const char *column)
{
    hf_json_key(columns->json, column);
    hf_json_array(columns->json);
    for (uint32_t i = 0; i < columns->count; i++) {
        hf_json_i64(columns->json, number_in(columns, i, column));
    }
    hf_json_array_end(columns->json);
}

static void put_verdicts(const struct columns *columns)
{
    static const char letters[] = {
        [HF_VERDICT_UP] = 'u', [HF_VERDICT_DOWN] = 'd', [HF_VERDICT_UNKNOWN] = '?'};
    static const char drained[] = {
        [HF_VERDICT_UP] = 'U', [HF_VERDICT_DOWN] = 'D', [HF_VERDICT_UNKNOWN] = '!'};
    char *text = calloc(columns->count + 1U, 1);
    if (text == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct hf_backend_status *row = status_of(columns, i);
        enum hf_verdict verdict = row != NULL ? row->verdict : HF_VERDICT_UNKNOWN;
        const char *words = row != NULL && row->drained ? drained : letters;
        text[i] = words[verdict];
    }
    hf_json_put_text(columns->json, "verdict", text);
    free(text);
}

static void put_names(const struct columns *columns)
{
    const struct hf_config *config = columns->look->config;
    struct hf_json *json = columns->json;
    hf_json_key(json, "pools");
    hf_json_array(json);
    for (uint32_t i = 0; i < config->pool_count; i++) {
        hf_json_text(json, config->pools[i].name);
    }
    hf_json_array_end(json);
    hf_json_key(json, "sites");
    hf_json_array(json);
    for (uint32_t i = 0; i < config->site_count; i++) {
        hf_json_text(json, config->sites[i]);
    }
    hf_json_array_end(json);
    hf_json_key(json, "name");
    hf_json_array(json);
    for (uint32_t i = 0; i < columns->count; i++) {
        hf_json_text(json, config->backends[columns->numbers[i]].name);
    }
    hf_json_array_end(json);
}

static void backend_columns(struct hf_api_call *call)
{
    static const char *const numbers[] = {"pool",     "site",        "checked_ago_ms",
                                          "since_ms", "duration_us", "flaps"};
    const struct hf_look *look = call->api->look;
    struct filter filter = {
        .look = look, .pool = hf_api_value(call, "pool"), .site = hf_api_value(call, "site")};
    struct columns columns = {.look = look, .json = &call->json};
    columns.numbers = select_rows(&filter, &columns.count);
    hf_look_json_head(look, &call->json);
    hf_look_json_time(&call->json, "at_ms", look->backends_at_ms);
    hf_json_put_u64(&call->json, "count", columns.count);
    put_names(&columns);
    put_verdicts(&columns);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        put_numbers(&columns, numbers[i]);
    }
    put_whys(&columns);
    hf_json_object_end(&call->json);
    free(columns.numbers);
}

const struct hf_api_route hf_api_routes_backends[] = {
    {"GET", "/api/v1/backends", "search pool site verdict drained limit after", backends, false},
    {"GET", "/api/v1/backend-columns", "pool site", backend_columns, false},
    {0},
};
