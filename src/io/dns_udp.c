/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single questions over UDP: one socket each, so that every question has a port of its own
 * (RFC 5452 section 9.2). What UDP cannot bring (no reply in time, a truncated one, one that fails
 * any check) is asked again over TCP, whose outcome counts.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/dns_internal.h"

enum {
    UDP_WAIT_MS = 250, /* then TCP */
    UDP_REPLY_MAX = 4096,
    UDP_HANDLES = 2,
};

struct hf_dns_datagram {
    struct hf_dns_datagram *next;
    struct hf_dns *dns;
    uv_udp_t udp;
    uv_timer_t timer;
    uint64_t sent_ns;
    uint16_t message_id;
    uint8_t handles; /* not closed yet */
    bool ended;
    struct hf_dns_asked asked;
    hf_dns_each *each;
    hf_dns_done *done;
    void *context;
    uint8_t owner[HF_NAME_MAX];
    uint8_t reply[UDP_REPLY_MAX];
};

static void on_closed(uv_handle_t *handle)
{
    struct hf_dns_datagram *datagram = handle->data;
    struct hf_dns *dns = datagram->dns;
    datagram->handles--;
    if (datagram->handles == 0) {
        free(datagram);
    }
    hf_dns_gone(dns);
}

/* Takes it off the list and closes its handles; it lives until they are closed. */
static void datagram_end(struct hf_dns_datagram *datagram)
{
    struct hf_dns *dns = datagram->dns;
    struct hf_dns_datagram **at = &dns->datagrams;
    assert(!datagram->ended);
    while (*at != datagram) {
        at = &(*at)->next;
    }
    *at = datagram->next;
    dns->datagram_count--;
    datagram->ended = true;
    uv_close((uv_handle_t *)&datagram->udp, on_closed);
    uv_close((uv_handle_t *)&datagram->timer, on_closed);
}

static void finish(struct hf_dns_datagram *datagram, int result, uint16_t rcode, const char *text)
{
    const struct hf_dns_outcome outcome = {
        .result = result,
        .rcode = rcode,
        .latency_ms = (uv_hrtime() - datagram->sent_ns) / 1000000,
        .why = hf_dns_why(datagram->dns, text),
    };
    datagram->done(datagram->context, &outcome);
}

static void ask_again(struct hf_dns_datagram *datagram)
{
    datagram_end(datagram);
    int error = hf_dns_query_tcp(datagram->dns, datagram->owner, datagram->asked.type,
                                 datagram->each, datagram->done, datagram->context);
    if (error != HF_OK) {
        finish(datagram, error, 0, hf_strerror(error));
    }
}

static void on_timer(uv_timer_t *timer)
{
    ask_again(timer->data);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct hf_dns_datagram *datagram = handle->data;
    (void)suggested;
    *ret_buf = uv_buf_init((char *)datagram->reply, sizeof(datagram->reply));
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

static void on_received(uv_udp_t *udp, ssize_t size, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    struct hf_dns_datagram *datagram = udp->data;
    struct hf_dns *dns = datagram->dns;
    (void)buf;
    if (datagram->ended || (size == 0 && from == NULL)) {
        return;
    }
    if (size < 0 || (flags & UV_UDP_PARTIAL) != 0) {
        ask_again(datagram);
        return;
    }
    if (size < HF_DNS_HEADER_SIZE || knot_wire_get_id(datagram->reply) != datagram->message_id) {
        return; /* not ours: the right one may still come */
    }
    struct hf_dns_verdict verdict;
    hf_arena_release(&dns->arena);
    hf_dns_reply_judge(&datagram->asked, datagram->reply, (size_t)size, &dns->arena, &verdict);
    if (verdict.result != HF_OK) {
        ask_again(datagram);
        return;
    }
    datagram_end(datagram);
    struct visit visit = {.each = datagram->each, .context = datagram->context};
    hf_dns_reply_visit(verdict.pkt, visit_each, &visit);
    finish(datagram, verdict.result, verdict.rcode, verdict.text);
}

static struct hf_dns_datagram *datagram_new(struct hf_dns *dns, const uint8_t *owner, uint16_t type)
{
    struct hf_dns_datagram *datagram = calloc(1, sizeof(*datagram));
    if (datagram == NULL) {
        abort();
    }
    datagram->dns = dns;
    datagram->handles = UDP_HANDLES;
    datagram->sent_ns = uv_hrtime();
    (void)uv_random(NULL, NULL, &datagram->message_id, sizeof(datagram->message_id), 0, NULL);
    memcpy(datagram->owner, owner, hf_name_size(owner));
    datagram->asked = (struct hf_dns_asked){.key = dns->options.key,
                                            .opcode = KNOT_OPCODE_QUERY,
                                            .type = type,
                                            .owner = datagram->owner};
    (void)uv_udp_init(dns->loop, &datagram->udp); /* makes no socket yet */
    (void)uv_timer_init(dns->loop, &datagram->timer);
    datagram->udp.data = datagram;
    datagram->timer.data = datagram;
    dns->handle_count += UDP_HANDLES;
    datagram->next = dns->datagrams;
    dns->datagrams = datagram;
    dns->datagram_count++;
    return datagram;
}

bool hf_dns_udp_ask(struct hf_dns *dns, const uint8_t *owner, uint16_t type, hf_dns_each *each,
                    hf_dns_done *done, void *context)
{
    uint8_t wire[HF_DNS_QUERY_MAX];
    size_t size = 0;
    if (!dns->options.udp || dns->closing || dns->datagram_count >= HF_DNS_DATAGRAMS_MAX) {
        return false;
    }
    struct hf_dns_datagram *datagram = datagram_new(dns, owner, type);
    datagram->each = each;
    datagram->done = done;
    datagram->context = context;
    uv_buf_t bytes = uv_buf_init((char *)wire, 0);
    bool sent = hf_dns_question_write(&datagram->asked, datagram->message_id, wire, &size,
                                      &datagram->asked.tsig) == HF_OK &&
                uv_udp_connect(&datagram->udp, (struct sockaddr *)&dns->options.server) == 0 &&
                uv_udp_recv_start(&datagram->udp, on_room, on_received) == 0;
    bytes.len = size;
    sent = sent && uv_udp_try_send(&datagram->udp, &bytes, 1, NULL) == (int)size;
    if (!sent) {
        datagram_end(datagram);
        return false;
    }
    (void)uv_timer_start(&datagram->timer, on_timer, UDP_WAIT_MS, 0);
    return true;
}

void hf_dns_udp_abort(struct hf_dns *dns)
{
    while (dns->datagrams != NULL) {
        struct hf_dns_datagram *datagram = dns->datagrams;
        datagram_end(datagram);
        finish(datagram, HF_ECONN, 0, "this client was closed");
    }
}
