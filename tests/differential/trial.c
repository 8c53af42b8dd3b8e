/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trial.h"

#include <string.h>

static const char *const SERVER_NAMES[SERVER_COUNT] = {"knotd", "named", "pdns_server"};

enum server server_named(const char *name)
{
    uint32_t server = 0;
    while (server < SERVER_COUNT && strcmp(SERVER_NAMES[server], name) != 0) {
        server++;
    }
    return (enum server)server;
}

const char *server_name(enum server server)
{
    return SERVER_NAMES[server];
}

void trial_model(struct trial *trial, bool careless)
{
    trial->model_after = trial->before;
    if (trial->parcel->broken) {
        trial->model_rcode = KNOT_RCODE_FORMERR;
        return;
    }
    struct hf_server_message message = trial->parcel->message;
    if (careless) {
        memmove(message.rrs, message.rrs + message.prerequisite_count,
                message.update_count * sizeof(message.rrs[0]));
        message.prerequisite_count = 0;
    }
    trial->model_rcode = hf_server_update(&trial->model_after, &message);
}

bool trial_agrees(const struct trial *trial)
{
    return trial->answer == ANSWER_RCODE && trial->server_rcode == trial->model_rcode &&
           zones_equal(&trial->model_after, &trial->server_after);
}

/*
 * PowerDNS with LMDB: a prerequisite of class CH leaves a transaction open, and nothing can be
 * written until the server is started again; class NONE with RDATA does the same. Deleting all
 * RRsets of the apex puts its SOA and NS into the zone as records of type ANY, and nothing can take
 * them out again.
 */
static bool wedges_pdns(const struct hf_server_message *message)
{
    bool wedges = false;
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        const struct hf_server_rr *rr = &message->rrs[i];
        wedges |= rr->class == KNOT_CLASS_CH || (rr->class == KNOT_CLASS_NONE && rr->has_rdata);
    }
    for (uint32_t i = 0; i < message->update_count; i++) {
        const struct hf_server_rr *rr = &message->rrs[message->prerequisite_count + i];
        wedges |=
            rr->owner == OWNER_APEX && rr->class == KNOT_CLASS_ANY && rr->type == KNOT_RRTYPE_ANY;
    }
    return wedges;
}

/* Knot DNS ends with SIGSEGV when a SOA is added to a name without records. */
static bool ends_knotd(const struct hf_server_message *message, const struct hf_server_zone *zone)
{
    bool soa[OWNER_COUNT] = {false};
    bool safe[OWNER_COUNT] = {[OWNER_APEX] = true};
    bool ends = false;
    for (uint32_t i = 0; i < zone->count; i++) {
        safe[zone->rrs[i].owner] = true;
    }
    for (uint32_t i = 0; i < message->update_count; i++) {
        const struct hf_server_rr *rr = &message->rrs[message->prerequisite_count + i];
        if (rr->owner < OWNER_COUNT && rr->owner != OWNER_APEX) {
            soa[rr->owner] |= rr->type == KNOT_RRTYPE_SOA && rr->class == KNOT_CLASS_IN;
            safe[rr->owner] &= rr->class == KNOT_CLASS_IN;
        }
    }
    for (int owner = 0; owner < OWNER_COUNT; owner++) {
        ends |= soa[owner] && !safe[owner];
    }
    return ends;
}

bool trial_would_wedge(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    return (trial->server == SERVER_PDNS && wedges_pdns(message)) ||
           (trial->server == SERVER_KNOTD && ends_knotd(message, &trial->before));
}

/* --- comparison --- */

static bool zones_match(const struct hf_server_zone *a, const struct hf_server_zone *b, bool ttl,
                        bool serial)
{
    bool match = a->count == b->count;
    for (uint32_t i = 0; match && i < a->count; i++) {
        const struct hf_server_rr *x = &a->rrs[i];
        const struct hf_server_rr *y = &b->rrs[i];
        bool soa = x->type == KNOT_RRTYPE_SOA;
        uint64_t seen = soa && !serial ? ~(uint64_t)UINT32_MAX : UINT64_MAX;
        match = x->owner == y->owner && x->type == y->type &&
                (x->rdata & seen) == (y->rdata & seen) && (x->ttl_s == y->ttl_s || !ttl);
    }
    return match;
}

bool zones_equal(const struct hf_server_zone *a, const struct hf_server_zone *b)
{
    return zones_match(a, b, true, true);
}

/* A TTL that stayed may also be all that would have changed the serial. */
bool zones_equal_but_ttl(const struct hf_server_zone *a, const struct hf_server_zone *b)
{
    return zones_match(a, b, false, false);
}

bool zones_equal_but_serial(const struct hf_server_zone *a, const struct hf_server_zone *b)
{
    return zones_match(a, b, true, false);
}

/* --- for people --- */

static void show_rcode(FILE *file, const char *who, uint8_t rcode)
{
    const knot_lookup_t *name = knot_lookup_by_id(knot_rcode_names, rcode);
    (void)fprintf(file, "  %s: %s\n", who, name != NULL ? name->name : "?");
}

static void show_rrs(const struct trial *trial, FILE *file, const char *title,
                     const struct hf_server_rr *rrs, uint32_t count)
{
    char text[RR_TEXT_MAX];
    (void)fprintf(file, "  %s:\n", title);
    for (uint32_t i = 0; i < count; i++) {
        universe_show(trial->universe, &rrs[i], text);
        (void)fprintf(file, "    %s\n", text);
    }
}

static bool zone_has(const struct hf_server_zone *zone, const struct hf_server_rr *rr)
{
    bool has = false;
    for (uint32_t i = 0; i < zone->count; i++) {
        const struct hf_server_rr *other = &zone->rrs[i];
        has |= other->owner == rr->owner && other->type == rr->type && other->rdata == rr->rdata &&
               other->ttl_s == rr->ttl_s;
    }
    return has;
}

/* Records that one zone has and the other one lacks. */
static void show_lacking(const struct trial *trial, FILE *file, const char *title,
                         const struct hf_server_zone *zone, const struct hf_server_zone *other)
{
    struct hf_server_zone lacking = {0};
    for (uint32_t i = 0; i < zone->count; i++) {
        if (!zone_has(other, &zone->rrs[i])) {
            lacking.rrs[lacking.count++] = zone->rrs[i];
        }
    }
    if (lacking.count > 0) {
        show_rrs(trial, file, title, lacking.rrs, lacking.count);
    }
}

void trial_show(const struct trial *trial, FILE *file)
{
    const struct parcel *parcel = trial->parcel;
    const struct hf_server_message *message = &parcel->message;
    (void)fprintf(file, "  category %s%s%s%s\n", category_name(parcel->category),
                  parcel->what[0] != 0 ? ": " : "", parcel->what,
                  parcel->upper ? " (upper case)" : "");
    show_rrs(trial, file, "zone before", trial->before.rrs, trial->before.count);
    show_rrs(trial, file, "prerequisites", message->rrs, message->prerequisite_count);
    show_rrs(trial, file, "updates", message->rrs + message->prerequisite_count,
             message->update_count);
    show_rcode(file, "model", trial->model_rcode);
    if (trial->answer == ANSWER_RCODE) {
        show_rcode(file, server_name(trial->server), trial->server_rcode);
    } else {
        (void)fprintf(file, "  %s: %s\n", server_name(trial->server),
                      trial->answer == ANSWER_CLOSED ? "closed the connection" : "did not answer");
    }
    show_lacking(trial, file, "only in the model's zone", &trial->model_after,
                 &trial->server_after);
    show_lacking(trial, file, "only in the server's zone", &trial->server_after,
                 &trial->model_after);
}
