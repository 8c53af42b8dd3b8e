/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dnsprobe: drives the DNS client against any server, for tests/integration/test_dns.py.
 *
 *   dnsprobe ADDRESS PORT ZONE TIMEOUT_MS [KEY ALGORITHM SECRET]
 *
 * (with DNSPROBE_UDP in the environment: single questions over UDP first)
 * reads commands from standard input, one a line, and ends each with a line "= …":
 *
 *   guard TEXT|-                    prerequisite on the zone guard from now on
 *   set-guard TEXT|-                writes the guard
 *   put NAME BEFORE AFTER EXPECT TTL ADDRESSES TTL ADDRESSES
 *                                   one change; fences are words or "-"; EXPECT is any, none, exact
 *                                   or audited; the first addresses are before, the others after
 *   query NAME TYPE                 type as a number; prints "record …" lines
 *   axfr [count]                    prints "record …" lines, or only counts them
 *   ixfr SERIAL                     prints "newest …", "deleted …", "added …" and "whole …" lines
 *   burst MESSAGES PER BEFORE AFTER HOST  all messages at once, PER endpoints e0, e1, … in each,
 *                                   of 4 A records; expects none or differences
 *   flood COUNT NAME TYPE           asks COUNT times at once
 *   close-in-callback               closes the client within the callback of a query
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/fence.h"
#include "codec/name.h"
#include "codec/tsig.h"
#include "io/dns.h"

enum { LINE_MAX_SIZE = 4096, WORDS_MAX = 10, TALLY_MAX = 64 };

struct tally {
    int result;
    uint16_t rcode;
    uint32_t count;
};

struct probe {
    uv_loop_t loop;
    struct hf_dns *dns;
    struct hf_dns_options options;
    uint8_t zone[HF_NAME_MAX];
    knot_tsig_key_t key;
    uint8_t guard[2 + HF_FENCE_RDATA_MAX];
    struct hf_txt_set guard_set;
    uint32_t waiting;
    uint32_t record_count;
    bool quiet;
    bool close_in_callback;
    bool closing;
    bool closed;
    struct tally tallies[TALLY_MAX];
    size_t tally_count;
    char why[HF_DNS_WHY_MAX];
    uint64_t latency_ms;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "dnsprobe: %s\n", what);
    exit(2);
}

static void check(int error, const char *what)
{
    if (error != HF_OK) {
        (void)fprintf(stderr, "dnsprobe: %s: %s\n", what, hf_strerror(error));
        exit(2);
    }
}

static const char *result_text(int result)
{
#define RESULT_TEXT(name, text)                                                                    \
    case HF_##name:                                                                                \
        return #name;
    switch (result) {
    case HF_OK:
        return "OK";
        HF_ERRORS(RESULT_TEXT)
    default:
        return "?";
    }
#undef RESULT_TEXT
}

static void on_probe_closed(void *context)
{
    struct probe *probe = context;
    probe->closed = true;
}

static void on_done(void *context, const struct hf_dns_outcome *outcome)
{
    struct probe *probe = context;
    probe->waiting--;
    probe->latency_ms = outcome->latency_ms;
    (void)snprintf(probe->why, sizeof(probe->why), "%s", outcome->why);
    for (size_t i = 0; i <= probe->tally_count && i < TALLY_MAX; i++) {
        struct tally *tally = &probe->tallies[i];
        if (i == probe->tally_count) {
            *tally = (struct tally){.result = outcome->result, .rcode = outcome->rcode};
            probe->tally_count++;
        }
        if (tally->result == outcome->result && tally->rcode == outcome->rcode) {
            tally->count++;
            break;
        }
    }
    if (probe->close_in_callback) {
        probe->close_in_callback = false;
        probe->closing = true;
        hf_dns_close(probe->dns, on_probe_closed, probe);
    }
}

static void record_print(const char *what, const struct hf_dns_record *record)
{
    char owner[HF_NAME_TEXT_MAX];
    hf_name_text(record->owner, owner);
    (void)printf("%s %s %u %" PRIu32 " ", what, owner, record->type, record->ttl_s);
    for (uint16_t i = 0; i < record->rdata_size; i++) {
        (void)printf("%02x", record->rdata[i]);
    }
    (void)printf("\n");
}

static void on_record(void *context, const struct hf_dns_record *record)
{
    struct probe *probe = context;
    probe->record_count++;
    if (!probe->quiet) {
        record_print("record", record);
    }
}

static void on_change(void *context, const struct hf_dns_record *record, enum hf_dns_sense sense)
{
    static const char *const senses[] = {"newest", "deleted", "added", "whole"};
    struct probe *probe = context;
    probe->record_count++;
    record_print(senses[sense], record);
}

/* Runs the loop until everything that was asked has ended, and reports. */
static void finish(struct probe *probe)
{
    while (probe->waiting > 0) {
        (void)uv_run(&probe->loop, UV_RUN_ONCE);
    }
    (void)printf("=");
    for (size_t i = 0; i < probe->tally_count; i++) {
        const struct tally *tally = &probe->tallies[i];
        (void)printf(" %s:%u*%" PRIu32, result_text(tally->result), tally->rcode, tally->count);
    }
    (void)printf(" records=%" PRIu32 " ms=%" PRIu64 " | %s\n", probe->record_count,
                 probe->latency_ms, probe->why);
    (void)fflush(stdout);
    probe->tally_count = 0;
    probe->record_count = 0;
    probe->why[0] = 0;
}

/* A word as TXT RDATA behind its 16-bit size; "-" is no record. */
static struct hf_txt_set txt_of(const char *word, uint8_t bytes[2 + HF_FENCE_RDATA_MAX])
{
    size_t size = strlen(word);
    if (strcmp(word, "-") == 0) {
        return (struct hf_txt_set){NULL, 0};
    }
    if (size > 255) {
        die("text too long");
    }
    bytes[0] = (uint8_t)((size + 1) >> 8);
    bytes[1] = (uint8_t)(size + 1);
    bytes[2] = (uint8_t)size;
    memcpy(bytes + 3, word, size);
    return (struct hf_txt_set){bytes, 3 + size};
}

static void name_of(const char *text, uint8_t wire[HF_NAME_MAX])
{
    check(hf_name_parse(text, wire), text);
}

/* Addresses with commas, IPv4 before IPv6; "-" is none. */
static void records_of(const char *ttl, char *list, uint8_t bytes[HF_RECORDS_BYTES_MAX],
                       struct hf_records *ret_records)
{
    struct hf_records records = {.bytes = bytes, .ttl_s = (uint32_t)strtoul(ttl, NULL, 10)};
    uint8_t *at = bytes;
    char *rest = list;
    for (char *word = strsep(&rest, ","); word != NULL; word = strsep(&rest, ",")) {
        if (inet_pton(AF_INET, word, at) == 1 && records.aaaa_count == 0) {
            records.a_count++;
            at += 4;
        } else if (inet_pton(AF_INET6, word, at) == 1) {
            records.aaaa_count++;
            at += 16;
        } else if (strcmp(word, "-") != 0) {
            die("no address");
        }
    }
    (void)hf_records_sort(bytes, records.a_count, 4);
    (void)hf_records_sort(bytes + 4 * (size_t)records.a_count, records.aaaa_count, 16);
    *ret_records = records;
}

static enum hf_update_expect expect_of(const char *word)
{
    const char *const words[] = {"any", "none", "exact", "audited"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, words[i]) == 0) {
            return (enum hf_update_expect)i;
        }
    }
    die("unknown expectation");
    return HF_EXPECT_ANY;
}

static void send_update(struct probe *probe, struct hf_update *update)
{
    check(hf_dns_update(probe->dns, update, on_done, probe), "update");
    probe->waiting++;
    hf_update_free(update);
}

static void command_put(struct probe *probe, char **words)
{
    uint8_t endpoint[HF_NAME_MAX];
    uint8_t before[2 + HF_FENCE_RDATA_MAX];
    uint8_t after[2 + HF_FENCE_RDATA_MAX];
    uint8_t bytes_before[HF_RECORDS_BYTES_MAX];
    uint8_t bytes_after[HF_RECORDS_BYTES_MAX];
    struct hf_update_change change = {.endpoint = endpoint, .expect = expect_of(words[4])};
    name_of(words[1], endpoint);
    change.fence_before = txt_of(words[2], before);
    struct hf_txt_set fence = txt_of(words[3], after);
    change.fence_after = fence.size > 0 ? fence.bytes + 2 : NULL;
    change.fence_after_size = fence.size > 0 ? fence.size - 2 : 0;
    records_of(words[5], words[6], bytes_before, &change.before);
    records_of(words[7], words[8], bytes_after, &change.after);
    const knot_tsig_key_t *key = probe->options.key;
    struct hf_update *update = hf_update_begin(probe->zone, &probe->guard_set, NULL, 0, key);
    check(hf_update_add(update, &change), "put");
    send_update(probe, update);
    finish(probe);
}

static void command_set_guard(struct probe *probe, const char *word)
{
    uint8_t bytes[2 + HF_FENCE_RDATA_MAX];
    struct hf_txt_set after = txt_of(word, bytes);
    const knot_tsig_key_t *key = probe->options.key;
    send_update(probe, hf_update_begin(probe->zone, &probe->guard_set,
                                       after.size > 0 ? after.bytes + 2 : NULL,
                                       after.size > 0 ? after.size - 2 : 0, key));
    finish(probe);
}

static void command_burst(struct probe *probe, char **words)
{
    uint32_t message_count = (uint32_t)strtoul(words[1], NULL, 10);
    uint32_t per_message = (uint32_t)strtoul(words[2], NULL, 10);
    uint8_t host = (uint8_t)strtoul(words[5], NULL, 10);
    uint8_t before[2 + HF_FENCE_RDATA_MAX];
    uint8_t after[2 + HF_FENCE_RDATA_MAX];
    struct hf_txt_set before_set = txt_of(words[3], before);
    struct hf_txt_set after_set = txt_of(words[4], after);
    const uint8_t old_bytes[] = {10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3, 10, 0, 1, 0};
    uint8_t new_bytes[sizeof(old_bytes)];
    memcpy(new_bytes, old_bytes, sizeof(old_bytes));
    new_bytes[15] = host;
    for (uint32_t i = 0; i < message_count; i++) {
        struct hf_update *update =
            hf_update_begin(probe->zone, &probe->guard_set, NULL, 0, probe->options.key);
        for (uint32_t j = 0; j < per_message; j++) {
            char label[16];
            uint8_t endpoint[HF_NAME_MAX];
            (void)snprintf(label, sizeof(label), "e%" PRIu32, i * per_message + j);
            check(hf_name_prefix(label, probe->zone, endpoint), "name");
            const struct hf_update_change change = {
                .endpoint = endpoint,
                .fence_before = before_set,
                .fence_after = after_set.bytes + 2,
                .fence_after_size = after_set.size - 2,
                .expect = before_set.size == 0 ? HF_EXPECT_NONE : HF_EXPECT_AUDITED,
                .before = {old_bytes, 30, 4, 0},
                .after = {new_bytes, 30, 4, 0},
            };
            check(hf_update_add(update, &change), "burst");
        }
        send_update(probe, update);
    }
    finish(probe);
}

static void command_flood(struct probe *probe, char **words)
{
    uint32_t count = (uint32_t)strtoul(words[1], NULL, 10);
    uint8_t owner[HF_NAME_MAX];
    name_of(words[2], owner);
    uint16_t type = (uint16_t)strtoul(words[3], NULL, 10);
    uint32_t busy = 0;
    probe->quiet = count > 1;
    for (uint32_t i = 0; i < count; i++) {
        int error = hf_dns_query(probe->dns, owner, type, on_record, on_done, probe);
        if (error == HF_EBUSY) {
            busy++;
            continue;
        }
        check(error, "query");
        probe->waiting++;
    }
    if (busy > 0) {
        (void)printf("busy %" PRIu32 "\n", busy);
    }
    finish(probe);
    probe->quiet = false;
}

static void command_axfr(struct probe *probe, bool quiet)
{
    probe->quiet = quiet;
    check(hf_dns_axfr(probe->dns, on_record, on_done, probe), "axfr");
    if (hf_dns_axfr(probe->dns, on_record, on_done, probe) != HF_EBUSY) {
        die("a second transfer was begun");
    }
    probe->waiting++;
    finish(probe);
    probe->quiet = false;
}

static void command_ixfr(struct probe *probe, const char *word)
{
    uint32_t serial = (uint32_t)strtoul(word, NULL, 10);
    check(hf_dns_ixfr(probe->dns, serial, on_change, on_done, probe), "ixfr");
    if (hf_dns_ixfr(probe->dns, serial, on_change, on_done, probe) != HF_EBUSY ||
        hf_dns_axfr(probe->dns, on_record, on_done, probe) != HF_EBUSY) {
        die("a second transfer was begun");
    }
    probe->waiting++;
    finish(probe);
}

static void command(struct probe *probe, char **words, size_t count)
{
    const char *verb = words[0];
    if (strcmp(verb, "guard") == 0 && count == 2) {
        probe->guard_set = txt_of(words[1], probe->guard);
        (void)printf("= guard\n");
        (void)fflush(stdout);
    } else if (strcmp(verb, "set-guard") == 0 && count == 2) {
        command_set_guard(probe, words[1]);
    } else if (strcmp(verb, "put") == 0 && count == 9) {
        command_put(probe, words);
    } else if (strcmp(verb, "query") == 0 && count == 3) {
        char *flood[] = {words[0], "1", words[1], words[2]};
        command_flood(probe, flood);
    } else if (strcmp(verb, "flood") == 0 && count == 4) {
        command_flood(probe, words);
    } else if (strcmp(verb, "axfr") == 0) {
        command_axfr(probe, count == 2);
    } else if (strcmp(verb, "ixfr") == 0 && count == 2) {
        command_ixfr(probe, words[1]);
    } else if (strcmp(verb, "burst") == 0 && count == 6) {
        command_burst(probe, words);
    } else if (strcmp(verb, "close-in-callback") == 0) {
        probe->close_in_callback = true;
        (void)printf("= closing\n");
        (void)fflush(stdout);
    } else {
        die(verb);
    }
}

static void read_commands(struct probe *probe)
{
    char line[LINE_MAX_SIZE];
    while (!probe->closing && fgets(line, sizeof(line), stdin) != NULL) {
        char *words[WORDS_MAX] = {line};
        size_t count = 0;
        char *rest = line;
        line[strcspn(line, "\n")] = 0;
        for (char *word = strsep(&rest, " "); word != NULL && count < WORDS_MAX;
             word = strsep(&rest, " ")) {
            words[count++] = word;
        }
        /* What happened to the connection while we waited for a command. */
        (void)uv_run(&probe->loop, UV_RUN_NOWAIT);
        command(probe, words, count);
    }
}

int main(int argc, char **argv)
{
    struct probe probe = {.record_count = 0};
    if (argc != 5 && argc != 8) {
        die("usage: dnsprobe ADDRESS PORT ZONE TIMEOUT_MS [KEY ALGORITHM SECRET]");
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)alarm(120);
    check(uv_loop_init(&probe.loop) == 0 ? HF_OK : HF_ESYS, "loop");
    check(uv_ip4_addr(argv[1], (int)strtol(argv[2], NULL, 10),
                      (struct sockaddr_in *)&probe.options.server) == 0
              ? HF_OK
              : HF_EINVAL,
          "address");
    name_of(argv[3], probe.zone);
    probe.options.zone = probe.zone;
    probe.options.timeout_ms = (uint32_t)strtoul(argv[4], NULL, 10);
    probe.options.udp = getenv("DNSPROBE_UDP") != NULL;
    if (argc == 8) {
        check(hf_tsig_init(argv[5], argv[6], argv[7], &probe.key), "key");
        probe.options.key = &probe.key;
    }
    check(hf_dns_open(&probe.loop, &probe.options, &probe.dns), "open");
    read_commands(&probe);
    if (!probe.closing) {
        hf_dns_close(probe.dns, on_probe_closed, &probe);
    }
    (void)uv_run(&probe.loop, UV_RUN_DEFAULT);
    if (!probe.closed || uv_loop_close(&probe.loop) != 0) {
        die("not everything was closed");
    }
    if (probe.options.key != NULL) {
        hf_tsig_release(&probe.key);
    }
    return 0;
}
