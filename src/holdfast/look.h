/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Look: what status, explain, history and plan read, gathered once: configuration, store, head
 * plan, overrides, and what planner, janitor and enactors have said of themselves.
 *
 * Nothing is written, and no store is made where there is none. What cannot be read is left out
 * and noted as a problem: a look at an installation in trouble shows what there is.
 *
 * A look can last: hf_look_refresh reads what has changed in the store since, and no more.
 */
#ifndef HF_HOLDFAST_LOOK_H
#define HF_HOLDFAST_LOOK_H

#include "codec/json.h"
#include "codec/planning.h"
#include "codec/status.h"
#include "holdfast/command.h"
#include "holdfast/open.h"
#include "io/plan_store.h"
#include "io/reports.h"

enum {
    HF_LOOK_PROBLEMS_MAX = 8,
    HF_LOOK_ALIVE_MS = 3 * HF_REPORT_ALIVE_MS, /* a role without a sign of life for longer: dead */
    HF_LOOK_FRESH_MS = 300000, /* older verdicts say nothing: what a planner takes over, too */
    HF_LOOK_ADDRESS_MAX = 64,
    HF_LOOK_SENTENCE_MAX = 512,
};

struct hf_look_problem {
    const char
        *what; /* "store", "plan", "overrides", "planner", "backends", "janitor", "reports" */
    const char *why;
};

/* The parts of a look, each with a bit of its own. */
enum hf_look_part {
    HF_LOOK_STORE = 1, /* whether it can be read, and which problems there are */
    HF_LOOK_PLAN = 2,
    HF_LOOK_OVERRIDES = 4,
    HF_LOOK_PLANNER = 8,
    HF_LOOK_BACKENDS = 16,
    HF_LOOK_JANITOR = 32,
    HF_LOOK_REPORTS = 64,
    HF_LOOK_ALL = 127,
};

struct hf_look {
    const struct hf_invocation *invocation;
    const struct hf_config *config;
    struct hf_config *own_config; /* to be freed with it, or NULL */
    struct hf_arena arena;        /* texts of what was read, but for backends */
    struct hf_arena backends_arena;
    uint64_t now_ms;         /* wall clock of the look */
    struct hf_store *store;  /* NULL: cannot be opened */
    const char *store_state; /* "open", "missing", "locked", "damaged", "foreign", "failed" */
    struct hf_look_problem problems[HF_LOOK_PROBLEMS_MAX];
    uint32_t problem_count;
    uint32_t instance; /* of the store, 0 unknown */
    struct hf_plan plan;
    bool has_plan; /* the head was read; plan.head.gen 0: nothing was ever published */
    struct hf_overrides overrides;
    bool has_overrides;
    struct hf_planner_status planner;
    bool has_planner;
    struct hf_janitor_status janitor;
    bool has_janitor;
    struct hf_backend_status *backends;
    uint32_t backend_count;
    uint64_t backends_at_ms; /* 0: the planner said nothing of backends */
    struct hf_reports reports;
    /* private from here */
    uint64_t changes;  /* of the store, when it was read last */
    uint64_t refs[16]; /* hashes of the refs behind each part */
    uint32_t failed;   /* enum hf_look_part: to be read again in any case */
    bool is_read;
};

/* HF_EXIT_DONE, or HF_EXIT_FAILED after it was said why: only for a wrong configuration. */
int hf_look_open(const struct hf_invocation *invocation, struct hf_look **ret_look);
void hf_look_close(struct hf_look *look);

/* --- look_read.c --- */

/* An empty one on a configuration that is borrowed. */
struct hf_look *hf_look_new(const struct hf_invocation *invocation, const struct hf_config *config);
/*
 * Brings it to what the store has now; returns the parts that are others than before. Pointers into
 * what it had are void then. Where nothing was committed since, it costs microseconds.
 */
uint32_t hf_look_refresh(struct hf_look *look);
/* The image of the plan was edited (by a planning): the next refresh reads it anew. */
void hf_look_forget_plan(struct hf_look *look);

/* A role that said something at at_ms is alive. */
bool hf_look_is_alive(const struct hf_look *look, uint64_t at_ms);
/* The janitor speaks once a round only. */
bool hf_look_janitor_is_alive(const struct hf_look *look);
/* What the planner said of a configured backend, or NULL. */
const struct hf_backend_status *hf_look_backend(const struct hf_look *look, const char *name);
/* What an enactor says of a zone, or NULL. */
const struct hf_report_zone *hf_look_zone(const struct hf_report *report, const char *zone);
/* The name of a zone's target, "" for a zone that is not configured. */
const char *hf_look_target(const struct hf_look *look, const char *zone);
/* Whether a list of a report names the endpoint. */
bool hf_look_names(const struct hf_report_names *names, const char *endpoint);

/*
 * --- look_planning.c ---
 *
 * The planner's own code on what was read, ticked once: planning->planner.publishing holds what
 * it would publish now. verdicts: of configuration backends, or NULL for those that the planner
 * told last, where they are fresh. A freeze of everything is left out: it delays what is shown.
 */
bool hf_look_has_verdicts(const struct hf_look *look);
/* Of one configuration backend; one without a check is up. */
enum hf_verdict hf_look_verdict(const struct hf_look *look, const uint8_t *verdicts,
                                uint32_t backend);
struct hf_planning *hf_look_planning(struct hf_look *look, const uint8_t *verdicts);

/* --- look_text.c: texts for people --- */

/* One record's address; size 4 or 16. */
void hf_look_address(const uint8_t *bytes, size_t size, char ret_text[HF_LOOK_ADDRESS_MAX]);
/* "127.0.0.1, ::1" of a plan backend. */
void hf_look_backend_addresses(const struct hf_plan_backend *backend,
                               char ret_text[2 * HF_LOOK_ADDRESS_MAX]);
/* "web-1 failed", "web-1 was drained": cause in words; backend may be NULL. */
void hf_look_cause(enum hf_cause cause, const char *backend, char ret_text[HF_LOOK_SENTENCE_MAX]);
/* "too few of its backends are healthy": hold in words. */
const char *hf_look_hold(enum hf_hold hold);
/* "s" unless count is 1. */
const char *hf_look_plural(uint64_t count);
/* Prints text in lines of the terminal's width, all but the first indented. */
void hf_look_wrap(const struct hf_term *term, unsigned indent, const char *text);
/* "3s ago", or "never" for 0. */
void hf_look_ago(const struct hf_look *look, uint64_t at_ms, char ret_text[HF_TERM_SHORT_MAX]);

/* --- JSON: {"version":1, …} on standard output --- */

struct hf_look_json {
    struct hf_buf buf;
    struct hf_json json;
};
/* Begins the object, with version, installation, now_ms and problems. */
void hf_look_json_begin(const struct hf_look *look, struct hf_look_json *output);
/* The same into a writer that is the caller's, who ends the object. */
void hf_look_json_head(const struct hf_look *look, struct hf_json *json);
/* Ends the object and prints it. */
int hf_look_json_end(const struct hf_look *look, struct hf_look_json *output);
/* KEY: milliseconds since 1970, or null for 0. */
void hf_look_json_time(struct hf_json *json, const char *key, uint64_t at_ms);
/* KEY: the records' addresses. */
void hf_look_json_records(struct hf_json *json, const char *key, const struct hf_records *records);
/* An object: what an operator said. */
void hf_look_json_override(struct hf_json *json, const struct hf_override *item);
/*
 * What an action is based on, as its If-Match (docs/reference/api.md): the revision of what
 * operators said, and, where mark is not 0, mark with a generation ("r7.g42").
 */
enum { HF_LOOK_BASIS_MAX = 64 };
void hf_look_basis(const struct hf_look *look, char mark, uint64_t gen,
                   char ret_text[HF_LOOK_BASIS_MAX]);
/* Of the plan that guards hold back: "r7.h9f86d081884c7d65"; "" where nothing is held. */
void hf_look_basis_held(const struct hf_look *look, char ret_text[HF_LOOK_BASIS_MAX]);
/* Problems as lines on standard error. */
void hf_look_put_problems(const struct hf_look *look);

#endif
