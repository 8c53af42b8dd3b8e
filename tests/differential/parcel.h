/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parcel: one UPDATE message, as the model is told of it and as the octets that the server gets.
 * What the zone holds decides what is valid and what fails, so a parcel is made for one zone.
 */
#ifndef HF_DIFFERENTIAL_PARCEL_H
#define HF_DIFFERENTIAL_PARCEL_H

#include <libknot/libknot.h>

#include "lab/server.h"
#include "random.h"
#include "universe.h"

enum category {
    CATEGORY_HOLDFAST,  /* what the enactor sends, built by its own code */
    CATEGORY_DRIFTED,   /* the same, after somebody changed records behind its back */
    CATEGORY_VALID,     /* plain changes, prerequisites that hold */
    CATEGORY_FAILING,   /* a prerequisite that does not hold */
    CATEGORY_ODD,       /* legal, but nobody should need it */
    CATEGORY_MALFORMED, /* sections 3.1, 3.2, 3.4.1: errors that the RRs show */
    CATEGORY_BROKEN,    /* octets that are no message */
    CATEGORY_COUNT,
};

enum {
    WIRE_MAX = 32768,
    WHAT_MAX = 64,
};

struct parcel {
    enum category category;
    char what[WHAT_MAX]; /* about what is special in it */
    struct hf_server_message message;
    bool broken; /* the octets say something else than message: FORMERR, nothing changed */
    bool upper;  /* owners are written in upper case here and there */
    size_t last_owner_at, last_rdlength_at; /* of the last record, in wire; 0: there is none */
    size_t size;
    uint8_t wire[WIRE_MAX]; /* without TSIG until parcel_sign */
};

const char *category_name(enum category category);

/* A message for a zone as it is. */
void parcel_generate(struct parcel *parcel, const struct universe *universe,
                     const struct hf_server_zone *zone, struct random *random);

/* The zone becomes that of universe_start, whatever it holds now. */
void parcel_reset(struct parcel *parcel, const struct universe *universe,
                  const struct hf_server_zone *zone, struct random *random);

/* Sets the id and signs. */
void parcel_sign(struct parcel *parcel, const knot_tsig_key_t *key, uint16_t message_id);

/* --- between the files of this module --- */

/* parcel_holdfast.c: CATEGORY_HOLDFAST or CATEGORY_DRIFTED. */
void parcel_holdfast(struct parcel *parcel, const struct universe *universe,
                     const struct hf_server_zone *zone, struct random *random);

/* parcel_malformed.c: one error in a parcel that is valid. */
void parcel_malform(struct parcel *parcel, struct random *random);
void parcel_break(struct parcel *parcel, struct random *random);

/* parcel_wire.c */
void parcel_encode(struct parcel *parcel, const struct universe *universe, struct random *random);
void parcel_decode(struct parcel *parcel, const struct universe *universe);

/* parcel.c: update at the end of the message; asserts that there is room. */
void parcel_add(struct parcel *parcel, const struct hf_server_rr *rr);

#endif
