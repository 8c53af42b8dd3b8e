/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader: asks for all endpoints of a zone all the time, and counts what must never be seen.
 *
 *   reader ADDRESS PORT OWNER RATE tagged|plain < NAMES
 *
 * For each name in turn it asks over UDP for A, the fence's TXT, AAAA and TXT again, RATE questions
 * a second, many of them under way at once. SIGUSR1 makes it print what it counted so far as one
 * line of JSON, SIGTERM makes it do so and end.
 *
 * tagged: plans are those of publish.c. An answer must hold the whole set of one generation
 * (else: partial), and the generation of an answer or fence must not be below the highest that any
 * answer or fence of this endpoint had shown before the question was sent (else: backwards).
 * plain: the same for generations of fences only; A must not be empty, AAAA is not asked for.
 *
 * Endpoints must exist when it starts. A question without a reply in time, and SERVFAIL, count
 * apart: a server that is down answers nothing false.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "codec/fence.h"
#include "codec/name.h"

enum {
    ENDPOINTS_MAX = 20000,
    IN_FLIGHT_MAX = 512,
    SLOTS = 1024, /* by message id; more than are ever under way */
    TIMEOUT_MS = 1000,
    TURN_MS = 2,
    WHY_MAX = 400,
    TYPE_A = 1,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    SET_MAX = 100,
};

struct endpoint {
    char text[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    uint8_t fence[HF_NAME_MAX];
    uint64_t high; /* highest generation shown */
};

struct slot {
    uint64_t sent_ms;
    uint64_t floor; /* endpoint.high when it was asked */
    uint32_t endpoint;
    uint16_t number; /* message id */
    uint16_t type;
    bool open;
};

struct counts {
    uint64_t asked, answers, empty, nxdomain, failures, timeouts, partial, backwards;
    uint64_t no_fence, damaged_fence, odd, laps;
};

struct reader {
    struct endpoint *endpoints;
    struct slot slots[SLOTS];
    struct counts counts;
    const char *installation;
    char why[WHY_MAX]; /* the first thing that must never be seen */
    uint64_t started_ms;
    uint64_t rate;
    uint32_t endpoint_count;
    uint32_t at, turn; /* next to ask */
    uint32_t open;
    uint16_t next_number;
    int socket;
    int signals;
    bool tagged;
    bool stopping;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void blame(struct reader *reader, const struct slot *slot, uint64_t *count,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

static void blame(struct reader *reader, const struct slot *slot, uint64_t *count,
                  const char *format, ...)
{
    (*count)++;
    if (reader->why[0] != 0) {
        return;
    }
    int size = snprintf(reader->why, WHY_MAX,
                        "%s type %u after %" PRIu64 " ms: ", reader->endpoints[slot->endpoint].text,
                        slot->type, now_ms() - reader->started_ms);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reader->why + size, WHY_MAX - (size_t)size, format, arguments);
    va_end(arguments);
}

/* --- what a reply says --- */

static void skip_name(struct hf_cursor *cursor)
{
    for (;;) {
        uint8_t length = hf_cursor_u8(cursor);
        if (cursor->error != HF_OK || length == 0) {
            return;
        }
        if (length >= 0xc0) {
            (void)hf_cursor_u8(cursor);
            return;
        }
        (void)hf_cursor_bytes(cursor, length);
    }
}

static void shown(struct reader *reader, const struct slot *slot, uint64_t gen)
{
    struct endpoint *endpoint = &reader->endpoints[slot->endpoint];
    if (gen < slot->floor) {
        blame(reader, slot, &reader->counts.backwards, "generation %" PRIu64 " after %" PRIu64, gen,
              slot->floor);
    }
    if (gen > endpoint->high) {
        endpoint->high = gen;
    }
}

/* The set of generation gen has `whole` members, numbered from 1; seen has a bit for each. */
struct tally {
    uint64_t gen;
    uint32_t count;
    uint32_t seen;
    bool mixed;
};

static void note_address(struct tally *tally, const uint8_t *rdata, uint16_t size)
{
    const uint8_t *tag = size == 4 ? rdata + 1 : rdata + 12;
    uint64_t gen = (uint64_t)tag[0] << 8 | tag[1];
    uint8_t number = rdata[size - 1];
    tally->mixed = tally->mixed || (tally->count > 0 && gen != tally->gen) || number == 0 ||
                   number > 31 || (tally->seen & 1U << number) != 0;
    tally->gen = gen;
    tally->seen |= number < 32 ? 1U << number : 0;
    tally->count++;
}

static void judge_addresses(struct reader *reader, const struct slot *slot,
                            const struct tally *tally)
{
    if (tally->count == 0) {
        blame(reader, slot, &reader->counts.empty, "no address");
        return;
    }
    if (!reader->tagged) {
        return;
    }
    uint32_t whole =
        slot->type == TYPE_A ? 2 + (uint32_t)(tally->gen % 3) : 1 + (uint32_t)(tally->gen % 2);
    if (tally->mixed || tally->count != whole || tally->seen != ((1U << whole) - 1) << 1) {
        blame(reader, slot, &reader->counts.partial, "%u of %u addresses of generation %" PRIu64,
              tally->count, whole, tally->gen);
        return;
    }
    shown(reader, slot, tally->gen);
}

static void judge_fence(struct reader *reader, const struct slot *slot, const uint8_t *rdata,
                        uint16_t size, uint32_t count)
{
    struct hf_fence fence;
    char writer[HF_WRITER_MAX + 1];
    if (count == 0) {
        reader->counts.no_fence++;
        return;
    }
    hf_fence_parse(reader->installation, rdata, size, &fence, writer);
    if (count > 1 || fence.kind != HF_FENCE_OURS) {
        reader->counts.damaged_fence++;
        return;
    }
    shown(reader, slot, fence.gen);
}

static void judge(struct reader *reader, const struct slot *slot, struct hf_cursor *cursor,
                  uint16_t answer_count)
{
    struct tally tally = {0};
    const uint8_t *fence = NULL;
    uint16_t fence_size = 0;
    uint32_t fence_count = 0;
    for (uint16_t i = 0; i < answer_count; i++) {
        skip_name(cursor);
        uint16_t type = hf_cursor_u16(cursor);
        (void)hf_cursor_bytes(cursor, 2 + 4);
        uint16_t size = hf_cursor_u16(cursor);
        const uint8_t *rdata = hf_cursor_bytes(cursor, size);
        if (rdata == NULL) {
            reader->counts.odd++;
            return;
        }
        if (type != slot->type) {
            continue;
        }
        if (type == TYPE_TXT) {
            fence = rdata;
            fence_size = size;
            fence_count++;
        } else if (size == (type == TYPE_A ? 4 : 16)) {
            note_address(&tally, rdata, size);
        }
    }
    if (slot->type == TYPE_TXT) {
        judge_fence(reader, slot, fence, fence_size, fence_count);
    } else {
        judge_addresses(reader, slot, &tally);
    }
}

static const uint8_t *asked_name(const struct reader *reader, const struct slot *slot)
{
    const struct endpoint *endpoint = &reader->endpoints[slot->endpoint];
    return slot->type == TYPE_TXT ? endpoint->fence : endpoint->owner;
}

static void on_reply(struct reader *reader, const uint8_t *bytes, size_t size)
{
    struct hf_cursor cursor;
    hf_cursor_init(&cursor, bytes, size);
    uint16_t number = hf_cursor_u16(&cursor);
    uint16_t flags = hf_cursor_u16(&cursor);
    uint16_t questions = hf_cursor_u16(&cursor);
    uint16_t answers = hf_cursor_u16(&cursor);
    (void)hf_cursor_u32(&cursor);
    struct slot *slot = &reader->slots[number % SLOTS];
    if (cursor.error != HF_OK || !slot->open || slot->number != number) {
        return; /* too late */
    }
    const uint8_t *name = asked_name(reader, slot);
    size_t name_size = hf_name_size(name);
    const uint8_t *echo = questions == 1 ? hf_cursor_bytes(&cursor, name_size + 4) : NULL;
    slot->open = false;
    reader->open--;
    if (echo == NULL || memcmp(echo, name, name_size) != 0 || (flags & 0x8200) != 0x8000) {
        reader->counts.odd++;
        return;
    }
    switch (flags & 0xf) {
    case 0:
        reader->counts.answers++;
        judge(reader, slot, &cursor, answers);
        break;
    case 3:
        reader->counts.answers++;
        if (slot->type == TYPE_TXT) {
            reader->counts.no_fence++;
        } else {
            blame(reader, slot, &reader->counts.nxdomain, "NXDOMAIN");
        }
        break;
    default:
        reader->counts.failures++;
        break;
    }
}

/* --- asking --- */

static void ask(struct reader *reader, uint64_t now)
{
    const uint16_t types[] = {TYPE_A, TYPE_TXT, reader->tagged ? TYPE_AAAA : TYPE_A, TYPE_TXT};
    uint16_t number = reader->next_number++;
    struct slot *slot = &reader->slots[number % SLOTS];
    if (slot->open) {
        return; /* its turn comes when it has timed out */
    }
    *slot = (struct slot){.sent_ms = now,
                          .floor = reader->endpoints[reader->at].high,
                          .endpoint = reader->at,
                          .number = number,
                          .type = types[reader->turn],
                          .open = true};
    uint8_t bytes[12 + HF_NAME_MAX + 4] = {(uint8_t)(number >> 8), (uint8_t)number, 0, 0, 0, 1};
    const uint8_t *name = asked_name(reader, slot);
    size_t size = hf_name_size(name);
    memcpy(bytes + 12, name, size);
    const uint8_t rest[4] = {0, (uint8_t)slot->type, 0, 1};
    memcpy(bytes + 12 + size, rest, 4);
    reader->open++;
    reader->counts.asked++;
    if (send(reader->socket, bytes, 12 + size + 4, MSG_DONTWAIT) < 0) {
        slot->sent_ms = 0; /* refused by a server that is down: as good as no reply */
    }
    reader->at++;
    if (reader->at == reader->endpoint_count) {
        reader->at = 0;
        reader->turn = (reader->turn + 1) % 4;
        reader->counts.laps += reader->turn == 0;
    }
}

static void time_out(struct reader *reader, uint64_t now)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &reader->slots[i];
        if (slot->open && now - slot->sent_ms > TIMEOUT_MS) {
            slot->open = false;
            reader->open--;
            reader->counts.timeouts++;
        }
    }
}

static void show(const struct reader *reader)
{
    const struct counts *c = &reader->counts;
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    uint32_t at_high = 0;
    for (uint32_t i = 0; i < reader->endpoint_count; i++) {
        uint64_t gen = reader->endpoints[i].high;
        low = gen < low ? gen : low;
        at_high = gen > high ? 1 : at_high + (gen == high);
        high = gen > high ? gen : high;
    }
    (void)printf("{\"asked\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"empty\":%" PRIu64
                 ",\"nxdomain\":%" PRIu64 ",\"partial\":%" PRIu64 ",\"backwards\":%" PRIu64
                 ",\"no_fence\":%" PRIu64 ",\"damaged_fence\":%" PRIu64 ",\"failures\":%" PRIu64
                 ",\"timeouts\":%" PRIu64 ",\"odd\":%" PRIu64 ",\"laps\":%" PRIu64
                 ",\"low\":%" PRIu64 ",\"high\":%" PRIu64 ",\"at_high\":%u,\"why\":\"%s\"}\n",
                 c->asked, c->answers, c->empty, c->nxdomain, c->partial, c->backwards, c->no_fence,
                 c->damaged_fence, c->failures, c->timeouts, c->odd, c->laps, low, high, at_high,
                 reader->why);
    (void)fflush(stdout);
}

static void receive(struct reader *reader)
{
    uint8_t bytes[4096];
    for (;;) {
        ssize_t size = recv(reader->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (size >= 0) {
            on_reply(reader, bytes, (size_t)size);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } /* else: ECONNREFUSED of an earlier question */
    }
}

static void obey(struct reader *reader)
{
    struct signalfd_siginfo signal;
    if (read(reader->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
        show(reader);
        reader->stopping = signal.ssi_signo == SIGTERM;
    }
}

static void run(struct reader *reader)
{
    uint64_t last = now_ms();
    uint64_t credit = 0; /* thousandths of a question */
    while (!reader->stopping) {
        uint64_t now = now_ms();
        uint64_t room = reader->rate * TURN_MS * 4;
        credit += reader->rate * (now - last);
        credit = credit > room ? room : credit;
        last = now;
        while (credit >= 1000 && reader->open < IN_FLIGHT_MAX) {
            credit -= 1000;
            ask(reader, now);
        }
        struct pollfd waits[] = {{.fd = reader->socket, .events = POLLIN},
                                 {.fd = reader->signals, .events = POLLIN}};
        if (poll(waits, 2, TURN_MS) > 0) {
            receive(reader);
        }
        if (waits[1].revents != 0) {
            obey(reader);
        }
        time_out(reader, now_ms());
        struct timespec nap = {.tv_nsec = TURN_MS * 1000000L};
        (void)nanosleep(&nap, NULL);
    }
}

static bool read_names(struct reader *reader)
{
    char line[HF_NAME_TEXT_MAX];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        struct endpoint *endpoint = &reader->endpoints[reader->endpoint_count];
        if (reader->endpoint_count == ENDPOINTS_MAX ||
            hf_name_parse(line, endpoint->owner) != HF_OK ||
            hf_name_fence_of(endpoint->owner, endpoint->fence) != HF_OK) {
            (void)fprintf(stderr, "reader: %s is no name, or one too many\n", line);
            return false;
        }
        (void)snprintf(endpoint->text, sizeof(endpoint->text), "%s", line);
        reader->endpoint_count++;
    }
    return reader->endpoint_count > 0;
}

static bool open_socket(struct reader *reader, const char *address, const char *port)
{
    struct sockaddr_in server = {.sin_family = AF_INET};
    server.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    int size = 4 * 1024 * 1024;
    if (inet_pton(AF_INET, address, &server.sin_addr) != 1) {
        return false;
    }
    reader->socket = socket(AF_INET, SOCK_DGRAM, 0);
    (void)setsockopt(reader->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return reader->socket >= 0 &&
           connect(reader->socket, (struct sockaddr *)&server, sizeof(server)) == 0;
}

int main(int argc, char **argv)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL || argc != 6) {
        (void)fprintf(stderr, "usage: reader ADDRESS PORT OWNER RATE tagged|plain < NAMES\n");
        free(reader);
        return 2;
    }
    reader->installation = argv[3];
    reader->rate = strtoul(argv[4], NULL, 10);
    reader->tagged = strcmp(argv[5], "tagged") == 0;
    reader->endpoints = calloc(ENDPOINTS_MAX, sizeof(*reader->endpoints));
    reader->started_ms = now_ms();
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    reader->signals = signalfd(-1, &set, SFD_NONBLOCK);
    bool ready =
        reader->endpoints != NULL && read_names(reader) && open_socket(reader, argv[1], argv[2]);
    if (ready) {
        (void)printf("{\"ready\":%u}\n", reader->endpoint_count);
        (void)fflush(stdout);
        run(reader);
        (void)close(reader->socket);
    }
    free(reader->endpoints);
    free(reader);
    return ready ? 0 : 1;
}
