/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/index.h"
#include "codec/name.h"
#include "holdfast/api.h"

enum { TEXTS_MAX = 1024 * 1024 * 1024 };

/* A number that stays while no name comes or goes, and no row gets another name. */
static uint64_t sum_of(const struct hf_look *look)
{
    const struct hf_plan *plan = &look->plan;
    uint64_t sum = plan->entry_count;
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        if (hf_plan_gen(plan, row) != 0) {
            const uint8_t *owner = hf_plan_owner(plan, row);
            sum = sum * 31 + (hf_hash64(owner, hf_name_size(owner)) ^ row);
        }
    }
    return sum;
}

static void add(struct hf_api_names *names, struct hf_buf *texts, const uint8_t *owner,
                struct hf_api_name name)
{
    char text[HF_NAME_TEXT_MAX];
    hf_name_text(owner, text);
    name.text = (uint32_t)texts->size;
    hf_buf_put(texts, text, strlen(text) + 1);
    names->rows[names->count++] = name;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct hf_api_name *one = a;
    const struct hf_api_name *other = b;
    const char *texts = context;
    return strcmp(texts + one->text, texts + other->text);
}

static void add_all(struct hf_api_names *names, const struct hf_look *look, struct hf_buf *texts)
{
    const struct hf_plan *plan = &look->plan;
    const struct hf_config *config = look->config;
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        if (hf_plan_gen(plan, row) == 0) {
            continue;
        }
        const uint8_t *owner = hf_plan_owner(plan, row);
        uint32_t endpoint = hf_config_find_endpoint(config, owner);
        uint32_t zone = endpoint != UINT32_MAX ? config->endpoints[endpoint].zone
                                               : hf_config_zone_of(config, owner);
        add(names, texts, owner,
            (struct hf_api_name){.row = row, .endpoint = endpoint, .zone = zone});
    }
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        uint32_t row = hf_plan_find(plan, config->endpoints[i].owner);
        if (row == UINT32_MAX || hf_plan_gen(plan, row) == 0) {
            add(names, texts, config->endpoints[i].owner,
                (struct hf_api_name){
                    .row = UINT32_MAX, .endpoint = i, .zone = config->endpoints[i].zone});
        }
    }
}

void hf_api_names_refresh(struct hf_api_names *names, const struct hf_look *look)
{
    uint64_t sum = sum_of(look);
    if (names->rows != NULL && names->sum == sum) {
        return;
    }
    hf_api_names_release(names);
    size_t room = (size_t)look->plan.entry_count + look->config->endpoint_count + 1;
    names->rows = calloc(room, sizeof(*names->rows));
    if (names->rows == NULL) {
        abort();
    }
    struct hf_buf texts;
    hf_buf_init(&texts, TEXTS_MAX);
    add_all(names, look, &texts);
    if (hf_buf_error(&texts) != 0) {
        names->count = 0; /* more than a configuration can hold */
    }
    names->texts = (char *)texts.bytes; /* taken over */
    names->sum = sum;
    qsort_r(names->rows, names->count, sizeof(*names->rows), compare, names->texts);
}

void hf_api_names_release(struct hf_api_names *names)
{
    free(names->texts);
    free(names->rows);
    *names = (struct hf_api_names){0};
}
