/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Universe: the few names and values that random messages are made of, as the numbers that the
 * model of the server knows and as the octets that a server gets. All zones look alike but for the
 * name of their apex.
 */
#ifndef HF_DIFFERENTIAL_UNIVERSE_H
#define HF_DIFFERENTIAL_UNIVERSE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/name.h"
#include "lab/server.h"

enum {
    OWNER_APEX = HF_SERVER_OWNER_APEX,
    OWNER_API,
    OWNER_WEB,
    OWNER_DB,         /* db.api: makes api an empty non-terminal where it has no records */
    OWNER_FENCE_APEX, /* _holdfast */
    OWNER_FENCE_API,  /* _holdfast.api, and so on: endpoint + 4 */
    OWNER_FENCE_WEB,
    OWNER_FENCE_DB,
    OWNER_GUARD, /* _holdfast-zone */
    OWNER_NS,
    OWNER_COUNT,
    ENDPOINT_COUNT = OWNER_DB + 1,

    TYPE_PRIVATE = 65280,
    START_TTL_S = 60, /* of the apex: always */
    VALUES_MAX = 48,
    VALUE_SIZE_MAX = 300,
    RR_TEXT_MAX = 900,

    TXT_FENCES = 4, /* the first values of TXT are fences, then guards, then what people write */
    TXT_GUARDS = 2,
    TXT_LOWER = 6, /* hello */
    TXT_UPPER = 9, /* Hello */
};

struct value {
    uint16_t type;
    uint16_t size;
    uint64_t number; /* of its type, from 0 */
    uint8_t bytes[VALUE_SIZE_MAX];
};

struct universe {
    uint8_t names[OWNER_COUNT][HF_NAME_MAX];
    uint8_t outside[HF_NAME_MAX];
    struct value values[VALUES_MAX];
    uint32_t value_count;
};

/* apex: text. */
void universe_init(struct universe *universe, const char *apex);

/* The owner's name, wire; anything that is no owner is outside. */
const uint8_t *universe_name(const struct universe *universe, uint8_t owner);

/* HF_SERVER_OWNER_OUTSIDE for a name that is no owner; upper case is lower case. */
uint8_t universe_owner(const struct universe *universe, const uint8_t *name);

/* How many values the universe has of a type. */
uint32_t universe_value_count(const struct universe *universe, uint16_t type);

/* Writes the octets of a record's RDATA, at most VALUE_SIZE_MAX; their number. */
uint16_t universe_rdata(const struct universe *universe, const struct hf_server_rr *rr,
                        uint8_t *ret_bytes);

/* False when the universe has no such value. */
bool universe_number(const struct universe *universe, uint16_t type, const uint8_t *bytes,
                     uint16_t size, uint64_t *ret_number);

/* The zone that every round of messages starts from. */
void universe_start(struct hf_server_zone *zone, uint32_t serial);

/* A record as people read it, at most RR_TEXT_MAX octets with the final 0. */
void universe_show(const struct universe *universe, const struct hf_server_rr *rr, char *ret_text);

#endif
