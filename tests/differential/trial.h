/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trial: one message, what the model and what the server made of it, and whether that is the same
 * or a deviation that is known.
 */
#ifndef HF_DIFFERENTIAL_TRIAL_H
#define HF_DIFFERENTIAL_TRIAL_H

#include <stdio.h>

#include "client.h"
#include "parcel.h"

enum server { SERVER_KNOTD, SERVER_NAMED, SERVER_PDNS, SERVER_COUNT };

struct trial {
    enum server server;
    const struct universe *universe;
    struct parcel *parcel;
    bool upper_seen;              /* the round had owners in upper case */
    struct hf_server_zone before; /* in both */
    uint8_t model_rcode;
    struct hf_server_zone model_after;
    enum answer answer;
    uint8_t server_rcode;
    struct hf_server_zone server_after;
};

/*
 * One way in which a server is known to differ, either as another message that the model treats as
 * the server treats this one, or as an outcome. What Holdfast sends has no rules.
 */
struct rule {
    enum server server;
    const char *section; /* of RFC 2136, where no other is named */
    const char *what;    /* one line for people */
    /* Changes message, at first that of the trial; false when it is none of those. */
    bool (*rewrite)(const struct trial *trial, struct hf_server_message *message);
    /* Both that the message is one of those, and that the outcome is the known one. */
    bool (*applies)(const struct trial *trial);
};

/* knotd, named or pdns_server; SERVER_COUNT for anything else. */
enum server server_named(const char *name);
const char *server_name(enum server server);

/* What the model makes of the parcel, from before. careless: without prerequisites (a canary). */
void trial_model(struct trial *trial, bool careless);

bool trial_agrees(const struct trial *trial);

/* Whether a server would be out of order after such a message: it must not be sent. */
bool trial_would_wedge(const struct trial *trial);

/* Everything about it, for people. */
void trial_show(const struct trial *trial, FILE *file);

/* How two zones compare. */
bool zones_equal(const struct hf_server_zone *a, const struct hf_server_zone *b);
bool zones_equal_but_ttl(const struct hf_server_zone *a, const struct hf_server_zone *b);
bool zones_equal_but_serial(const struct hf_server_zone *a, const struct hf_server_zone *b);

/* rules.c: the rule that explains a trial that does not agree, RULE_NONE for none. */
enum { RULE_NONE = -1 };
int rule_find(const struct trial *trial);
uint32_t rule_count(void);
const struct rule *rule_at(uint32_t number);

#endif
