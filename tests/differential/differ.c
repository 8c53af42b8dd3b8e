/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * differ: sends random UPDATE messages to a server and to the lab's model of one, and compares the
 * response code and the whole zone after each message.
 *
 *   differ SERVER PORT KEY SECRET_FILE ZONE_COUNT COUNT SEED [--careless] [--only ROUND]
 *          [--all | --quiet]
 *
 * SERVER: knotd, named or pdns_server, on 127.0.0.1, with the zones z00.test, z01.test, … Each zone
 * has a thread and a connection. Messages come in rounds; a round starts with the same zone and
 * follows from the seed and its number alone. --only does one round and shows every message of it.
 * --careless takes the prerequisites away from the model. --all shows all differences, --quiet
 * none, and without them the first ones are shown.
 *
 * Prints, for tests/differential/run, one line each:
 *   category NAME MESSAGES AGREED
 *   rule COUNT SECTION | WHAT
 *   total MESSAGES FAILED NOT_SENT
 * and failures to stderr. Status 1: a difference that no rule explains, or a server out of order.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/tsig.h"
#include "trial.h"

enum {
    LANES_MAX = 64,
    ROUND_MESSAGES = 40,
    ROUND_RRS_MAX = 24, /* a zone that has more ends its round: the model has room for twice that */
    SHOWN_MAX = 5,
    RULES_MAX = 64,
    SECRET_MAX = 256,
    START_SERIAL_TRIES = 3,
};

struct tally {
    uint64_t messages[CATEGORY_COUNT];
    uint64_t agreed[CATEGORY_COUNT];
    uint64_t rules[RULES_MAX];
    uint64_t total, failed, not_sent;
};

struct differ {
    enum server server;
    uint16_t port;
    knot_tsig_key_t key;
    uint32_t lane_count;
    uint64_t count, seed;
    bool careless, only;
    uint64_t shown_max; /* differences */
    uint64_t only_round;
    pthread_mutex_t mutex; /* of everything below, and of stderr */
    uint64_t next_round;
    struct tally tally;
};

struct lane {
    struct differ *differ;
    uint32_t number;
    bool broken; /* cannot go on */
    pthread_t thread;
    struct universe universe;
    struct client client;
    struct parcel parcel;
    struct trial trial;
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "differ: %s: %s\n", what, why);
    exit(2);
}

/* --- one message --- */

static void report(struct lane *lane, uint64_t round, uint32_t number, const char *what)
{
    struct differ *differ = lane->differ;
    (void)fprintf(stderr, "%s: seed %llu, round %llu, message %u: %s\n",
                  server_name(differ->server), (unsigned long long)differ->seed,
                  (unsigned long long)round, number, what);
}

static void give_up(struct lane *lane, uint64_t round, uint32_t number)
{
    struct differ *differ = lane->differ;
    (void)pthread_mutex_lock(&differ->mutex);
    report(lane, round, number, lane->client.why);
    trial_show(&lane->trial, stderr);
    differ->tally.failed++;
    (void)pthread_mutex_unlock(&differ->mutex);
    lane->broken = true;
}

static void judge(struct lane *lane, uint64_t round, uint32_t number)
{
    struct differ *differ = lane->differ;
    struct tally *tally = &differ->tally;
    const struct trial *trial = &lane->trial;
    bool agrees = trial_agrees(trial);
    int rule = agrees ? RULE_NONE : rule_find(trial);
    (void)pthread_mutex_lock(&differ->mutex);
    tally->total++;
    tally->messages[trial->parcel->category]++;
    tally->agreed[trial->parcel->category] += agrees;
    const char *what = agrees ? "agrees" : "differs";
    if (rule != RULE_NONE) {
        tally->rules[rule]++;
        what = rule_at((uint32_t)rule)->what;
    } else if (!agrees) {
        tally->failed++;
    }
    bool fails = !agrees && rule == RULE_NONE;
    if (differ->only || (fails && tally->failed <= differ->shown_max)) {
        report(lane, round, number, what);
        trial_show(trial, stderr);
    }
    (void)pthread_mutex_unlock(&differ->mutex);
}

/* False when the lane cannot go on. */
static bool send_one(struct lane *lane, uint64_t round, uint32_t number)
{
    struct trial *trial = &lane->trial;
    trial_model(trial, lane->differ->careless);
    trial->upper_seen |= trial->parcel->upper;
    if (trial_would_wedge(trial)) {
        (void)pthread_mutex_lock(&lane->differ->mutex);
        lane->differ->tally.not_sent++;
        (void)pthread_mutex_unlock(&lane->differ->mutex);
        return true;
    }
    trial->answer = client_update(&lane->client, trial->parcel, &trial->server_rcode);
    trial->server_after = trial->before;
    if (!client_transfer(&lane->client, &lane->universe, &trial->server_after)) {
        give_up(lane, round, number);
        return false;
    }
    judge(lane, round, number);
    trial->before = trial->server_after;
    return true;
}

/* --- rounds --- */

/* The zone is the start zone of a round; false when that cannot be had. */
static bool reset(struct lane *lane, uint64_t round, struct random *random)
{
    struct trial *trial = &lane->trial;
    struct hf_server_zone start;
    trial->server_rcode = KNOT_RCODE_NOERROR;
    for (int i = 0; i < START_SERIAL_TRIES; i++) {
        if (!client_transfer(&lane->client, &lane->universe, &trial->before)) {
            break;
        }
        universe_start(&start, hf_server_serial(&trial->before));
        if (zones_equal(&start, &trial->before)) {
            return true;
        }
        parcel_reset(trial->parcel, &lane->universe, &trial->before, random);
        trial->answer = client_update(&lane->client, trial->parcel, &trial->server_rcode);
        (void)snprintf(lane->client.why, sizeof(lane->client.why), "the zone cannot be reset");
    }
    trial->model_after = start;
    trial->server_after = trial->before;
    give_up(lane, round, 0);
    return false;
}

static void do_round(struct lane *lane, uint64_t round)
{
    struct differ *differ = lane->differ;
    struct random random = {.state = differ->seed ^ round << 32};
    struct random reset_random = {.state = round};
    lane->trial.upper_seen = false;
    if (!reset(lane, round, &reset_random)) {
        return;
    }
    for (uint32_t i = 0; i < ROUND_MESSAGES && lane->trial.before.count <= ROUND_RRS_MAX; i++) {
        parcel_generate(&lane->parcel, &lane->universe, &lane->trial.before, &random);
        if (!send_one(lane, round, i)) {
            return;
        }
    }
}

/* False when there is nothing more to do. */
static bool next_round(struct differ *differ, uint64_t *ret_round)
{
    (void)pthread_mutex_lock(&differ->mutex);
    bool more = differ->only ? differ->next_round == 0 : differ->tally.total < differ->count;
    *ret_round = differ->only ? differ->only_round : differ->next_round;
    differ->next_round++;
    (void)pthread_mutex_unlock(&differ->mutex);
    return more;
}

static void *lane_run(void *context)
{
    struct lane *lane = context;
    uint64_t round;
    while (!lane->broken && next_round(lane->differ, &round)) {
        do_round(lane, round);
    }
    client_release(&lane->client);
    return NULL;
}

static void run(struct differ *differ)
{
    struct lane *lanes = calloc(differ->lane_count, sizeof(*lanes));
    if (lanes == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < differ->lane_count; i++) {
        struct lane *lane = &lanes[i];
        char apex[32];
        (void)snprintf(apex, sizeof(apex), "z%02u.test.", i);
        lane->differ = differ;
        lane->number = i;
        universe_init(&lane->universe, apex);
        client_init(&lane->client, differ->port, &differ->key);
        lane->trial.server = differ->server;
        lane->trial.universe = &lane->universe;
        lane->trial.parcel = &lane->parcel;
        if (pthread_create(&lane->thread, NULL, lane_run, lane) != 0) {
            die("thread", "cannot be started");
        }
    }
    for (uint32_t i = 0; i < differ->lane_count; i++) {
        (void)pthread_join(lanes[i].thread, NULL);
    }
    free(lanes);
}

/* --- start and end --- */

static void print_tally(const struct differ *differ)
{
    const struct tally *tally = &differ->tally;
    for (uint32_t i = 0; i < CATEGORY_COUNT; i++) {
        (void)printf("category %s %llu %llu\n", category_name((enum category)i),
                     (unsigned long long)tally->messages[i], (unsigned long long)tally->agreed[i]);
    }
    for (uint32_t i = 0; i < rule_count(); i++) {
        if (rule_at(i)->server == differ->server) {
            (void)printf("rule %llu %s | %s\n", (unsigned long long)tally->rules[i],
                         rule_at(i)->section, rule_at(i)->what);
        }
    }
    (void)printf("total %llu %llu %llu\n", (unsigned long long)tally->total,
                 (unsigned long long)tally->failed, (unsigned long long)tally->not_sent);
}

static void read_key(struct differ *differ, const char *name, const char *path)
{
    char secret[SECRET_MAX] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(secret, sizeof(secret), file) == NULL) {
        die(path, "cannot be read");
    }
    (void)fclose(file);
    secret[strcspn(secret, "\n")] = 0;
    if (hf_tsig_init(name, "hmac-sha256", secret, &differ->key) != HF_OK) {
        die(name, "not a key");
    }
}

static uint64_t number_of(const char *text, uint64_t max)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || number > max) {
        die(text, "not a number, or too high");
    }
    return number;
}

static void read_flags(struct differ *differ, int count, char **flags)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(flags[i], "--careless") == 0) {
            differ->careless = true;
        } else if (strcmp(flags[i], "--all") == 0) {
            differ->shown_max = UINT64_MAX;
        } else if (strcmp(flags[i], "--quiet") == 0) {
            differ->shown_max = 0;
        } else if (strcmp(flags[i], "--only") == 0 && i + 1 < count) {
            differ->only = true;
            differ->only_round = number_of(flags[++i], UINT32_MAX);
        } else {
            die(flags[i], "not an option");
        }
    }
}

int main(int argc, char **argv)
{
    struct differ differ = {.mutex = PTHREAD_MUTEX_INITIALIZER, .shown_max = SHOWN_MAX};
    assert(rule_count() <= RULES_MAX);
    if (argc < 8) {
        die("arguments", "SERVER PORT KEY SECRET_FILE ZONE_COUNT COUNT SEED [--careless] "
                         "[--only ROUND] [--all | --quiet]");
    }
    differ.server = server_named(argv[1]);
    if (differ.server == SERVER_COUNT) {
        die(argv[1], "not knotd, named or pdns_server");
    }
    differ.port = (uint16_t)number_of(argv[2], UINT16_MAX);
    read_key(&differ, argv[3], argv[4]);
    differ.lane_count = (uint32_t)number_of(argv[5], LANES_MAX);
    differ.count = number_of(argv[6], UINT32_MAX);
    differ.seed = number_of(argv[7], UINT32_MAX);
    read_flags(&differ, argc - 8, argv + 8);
    (void)signal(SIGPIPE, SIG_IGN);
    if (differ.only) {
        differ.lane_count = 1;
    }
    run(&differ);
    print_tally(&differ);
    hf_tsig_release(&differ.key);
    return differ.tally.failed > 0 ? 1 : 0;
}
