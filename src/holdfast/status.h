/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Status: what `holdfast status` tells: the look at an installation, what of it needs a person,
 * most urgent first, and endpoints counted by state.
 */
#ifndef HF_HOLDFAST_STATUS_H
#define HF_HOLDFAST_STATUS_H

#include "codec/severity.h"
#include "holdfast/look.h"

enum { HF_ALERTS_MAX = 64 };

struct hf_alert {
    enum hf_severity severity;
    const char *code;    /* a stable name: "zone-refused" */
    const char *subject; /* zone, endpoint, role, or NULL */
    const char *text;
    const char *command; /* what to type, or NULL */
    uint64_t incident;   /* open incident that it belongs to (hf_incidents_mark), 0 none */
};

struct hf_status_counts {
    uint32_t planned;         /* in the plan, tombstones left out */
    uint32_t in_step, behind; /* as the enactor that is furthest says, zone by zone */
    uint32_t held, contested, foreign, frozen, pinned, retired, orphans;
    uint32_t backends, up, down, unknown, drained;
};

struct hf_status {
    const struct hf_look *look;
    struct hf_arena arena; /* texts of alerts: hf_status_release */
    struct hf_status_counts counts;
    struct hf_alert alerts[HF_ALERTS_MAX];
    uint32_t alert_count;
    uint32_t alerts_dropped;
};

/*
 * status_fleet.c: backends that are down, by site and pool. A site is down when all of its backends
 * are, there are at least two, and there are other sites; a pool when more than half of its
 * backends are. What is older than a planner would believe says nothing: all counts are 0 then.
 */
struct hf_status_fleet {
    uint32_t *site_total, *site_down; /* of each site of the configuration */
    uint32_t *pool_down;              /* of each pool */
    uint32_t *pool_site; /* a site that is down: such sites have half of them; or UINT32_MAX */
};
void hf_status_fleet_count(const struct hf_look *look, struct hf_status_fleet *ret_fleet);
void hf_status_fleet_release(struct hf_status_fleet *fleet);
bool hf_status_fleet_site_is_down(const struct hf_status_fleet *fleet, uint32_t site);
bool hf_status_fleet_pool_is_down(const struct hf_status_fleet *fleet,
                                  const struct hf_config *config, uint32_t pool);

/* status_count.c */
void hf_status_count(struct hf_status *status);
/* Of all living enactors' reports of a zone the one that is furthest, or NULL. */
const struct hf_report_zone *hf_status_zone(const struct hf_look *look, const char *zone);

/* status_alerts.c: fills alerts, most urgent first. */
void hf_status_alerts(struct hf_status *status);
void hf_status_release(struct hf_status *status);
/* How many are more than a notice. */
uint32_t hf_status_urgent(const struct hf_status *status);

/* One line of held_lines: "NAME GUARD -member +member". False at the end. */
struct hf_held_line {
    const char *name, *guard, *members;
    int name_size, guard_size, members_size;
};
bool hf_held_next(const char **at, struct hf_held_line *ret_line);

/* status_show.c, status_json.c */
void hf_status_show(const struct hf_status *status);
int hf_status_show_json(const struct hf_status *status);
/* Its members into an object. names_max: of each list of an enactor's; rows: of each backend. */
void hf_status_put_json(const struct hf_status *status, uint32_t names_max, bool rows,
                        struct hf_json *json);
/* One enactor's members, one configured backend. */
void hf_status_put_enactor(const struct hf_look *look, const struct hf_report *report,
                           uint32_t names_max, struct hf_json *json);
void hf_status_put_backend(const struct hf_look *look, uint32_t number, struct hf_json *json);

#endif
