/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model of a server, section by section of RFC 2136. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libknot/libknot.h>
#include <string.h>

#include "lab/server.h"

enum {
    APEX = HF_SERVER_OWNER_APEX,
    API,
    WWW,
    EMPTY,
    OUTSIDE = HF_SERVER_OWNER_OUTSIDE,
    SERIAL = 7,
    TTL_S = 60,
    IN = KNOT_CLASS_IN,
    NONE = KNOT_CLASS_NONE,
    ANY = KNOT_CLASS_ANY,
    A = KNOT_RRTYPE_A,
    TXT = KNOT_RRTYPE_TXT,
    NS = KNOT_RRTYPE_NS,
    SOA = KNOT_RRTYPE_SOA,
    CNAME = KNOT_RRTYPE_CNAME,
    ALL = KNOT_RRTYPE_ANY, /* the type */
};

/* A zone, and the message that is being made for it. */
struct bench {
    struct hf_server_zone zone;
    struct hf_server_message message;
};

static void begin(struct bench *bench)
{
    memset(&bench->message, 0, sizeof(bench->message));
    bench->message.zone_type = SOA;
    bench->message.zone_class = IN;
}

/* api has two A and a TXT, www has a CNAME. */
static struct bench *setup(struct bench *bench)
{
    const struct hf_server_rr rrs[] = {
        {.owner = API, .type = A, .rdata = 1, .ttl_s = TTL_S},
        {.owner = API, .type = A, .rdata = 2, .ttl_s = TTL_S},
        {.owner = API, .type = TXT, .rdata = 1, .ttl_s = TTL_S},
        {.owner = WWW, .type = CNAME, .rdata = 1, .ttl_s = TTL_S},
    };
    hf_server_zone_init(&bench->zone, SERIAL);
    for (size_t i = 0; i < sizeof(rrs) / sizeof(rrs[0]); i++) {
        assert_true(hf_server_put(&bench->zone, &rrs[i]));
    }
    begin(bench);
    return bench;
}

/* rdata: negative for none. All prerequisites come before the first update. */
static void add_rr(struct bench *bench, uint8_t owner, uint16_t class, uint16_t type, int64_t rdata,
                   uint32_t ttl_s)
{
    struct hf_server_message *message = &bench->message;
    message->rrs[message->prerequisite_count + message->update_count] = (struct hf_server_rr){
        .owner = owner,
        .class = class,
        .type = type,
        .ttl_s = ttl_s,
        .has_rdata = rdata >= 0,
        .rdata = rdata >= 0 ? (uint64_t)rdata : 0,
    };
}

static void require(struct bench *bench, uint8_t owner, uint16_t class, uint16_t type,
                    int64_t rdata)
{
    assert_int_equal(bench->message.update_count, 0);
    add_rr(bench, owner, class, type, rdata, 0);
    bench->message.prerequisite_count++;
}

static void update(struct bench *bench, uint8_t owner, uint16_t class, uint16_t type, int64_t rdata)
{
    add_rr(bench, owner, class, type, rdata, class == IN ? TTL_S : 0);
    bench->message.update_count++;
}

static bool zones_equal(const struct hf_server_zone *a, const struct hf_server_zone *b)
{
    bool equal = a->count == b->count;
    for (uint32_t i = 0; equal && i < a->count; i++) {
        const struct hf_server_rr *x = &a->rrs[i];
        const struct hf_server_rr *y = &b->rrs[i];
        equal = x->owner == y->owner && x->type == y->type && x->rdata == y->rdata &&
                x->ttl_s == y->ttl_s && x->class == y->class && x->has_rdata == y->has_rdata;
    }
    return equal;
}

static bool zone_is_sound(const struct hf_server_zone *zone)
{
    bool sound = true;
    for (uint32_t i = 0; i < zone->count; i++) {
        const struct hf_server_rr *rr = &zone->rrs[i];
        sound &= rr->class == IN && rr->has_rdata;
        if (i > 0) {
            const struct hf_server_rr *last = rr - 1;
            bool same = last->owner == rr->owner && last->type == rr->type;
            sound &= same ? last->rdata < rr->rdata && last->ttl_s == rr->ttl_s
                          : last->owner < rr->owner ||
                                (last->owner == rr->owner && last->type < rr->type);
        }
    }
    return sound;
}

/* Sends the message and begins the next one. Anything but NOERROR must change nothing. */
static uint8_t answer(struct bench *bench)
{
    const struct hf_server_zone before = bench->zone;
    uint8_t rcode = hf_server_update(&bench->zone, &bench->message);
    assert_true(zone_is_sound(&bench->zone));
    if (rcode != KNOT_RCODE_NOERROR) {
        assert_true(zones_equal(&bench->zone, &before));
    }
    begin(bench);
    return rcode;
}

static void expect_changed(struct bench *bench, bool changed)
{
    uint32_t serial = hf_server_serial(&bench->zone);
    assert_int_equal(answer(bench), KNOT_RCODE_NOERROR);
    assert_int_equal(hf_server_serial(&bench->zone), serial + changed);
}

/* One prerequisite and an update that would show. */
static void expect_rcode(struct bench *bench, uint8_t owner, uint16_t class, uint16_t type,
                         int64_t rdata, uint8_t rcode)
{
    struct hf_server_zone before = bench->zone;
    require(bench, owner, class, type, rdata);
    update(bench, EMPTY, IN, A, 9);
    assert_int_equal(answer(bench), rcode);
    assert_int_equal(zones_equal(&before, &bench->zone), rcode != KNOT_RCODE_NOERROR);
    bench->zone = before;
}

static uint32_t count_of(const struct bench *bench, uint8_t owner, uint16_t type)
{
    const struct hf_server_rr *first;
    return hf_server_rrset(&bench->zone, owner, type, &first);
}

static uint32_t ttl_of(const struct bench *bench, uint8_t owner, uint16_t type)
{
    const struct hf_server_rr *first;
    assert_true(hf_server_rrset(&bench->zone, owner, type, &first) > 0);
    return first->ttl_s;
}

/* --- section 3.1.1 --- */

static void test_zone_section(void **state)
{
    struct bench *bench = setup(*state);
    expect_changed(bench, false); /* empty sections */
    bench->message.zone_type = A;
    update(bench, EMPTY, IN, A, 1);
    assert_int_equal(answer(bench), KNOT_RCODE_FORMERR);
    bench->message.zone_class = KNOT_CLASS_CH;
    assert_int_equal(answer(bench), KNOT_RCODE_NOTAUTH);
    bench->message.zone_owner = API;
    assert_int_equal(answer(bench), KNOT_RCODE_NOTAUTH);
    bench->message.zone_owner = OUTSIDE;
    assert_int_equal(answer(bench), KNOT_RCODE_NOTAUTH);
}

/* --- section 3.2 --- */

static void test_prerequisites_of_existence(void **state)
{
    struct bench *bench = setup(*state);
    expect_rcode(bench, API, ANY, A, -1, KNOT_RCODE_NOERROR);
    expect_rcode(bench, API, ANY, NS, -1, KNOT_RCODE_NXRRSET);
    expect_rcode(bench, EMPTY, ANY, A, -1, KNOT_RCODE_NXRRSET);
    expect_rcode(bench, API, ANY, ALL, -1, KNOT_RCODE_NOERROR);
    expect_rcode(bench, EMPTY, ANY, ALL, -1, KNOT_RCODE_NXDOMAIN);
    expect_rcode(bench, API, NONE, A, -1, KNOT_RCODE_YXRRSET);
    expect_rcode(bench, API, NONE, NS, -1, KNOT_RCODE_NOERROR);
    expect_rcode(bench, EMPTY, NONE, A, -1, KNOT_RCODE_NOERROR);
    expect_rcode(bench, API, NONE, ALL, -1, KNOT_RCODE_YXDOMAIN);
    expect_rcode(bench, EMPTY, NONE, ALL, -1, KNOT_RCODE_NOERROR);
}

static void test_prerequisites_of_value(void **state)
{
    struct bench *bench = setup(*state);
    expect_rcode(bench, API, IN, TXT, 1, KNOT_RCODE_NOERROR); /* the zone's TTL is not 0 */
    expect_rcode(bench, API, IN, TXT, 2, KNOT_RCODE_NXRRSET);
    expect_rcode(bench, EMPTY, IN, A, 1, KNOT_RCODE_NXRRSET);
    expect_rcode(bench, API, IN, A, 1, KNOT_RCODE_NXRRSET); /* a part of the RRset */
    /* The whole RRset, in any order, with repetitions and others in between. */
    require(bench, API, IN, A, 2);
    require(bench, API, IN, TXT, 1);
    require(bench, API, IN, A, 2);
    expect_rcode(bench, API, IN, A, 1, KNOT_RCODE_NOERROR);
    require(bench, API, IN, A, 1);
    require(bench, API, IN, A, 2);
    expect_rcode(bench, API, IN, A, 3, KNOT_RCODE_NXRRSET); /* more than the RRset */
    /* A demand of one RRset does not excuse another. */
    require(bench, API, IN, A, 1);
    require(bench, API, IN, A, 2);
    expect_rcode(bench, API, IN, TXT, 2, KNOT_RCODE_NXRRSET);
}

static void test_prerequisites_malformed(void **state)
{
    struct bench *bench = setup(*state);
    add_rr(bench, API, IN, TXT, 1, 1);
    bench->message.prerequisite_count++;
    assert_int_equal(answer(bench), KNOT_RCODE_FORMERR);
    add_rr(bench, API, ANY, A, -1, 1);
    bench->message.prerequisite_count++;
    assert_int_equal(answer(bench), KNOT_RCODE_FORMERR);
    expect_rcode(bench, API, KNOT_CLASS_CH, TXT, 1, KNOT_RCODE_FORMERR);
    expect_rcode(bench, API, ANY, A, 1, KNOT_RCODE_FORMERR);
    expect_rcode(bench, API, NONE, NS, 1, KNOT_RCODE_FORMERR);
    expect_rcode(bench, API, IN, A, -1, KNOT_RCODE_FORMERR);
    expect_rcode(bench, API, IN, ALL, 1, KNOT_RCODE_NXRRSET); /* nothing has that type */
    expect_rcode(bench, OUTSIDE, NONE, A, -1, KNOT_RCODE_NOTZONE);
    expect_rcode(bench, OUTSIDE, IN, A, 1, KNOT_RCODE_NOTZONE);
}

static void test_prerequisites_in_order(void **state)
{
    struct bench *bench = setup(*state);
    require(bench, API, NONE, A, -1);
    expect_rcode(bench, OUTSIDE, NONE, A, -1, KNOT_RCODE_YXRRSET);
    require(bench, OUTSIDE, NONE, A, -1);
    expect_rcode(bench, API, NONE, A, -1, KNOT_RCODE_NOTZONE);
    require(bench, API, IN, TXT, 2); /* values last */
    expect_rcode(bench, API, NONE, A, -1, KNOT_RCODE_YXRRSET);
    /* Prerequisites before the prescan of the updates. */
    require(bench, API, NONE, A, -1);
    update(bench, OUTSIDE, IN, A, 1);
    assert_int_equal(answer(bench), KNOT_RCODE_YXRRSET);
}

/* --- section 3.4.1 --- */

static void expect_prescan(struct bench *bench, uint8_t owner, uint16_t class, uint16_t type,
                           int64_t rdata, uint32_t ttl_s, uint8_t rcode)
{
    (void)setup(bench);
    update(bench, EMPTY, IN, A, 1); /* sound, and must not be seen if the next one is not */
    add_rr(bench, owner, class, type, rdata, ttl_s);
    bench->message.update_count++;
    assert_int_equal(answer(bench), rcode);
}

static void test_prescan(void **state)
{
    expect_prescan(*state, OUTSIDE, IN, A, 1, TTL_S, KNOT_RCODE_NOTZONE);
    expect_prescan(*state, API, IN, ALL, 1, TTL_S, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, IN, KNOT_RRTYPE_AXFR, 1, TTL_S, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, IN, A, -1, TTL_S, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, ANY, A, -1, 1, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, ANY, A, 1, 0, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, ANY, KNOT_RRTYPE_AXFR, -1, 0, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, ANY, ALL, -1, 0, KNOT_RCODE_NOERROR);
    expect_prescan(*state, API, NONE, A, 1, 1, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, NONE, A, -1, 0, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, NONE, ALL, 1, 0, KNOT_RCODE_FORMERR);
    expect_prescan(*state, API, NONE, A, 1, 0, KNOT_RCODE_NOERROR);
    expect_prescan(*state, API, KNOT_CLASS_CH, A, 1, 0, KNOT_RCODE_FORMERR);
}

/* --- section 3.4.2 --- */

static void test_add(void **state)
{
    struct bench *bench = setup(*state);
    update(bench, API, IN, A, 3);
    update(bench, EMPTY, IN, TXT, 1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, API, A), 3);
    assert_int_equal(count_of(bench, EMPTY, TXT), 1);
    update(bench, API, IN, A, 3); /* it is there already */
    expect_changed(bench, false);
    assert_int_equal(count_of(bench, API, A), 3);
    add_rr(bench, API, IN, A, 3, TTL_S + 1); /* with another TTL */
    bench->message.update_count++;
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, API, A), 3);
    assert_int_equal(ttl_of(bench, API, A), TTL_S + 1);
    assert_int_equal(ttl_of(bench, API, TXT), TTL_S);
    update(bench, API, IN, A, 4); /* a new record brings its TTL */
    expect_changed(bench, true);
    assert_int_equal(ttl_of(bench, API, A), TTL_S);
}

static void test_delete(void **state)
{
    struct bench *bench = setup(*state);
    update(bench, API, NONE, A, 1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, API, A), 1);
    update(bench, API, NONE, A, 1); /* not there any more */
    update(bench, EMPTY, NONE, A, 1);
    update(bench, EMPTY, ANY, A, -1);
    update(bench, EMPTY, ANY, ALL, -1);
    expect_changed(bench, false);
    update(bench, API, ANY, A, -1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, API, A), 0);
    assert_int_equal(count_of(bench, API, TXT), 1);
    update(bench, API, IN, A, 1);
    expect_changed(bench, true);
    update(bench, API, ANY, ALL, -1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, API, A) + count_of(bench, API, TXT), 0);
    assert_int_equal(count_of(bench, WWW, CNAME), 1);
}

static void test_updates_in_order(void **state)
{
    struct bench *bench = setup(*state);
    update(bench, API, ANY, A, -1);
    update(bench, API, IN, A, 3);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, API, A), 1);
    update(bench, API, IN, A, 4);
    update(bench, API, ANY, A, -1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, API, A), 0);
    update(bench, API, ANY, TXT, -1); /* cancels out */
    update(bench, API, IN, TXT, 1);
    expect_changed(bench, false);
    assert_int_equal(count_of(bench, API, TXT), 1);
}

static void test_cname(void **state)
{
    struct bench *bench = setup(*state);
    update(bench, API, IN, CNAME, 1); /* beside other records: ignored */
    update(bench, WWW, IN, A, 1);
    expect_changed(bench, false);
    update(bench, WWW, IN, CNAME, 2); /* replaces */
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, WWW, CNAME), 1);
    update(bench, WWW, ANY, CNAME, -1);
    update(bench, WWW, IN, A, 1);
    update(bench, API, ANY, ALL, -1);
    update(bench, API, IN, CNAME, 1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, WWW, A), 1);
    assert_int_equal(count_of(bench, WWW, CNAME), 0);
    assert_int_equal(count_of(bench, API, CNAME), 1);
}

static void test_apex(void **state)
{
    struct bench *bench = setup(*state);
    update(bench, APEX, ANY, NS, -1);
    update(bench, APEX, ANY, SOA, -1);
    update(bench, APEX, ANY, ALL, -1);
    update(bench, APEX, NONE, SOA, SERIAL);
    update(bench, APEX, NONE, NS, 0); /* the last one */
    expect_changed(bench, false);
    update(bench, APEX, IN, NS, 1);
    update(bench, APEX, IN, A, 1);
    update(bench, APEX, IN, TXT, 1);
    expect_changed(bench, true);
    update(bench, APEX, ANY, ALL, -1);
    update(bench, APEX, NONE, NS, 0);
    update(bench, APEX, NONE, NS, 1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, APEX, A) + count_of(bench, APEX, TXT), 0);
    assert_int_equal(count_of(bench, APEX, NS), 1);
    /* NS elsewhere are like other records. */
    update(bench, EMPTY, IN, NS, 1);
    expect_changed(bench, true);
    update(bench, EMPTY, NONE, NS, 1);
    expect_changed(bench, true);
    assert_int_equal(count_of(bench, EMPTY, NS), 0);
}

static void test_soa(void **state)
{
    struct bench *bench = setup(*state);
    const int64_t other = (int64_t)1 << 32; /* the fields beside the serial */
    update(bench, APEX, IN, SOA, other + SERIAL);
    update(bench, APEX, IN, SOA, other + SERIAL - 1);
    update(bench, APEX, IN, SOA, other + SERIAL + ((int64_t)1 << 31));
    update(bench, API, IN, SOA, SERIAL + 1); /* not the apex */
    expect_changed(bench, false);
    update(bench, APEX, IN, SOA, other + SERIAL + 100);
    update(bench, API, IN, A, 3);
    assert_int_equal(answer(bench), KNOT_RCODE_NOERROR);
    assert_int_equal(hf_server_serial(&bench->zone), SERIAL + 100); /* no increment on top */
    assert_int_equal(count_of(bench, APEX, SOA), 1);
    update(bench, API, IN, A, 4); /* the other fields stay */
    expect_changed(bench, true);
    const struct hf_server_rr *soa;
    assert_int_equal(hf_server_rrset(&bench->zone, APEX, SOA, &soa), 1);
    assert_int_equal(soa->rdata, other + SERIAL + 101);
}

static void test_serial_wraps(void **state)
{
    struct bench *bench = setup(*state);
    hf_server_zone_init(&bench->zone, UINT32_MAX);
    update(bench, API, IN, A, 3);
    assert_int_equal(answer(bench), KNOT_RCODE_NOERROR);
    assert_int_equal(hf_server_serial(&bench->zone), 0);
    update(bench, APEX, IN, SOA, 5);
    assert_int_equal(answer(bench), KNOT_RCODE_NOERROR);
    assert_int_equal(hf_server_serial(&bench->zone), 5);
}

/* --- limits, and changes by hand --- */

static void test_no_room(void **state)
{
    struct bench *bench = setup(*state);
    int64_t next = 10;
    while (bench->zone.count < HF_SERVER_RRS_MAX) {
        update(bench, API, IN, A, next++);
        expect_changed(bench, true);
    }
    update(bench, API, ANY, TXT, -1);
    update(bench, API, IN, A, next);
    update(bench, API, IN, A, next + 1);
    assert_int_equal(answer(bench), KNOT_RCODE_SERVFAIL);
    assert_int_equal(count_of(bench, API, TXT), 1);
    const struct hf_server_rr rr = {.owner = EMPTY, .type = A, .rdata = 1, .ttl_s = TTL_S};
    assert_false(hf_server_put(&bench->zone, &rr));
    update(bench, API, ANY, TXT, -1);
    update(bench, API, IN, A, next);
    expect_changed(bench, true);
    assert_int_equal(bench->zone.count, HF_SERVER_RRS_MAX);
    /* All of the largest zone as a prerequisite. */
    for (uint32_t i = 0; i < HF_SERVER_RRS_MAX; i++) {
        bench->message.rrs[i] = bench->zone.rrs[i];
        bench->message.rrs[i].ttl_s = 0;
    }
    bench->message.prerequisite_count = HF_SERVER_RRS_MAX;
    expect_changed(bench, false);
    for (uint32_t i = 0; i < HF_SERVER_MESSAGE_RRS_MAX; i++) {
        update(bench, API, IN, A, next);
    }
    expect_changed(bench, false);
}

static void test_by_hand(void **state)
{
    struct bench *bench = setup(*state);
    const struct hf_server_rr rr = {.owner = WWW, .type = A, .rdata = 5, .ttl_s = 9};
    assert_true(hf_server_put(&bench->zone, &rr)); /* beside the CNAME */
    assert_int_equal(count_of(bench, WWW, A), 1);
    assert_int_equal(count_of(bench, WWW, CNAME), 1);
    assert_true(hf_server_put(&bench->zone, &rr));
    assert_int_equal(count_of(bench, WWW, A), 1);
    hf_server_remove(&bench->zone, API, A);
    hf_server_remove(&bench->zone, EMPTY, A);
    assert_int_equal(count_of(bench, API, A), 0);
    assert_int_equal(hf_server_serial(&bench->zone), SERIAL);
    assert_true(zone_is_sound(&bench->zone));
    const struct hf_server_rr *first;
    assert_int_equal(hf_server_rrset(&bench->zone, APEX, NS, &first), 1);
    assert_int_equal(first->rdata, 0);
}

int main(void)
{
    struct bench bench; /* every test starts it anew */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_zone_section, &bench),
        cmocka_unit_test_prestate(test_prerequisites_of_existence, &bench),
        cmocka_unit_test_prestate(test_prerequisites_of_value, &bench),
        cmocka_unit_test_prestate(test_prerequisites_malformed, &bench),
        cmocka_unit_test_prestate(test_prerequisites_in_order, &bench),
        cmocka_unit_test_prestate(test_prescan, &bench),
        cmocka_unit_test_prestate(test_add, &bench),
        cmocka_unit_test_prestate(test_delete, &bench),
        cmocka_unit_test_prestate(test_updates_in_order, &bench),
        cmocka_unit_test_prestate(test_cname, &bench),
        cmocka_unit_test_prestate(test_apex, &bench),
        cmocka_unit_test_prestate(test_soa, &bench),
        cmocka_unit_test_prestate(test_serial_wraps, &bench),
        cmocka_unit_test_prestate(test_no_room, &bench),
        cmocka_unit_test_prestate(test_by_hand, &bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
