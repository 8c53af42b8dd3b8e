/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * commit: what a durable commit costs here. In FOLDER, turn by turn:
 *
 *   commit FOLDER
 *
 * reads how many from each line of standard input, and answers with a line. store: an object of
 * OBJECT_SIZE octets put and a ref moved, as publishing a small plan does; sync: the same number of
 * octets written into a file that exists, and fdatasync. Prints
 * {"store_us": [...], "sync_us": [...]}, COUNT of each.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "io/store.h"

enum { OBJECT_SIZE = 512, COUNT_MAX = 100000, PATH_SIZE = 4096 };

static double now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double commit_us(struct hf_store *store, uint32_t number)
{
    uint8_t object[OBJECT_SIZE] = {0};
    char before[16];
    char after[16];
    memcpy(object, &number, sizeof(number));
    (void)snprintf(before, sizeof(before), "%u", number);
    (void)snprintf(after, sizeof(after), "%u", number + 1);
    double begun = now_us();
    int error =
        hf_store_put_cas(store, object, sizeof(object), "bench", number == 0 ? NULL : before,
                         number == 0 ? 0 : strlen(before), after, strlen(after));
    if (error != HF_OK) {
        (void)fprintf(stderr, "commit: %s\n", hf_store_why(store));
        exit(1);
    }
    return now_us() - begun;
}

static double sync_us(int file, uint32_t number)
{
    uint8_t bytes[OBJECT_SIZE] = {0};
    memcpy(bytes, &number, sizeof(number));
    double begun = now_us();
    if (pwrite(file, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) || fdatasync(file) != 0) {
        perror("commit");
        exit(1);
    }
    return now_us() - begun;
}

static void print(const char *name, const double *values, uint32_t count)
{
    (void)printf("\"%s\": [", name);
    for (uint32_t i = 0; i < count; i++) {
        (void)printf("%s%.1f", i == 0 ? "" : ", ", values[i]);
    }
    (void)printf("]");
}

static void measure(struct hf_store *store, int file, uint32_t *number, uint32_t count)
{
    double *values = calloc(2 * (size_t)count, sizeof(*values));
    if (values == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < count; i++) {
        values[i] = commit_us(store, (*number)++);
        values[count + i] = sync_us(file, i);
    }
    (void)printf("{");
    print("store_us", values, count);
    (void)printf(", ");
    print("sync_us", values + count, count);
    (void)printf("}\n");
    (void)fflush(stdout);
    free(values);
}

int main(int argc, char **argv)
{
    char path[PATH_SIZE];
    char line[32];
    uint32_t number = 0;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: commit FOLDER\n");
        return 2;
    }
    struct hf_store *store;
    (void)snprintf(path, sizeof(path), "%s/bench.db", argv[1]);
    if (hf_store_open(path, true, &store) != HF_OK) {
        (void)fprintf(stderr, "commit: %s cannot be opened\n", path);
        return 1;
    }
    (void)snprintf(path, sizeof(path), "%s/bench.bytes", argv[1]);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        perror(path);
        return 1;
    }
    (void)sync_us(file, 0);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        uint32_t count = (uint32_t)strtoul(line, NULL, 10);
        measure(store, file, &number, count < COUNT_MAX ? count : COUNT_MAX);
    }
    hf_store_close(store);
    (void)close(file);
    return 0;
}
