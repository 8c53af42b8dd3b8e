/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pump: sends messages that are finished, signatures included, over TCP (RFC 7766), one connection
 * for each zone, so many in flight on each, and reads the replies' rcodes. Nothing else: replies
 * come in any order, their signatures are not checked, and whatever goes wrong ends the process.
 */
#ifndef BENCH_PUMP_H
#define BENCH_PUMP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"

enum { PUMP_ZONES_MAX = 64, PUMP_STALL_MS = 30000 };

struct pump_message {
    size_t end;     /* in bytes of its lane */
    uint32_t first; /* what is in it is the caller's to know */
    uint32_t count;
};

/* One zone's messages, in the order in which they are sent. */
struct pump_lane {
    struct hf_buf bytes; /* each message with its length in front */
    struct pump_message *messages;
    uint32_t message_count, message_room;
    uint32_t sent, done;
    size_t sent_bytes;
    size_t got; /* octets of a reply that is not whole yet */
    uint8_t reply[2 * 65536];
    int fd; /* -1: not connected */
};

void pump_lane_init(struct pump_lane *lane);
/* Takes what was queued away; the connection stays. */
void pump_lane_clear(struct pump_lane *lane);
void pump_lane_put(struct pump_lane *lane, const uint8_t *wire, size_t size, uint32_t first,
                   uint32_t count);

/*
 * Sends what the lanes hold, window messages in flight on each, and waits for all replies. After
 * limit_ms (0: never) nothing new is sent. Returns nanoseconds from the first octet to the last
 * reply; each lane's done says how far it came, and message_count is no more than that.
 */
uint64_t pump_run(struct pump_lane *const *lanes, uint32_t lane_count,
                  const struct sockaddr_storage *server, uint32_t window, uint32_t limit_ms);

uint64_t pump_now_ns(void);
_Noreturn void pump_fail(const char *what, const char *why);

#endif
