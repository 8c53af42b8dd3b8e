/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/knotd_probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/name.h"

struct hf_knotd_zone {
    uint8_t apex[HF_NAME_MAX];
    bool answered;
};

enum {
    HEADER_SIZE = 12, /* RFC 1035 section 4.1.1 */
    QUESTION_END = 4,
    FLAG_QR = 0x80,
    FLAG_AA = 0x04,
    RCODE_MASK = 0x0f,
    TYPE_SOA = 6,
    CLASS_IN = 1,
};

void hf_knotd_probe_init(struct hf_knotd *knotd, const struct hf_config *config, uint32_t target)
{
    knotd->zones = calloc((size_t)config->zone_count + 1, sizeof(knotd->zones[0]));
    if (knotd->zones == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < config->zone_count; i++) {
        const struct hf_config_zone *zone = &config->zones[i];
        if (zone->target == target) {
            memcpy(knotd->zones[knotd->zone_count++].apex, zone->apex, hf_name_size(zone->apex));
        }
    }
}

static void close_probe(struct hf_knotd *knotd)
{
    if (knotd->probe_fd >= 0) {
        (void)close(knotd->probe_fd);
    }
    knotd->probe_fd = -1;
}

void hf_knotd_probe_release(struct hf_knotd *knotd)
{
    close_probe(knotd);
    free(knotd->zones);
    knotd->zones = NULL;
    knotd->zone_count = 0;
}

void hf_knotd_ask(struct hf_knotd *knotd)
{
    for (uint32_t i = 0; i < knotd->zone_count; i++) {
        knotd->zones[i].answered = false;
    }
    knotd->answered_count = 0;
    close_probe(knotd); /* late replies of the process before must not count */
}

/* A SOA question whose id is the zone's number. */
static void send_question(const struct hf_knotd *knotd, uint32_t number)
{
    const uint8_t *apex = knotd->zones[number].apex;
    size_t name_size = hf_name_size(apex);
    uint8_t message[HEADER_SIZE + HF_NAME_MAX + QUESTION_END] = {
        (uint8_t)(number >> 8), (uint8_t)number, 0, 0, 0, 1,
    };
    memcpy(message + HEADER_SIZE, apex, name_size);
    message[HEADER_SIZE + name_size + 1] = TYPE_SOA;
    message[HEADER_SIZE + name_size + 3] = CLASS_IN;
    size_t size = HEADER_SIZE + name_size + QUESTION_END;
    (void)send(knotd->probe_fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void read_replies(struct hf_knotd *knotd)
{
    uint8_t message[512];
    for (;;) {
        ssize_t size = recv(knotd->probe_fd, message, sizeof(message), MSG_DONTWAIT);
        if (size < 0) {
            return;
        }
        uint32_t number =
            size < HEADER_SIZE ? UINT32_MAX : (uint32_t)message[0] << 8 | (uint32_t)message[1];
        if (number >= knotd->zone_count || knotd->zones[number].answered) {
            continue;
        }
        bool is_answer = (message[2] & FLAG_QR) != 0 && (message[2] & FLAG_AA) != 0 &&
                         (message[3] & RCODE_MASK) == 0 && (message[6] | message[7]) != 0;
        knotd->zones[number].answered = is_answer;
        knotd->answered_count += is_answer;
    }
}

bool hf_knotd_answers(struct hf_knotd *knotd)
{
    if (knotd->probe_fd < 0) {
        int fd = socket(knotd->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const struct sockaddr *address = (const struct sockaddr *)&knotd->address;
        if (fd < 0 || connect(fd, address, sizeof(knotd->address)) != 0) {
            if (fd >= 0) {
                (void)close(fd);
            }
            return false;
        }
        knotd->probe_fd = fd;
    }
    read_replies(knotd);
    uint32_t sent = 0;
    for (uint32_t i = 0; i < knotd->zone_count && sent < HF_KNOTD_PROBE_BURST; i++) {
        if (!knotd->zones[i].answered) {
            send_question(knotd, i);
            sent++;
        }
    }
    if (sent > 0) {
        return false;
    }
    close_probe(knotd);
    return true;
}
