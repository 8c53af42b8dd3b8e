/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads arbitrary octets as a log of incidents; one that is taken goes on, whatever it holds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "codec/incident_log.h"

enum { NOW_MS = 2000000, STEP_MS = 40000, SIGHTS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct hf_incident_sight sights[SIGHTS] = {
    {HF_CONDITION_TARGET_UNREACHABLE, HF_SEVERITY_CRITICAL, "t", "edge", "x", {"edge", "", "", ""}},
    {HF_CONDITION_ZONE_UNREACHABLE, HF_SEVERITY_WARNING, "z", "a.", "x", {"edge", "a.", "", ""}},
    {HF_CONDITION_FREEZE_ZONE, HF_SEVERITY_WARNING, "f", "a.", "x", {"edge", "a.", "", ""}},
    {HF_CONDITION_BEHIND, HF_SEVERITY_WARNING, "b", "a.", "x", {"edge", "a.", "", ""}},
};

/* What encode writes decodes, and encodes to the same. */
static void through_store(struct hf_incident_log *log)
{
    struct hf_buf json;
    struct hf_incident_log fresh;
    hf_buf_init(&json, HF_INCIDENT_LOG_BYTES_MAX);
    hf_incident_log_encode(log, &json);
    if (hf_buf_error(&json) == HF_OK) {
        int error = hf_incident_log_decode(json.bytes, json.size, &fresh);
        assert(error == HF_OK);
        hf_incident_log_release(log);
        *log = fresh;
    }
    hf_buf_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hf_incident_log log;
    if (hf_incident_log_decode(bytes, size, &log) != HF_OK) {
        return 0;
    }
    struct hf_incident_waiting waiting = log.waiting;
    struct hf_incident_changes *changes = calloc(1, sizeof(*changes));
    assert(changes != NULL);
    for (uint32_t i = 0; i <= SIGHTS; i++) {
        (void)hf_incident_log_step(&log, sights + i, SIGHTS - i, true, STEP_MS,
                                   NOW_MS + (uint64_t)i * STEP_MS, &waiting, changes);
        (void)hf_incident_log_forget(&log, NOW_MS + (uint64_t)i * STEP_MS);
        through_store(&log);
    }
    free(changes);
    hf_incident_log_release(&log);
    return 0;
}
