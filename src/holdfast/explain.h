/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Explain: one endpoint as the DNS server answers it, as the plan has it, and as the planner's
 * own machine sees its backends; and which step is missing where the two differ.
 */
#ifndef HF_HOLDFAST_EXPLAIN_H
#define HF_HOLDFAST_EXPLAIN_H

#include "codec/fence.h"
#include "codec/name.h"
#include "holdfast/look.h"

enum { HF_EXPLAIN_TEXT_MAX = 1024 };

/* What the zone's server answers, read between two equal fences where that can be had. */
struct hf_explain_server {
    bool asked;                     /* the rest is known */
    char why[HF_LOOK_SENTENCE_MAX]; /* why it is not, else "" */
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    struct hf_records records; /* of A and AAAA; bytes are above */
    bool is_odd;               /* something that an entry cannot be: CNAME, mixed TTLs */
    struct hf_fence fence;
    char writer[HF_WRITER_MAX + 1];
    char text[HF_FENCE_RDATA_MAX]; /* the fence's text, "" without one */
    uint64_t sum;                  /* of records */
};

struct hf_explain {
    struct hf_look *look;
    struct hf_planning *planning; /* of the look; NULL: the head could not be read */
    char name[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    uint32_t zone;                     /* of the configuration, or UINT32_MAX */
    uint32_t endpoint;                 /* of the planning, or UINT32_MAX */
    const char *kind;                  /* "configured", "orphan", "retired", "unknown" */
    const struct hf_plan_entry *entry; /* published, or NULL where there is none */
    struct hf_plan_entry published;
    struct hf_explain_server server;
    const char *code;               /* what is between plan and server: "in-step", "behind", … */
    char text[HF_EXPLAIN_TEXT_MAX]; /* the same in words */
    char command[HF_EXPLAIN_TEXT_MAX]; /* what helps, or "" */
};

/*
 * explain_locate.c: finds owner in configuration and plan; false: it is in neither. Makes the
 * planning, where the caller has none for it.
 */
bool hf_explain_locate(struct hf_explain *explain);
/* Frees the planning. */
void hf_explain_release(struct hf_explain *explain);

/* explain_ask.c: for at most limit_ms, 0: as long as the target's timeouts allow. Of the look only
 * the configuration is used. */
void hf_explain_ask(struct hf_explain *explain, uint32_t limit_ms);

/* explain_step.c: which step is missing between plan and server. */
void hf_explain_step(struct hf_explain *explain);

/* explain_backend.c: one member. */
struct hf_explain_backend {
    const char *name;
    const struct hf_plan_backend *plan;
    const struct hf_config_backend *config; /* NULL: not configured any more */
    const struct hf_backend_status *status; /* NULL: the planner said nothing */
    const struct hf_override *drain;        /* who drained it or its site, or NULL */
    enum hf_reason reason;
    bool is_in; /* serves in the published plan */
    bool is_picked;
    bool is_answered; /* an address of it is in the server's answer */
    char why[HF_EXPLAIN_TEXT_MAX];
};
void hf_explain_backend(const struct hf_explain *explain, uint32_t member,
                        struct hf_explain_backend *ret_backend);
/* Members of the endpoint; 0 without a planning. */
uint32_t hf_explain_members(const struct hf_explain *explain);
/* Why the endpoint is held and until when (0: not known before). */
enum hf_hold hf_explain_hold(const struct hf_explain *explain, uint64_t *ret_until_ms);
/* Whether an operator's word is about this endpoint, its backends or its zone. */
bool hf_explain_touches(const struct hf_explain *explain, const struct hf_override *item);

/* explain_nearest.c: up to max endpoints of the configuration that are spelled alike. */
uint32_t hf_explain_nearest(const struct hf_config *config, const char *name,
                            uint32_t *ret_endpoints, uint32_t max);

/* explain_show.c, explain_json.c */
void hf_explain_show(const struct hf_explain *explain);
int hf_explain_show_json(const struct hf_explain *explain);
/* Its members into an object. */
void hf_explain_put_json(const struct hf_explain *explain, struct hf_json *json);

#endif
