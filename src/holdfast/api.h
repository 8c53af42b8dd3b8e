/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * API: what `holdfast api` answers. docs/reference/openapi.json is its contract.
 *
 * One *view* of the installation lasts as long as the process: a look (look.h) that is brought to
 * the store's present state when somebody asks and at least every HF_API_REFRESH_MS, the status of
 * it, the endpoints' names in order, and the latest writes that enactors told. Handlers run on
 * worker threads, several at once: the view is used with its lock held, and never longer than
 * reading memory takes. What needs longer (a DNS server's answer, old plans, a command) has a look
 * or a store of its own, and does without the view.
 *
 * Nothing of a request lasts but what an action changes in the store; every answer is bounded by
 * the routes' limits.
 */
#ifndef HF_HOLDFAST_API_H
#define HF_HOLDFAST_API_H

#include <uv.h>

#include "holdfast/explain.h"
#include "holdfast/incidents.h"
#include "holdfast/metrics.h"
#include "holdfast/status.h"
#include "io/notify.h"
#include "io/serve.h"

enum {
    HF_API_WORKERS = 4, /* requests at a time: of these some may wait for a server or the disk */
    HF_API_REFRESH_MS = 500, /* between refreshes of a process that nobody asks */
    HF_API_FRESH_MS = 100,   /* an answer's view is not older, but where the store is slow */
    HF_API_READY_MS = 15000, /* not ready when the store was not read for longer */
    HF_API_BEAT_MS = 5000,   /* between events "beat" */
    HF_API_LIMIT = 100,      /* rows of a page, where nobody says */
    HF_API_LIMIT_MAX = 1000,
    HF_API_NAMES_SHOWN = 10,   /* of each list of an enactor's, without detail=full */
    HF_API_WRITES_MAX = 16384, /* the latest that enactors told */
    HF_API_EVENTS_MAX = 256,   /* that wait to be sent; beyond, the oldest is dropped */
    HF_API_EVENT_ROWS_MAX = 50,
    HF_API_ASK_MS = 2000, /* for a DNS server, in all */
    HF_API_PART_MAX = 1024,
    HF_API_PARTS_MAX = 2,
};

/* --- api_names.c: endpoints in order of name, of configuration and plan --- */

struct hf_api_name {
    uint32_t text;     /* where its name begins in texts */
    uint32_t row;      /* of the plan, or UINT32_MAX */
    uint32_t endpoint; /* of the configuration, or UINT32_MAX */
    uint32_t zone;     /* of the configuration, or UINT32_MAX */
};

struct hf_api_names {
    char *texts; /* each with a NUL */
    struct hf_api_name *rows;
    uint32_t count;
    uint64_t sum; /* of what they were made from */
};

/* Makes them anew where names came or went since. */
void hf_api_names_refresh(struct hf_api_names *names, const struct hf_look *look);
void hf_api_names_release(struct hf_api_names *names);

/* --- api_writes.c: the latest writes, of all enactors --- */

struct hf_api_write {
    uint64_t at_ms, gen, met_gen;
    char *texts; /* owns the names behind it */
    const char *enactor, *zone, *endpoint, *met_writer;
    enum hf_write_kind kind;
};

/* What was taken of an enactor's report already. */
struct hf_api_heard {
    char enactor[64];
    uint64_t started_ms, number;
};

struct hf_api_writes {
    struct hf_api_write rows[HF_API_WRITES_MAX]; /* a ring */
    uint64_t count;                              /* since the process began */
    uint64_t told;                               /* of those: in events */
    uint64_t since_ms;                           /* what is older may be missing */
    struct hf_api_heard heard[HF_REPORTS_MAX];
    uint32_t heard_count;
    struct hf_delays delays; /* of what was written, where the plan still has it */
};

void hf_api_writes_refresh(struct hf_api_writes *writes, const struct hf_look *look);
void hf_api_writes_release(struct hf_api_writes *writes);
void hf_api_write_put_json(const struct hf_api_write *write, struct hf_json *json);

/* --- api_lag.c: how far an enactor is behind the head --- */

enum { HF_API_HEADS_MAX = 256 };

/* The latest heads that were seen. */
struct hf_api_heads {
    uint64_t gens[HF_API_HEADS_MAX], created_ms[HF_API_HEADS_MAX]; /* a ring */
    uint32_t count;
};

struct hf_api_lag {
    uint64_t plan_gen;    /* the lowest of its zones */
    uint64_t generations; /* head less that */
    uint64_t lag_ms;      /* how long a newer one is published */
    uint32_t behind;      /* endpoints of all its zones */
};

void hf_api_heads_refresh(struct hf_api_heads *heads, const struct hf_plan_head *head);
void hf_api_lag(const struct hf_look *look, const struct hf_api_heads *heads,
                const struct hf_report *report, struct hf_api_lag *ret_lag);
/* Its members into an object. */
void hf_api_lag_put_json(const struct hf_api_lag *lag, struct hf_json *json);

/*
 * --- api_slow.c: what takes longer than the view may be locked, one request at a time ---
 *
 * Its look keeps the plan, and a planning for a moment: of many requests after another not each
 * reads a million endpoints. What nobody asked for in HF_API_SLOW_KEEP_MS is given back.
 */
enum {
    HF_API_PLANNING_MS = 1000, /* where nothing but reports changed, a planning is as good as new */
    HF_API_SLOW_KEEP_MS = 60000,
};

struct hf_api_slow {
    uv_mutex_t lock;
    struct hf_look *look;
    struct hf_planning *planning; /* of the look's plan, or NULL */
    uint64_t planned_ms;          /* monotonic: when that was made */
    uint64_t used_ms;             /* and when the look was used last */
};

/* --- the view --- */

/* The log of incidents, which this process keeps (api_incidents.c). */
struct hf_api_incidents {
    struct hf_incidents kept;
    struct hf_incident_changes changes;  /* of the last turn */
    uint64_t page_ms, page_revision;     /* of the status page that was written last */
    char trouble[HF_STORE_WHY_MAX];      /* with the log, "" none */
    char page_trouble[HF_STORE_WHY_MAX]; /* with the page, "" none; of turns only */
};

/* What an event was about last, so that only what differs is told. */
struct hf_api_told_enactor {
    char name[64];
    uint64_t hash;
};

struct hf_api_event {
    const char *name;
    char *json;
};

struct hf_api_events {
    struct hf_api_event rows[HF_API_EVENTS_MAX];
    uint32_t count;
    uint8_t *verdicts; /* of each configured backend, when told last */
    struct hf_api_told_enactor enactors[HF_REPORTS_MAX];
    uint32_t enactor_count;
    uint64_t head_gen, alerts_hash, words_revision, beat_ms;
    bool is_begun;
};

struct hf_api {
    const struct hf_invocation *invocation;
    const struct hf_config *config;
    uint64_t started_ms;
    uv_mutex_t lock; /* of the view: all until slow_lock */
    struct hf_look *look;
    struct hf_status status; /* of the look */
    struct hf_api_names names;
    struct hf_api_writes *writes;
    struct hf_api_heads heads;
    struct hf_api_events events;
    struct hf_api_incidents *incidents;
    uint64_t version; /* rises when something that is answered is another than before */
    uint64_t facts;   /* hash of what changes with time alone: who is alive */
    uint64_t loop_ms; /* monotonic: when it was refreshed last */
    uint64_t read_ms; /* wall clock: when the store was read last, 0 never */
    char read_why[HF_LOOK_SENTENCE_MAX]; /* why it cannot be, "" when all is well */
    struct hf_api_slow slow;
    uv_mutex_t act_lock;      /* one action after the other: each sees what the one before did */
    struct hf_notify *notify; /* the caller's, or NULL */
};

void hf_api_init(struct hf_api *api, const struct hf_invocation *invocation,
                 const struct hf_config *config);
void hf_api_release(struct hf_api *api);

/* With the lock held: brings the view to the store's state, unless it is younger than age_ms. */
void hf_api_refresh(struct hf_api *api, uint64_t age_ms);
/* Takes the lock: something was changed by us, and the next answer is to show it. */
void hf_api_stale(struct hf_api *api);
/*
 * On a worker: a refresh with the lock taken, the events of which wait to be taken; incidents are
 * observed, and the status page is written.
 */
void hf_api_turn(struct hf_api *api);
/* Moves the events that wait: name is static, json to be freed. Returns how many. */
uint32_t hf_api_take_events(struct hf_api *api, struct hf_api_event *ret_events);

/* api_events.c, with the lock held: notes what is other than it was told last. */
void hf_api_events_note(struct hf_api *api, uint32_t news);
void hf_api_events_incident(struct hf_api *api, const struct hf_incident *incident);
void hf_api_events_release(struct hf_api_events *events);

/* --- api_notify.c, with the lock held: tells receivers of alerts what incidents there are --- */
void hf_api_notify(struct hf_api *api);

/* --- api_incidents.c --- */

struct hf_api_incidents *hf_api_incidents_new(void);
void hf_api_incidents_free(struct hf_api_incidents *incidents);
/* With the lock held, in a turn: steps the log with the view's status. */
void hf_api_incidents_observe(struct hf_api *api);
/* In a turn: writes the status page where it is wanted and not as it should be. */
void hf_api_incidents_page(struct hf_api *api);

/* api_slow.c: takes its lock; the look is at the present. */
struct hf_look *hf_api_slow_take(struct hf_api *api);
void hf_api_slow_give(struct hf_api *api);
/* In a turn: gives back what is kept in vain. */
void hf_api_slow_forget(struct hf_api *api);
void hf_api_slow_init(struct hf_api_slow *slow, const struct hf_invocation *invocation,
                      const struct hf_config *config);
void hf_api_slow_release(struct hf_api_slow *slow);

/* --- requests --- */

/* A hf_serve_handler; context is the api. Any number of them at once. */
void hf_api_handle(void *context, const struct hf_serve_request *request,
                   struct hf_serve_answer *ret_answer);

struct hf_api_call {
    struct hf_api *api;
    const struct hf_serve_request *request;
    struct hf_serve_answer *answer;
    struct hf_json json;                           /* writes to the answer's body */
    char parts[HF_API_PARTS_MAX][HF_API_PART_MAX]; /* what the path has for each {} */
};

typedef void hf_api_run(struct hf_api_call *call);

struct hf_api_route {
    const char *method;
    const char *path;  /* {} stands for any text but the empty one */
    const char *query; /* names of parameters that it takes, with blanks between */
    hf_api_run *run;
    bool is_alone; /* run without the lock, and the view not refreshed */
};

/* The answer is an error instead; what was written is gone. */
void hf_api_fail(struct hf_api_call *call, uint16_t status, const char *code, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
/* The same in two halves: members of the error may be written between them. */
void hf_api_fail_begin(struct hf_api_call *call, uint16_t status, const char *code,
                       const char *text);
void hf_api_fail_end(struct hf_api_call *call);
/* Whether word is one of words, which have blanks between them. */
bool hf_api_is_word(const char *words, const char *word);
/* A parameter's value, or NULL. */
const char *hf_api_value(const struct hf_api_call *call, const char *name);
/* Whether it has this value. */
bool hf_api_is(const struct hf_api_call *call, const char *name, const char *value);
/* False after the answer was made an error: none of the words (separated by blanks). */
bool hf_api_one_of(struct hf_api_call *call, const char *name, const char *words);
/* A number from low to high, or other where it is not given; false after an error. */
bool hf_api_number(struct hf_api_call *call, const char *name, uint64_t low, uint64_t high,
                   uint64_t other, uint64_t *ret_number);
/* The path's part as a domain name; false after an error. */
bool hf_api_owner(struct hf_api_call *call, uint8_t ret_owner[HF_NAME_MAX]);
/* "next": a cursor, or null. */
void hf_api_put_next(struct hf_api_call *call, const char *next);

/* Text for people instead of JSON (format=text): a term that writes to the answer. */
struct hf_api_text {
    struct hf_invocation invocation;
    char *bytes;
    size_t size;
};
/* False: JSON is wanted, or the answer was made an error. */
bool hf_api_text_begin(struct hf_api_call *call, struct hf_api_text *text);
void hf_api_text_end(struct hf_api_call *call, struct hf_api_text *text);

/* --- api_tokens.c --- */

/* "http://127.0.0.1:8053/"; "" where it does not listen. */
enum { HF_API_URL_MAX = 128 };
void hf_api_url(const struct hf_config_api *config, char ret_url[HF_API_URL_MAX]);
/*
 * Makes the tokens file where it is missing and nobody named another: one operator's token, drawn
 * anew, mode 0600. HF_EEXIST: there is one. why: what went wrong.
 */
int hf_api_make_tokens(const struct hf_config_api *config, char *why, size_t why_size);

/* The tables of routes, each ends with a row without a path. */
extern const struct hf_api_route hf_api_routes_status[];
extern const struct hf_api_route hf_api_routes_backends[];
extern const struct hf_api_route hf_api_routes_endpoints[];
extern const struct hf_api_route hf_api_routes_explain[];
extern const struct hf_api_route hf_api_routes_plans[];
extern const struct hf_api_route hf_api_routes_acts[];
extern const struct hf_api_route hf_api_routes_machines[];
extern const struct hf_api_route hf_api_routes_incidents[];

#endif
