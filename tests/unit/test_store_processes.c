/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many processes on one store: nothing is lost, whoever is killed and whatever is replaced. */
#include "store_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

enum {
    HEAD_SIZE = 128,
    SEED = 20251020,
};

/* Children cannot use cmocka's asserts: they would go on as a second test program. */
static void child_check(bool good, struct hf_store *store, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "child: %s: %s\n", what, store != NULL ? hf_store_why(store) : "");
        _exit(1);
    }
}

static struct hf_store *child_store(const struct place *place, bool create)
{
    struct hf_store *store = NULL;
    char why[HF_STORE_WHY_MAX];
    int error;
    do {
        error = hf_store_open_why(place->path, create, why, &store);
    } while (error == HF_EBUSY);
    child_check(error == HF_OK, NULL, why);
    return store;
}

/* The value of a ref; "" where there is none. */
static int read_ref(struct hf_store *store, const char *name, char ret_value[HEAD_SIZE])
{
    struct hf_buf buf;
    hf_buf_init(&buf, HEAD_SIZE - 1);
    int error = hf_store_ref_get(store, name, &buf);
    if (error == HF_OK || error == HF_ENOENT) {
        (void)snprintf(ret_value, HEAD_SIZE, "%s", hf_buf_text(&buf));
        error = HF_OK;
    }
    hf_buf_release(&buf);
    return error;
}

static void expect_child(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void create_and_report(const struct place *place, int gate, int report)
{
    char byte;
    uint32_t instance = 0;
    (void)!read(gate, &byte, 1); /* until the parent opens it for all at once */
    struct hf_store *store = child_store(place, true);
    child_check(hf_store_instance(store, &instance) == HF_OK, store, "instance");
    child_check(write(report, &instance, sizeof(instance)) == sizeof(instance), NULL, "report");
    hf_store_close(store);
    _exit(0);
}

static void creators_at_once_make_one_store(void **state)
{
    enum { CREATORS = 12, ROUNDS = 5 };
    struct place *place = *state;
    for (int round = 0; round < ROUNDS; round++) {
        int gate[2];
        int report[2];
        pid_t children[CREATORS];
        uint32_t instances[CREATORS] = {0};
        assert_int_equal(pipe(gate), 0);
        assert_int_equal(pipe(report), 0);
        for (int i = 0; i < CREATORS; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                (void)close(gate[1]);
                create_and_report(place, gate[0], report[1]);
            }
        }
        (void)close(gate[0]);
        (void)close(gate[1]);
        for (int i = 0; i < CREATORS; i++) {
            expect_child(children[i]);
        }
        assert_int_equal(read(report[0], instances, sizeof(instances)), sizeof(instances));
        for (int i = 1; i < CREATORS; i++) {
            assert_int_equal(instances[i], instances[0]);
        }
        (void)close(report[0]);
        (void)close(report[1]);
        assert_int_equal(unlink(place->path), 0);
    }
}

static void increment(const struct place *place, int count)
{
    struct hf_store *store = child_store(place, false);
    for (int done = 0; done < count;) {
        char before[HEAD_SIZE];
        char after[HEAD_SIZE];
        child_check(read_ref(store, "count", before) == HF_OK, store, "read");
        (void)snprintf(after, sizeof(after), "%ld", strtol(before, NULL, 10) + 1);
        int error = move_ref(store, "count", before, after);
        child_check(error == HF_OK || error == HF_ESTALE, store, "move");
        done += error == HF_OK ? 1 : 0;
    }
    hf_store_close(store);
    _exit(0);
}

static void no_increment_of_eight_processes_is_lost(void **state)
{
    enum { PROCESSES = 8, INCREMENTS = 500 };
    struct place *place = *state;
    pid_t children[PROCESSES];
    struct hf_store *store = store_made(place);
    assert_int_equal(move_ref(store, "count", NULL, "0"), HF_OK);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            increment(place, INCREMENTS);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        expect_child(children[i]);
    }
    expect_ref(store, "count", "4000");
    hf_store_close(store);
}

/* A plan of the test: which generation, and the head that it follows. */
struct chain_plan {
    uint64_t generation;
    char before[HEAD_SIZE];
    uint32_t padding_size;
    uint8_t padding[20000];
};

static uint64_t generation_of(const char *head)
{
    return strtoull(head, NULL, 10);
}

/* Publishes plans, each naming the head it follows, until it is killed; reports each by pipe. */
static void publish_until_killed(const struct place *place, int report, unsigned seed)
{
    struct hf_store *store = child_store(place, false);
    struct chain_plan plan = {0};
    for (;;) {
        struct hf_digest name;
        char text[HF_DIGEST_TEXT_SIZE];
        char after[HEAD_SIZE];
        int error = read_ref(store, "head", plan.before);
        child_check(error == HF_OK || error == HF_EBUSY, store, "read head");
        plan.generation = generation_of(plan.before) + 1;
        plan.padding_size = (uint32_t)rand_r(&seed) % sizeof(plan.padding);
        memset(plan.padding, (int)(seed & 0xff), plan.padding_size);
        size_t size = offsetof(struct chain_plan, padding) + plan.padding_size;
        hf_digest_of(&plan, size, &name);
        hf_digest_text(&name, text);
        (void)snprintf(after, sizeof(after), "%llu %s", (unsigned long long)plan.generation, text);
        error = hf_store_put_cas(store, &plan, size, "head", plan.before, strlen(plan.before),
                                 after, strlen(after));
        child_check(error == HF_OK || error == HF_ESTALE || error == HF_EBUSY, store, "publish");
        if (error == HF_OK) {
            child_check(write(report, after, HEAD_SIZE) == HEAD_SIZE, NULL, "report");
        }
    }
}

/* Walks from head back to old, which must be on the way, through objects that all verify. */
static void expect_chain(struct hf_store *store, const char *head, const char *old)
{
    struct hf_buf buf;
    char at[HEAD_SIZE];
    hf_buf_init(&buf, sizeof(struct chain_plan));
    (void)snprintf(at, sizeof(at), "%s", head);
    while (strcmp(at, old) != 0) {
        struct chain_plan plan;
        struct hf_digest name;
        assert_true(generation_of(at) > generation_of(old));
        assert_int_equal(hf_digest_parse(strchr(at, ' ') + 1, &name), HF_OK);
        hf_buf_clear(&buf);
        assert_int_equal(hf_store_get(store, &name, &buf), HF_OK);
        memcpy(&plan, buf.bytes, offsetof(struct chain_plan, padding));
        assert_int_equal(plan.generation, generation_of(at));
        assert_int_equal(generation_of(plan.before) + 1, plan.generation);
        memcpy(at, plan.before, sizeof(at));
    }
    hf_buf_release(&buf);
}

/* Lets a random part of a transaction pass; the moment is what is tested, nothing waits for it. */
static void spin(unsigned *seed)
{
    struct timespec begin;
    struct timespec now;
    long span_us = rand_r(seed) % 1500;
    long passed_us;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        passed_us = (now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000;
    } while (passed_us < span_us);
}

enum { PUBLISHERS = 4 };

/* One round: publishers run, are killed at some moment, and what they reported is returned. */
static uint64_t publish_and_kill(const struct place *place, unsigned *seed)
{
    pid_t children[PUBLISHERS];
    int report[2];
    char head[HEAD_SIZE];
    uint64_t acknowledged = 0;
    assert_int_equal(pipe(report), 0);
    for (int i = 0; i < PUBLISHERS; i++) {
        unsigned child_seed = (unsigned)rand_r(seed);
        children[i] = fork();
        if (children[i] == 0) {
            publish_until_killed(place, report[1], child_seed);
        }
    }
    (void)close(report[1]);
    for (int i = rand_r(seed) % 12; i > 0; i--) {
        assert_int_equal(read(report[0], head, HEAD_SIZE), HEAD_SIZE);
        acknowledged = generation_of(head) > acknowledged ? generation_of(head) : acknowledged;
    }
    spin(seed);
    for (int i = 0; i < PUBLISHERS; i++) {
        assert_int_equal(kill(children[i], SIGKILL), 0);
    }
    while (read(report[0], head, HEAD_SIZE) == HEAD_SIZE) {
        acknowledged = generation_of(head) > acknowledged ? generation_of(head) : acknowledged;
    }
    (void)close(report[0]);
    for (int i = 0; i < PUBLISHERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFSIGNALED(status)); /* none gave up before */
    }
    return acknowledged;
}

static void killed_publishers_lose_nothing_that_they_reported(void **state)
{
    enum { ROUNDS = 50 };
    struct place *place = *state;
    unsigned seed = SEED;
    char last[HEAD_SIZE] = "0 none";
    char head[HEAD_SIZE];
    struct hf_store *store = store_made(place);
    assert_int_equal(move_ref(store, "head", NULL, last), HF_OK);
    hf_store_close(store);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t acknowledged = publish_and_kill(place, &seed);
        store = store_made(place);
        assert_int_equal(read_ref(store, "head", head), HF_OK);
        assert_true(generation_of(head) >= acknowledged);
        /* Every generation from the last round's on is there, so every reported one is. */
        expect_chain(store, head, last);
        memcpy(last, head, sizeof(last));
        hf_store_close(store);
        expect_sound(place->path);
    }
    store = store_made(place);
    expect_chain(store, last, "0 none");
    hf_store_close(store);
    assert_true(generation_of(last) > ROUNDS);
}

/* Writes and reads while the file is replaced; says what no replacement excuses. */
static void write_while_replaced(const struct place *place, int number)
{
    struct hf_store *store = child_store(place, false);
    char bytes[9000] = "";
    char stop[HEAD_SIZE] = "";
    char name[32];
    (void)snprintf(name, sizeof(name), "writer/%d", number);
    for (unsigned i = 0; stop[0] == 0; i++) {
        char before[HEAD_SIZE];
        char after[HEAD_SIZE];
        child_check(read_ref(store, name, before) == HF_OK, store, "read");
        (void)snprintf(after, sizeof(after), "%u", i);
        (void)snprintf(bytes, sizeof(bytes), "%d %u", number, i % 16);
        int error =
            hf_store_put_cas(store, bytes, 1000 + i % 16 * 500, name,
                             before[0] != 0 ? before : NULL, strlen(before), after, strlen(after));
        child_check(error == HF_OK || error == HF_ESTALE, store, "write");
        child_check(read_ref(store, "stop", stop) == HF_OK, store, "read");
    }
    hf_store_close(store);
    _exit(0);
}

static pid_t start_writer(const struct place *place, int number)
{
    pid_t child = fork();
    if (child == 0) {
        write_while_replaced(place, number);
    }
    return child;
}

/* A copy beside the file; the folder is locked for as long, else the writers leave no gap. */
static void back_up(struct place *place, char path[320])
{
    char sql[400];
    (void)snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", place_beside(place, ".copy", path));
    int folder = open(place->folder, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(folder, LOCK_EX), 0);
    change_raw(place->path, sql);
    assert_int_equal(close(folder), 0);
}

static void kill_writer(pid_t child)
{
    int status = 0;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void a_file_replaced_under_writers_stays_sound(void **state)
{
    enum { WRITERS = 4, ROUNDS = 100 };
    struct place *place = *state;
    pid_t children[WRITERS];
    unsigned seed = SEED;
    struct hf_store *store = store_made(place);
    for (int i = 0; i < WRITERS; i++) {
        children[i] = start_writer(place, i);
    }
    for (int round = 0; round < ROUNDS; round++) {
        int victim = rand_r(&seed) % WRITERS;
        char path[320];
        char head[HEAD_SIZE];
        char after[HEAD_SIZE];
        back_up(place, path);
        spin(&seed);
        if (round % 2 == 0) {
            kill_writer(children[victim]);
        }
        assert_int_equal(rename(path, place->path), 0);
        /* When this write is done, no process is in a transaction on the file moved away. */
        assert_int_equal(read_ref(store, "head", head), HF_OK);
        (void)snprintf(after, sizeof(after), "%d", round);
        assert_int_equal(move_ref(store, "head", round > 0 ? head : NULL, after), HF_OK);
        if (round % 2 == 0) {
            children[victim] = start_writer(place, victim);
        }
    }
    assert_int_equal(move_ref(store, "stop", NULL, "now"), HF_OK);
    for (int i = 0; i < WRITERS; i++) {
        expect_child(children[i]);
    }
    expect_sound(place->path);
    hf_store_close(store);
}

static void put_large(const struct place *place, size_t size)
{
    struct hf_store *store = child_store(place, false);
    struct hf_digest name;
    uint8_t *bytes = calloc(1, size);
    child_check(bytes != NULL && hf_store_put(store, bytes, size, &name) == HF_OK, store, "put");
    free(bytes);
    hf_store_close(store);
    _exit(0);
}

static void a_write_into_a_file_moved_away_meanwhile_is_done_again(void **state)
{
    struct place *place = *state;
    size_t size = HF_STORE_OBJECT_MAX;
    struct hf_store_object object;
    struct stat info;
    char path[320];
    struct hf_store *store = store_made(place);
    back_up(place, path);
    assert_int_equal(stat(place->path, &info), 0);
    off_t before = info.st_size;
    pid_t child = fork();
    if (child == 0) {
        put_large(place, size);
    }
    do { /* until its transaction is being written */
        assert_int_equal(stat(place->path, &info), 0);
    } while (info.st_size < before + 1000000);
    assert_int_equal(rename(path, place->path), 0);
    expect_child(child);
    size_t count = 0;
    assert_int_equal(hf_store_list(store, NULL, &object, 1, &count), HF_OK);
    assert_int_equal(count, 1);
    assert_int_equal(object.size_bytes, size);
    hf_store_close(store);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(creators_at_once_make_one_store),
        STORE_TEST(no_increment_of_eight_processes_is_lost),
        STORE_TEST(killed_publishers_lose_nothing_that_they_reported),
        STORE_TEST(a_file_replaced_under_writers_stays_sound),
        STORE_TEST(a_write_into_a_file_moved_away_meanwhile_is_done_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
