/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drain: takes one backend out and lets the one that was out return, in one step.
 *
 *   drain STORE [BACKEND]
 *
 * `holdfast drain` and `holdfast undrain` are two steps, and two checks fail and succeed at two
 * moments: this makes one plan of it, in which every endpoint's answer changes by one address of
 * each family. STORE is created where there is none; whatever else was overridden is forgotten.
 * Without BACKEND nothing is out any more.
 */
#include <stdio.h>

#include "base/error.h"
#include "io/plan_store.h"
#include "io/wallclock.h"

int main(int argc, char **argv)
{
    struct hf_store *store;
    struct hf_overrides before;
    struct hf_overrides overrides;
    struct hf_buf value;
    if (argc != 2 && argc != 3) {
        (void)fprintf(stderr, "usage: drain STORE [BACKEND]\n");
        return 2;
    }
    if (hf_store_open(argv[1], true, &store) != HF_OK) {
        (void)fprintf(stderr, "drain: %s cannot be opened\n", argv[1]);
        return 1;
    }
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    int error = hf_overrides_load(store, &before, &value);
    if (error == HF_OK) {
        struct hf_override item = {.kind = HF_OVERRIDE_DRAIN_BACKEND,
                                   .subject = argv[2],
                                   .who = "bench",
                                   .at_ms = hf_wallclock_ms()};
        hf_overrides_init(&overrides);
        overrides.revision = before.revision;
        error = argc == 3 ? hf_overrides_set(&overrides, &item) : HF_OK;
        error = error == HF_OK ? hf_overrides_save(store, &overrides, &value) : error;
        hf_overrides_release(&overrides);
        hf_overrides_release(&before);
    }
    if (error != HF_OK) {
        (void)fprintf(stderr, "drain: %s\n", hf_store_why(store));
    }
    hf_buf_release(&value);
    hf_store_close(store);
    return error == HF_OK ? 0 : 1;
}
