/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/dns.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/dns_internal.h"

enum {
    SLOTS_FIRST = 16,
    SLOTS_MAX = 2 * HF_DNS_INFLIGHT_MAX, /* half full at most: a free id is found at once */
    GRACE_MS = 1,
};

struct hf_dns_request {
    struct hf_dns_request *previous;
    struct hf_dns_request *next;
    uint16_t message_id;
    uint64_t conn_number;
    uint64_t sent_ms;
    uint64_t sent_ns;
    struct hf_dns_asked asked;
    hf_dns_each *each; /* NULL for an UPDATE */
    hf_dns_done *done;
    void *context;
    uint8_t owner[HF_NAME_MAX];
};

const char *hf_dns_why(struct hf_dns *dns, const char *text)
{
    char server[HF_ADDRESS_TEXT_MAX];
    char zone[HF_NAME_TEXT_MAX];
    hf_address_text(&dns->options.server, server);
    hf_name_text(dns->options.zone, zone);
    (void)snprintf(dns->why, sizeof(dns->why), "%s, zone %.100s: %s", server, zone, text);
    return dns->why;
}

/* The table of requests */

static void slots_grow(struct hf_dns *dns)
{
    uint32_t count = dns->slot_count == 0 ? SLOTS_FIRST : 2 * dns->slot_count;
    struct hf_dns_request **slots = calloc(count, sizeof(struct hf_dns_request *));
    if (slots == NULL) {
        abort();
    }
    for (struct hf_dns_request *at = dns->first; at != NULL; at = at->next) {
        slots[at->message_id & (count - 1)] = at;
    }
    free(dns->slots);
    dns->slots = slots;
    dns->slot_count = count;
}

/* A request with a message id of its own, not yet in the table. */
static struct hf_dns_request *request_new(struct hf_dns *dns, uint8_t opcode)
{
    if (2 * dns->inflight >= dns->slot_count) {
        assert(dns->slot_count < SLOTS_MAX);
        slots_grow(dns);
    }
    do {
        dns->next_id++;
    } while (dns->slots[dns->next_id & (dns->slot_count - 1)] != NULL);
    struct hf_dns_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        abort();
    }
    request->message_id = dns->next_id;
    request->asked = (struct hf_dns_asked){.key = dns->options.key, .opcode = opcode};
    return request;
}

static void request_link(struct hf_dns *dns, struct hf_dns_request *request)
{
    request->conn_number = dns->conn_number;
    request->sent_ms = uv_now(dns->loop);
    request->sent_ns = uv_hrtime();
    request->previous = dns->last;
    if (dns->last != NULL) {
        dns->last->next = request;
    } else {
        dns->first = request;
    }
    dns->last = request;
    dns->slots[request->message_id & (dns->slot_count - 1)] = request;
    dns->inflight++;
}

static void request_unlink(struct hf_dns *dns, struct hf_dns_request *request)
{
    if (request->previous != NULL) {
        request->previous->next = request->next;
    } else {
        dns->first = request->next;
    }
    if (request->next != NULL) {
        request->next->previous = request->previous;
    } else {
        dns->last = request->previous;
    }
    dns->slots[request->message_id & (dns->slot_count - 1)] = NULL;
    dns->inflight--;
}

/* The one place where a request, which is not in the table any more, ends. */
static void request_end(struct hf_dns *dns, struct hf_dns_request *request, int result,
                        uint16_t rcode, const char *text)
{
    const struct hf_dns_outcome outcome = {
        .result = result,
        .rcode = rcode,
        .latency_ms = (uv_hrtime() - request->sent_ns) / 1000000,
        .why = hf_dns_why(dns, text),
    };
    request->done(request->context, &outcome);
    free(request);
}

static void request_fail(struct hf_dns *dns, struct hf_dns_request *request, int result,
                         const char *text)
{
    request_unlink(dns, request);
    request_end(dns, request, result, 0, text);
}

/* The connection */

/* Drops the connection and ends the requests that went out on it. */
static void conn_drop(struct hf_dns *dns, const char *text)
{
    uint64_t number = dns->conn_number;
    hf_dns_conn_close(dns->conn);
    dns->conn = NULL;
    while (dns->first != NULL && dns->first->conn_number <= number) {
        request_fail(dns, dns->first, HF_ECONN, text);
    }
}

static void on_lost(void *context, const char *why)
{
    struct hf_dns *dns = context;
    conn_drop(dns, why);
    hf_dns_timer_arm(dns);
}

struct visit {
    hf_dns_each *each;
    void *context;
};

static bool visit_each(void *context, const struct hf_dns_record *record)
{
    const struct visit *visit = context;
    visit->each(visit->context, record);
    return true;
}

static void on_frame(void *context, uint8_t *wire, size_t size)
{
    struct hf_dns *dns = context;
    uint16_t message_id = knot_wire_get_id(wire);
    struct hf_dns_request *request =
        dns->slot_count == 0 ? NULL : dns->slots[message_id & (dns->slot_count - 1)];
    if (request == NULL || request->message_id != message_id ||
        request->conn_number != dns->conn_number) {
        return; /* the reply came after its time, or to nobody's question */
    }
    struct hf_dns_verdict verdict;
    request_unlink(dns, request); /* so that a receiver which closes us does not end it too */
    hf_arena_release(&dns->arena);
    hf_dns_reply_judge(&request->asked, wire, size, &dns->arena, &verdict);
    if (verdict.result == HF_OK && request->each != NULL) {
        struct visit visit = {.each = request->each, .context = request->context};
        hf_dns_reply_visit(verdict.pkt, visit_each, &visit);
    }
    request_end(dns, request, verdict.result, verdict.rcode, verdict.text);
}

static int conn_need(struct hf_dns *dns)
{
    static const struct hf_dns_conn_events events = {
        .frame = on_frame,
        .lost = on_lost,
    };
    if (dns->conn != NULL) {
        return HF_OK;
    }
    dns->conn_number++;
    return hf_dns_conn_open(dns, &events, dns, &dns->conn);
}

/* Time limits */

static uint64_t request_deadline_ms(const struct hf_dns *dns, const struct hf_dns_request *request)
{
    return request->sent_ms + dns->options.timeout_ms;
}

/* Every request that waited until limit_ms in vain. */
static void requests_expire(struct hf_dns *dns, uint64_t limit_ms)
{
    while (dns->first != NULL && request_deadline_ms(dns, dns->first) <= limit_ms) {
        struct hf_dns_request *request = dns->first;
        struct hf_dns_conn *conn = dns->conn;
        const char *text = "no reply in time";
        bool silent = false;
        if (conn != NULL && request->conn_number == dns->conn_number) {
            silent = hf_dns_conn_heard_ms(conn) <= request->sent_ms;
            if (!hf_dns_conn_is_connected(conn)) {
                text = "no connection in time";
            }
        }
        request_fail(dns, request, HF_ETIMEOUT, text);
        if (silent && dns->conn == conn && !dns->closing) {
            conn_drop(dns, "the server fell silent; its connection is given up");
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct hf_dns *dns = timer->data;
    if (!dns->graced) {
        /* This process may have been stopped: replies that came meanwhile are read first. */
        dns->graced = true;
        dns->graced_ms = uv_now(dns->loop);
        (void)uv_timer_start(timer, on_timer, GRACE_MS, 0);
        return;
    }
    dns->graced = false;
    requests_expire(dns, dns->graced_ms);
    uint64_t transfer_ms = hf_dns_transfer_deadline_ms(dns);
    if (transfer_ms != 0 && transfer_ms <= dns->graced_ms) {
        hf_dns_transfer_abort(dns, HF_ETIMEOUT, "the transfer stalled");
    }
    hf_dns_timer_arm(dns);
}

void hf_dns_timer_arm(struct hf_dns *dns)
{
    if (dns->closing || dns->graced || uv_is_active((uv_handle_t *)&dns->timer)) {
        return; /* one that runs too early arms itself anew */
    }
    uint64_t deadline_ms = hf_dns_transfer_deadline_ms(dns);
    if (dns->first != NULL) {
        uint64_t first_ms = request_deadline_ms(dns, dns->first);
        deadline_ms = deadline_ms == 0 || first_ms < deadline_ms ? first_ms : deadline_ms;
    }
    if (deadline_ms != 0) {
        uint64_t now_ms = uv_now(dns->loop);
        uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        (void)uv_timer_start(&dns->timer, on_timer, wait_ms, 0);
    }
}

/* The interface */

int hf_dns_open(uv_loop_t *loop, const struct hf_dns_options *options, struct hf_dns **ret_dns)
{
    sa_family_t family = options->server.ss_family;
    if ((family != AF_INET && family != AF_INET6) || options->timeout_ms == 0 ||
        options->zone == NULL) {
        return HF_EINVAL;
    }
    struct hf_dns *dns = calloc(1, sizeof(*dns));
    if (dns == NULL) {
        abort();
    }
    dns->loop = loop;
    dns->options = *options;
    dns->next_id = (uint16_t)uv_hrtime();
    hf_arena_init(&dns->arena, HF_DNS_ARENA_MAX);
    int status = uv_timer_init(loop, &dns->timer);
    assert(status == 0); /* it cannot fail */
    dns->timer.data = dns;
    dns->handle_count = 1;
    *ret_dns = dns;
    return HF_OK;
}

int hf_dns_open_twin(const struct hf_dns *dns, struct hf_dns **ret_dns)
{
    return hf_dns_open(dns->loop, &dns->options, ret_dns);
}

void hf_dns_gone(struct hf_dns *dns)
{
    assert(dns->handle_count > 0);
    dns->handle_count--;
    if (dns->handle_count > 0) {
        return;
    }
    assert(dns->closing && dns->inflight == 0 && dns->transfer == NULL);
    void (*closed)(void *) = dns->closed;
    void *closed_context = dns->closed_context;
    hf_arena_release(&dns->arena);
    free(dns->slots);
    free(dns);
    if (closed != NULL) {
        closed(closed_context);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    hf_dns_gone(handle->data);
}

void hf_dns_close(struct hf_dns *dns, void (*closed)(void *context), void *context)
{
    assert(!dns->closing);
    dns->closing = true;
    dns->closed = closed;
    dns->closed_context = context;
    uv_close((uv_handle_t *)&dns->timer, on_timer_closed);
    if (dns->conn != NULL) {
        hf_dns_conn_close(dns->conn);
        dns->conn = NULL;
    }
    while (dns->first != NULL) {
        request_fail(dns, dns->first, HF_ECONN, "this client was closed");
    }
    hf_dns_udp_abort(dns);
    hf_dns_transfer_abort(dns, HF_ECONN, "this client was closed");
}

/* Whether one more request is possible; makes the connection. */
static int request_ready(struct hf_dns *dns)
{
    if (dns->closing) {
        return HF_EINVAL;
    }
    return dns->inflight >= HF_DNS_INFLIGHT_MAX ? HF_EBUSY : conn_need(dns);
}

int hf_dns_update(struct hf_dns *dns, struct hf_update *update, hf_dns_updated *done, void *context)
{
    const uint8_t *wire = NULL;
    size_t size = 0;
    int error = request_ready(dns);
    if (error != HF_OK) {
        return error;
    }
    struct hf_dns_request *request = request_new(dns, KNOT_OPCODE_UPDATE);
    error = hf_update_finish(update, request->message_id, &wire, &size, &request->asked.tsig);
    if (error != HF_OK) {
        free(request);
        return error;
    }
    request->done = done;
    request->context = context;
    request_link(dns, request);
    hf_dns_conn_send(dns->conn, wire, size);
    hf_dns_timer_arm(dns);
    return HF_OK;
}

int hf_dns_query(struct hf_dns *dns, const uint8_t *owner, uint16_t type, hf_dns_each *each,
                 hf_dns_done *done, void *context)
{
    if (hf_dns_udp_ask(dns, owner, type, each, done, context)) {
        return HF_OK;
    }
    return hf_dns_query_tcp(dns, owner, type, each, done, context);
}

int hf_dns_query_tcp(struct hf_dns *dns, const uint8_t *owner, uint16_t type, hf_dns_each *each,
                     hf_dns_done *done, void *context)
{
    uint8_t wire[HF_DNS_QUERY_MAX];
    size_t size = 0;
    int error = request_ready(dns);
    if (error != HF_OK) {
        return error;
    }
    struct hf_dns_request *request = request_new(dns, KNOT_OPCODE_QUERY);
    memcpy(request->owner, owner, hf_name_size(owner));
    request->asked.owner = request->owner;
    request->asked.type = type;
    error = hf_dns_question_write(&request->asked, request->message_id, wire, &size,
                                  &request->asked.tsig);
    if (error != HF_OK) {
        free(request);
        return error;
    }
    request->each = each;
    request->done = done;
    request->context = context;
    request_link(dns, request);
    hf_dns_conn_send(dns->conn, wire, size);
    hf_dns_timer_arm(dns);
    return HF_OK;
}

uint32_t hf_dns_inflight(const struct hf_dns *dns)
{
    return dns->inflight + dns->datagram_count;
}
