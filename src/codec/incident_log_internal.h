/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Incident log: what its files share. Not for others. */
#ifndef HF_CODEC_INCIDENT_LOG_INTERNAL_H
#define HF_CODEC_INCIDENT_LOG_INTERNAL_H

#include "codec/incident_log.h"

enum { HF_INCIDENT_LOG_VERSION = 1 };

/* Keys of scopes in the document. */
extern const char *const hf_incident_scope_keys[HF_SCOPE_COUNT];

/* A new incident at the end, zeroed, with empty texts. */
struct hf_incident *hf_incident_log_add(struct hf_incident_log *log, uint64_t number);

#endif
