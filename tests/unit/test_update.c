/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every message is parsed back by libknot and compared as text: P prerequisite, U update. */
#include "codec/update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/name.h"

#define GUARD "P _holdfast-zone.z.test. 0 IN TXT g\n"

struct fixture {
    uint8_t zone[HF_NAME_MAX];
    uint8_t endpoint[HF_NAME_MAX];
    knot_tsig_key_t key;
    struct hf_buf text;
};

static const uint8_t guard_bytes[] = {0, 2, 1, 'g'};
static const uint8_t old_fence[] = {0, 2, 1, 'o'};
static const struct hf_txt_set guard_set = {guard_bytes, sizeof(guard_bytes)};
static const struct hf_txt_set old_set = {old_fence, sizeof(old_fence)};
static const uint8_t new_fence[] = {1, 'n'};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    *state = fixture;
    hf_name_parse("z.test", fixture->zone);
    hf_name_parse("e.z.test", fixture->endpoint);
    hf_buf_init(&fixture->text, 1 << 24);
    return hf_tsig_init("holdfast", "hmac-sha256", "c2VjcmV0c2VjcmV0c2VjcmV0", &fixture->key);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    hf_tsig_release(&fixture->key);
    hf_buf_release(&fixture->text);
    free(fixture);
    return 0;
}

static void print_rdata(struct hf_buf *text, uint16_t type, const knot_rdata_t *rdata)
{
    if (type == KNOT_RRTYPE_TXT) {
        for (size_t at = 0; at < rdata->len; at += 1U + rdata->data[at]) {
            hf_buf_printf(text, " %.*s", rdata->data[at], (const char *)rdata->data + at + 1);
        }
    } else if (rdata->len == 4) {
        const uint8_t *a = rdata->data;
        hf_buf_printf(text, " %d.%d.%d.%d", a[0], a[1], a[2], a[3]);
    } else {
        hf_buf_printf(text, " ::%d", rdata->data[15]);
    }
}

static const char *class_text(uint16_t class)
{
    return class == KNOT_CLASS_IN ? "IN" : class == KNOT_CLASS_ANY ? "ANY" : "NONE";
}

static void print_section(struct hf_buf *text, const knot_pktsection_t *section, char letter)
{
    for (uint16_t i = 0; i < section->count; i++) {
        const knot_rrset_t *rr = knot_pkt_rr(section, i);
        char owner[HF_NAME_TEXT_MAX];
        char type[16];
        hf_name_text(rr->owner, owner);
        assert_true(knot_rrtype_to_string(rr->type, type, sizeof(type)) > 0);
        assert_int_equal(rr->rrs.count, 1);
        hf_buf_printf(text, "%c %s %u %s %s", letter, owner, rr->ttl, class_text(rr->rclass), type);
        if (rr->rrs.rdata->len > 0) {
            print_rdata(text, rr->type, rr->rrs.rdata);
        }
        hf_buf_put_text(text, "\n");
    }
}

static knot_pkt_t *parsed(struct hf_update *update)
{
    const uint8_t *wire = NULL;
    size_t size = 0;
    struct hf_tsig_state tsig;
    assert_int_equal(hf_update_finish(update, 4711, &wire, &size, &tsig), HF_OK);
    assert_true(size <= HF_UPDATE_WIRE_MAX);
    knot_pkt_t *pkt = knot_pkt_new((void *)(uintptr_t)wire, (uint16_t)size, NULL);
    assert_non_null(pkt);
    assert_int_equal(knot_pkt_parse(pkt, 0), KNOT_EOK);
    assert_int_equal(knot_wire_get_id(pkt->wire), 4711);
    assert_int_equal(knot_wire_get_opcode(pkt->wire), KNOT_OPCODE_UPDATE);
    assert_int_equal(knot_pkt_qtype(pkt), KNOT_RRTYPE_SOA);
    assert_int_equal(knot_pkt_qclass(pkt), KNOT_CLASS_IN);
    return pkt;
}

/* The message as text. */
static const char *text_of(struct fixture *fixture, struct hf_update *update)
{
    knot_pkt_t *pkt = parsed(update);
    hf_buf_clear(&fixture->text);
    print_section(&fixture->text, knot_pkt_section(pkt, KNOT_ANSWER), 'P');
    print_section(&fixture->text, knot_pkt_section(pkt, KNOT_AUTHORITY), 'U');
    knot_pkt_free(pkt);
    return hf_buf_text(&fixture->text);
}

static struct hf_update *begin(struct fixture *fixture)
{
    return hf_update_begin(fixture->zone, &guard_set, NULL, 0, NULL);
}

/* One change behind an unchanged guard gives this text. */
static void expect(struct fixture *fixture, const struct hf_update_change *change,
                   const char *expected)
{
    struct hf_update *update = begin(fixture);
    assert_int_equal(hf_update_add(update, change), HF_OK);
    assert_int_equal(hf_update_count(update), 1);
    assert_string_equal(text_of(fixture, update), expected);
    hf_update_free(update);
}

static struct hf_update_change change_of(struct fixture *fixture, enum hf_update_expect expect)
{
    return (struct hf_update_change){
        .endpoint = fixture->endpoint,
        .fence_before = old_set,
        .fence_after = new_fence,
        .fence_after_size = sizeof(new_fence),
        .expect = expect,
    };
}

#define OLD "P _holdfast.e.z.test. 0 IN TXT o\n"
#define NEW "U _holdfast.e.z.test. 0 ANY TXT\nU _holdfast.e.z.test. 0 IN TXT n\n"

static const uint8_t one_two[] = {10, 0, 0, 1, 10, 0, 0, 2};
static const uint8_t two_three_aaaa[] = {10, 0, 0, 2, 10, 0, 0, 3, 0, 0, 0, 0,
                                         0,  0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 7};

static void a_new_endpoint(void **state)
{
    struct hf_update_change change = change_of(*state, HF_EXPECT_NONE);
    change.fence_before = (struct hf_txt_set){NULL, 0};
    change.after = (struct hf_records){two_three_aaaa, 30, 2, 1};
    expect(*state, &change,
           GUARD "P _holdfast.e.z.test. 0 NONE TXT\n"
                 "P _holdfast.e.z.test. 0 NONE CNAME\n"
                 "P e.z.test. 0 NONE A\n"
                 "P e.z.test. 0 NONE AAAA\n"
                 "P e.z.test. 0 NONE CNAME\n"
                 "U e.z.test. 30 IN A 10.0.0.2\n"
                 "U e.z.test. 30 IN A 10.0.0.3\n"
                 "U e.z.test. 30 IN AAAA ::7\n"
                 "U _holdfast.e.z.test. 0 IN TXT n\n");
}

static void whole_rrsets(void **state)
{
    struct hf_update_change change = change_of(*state, HF_EXPECT_ANY);
    change.after = (struct hf_records){one_two, 30, 2, 0};
    expect(*state, &change,
           GUARD OLD "U e.z.test. 0 ANY A\n"
                     "U e.z.test. 0 ANY AAAA\n"
                     "U e.z.test. 0 ANY CNAME\n"
                     "U e.z.test. 30 IN A 10.0.0.1\n"
                     "U e.z.test. 30 IN A 10.0.0.2\n" NEW);
}

static void pinned_rrsets(void **state)
{
    struct hf_update_change change = change_of(*state, HF_EXPECT_EXACT);
    change.before = (struct hf_records){one_two, 30, 2, 0};
    change.after = (struct hf_records){two_three_aaaa, 30, 2, 1};
    expect(*state, &change,
           GUARD OLD "P e.z.test. 0 IN A 10.0.0.1\n"
                     "P e.z.test. 0 IN A 10.0.0.2\n"
                     "P e.z.test. 0 NONE AAAA\n"
                     "U e.z.test. 0 NONE A 10.0.0.1\n"
                     "U e.z.test. 30 IN A 10.0.0.3\n"
                     "U e.z.test. 30 IN AAAA ::7\n" NEW);
    change.fence_only = true;
    expect(*state, &change,
           GUARD OLD "P e.z.test. 0 IN A 10.0.0.1\n"
                     "P e.z.test. 0 IN A 10.0.0.2\n"
                     "P e.z.test. 0 NONE AAAA\n" NEW);
}

static void differences(void **state)
{
    struct hf_update_change change = change_of(*state, HF_EXPECT_AUDITED);
    change.before = (struct hf_records){one_two, 30, 2, 0};
    change.after = (struct hf_records){two_three_aaaa, 30, 2, 1};
    expect(*state, &change,
           GUARD OLD "U e.z.test. 0 NONE A 10.0.0.1\n"
                     "U e.z.test. 30 IN A 10.0.0.3\n"
                     "U e.z.test. 30 IN AAAA ::7\n" NEW);
    /* The other way round: the last AAAA goes with its RRset. */
    change.before = change.after;
    change.after = (struct hf_records){one_two, 30, 2, 0};
    expect(*state, &change,
           GUARD OLD "U e.z.test. 0 NONE A 10.0.0.3\n"
                     "U e.z.test. 30 IN A 10.0.0.1\n"
                     "U e.z.test. 0 ANY AAAA\n" NEW);
    change.before = change.after;
    expect(*state, &change, GUARD OLD NEW);
    /* Where nothing is added, one that stays is: hands may have left only what is deleted. */
    change.after = (struct hf_records){one_two, 30, 1, 0};
    expect(*state, &change,
           GUARD OLD "U e.z.test. 0 NONE A 10.0.0.2\n"
                     "U e.z.test. 30 IN A 10.0.0.1\n" NEW);
}

static void no_record_in_common(void **state)
{
    struct hf_update_change change = change_of(*state, HF_EXPECT_AUDITED);
    change.before = (struct hf_records){one_two, 30, 1, 0};
    change.after = (struct hf_records){two_three_aaaa, 30, 2, 0};
    expect(*state, &change,
           GUARD OLD "U e.z.test. 0 ANY A\n"
                     "U e.z.test. 30 IN A 10.0.0.2\n"
                     "U e.z.test. 30 IN A 10.0.0.3\n" NEW);
}

static void another_ttl_is_no_difference(void **state)
{
    struct hf_update_change change = change_of(*state, HF_EXPECT_AUDITED);
    change.before = (struct hf_records){one_two, 30, 2, 0};
    change.after = (struct hf_records){one_two, 60, 2, 0};
    expect(*state, &change,
           GUARD OLD "U e.z.test. 0 ANY A\n"
                     "U e.z.test. 60 IN A 10.0.0.1\n"
                     "U e.z.test. 60 IN A 10.0.0.2\n" NEW);
}

static void retiring(void **state)
{
    struct hf_update_change change = change_of(*state, HF_EXPECT_ANY);
    expect(*state, &change,
           GUARD OLD "U e.z.test. 0 ANY A\nU e.z.test. 0 ANY AAAA\nU e.z.test. 0 ANY CNAME\n" NEW);
    change.fence_only = true;
    change.fence_after = NULL;
    expect(*state, &change, GUARD OLD "U _holdfast.e.z.test. 0 ANY TXT\n");
}

static void a_damaged_fence_is_pinned_whole(void **state)
{
    static const uint8_t two[] = {0, 2, 1, 'x', 0, 4, 1, 'y', 1, 'z'};
    struct hf_update_change change = change_of(*state, HF_EXPECT_ANY);
    change.fence_only = true;
    change.fence_before = (struct hf_txt_set){two, sizeof(two)};
    expect(*state, &change,
           GUARD "P _holdfast.e.z.test. 0 IN TXT x\n"
                 "P _holdfast.e.z.test. 0 IN TXT y z\n" NEW);
    struct hf_update *update = begin(*state);
    for (size_t size = 1; size < sizeof(two); size++) {
        change.fence_before.size = size;
        assert_int_equal(hf_update_add(update, &change), size == 4 ? HF_OK : HF_EINVAL);
    }
    assert_int_equal(hf_update_count(update), 1);
    assert_string_equal(text_of(*state, update), GUARD "P _holdfast.e.z.test. 0 IN TXT x\n" NEW);
    hf_update_free(update);
}

static void the_zone_guard(void **state)
{
    struct fixture *fixture = *state;
    const struct hf_txt_set none = {NULL, 0};
    struct hf_update *update =
        hf_update_begin(fixture->zone, &none, new_fence, sizeof(new_fence), NULL);
    assert_string_equal(text_of(fixture, update), "P _holdfast-zone.z.test. 0 NONE TXT\n"
                                                  "P _holdfast-zone.z.test. 0 NONE CNAME\n"
                                                  "U _holdfast-zone.z.test. 0 IN TXT n\n");
    hf_update_free(update);
    update = hf_update_begin(fixture->zone, &guard_set, new_fence, sizeof(new_fence), NULL);
    assert_string_equal(text_of(fixture, update), GUARD "U _holdfast-zone.z.test. 0 ANY TXT\n"
                                                        "U _holdfast-zone.z.test. 0 IN TXT n\n");
    hf_update_free(update);
}

static void records_out_of_order(void **state)
{
    static const uint8_t backwards[] = {10, 0, 0, 2, 10, 0, 0, 1, 10, 0, 0, 1};
    struct hf_update_change change = change_of(*state, HF_EXPECT_AUDITED);
    struct hf_update *update = begin(*state);
    change.before = (struct hf_records){one_two, 30, 2, 0};
    change.after = (struct hf_records){backwards, 30, 2, 0};
    assert_int_equal(hf_update_add(update, &change), HF_EINVAL);
    change.after = (struct hf_records){backwards + 4, 30, 2, 0}; /* a duplicate */
    assert_int_equal(hf_update_add(update, &change), HF_EINVAL);
    change.after = change.before;
    change.before = (struct hf_records){backwards, 30, 2, 0};
    assert_int_equal(hf_update_add(update, &change), HF_EINVAL);
    assert_string_equal(text_of(*state, update), GUARD);
    hf_update_free(update);
}

static void at_the_apex(void **state)
{
    struct fixture *fixture = *state;
    struct hf_update_change change = change_of(fixture, HF_EXPECT_ANY);
    change.endpoint = fixture->zone;
    change.after = (struct hf_records){one_two, 30, 1, 0};
    expect(fixture, &change,
           GUARD "P _holdfast.z.test. 0 IN TXT o\n"
                 "U z.test. 0 ANY A\nU z.test. 0 ANY AAAA\nU z.test. 0 ANY CNAME\n"
                 "U z.test. 30 IN A 10.0.0.1\n"
                 "U _holdfast.z.test. 0 ANY TXT\nU _holdfast.z.test. 0 IN TXT n\n");
    uint8_t outside[HF_NAME_MAX];
    hf_name_parse("z.tests", outside);
    change.endpoint = outside;
    struct hf_update *update = begin(fixture);
    assert_int_equal(hf_update_add(update, &change), HF_EINVAL);
    hf_update_free(update);
}

/* An endpoint as in the measurements: 4 A, 4 AAAA, a fence of the real length. */
struct fleet_member {
    uint8_t endpoint[HF_NAME_MAX];
    uint8_t before_bytes[2 + 64];
    uint8_t bytes[4 * 4 + 4 * 16];
    struct hf_update_change change;
};

static const struct hf_update_change *fleet_member(struct fleet_member *member, uint32_t number,
                                                   uint8_t fence_size, uint32_t ttl_s)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "ep%06u.z.test", number);
    hf_name_parse(name, member->endpoint);
    memset(member->before_bytes, 'f', sizeof(member->before_bytes));
    member->before_bytes[0] = 0;
    member->before_bytes[1] = fence_size;
    member->before_bytes[2] = (uint8_t)(fence_size - 1);
    for (size_t i = 0; i < sizeof(member->bytes); i++) {
        member->bytes[i] = (uint8_t)i; /* canonical order */
    }
    member->change = (struct hf_update_change){
        .endpoint = member->endpoint,
        .fence_before = {member->before_bytes, 2U + fence_size},
        .fence_after = member->before_bytes + 2,
        .fence_after_size = fence_size,
        .expect = HF_EXPECT_AUDITED,
        .before = {member->bytes, ttl_s, 4, 4},
        .after = {member->bytes, 30, 4, 4},
    };
    return &member->change;
}

/*
 * Adds until the message is full; the number that fitted. Everything is checked to be whole.
 * ttl_s: of the old records; with that of the new ones, 30, only the fences are written.
 */
static uint32_t fill(struct fixture *fixture, uint8_t fence_size, uint32_t ttl_s, size_t *ret_size)
{
    const uint32_t updates = ttl_s == 30 ? 2 : 12; /* for each endpoint */
    struct fleet_member member;
    const uint8_t *wire = NULL;
    struct hf_tsig_state tsig;
    struct hf_update *update = hf_update_begin(fixture->zone, &guard_set, NULL, 0, &fixture->key);
    uint32_t count = 0;
    while (hf_update_add(update, fleet_member(&member, count, fence_size, ttl_s)) == HF_OK) {
        count++;
    }
    assert_int_equal(hf_update_add(update, fleet_member(&member, count, fence_size, ttl_s)),
                     HF_ELIMIT);
    assert_int_equal(hf_update_count(update), count);
    assert_int_equal(hf_update_finish(update, 1, &wire, ret_size, &tsig), HF_OK);
    assert_true(*ret_size <= HF_UPDATE_WIRE_MAX);
    knot_pkt_t *pkt = parsed(update);
    assert_non_null(pkt->tsig_rr);
    assert_int_equal(knot_tsig_server_check(pkt->tsig_rr, pkt->wire, pkt->size, &fixture->key),
                     KNOT_EOK);
    const knot_pktsection_t *pre = knot_pkt_section(pkt, KNOT_ANSWER);
    const knot_pktsection_t *upd = knot_pkt_section(pkt, KNOT_AUTHORITY);
    assert_int_equal(pre->count, 1 + count);
    assert_int_equal(upd->count, updates * count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t fence[HF_NAME_MAX];
        fleet_member(&member, i, fence_size, ttl_s);
        hf_name_fence_of(member.endpoint, fence);
        assert_true(hf_name_equal(knot_pkt_rr(pre, (uint16_t)(1 + i))->owner, fence));
        for (uint32_t j = 0; j + 2 < updates; j++) {
            const knot_rrset_t *rr = knot_pkt_rr(upd, (uint16_t)(updates * i + j));
            assert_true(hf_name_equal(rr->owner, member.endpoint));
        }
        assert_true(
            hf_name_equal(knot_pkt_rr(upd, (uint16_t)(updates * (i + 1) - 1))->owner, fence));
    }
    knot_pkt_free(pkt);
    hf_update_free(update);
    return count;
}

static void a_message_is_used_well(void **state)
{
    size_t size = 0;
    /* "holdfast=1 owner=prod gen=1042 sum=… by=edge-1.70000": 63 octets. */
    uint32_t count = fill(*state, 64, 60, &size);
    print_message("# 64-octet fences: %u endpoints in %zu octets\n", count, size);
    assert_true(count >= 165);
    assert_true(size > HF_UPDATE_WIRE_MAX - 700);
    count = fill(*state, 24, 60, &size);
    print_message("# 24-octet fences: %u endpoints in %zu octets\n", count, size);
    assert_true(count >= 210);
    assert_true(size > HF_UPDATE_WIRE_MAX - 700);
}

/* Most of the fence owners stand where a pointer does not reach. */
static void names_out_of_reach(void **state)
{
    size_t size = 0;
    uint32_t count = fill(*state, 64, 30, &size);
    print_message("# fences only: %u endpoints in %zu octets\n", count, size);
    assert_true(count >= 320);
}

static void finish_twice(void **state)
{
    struct fixture *fixture = *state;
    struct fleet_member member;
    const uint8_t *wire = NULL;
    size_t size = 0;
    size_t again = 0;
    struct hf_tsig_state tsig;
    struct hf_update *update = hf_update_begin(fixture->zone, &guard_set, NULL, 0, &fixture->key);
    assert_int_equal(hf_update_add(update, fleet_member(&member, 1, 64, 60)), HF_OK);
    assert_int_equal(hf_update_finish(update, 1, &wire, &size, &tsig), HF_OK);
    assert_int_equal(tsig.digest_size, 32);
    knot_pkt_free(parsed(update));
    assert_int_equal(hf_update_finish(update, 2, &wire, &again, &tsig), HF_OK);
    assert_int_equal(size, again);
    assert_int_equal(knot_wire_get_arcount(wire), 1);
    hf_update_free(update);
}

static void keys(void **state)
{
    (void)state;
    knot_tsig_key_t key = {0};
    assert_int_equal(hf_tsig_init("k", "hmac-nonsense", "c2VjcmV0", &key), HF_EMALF);
    assert_int_equal(hf_tsig_init("k", "hmac-sha256", "not base64!", &key), HF_EMALF);
    assert_int_equal(hf_tsig_init("k", "hmac-sha256", "", &key), HF_EMALF);
    assert_int_equal(hf_tsig_init("k..", "hmac-sha256", "c2VjcmV0", &key), HF_EMALF);
    assert_int_equal(hf_tsig_init("", "hmac-sha256", "c2VjcmV0", &key), HF_EMALF);
    assert_null(key.name);
    assert_int_equal(hf_tsig_init("K.Example", "hmac-sha512", "c2VjcmV0", &key), HF_OK);
    assert_memory_equal(key.name, "\1k\7example\0", 11);
    hf_tsig_release(&key);
    assert_null(key.secret.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_endpoint),
        cmocka_unit_test(whole_rrsets),
        cmocka_unit_test(pinned_rrsets),
        cmocka_unit_test(differences),
        cmocka_unit_test(no_record_in_common),
        cmocka_unit_test(another_ttl_is_no_difference),
        cmocka_unit_test(retiring),
        cmocka_unit_test(a_damaged_fence_is_pinned_whole),
        cmocka_unit_test(the_zone_guard),
        cmocka_unit_test(records_out_of_order),
        cmocka_unit_test(at_the_apex),
        cmocka_unit_test(a_message_is_used_well),
        cmocka_unit_test(names_out_of_reach),
        cmocka_unit_test(finish_twice),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
