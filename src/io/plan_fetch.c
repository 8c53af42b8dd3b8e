/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/plan_fetch.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/plan_read.h"
#include "io/store_db.h"

enum {
    FETCH_TRIES_MAX = 4,
    TRIM_ROWS = 16384, /* read at once: as many leave something worth giving back */
};

struct hf_plan_fetched {
    uint64_t gen;
    struct hf_digest name;
    struct hf_plan_chain chain; /* empty when the image was there already */
};

static int fetch(struct hf_store *store, uint64_t have_gen, const struct hf_digest *have,
                 struct hf_plan_fetched *fetched)
{
    if (fetched->gen == 0 ||
        (fetched->gen == have_gen && memcmp(&fetched->name, have, sizeof(*have)) == 0)) {
        return HF_OK;
    }
    return hf_plan_read_chain(store, fetched->gen, &fetched->name, have_gen, have, &fetched->chain);
}

/*
 * An object is gone: because the head moved to a snapshot meanwhile and a janitor was quick? If
 * not, the words for the object that is missing are said again.
 */
static bool head_moved(struct hf_store *store, const struct hf_plan_fetched *fetched)
{
    char words[HF_STORE_WHY_MAX];
    uint64_t gen = 0;
    struct hf_digest name;
    hf_plan_keep_words(store, words);
    if (hf_plan_read_head(store, &gen, &name) == HF_OK &&
        (gen != fetched->gen || memcmp(&name, &fetched->name, sizeof(name)) != 0)) {
        return true;
    }
    (void)hf_store_db_refuse(store, HF_ENOENT, "%s", words);
    return false;
}

int hf_plan_fetch(struct hf_store *store, uint64_t have_gen, const struct hf_digest *have,
                  struct hf_plan_fetched **ret_fetched)
{
    struct hf_plan_fetched fetched = {0};
    int error = HF_OK;
    for (int try = 0; try < FETCH_TRIES_MAX; try++) {
        error = hf_plan_read_head(store, &fetched.gen, &fetched.name);
        if (error == HF_OK) {
            error = fetch(store, have_gen, have, &fetched);
        }
        if (error != HF_ENOENT || !head_moved(store, &fetched)) {
            break;
        }
    }
    if (error != HF_OK) {
        return error;
    }
    struct hf_plan_fetched *copy = malloc(sizeof(*copy));
    if (copy == NULL) {
        abort();
    }
    *copy = fetched;
    *ret_fetched = copy;
    return HF_OK;
}

uint64_t hf_plan_fetched_gen(const struct hf_plan_fetched *fetched)
{
    return fetched->gen;
}

int hf_plan_fetched_apply(struct hf_plan_fetched *fetched, struct hf_plan *plan,
                          const struct hf_plan_events *events)
{
    if (fetched->gen == 0) {
        hf_plan_clear(plan, events);
        return HF_OK;
    }
    uint32_t rows_before = plan->entry_count;
    int error = hf_plan_chain_apply(&fetched->chain, plan, events);
    if (plan->entry_count - rows_before >= TRIM_ROWS) {
        /* The parts were the other thread's memory, and its heap would keep it. */
        (void)malloc_trim(0);
    }
    return error;
}

void hf_plan_fetched_free(struct hf_plan_fetched *fetched)
{
    if (fetched != NULL) {
        hf_plan_chain_release(&fetched->chain);
        free(fetched);
    }
}
