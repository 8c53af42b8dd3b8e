/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Internal: the functions that the files of the drill call of each other. */
#ifndef HF_DRILL_INTERNAL_H
#define HF_DRILL_INTERNAL_H

#include "drill/state.h"

/* Where something is counted now. */
static inline struct hf_drill_client_bucket *hf_drill_counts(struct hf_drill *drill,
                                                             const struct hf_link *link)
{
    return link->part == HF_DRILL_PART_CLIENT ? &drill->clients[link->owner].buckets[drill->bucket]
                                              : &drill->nobody;
}

/* drill.c */

/* An event for later, or for now. */
void hf_drill_at(struct hf_drill *drill, uint64_t at_us, enum hf_drill_event_kind kind,
                 uint32_t subject);

/* now + delay, without passing the end of time. */
uint64_t hf_drill_after(const struct hf_drill *drill, double delay_us);

/* op.c */

/* The timer of an op; a new time takes the place of the old one. HF_DRILL_NEVER: none. */
void hf_op_arm(struct hf_drill *drill, uint32_t op, uint64_t due_us);

/* True when this event is the op's timer and it is due. */
bool hf_op_fires(struct hf_drill *drill, uint32_t op);

/* A new op of the link, or HF_DRILL_NOBODY where as many as there may be are under way. */
uint32_t hf_op_new(struct hf_drill *drill, uint8_t link);
void hf_op_free(struct hf_drill *drill, uint32_t op);

/* call.c */

/* The op begins: its link and parent are set. It may end before this returns. */
void hf_call_begin(struct hf_drill *drill, uint32_t op);
void hf_call_timer(struct hf_drill *drill, uint32_t op);

/* The service has answered an attempt. True when the caller still wanted that. */
bool hf_call_reply(struct hf_drill *drill, uint32_t attempt, bool is_good);

/* The service does not do it, and says so. */
void hf_call_refused(struct hf_drill *drill, uint32_t attempt);

/* Connections to a service are lost. */
void hf_call_cut(struct hf_drill *drill, uint16_t service);

/* limit.c: what keeps a caller from trying */

bool hf_limit_admits(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance);
bool hf_limit_retries(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance);
void hf_limit_began(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance);
void hf_limit_succeeded(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance,
                        uint64_t latency_us);
void hf_limit_failed(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance,
                     bool is_silent);
bool hf_limit_hedges(struct hf_link *link, struct hf_instance *instance);
uint64_t hf_limit_backoff_us(struct hf_link *link, struct hf_op *op);

/* Connections that are left of the instance's pool. */
uint32_t hf_limit_pool(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance);
void hf_limit_connected(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance);

/* resolver.c */

struct hf_lookup hf_resolver_ask(struct hf_drill *drill, uint16_t resolver, uint32_t instance,
                                 uint16_t name);
void hf_resolver_flush(struct hf_drill *drill, uint16_t resolver, uint32_t count);
void hf_resolver_warm(struct hf_drill *drill);

/* service.c */

enum hf_arrival { HF_ARRIVAL_TAKEN, HF_ARRIVAL_REFUSED, HF_ARRIVAL_LOST };

/* LOST: it went to a node that does not work, and nobody will answer. */
enum hf_arrival hf_service_arrive(struct hf_drill *drill, uint16_t service, uint32_t op,
                                  uint64_t deadline_us, uint32_t *ret_attempt);
void hf_service_finish(struct hf_drill *drill, uint32_t attempt);
void hf_service_called(struct hf_drill *drill, uint32_t attempt, bool is_good);
void hf_service_pull(struct hf_drill *drill, uint16_t service);
void hf_service_up(struct hf_drill *drill, uint16_t service);

/* Nobody waits for it any more, and the service learns that. */
void hf_service_stop(struct hf_drill *drill, uint32_t attempt);
void hf_service_restart(struct hf_drill *drill, uint16_t service);

/* An attempt that waits no longer is refused; its place is free. */
void hf_service_drop(struct hf_drill *drill, uint32_t attempt);

/* Workers, speed or bound have changed. */
void hf_service_follow(struct hf_drill *drill, uint16_t service);

/* Brings the measures over time up to now. */
void hf_service_account(struct hf_drill *drill, uint16_t service);

/* queue.c: the next attempt to be begun, or HF_DRILL_NOBODY; drops those that are not. */
uint32_t hf_queue_pop(struct hf_drill *drill, uint16_t service);
void hf_queue_push(struct hf_drill *drill, uint16_t service, uint32_t attempt);

/* client.c */

void hf_client_init(struct hf_drill *drill, uint16_t client);

void hf_client_user(struct hf_drill *drill, uint32_t user);
void hf_client_arrival(struct hf_drill *drill, uint16_t client);
void hf_client_rate(struct hf_drill *drill, uint16_t client, double rate_per_s);
void hf_client_ended(struct hf_drill *drill, uint32_t op, bool is_good);

/* manager.c */

void hf_manager_init(struct hf_drill *drill, uint16_t manager);
void hf_manager_claimed(struct hf_drill *drill, uint32_t op, bool is_good, uint64_t tried_us);
void hf_manager_timer(struct hf_drill *drill, uint32_t op);
void hf_manager_claim(struct hf_drill *drill, uint16_t manager);

/* Claims may begin: the manager goes on, its rate has changed, a cell can renew again. */
void hf_manager_kick(struct hf_drill *drill, uint16_t manager);
/* Who waited for the cell waits with the manager from now on. */
void hf_manager_cell_up(struct hf_drill *drill, struct hf_cell *cell);
void hf_manager_lapsed(struct hf_drill *drill, uint32_t op);

/* Workers of a service that renewals take now. */
double hf_manager_load(const struct hf_drill *drill, uint16_t service);

/* cell.c */

void hf_cell_update(struct hf_drill *drill, uint32_t cell);
void hf_cell_lapse(struct hf_drill *drill, uint32_t cell);

/* The last renewal of a holder that succeeded, in the manager's own time; 0: none. */
uint64_t hf_cell_renewed_us(const struct hf_drill *drill, const struct hf_cell *cell,
                            uint32_t place);

/* nodes.c, nodes_check.c */

void hf_nodes_init(struct hf_drill *drill, uint16_t fleet);
void hf_nodes_check(struct hf_drill *drill, uint32_t node);
void hf_nodes_result(struct hf_drill *drill, uint32_t node);
void hf_nodes_ready(struct hf_drill *drill, uint32_t node);
void hf_nodes_launch(struct hf_drill *drill, uint16_t fleet, uint32_t place);
void hf_nodes_fail(struct hf_drill *drill, uint16_t fleet, double share);
void hf_nodes_failover(struct hf_drill *drill, uint16_t fleet, double zone_fail);
void hf_nodes_checkers(struct hf_drill *drill, uint16_t fleet, uint32_t count);
void hf_nodes_account(struct hf_drill *drill, uint16_t fleet);

/* A node's verdict, or whether it works, has changed: may it serve? */
void hf_nodes_place(struct hf_drill *drill, uint16_t fleet, uint32_t node);

/* control.c */

void hf_control_act(struct hf_drill *drill, const struct hf_drill_action *action, uint16_t index,
                    bool by_rule);
void hf_control_look(struct hf_drill *drill);

/* tally.c */

/* Closes buckets that are over. */
void hf_tally_roll(struct hf_drill *drill);
unsigned hf_tally_class(uint64_t latency_us);
uint64_t hf_tally_class_us(unsigned class_number);

/* layout.c */

struct hf_layout {
    uint64_t octets, ops, attempts, instances, caches, cells, nodes, events;
    uint64_t op_count, attempt_count, instance_count, cache_count, cell_count, node_count,
        event_count;
    uint64_t holder_count;
    uint32_t bucket_count;
    uint64_t link_ops[HF_DRILL_LINKS_MAX];
    uint64_t service_attempts[HF_DRILL_SERVICES_MAX];
    uint64_t queues[HF_DRILL_SERVICES_MAX], service_buckets[HF_DRILL_SERVICES_MAX];
    uint64_t latencies[HF_DRILL_CLIENTS_MAX], client_buckets[HF_DRILL_CLIENTS_MAX];
    uint64_t name_buckets[HF_DRILL_NAMES_MAX], manager_buckets[HF_DRILL_MANAGERS_MAX];
    uint64_t checkers[HF_DRILL_FLEETS_MAX], fleet_buckets[HF_DRILL_FLEETS_MAX];
};

/* Where everything lies, in octets from the drill's own address. */
void hf_layout_of(const struct hf_drill_scenario *scenario, struct hf_layout *ret_layout);

/* Most workers that a service ever has, by its actions and rules, too. */
uint64_t hf_layout_workers(const struct hf_drill_scenario *scenario, uint16_t service);

#endif
