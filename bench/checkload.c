/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkload: the check engine under load, and nothing else.
 *
 *   checkload KEY=VALUE...
 *
 * Arms `backends` probes, `rate` checks a second together, spread over `addresses` addresses that
 * begin at `address`, all at `port`; lets them run for `warm` seconds and then measures for
 * `seconds`. Prints one line of JSON: what the checks cost this process, how long after their due
 * time they began, how many did not pass. `bare=N` instead makes N requests one after the other
 * with blocking system calls: what a fresh connection costs without any engine.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/error.h"
#include "io/check.h"

enum {
    BACKENDS_MAX = 1000000,
    RATE_MAX = 1000000,
    SECONDS_MAX = 600,
    ADDRESSES_MAX = 65536,
    LAGS_MAX = 20000000,
    PAGE_KIB = 4,
    TIMEOUT_MS = 1000,
};

struct load {
    uv_loop_t loop;
    uv_timer_t timer;
    struct hf_checker *checker;
    struct hf_config_check check;
    struct hf_config_backend *backends;
    uint32_t address, address_count, backend_count, rate, seconds, warm, bare_count;
    uint32_t *lags_us;
    uint32_t done_count, failed_count, late_count, all_count;
    bool is_measuring;
    uint64_t begun_ns, ended_ns;
    struct rusage begun, ended;
    long kib_before, kib_armed, kib_after;
    char why[HF_CHECK_WHY_MAX]; /* of the last check that did not pass */
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "checkload: %s: %s\n", what, why);
    exit(2);
}

static uint32_t number(const char *text, uint32_t max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != 0 || value > max) {
        die(text, "not a number, or too large");
    }
    return (uint32_t)value;
}

static long resident_kib(void)
{
    char line[256];
    char *second = NULL;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL ||
        (second = strchr(line, ' ')) == NULL) {
        die("/proc/self/statm", "cannot be read");
    }
    (void)fclose(file);
    return strtol(second, NULL, 10) * PAGE_KIB;
}

static double cpu_us(const struct rusage *from, const struct rusage *to)
{
    return (double)(to->ru_utime.tv_sec - from->ru_utime.tv_sec + to->ru_stime.tv_sec -
                    from->ru_stime.tv_sec) *
               1e6 +
           (double)(to->ru_utime.tv_usec - from->ru_utime.tv_usec + to->ru_stime.tv_usec -
                    from->ru_stime.tv_usec);
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void put_result(struct load *load)
{
    uint32_t count = load->done_count;
    double wall_s = (double)(load->ended_ns - load->begun_ns) / 1e9;
    if (count == 0) {
        die("checks", "none were done");
    }
    qsort(load->lags_us, count, sizeof(*load->lags_us), compare);
    (void)printf("{\"backends\": %u, \"checks\": %u, \"seconds\": %.3f, \"rate\": %.0f, "
                 "\"cpu_us\": %.1f, ",
                 load->backend_count, count, wall_s, count / wall_s,
                 cpu_us(&load->begun, &load->ended) / count);
    (void)printf("\"user_us\": %.1f, ",
                 ((double)(load->ended.ru_utime.tv_sec - load->begun.ru_utime.tv_sec) * 1e6 +
                  (double)(load->ended.ru_utime.tv_usec - load->begun.ru_utime.tv_usec)) /
                     count);
    (void)printf("\"lag_median_us\": %u, \"lag_p99_us\": %u, \"lag_max_us\": %u, ",
                 load->lags_us[count / 2], load->lags_us[(uint64_t)count * 99 / 100],
                 load->lags_us[count - 1]);
    (void)printf("\"all_checks\": %u, ", load->all_count);
    (void)printf("\"failed\": %u, \"late\": %u, \"armed_bytes\": %.0f, \"running_bytes\": %.0f, "
                 "\"why\": \"%s\"}\n",
                 load->failed_count, load->late_count,
                 (double)(load->kib_armed - load->kib_before) * 1024 / load->backend_count,
                 (double)(load->kib_after - load->kib_before) * 1024 / load->backend_count,
                 load->why);
}

static void reported(void *context, const struct hf_check_report *report)
{
    struct load *load = context;
    load->all_count++;
    if (!load->is_measuring || load->done_count == LAGS_MAX) {
        return;
    }
    load->lags_us[load->done_count++] =
        report->lag_us > UINT32_MAX ? UINT32_MAX : (uint32_t)report->lag_us;
    load->failed_count += report->result == HF_CHECK_FAILED;
    load->late_count += report->result == HF_CHECK_LATE;
    if (report->result != HF_CHECK_PASSED) {
        (void)snprintf(load->why, sizeof(load->why), "%s", report->why);
    }
}

static void next_stage(uv_timer_t *timer)
{
    struct load *load = timer->data;
    struct rusage now;
    (void)getrusage(RUSAGE_SELF, &now);
    if (!load->is_measuring) {
        load->is_measuring = true;
        load->begun = now;
        load->begun_ns = uv_hrtime();
        uv_timer_start(timer, next_stage, load->seconds * UINT64_C(1000), 0);
        return;
    }
    load->is_measuring = false;
    load->ended = now;
    load->ended_ns = uv_hrtime();
    load->kib_after = resident_kib();
    uv_close((uv_handle_t *)timer, NULL);
    hf_checker_close(load->checker, NULL, NULL);
}

static void arm(struct load *load)
{
    if (hf_checker_new(&load->loop, reported, load, &load->checker) != HF_OK) {
        die("checker", "cannot be made");
    }
    load->kib_before = resident_kib();
    for (uint32_t i = 0; i < load->backend_count; i++) {
        char why[HF_CHECK_WHY_MAX];
        int error = hf_checker_add(load->checker, &load->check, &load->backends[i], i, why);
        if (error != HF_OK) {
            die(hf_strerror(error), why);
        }
    }
    load->kib_armed = resident_kib();
}

static void make_backends(struct load *load)
{
    load->backends = calloc(load->backend_count, sizeof(*load->backends));
    load->lags_us = malloc(LAGS_MAX * sizeof(*load->lags_us));
    if (load->backends == NULL || load->lags_us == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < load->backend_count; i++) {
        uint32_t address = htonl(load->address + i % load->address_count);
        load->backends[i].name = "backend";
        load->backends[i].has_a = true;
        memcpy(load->backends[i].a, &address, sizeof(address));
    }
}

/* Without an engine: one request after the other. */
static void bare(const struct load *load)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct rusage begun;
    struct rusage ended;
    char response[4096];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(load->check.port)};
    (void)getrusage(RUSAGE_SELF, &begun);
    uint64_t begun_ns = uv_hrtime();
    for (uint32_t i = 0; i < load->bare_count; i++) {
        to.sin_addr.s_addr = htonl(load->address + i % load->address_count);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
            send(fd, request, sizeof(request) - 1, 0) != (ssize_t)sizeof(request) - 1 ||
            recv(fd, response, sizeof(response), 0) <= 0 ||
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0) {
            die("bare request", strerror(errno));
        }
        (void)close(fd);
    }
    double wall_s = (double)(uv_hrtime() - begun_ns) / 1e9;
    (void)getrusage(RUSAGE_SELF, &ended);
    (void)printf("{\"all_checks\": %u, \"rate\": %.0f, \"cpu_us\": %.1f}\n", load->bare_count,
                 load->bare_count / wall_s, cpu_us(&begun, &ended) / load->bare_count);
}

static void set_number(struct load *load, const char *key, const char *value)
{
    const struct {
        const char *key;
        uint32_t *to, max;
    } numbers[] = {
        {"addresses", &load->address_count, ADDRESSES_MAX},
        {"backends", &load->backend_count, BACKENDS_MAX},
        {"rate", &load->rate, RATE_MAX},
        {"seconds", &load->seconds, SECONDS_MAX},
        {"warm", &load->warm, SECONDS_MAX},
        {"bare", &load->bare_count, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(key, numbers[i].key) == 0) {
            *numbers[i].to = number(value, numbers[i].max);
            return;
        }
    }
    die(key, "no such key");
}

static void set(struct load *load, char *word)
{
    struct in_addr address;
    char *value = strchr(word, '=');
    if (value == NULL) {
        die(word, "not a KEY=VALUE");
    }
    *value++ = 0;
    if (strcmp(word, "type") == 0) {
        load->check.type = strcmp(value, "https") == 0 ? HF_CHECK_HTTPS
                           : strcmp(value, "tcp") == 0 ? HF_CHECK_TCP
                                                       : HF_CHECK_HTTP;
    } else if (strcmp(word, "address") == 0 && inet_pton(AF_INET, value, &address) == 1) {
        load->address = ntohl(address.s_addr);
    } else if (strcmp(word, "port") == 0) {
        load->check.port = (uint16_t)number(value, UINT16_MAX);
    } else if (strcmp(word, "reuse") == 0) {
        load->check.reuse = strcmp(value, "yes") == 0;
    } else if (strcmp(word, "resume") == 0) {
        load->check.resume_ms = number(value, UINT32_MAX);
    } else if (strcmp(word, "host") == 0) {
        load->check.host = value;
    } else if (strcmp(word, "ca") == 0) {
        load->check.ca_file = value;
    } else {
        set_number(load, word, value);
    }
}

int main(int argc, char **argv)
{
    struct load load = {
        .address_count = 1,
        .backend_count = 1,
        .rate = 1,
        .seconds = 1,
        .check = {.type = HF_CHECK_HTTP, .verify = true, .timeout_ms = TIMEOUT_MS},
    };
    (void)signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        set(&load, argv[i]);
    }
    if (load.address_count == 0 || load.rate == 0 || load.backend_count == 0) {
        die("addresses, rate and backends", "at least 1");
    }
    if (load.bare_count > 0) {
        bare(&load);
        return 0;
    }
    load.check.interval_ms = (uint32_t)((uint64_t)load.backend_count * 1000 / load.rate);
    make_backends(&load);
    (void)uv_loop_init(&load.loop);
    arm(&load);
    load.timer.data = &load;
    (void)uv_timer_init(&load.loop, &load.timer);
    uv_timer_start(&load.timer, next_stage, load.warm * UINT64_C(1000), 0);
    (void)uv_run(&load.loop, UV_RUN_DEFAULT);
    put_result(&load);
    free(load.lags_us);
    free(load.backends);
    return 0;
}
