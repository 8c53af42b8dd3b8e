/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Probes what its arguments say and writes one JSON line for each report: a driver for
 * test_checks.py, which plays the backends.
 *
 *   checkprobe [--reports N] [--descriptors N] [--remove-after N] --probe KEY=VALUE... ...
 *
 *   --reports N       end after N reports (default: at SIGTERM)
 *   --descriptors N   lower RLIMIT_NOFILE to N once the checker is set up
 *   --remove-after N  each probe is removed in its own Nth report
 *   --probe           the words up to the next --probe describe one probe:
 *     type= address= address6= port= path= host= body= statuses=LOW-HIGH[,...] verify=no ca=
 *     interval= timeout= stale= (ms) name= rise= fall= hold= flap= (ms) copies=N
 *
 * At SIGUSR1 it is busy with something else for 200 ms, as a program with other duties may be.
 * At its end it closes the checker and writes what is still open: descriptors and handles.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/error.h"
#include "codec/json.h"
#include "core/health.h"
#include "io/check.h"

enum { PROBES_MAX = 200000, RANGES_MAX = 8, BUSY_MS = 200 };

struct target {
    struct hf_config_check check;
    struct hf_config_backend backend;
    struct hf_config_status_range ranges[RANGES_MAX];
    uint32_t copies;
};

struct driven {
    const struct target *target;
    struct hf_health health;
    uint32_t report_count;
};

struct driver {
    uv_loop_t loop;
    uv_signal_t terminate, be_busy;
    struct hf_checker *checker;
    struct target *targets;
    struct driven *probes;
    uint32_t target_count, probe_count;
    uint32_t reports_max, remove_after, descriptors;
    uint32_t report_count;
    uint32_t descriptors_before;
    bool is_ending;
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "checkprobe: %s: %s\n", what, why);
    exit(2);
}

static uint32_t number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != 0 || value > UINT32_MAX) {
        die(text, "not a number");
    }
    return (uint32_t)value;
}

static void read_statuses(struct target *target, const char *text)
{
    while (*text != 0 && target->check.status_count < RANGES_MAX) {
        char *end;
        unsigned long low = strtoul(text, &end, 10);
        unsigned long high = *end == '-' ? strtoul(end + 1, &end, 10) : low;
        target->ranges[target->check.status_count++] =
            (struct hf_config_status_range){(uint16_t)low, (uint16_t)high};
        text = *end == ',' ? end + 1 : end;
    }
    target->check.statuses = target->ranges;
}

static enum hf_check_type type_of(const char *word)
{
    static const struct {
        const char *word;
        enum hf_check_type type;
    } types[] = {{"none", HF_CHECK_NONE},
                 {"tcp", HF_CHECK_TCP},
                 {"http", HF_CHECK_HTTP},
                 {"https", HF_CHECK_HTTPS},
                 {"file", HF_CHECK_FILE}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].word, word) == 0) {
            return types[i].type;
        }
    }
    die(word, "not a type");
    return HF_CHECK_NONE;
}

static void set_text(struct target *target, const char *key, const char *value)
{
    struct hf_config_check *check = &target->check;
    if (strcmp(key, "type") == 0) {
        check->type = type_of(value);
    } else if (strcmp(key, "address") == 0) {
        target->backend.has_a = inet_pton(AF_INET, value, target->backend.a) == 1;
    } else if (strcmp(key, "address6") == 0) {
        target->backend.has_aaaa = inet_pton(AF_INET6, value, target->backend.aaaa) == 1;
    } else if (strcmp(key, "path") == 0) {
        check->path = value;
    } else if (strcmp(key, "host") == 0) {
        check->host = value;
    } else if (strcmp(key, "body") == 0) {
        check->body = value;
    } else if (strcmp(key, "ca") == 0) {
        check->ca_file = value;
    } else if (strcmp(key, "name") == 0) {
        target->backend.name = value;
    } else if (strcmp(key, "verify") == 0) {
        check->verify = strcmp(value, "no") != 0;
    } else if (strcmp(key, "reuse") == 0) {
        check->reuse = strcmp(value, "yes") == 0;
    } else if (strcmp(key, "statuses") == 0) {
        read_statuses(target, value);
    } else {
        die(key, "no such key");
    }
}

static void set(struct target *target, char *word)
{
    char *value = strchr(word, '=');
    if (value == NULL) {
        die(word, "expected KEY=VALUE");
    }
    *value++ = 0;
    struct hf_config_check *check = &target->check;
    if (strcmp(word, "port") == 0) {
        check->port = (uint16_t)number(value);
    } else if (strcmp(word, "interval") == 0) {
        check->interval_ms = number(value);
    } else if (strcmp(word, "timeout") == 0) {
        check->timeout_ms = number(value);
    } else if (strcmp(word, "stale") == 0) {
        check->stale_ms = number(value);
    } else if (strcmp(word, "resume") == 0) {
        check->resume_ms = number(value);
    } else if (strcmp(word, "rise") == 0) {
        check->health.rise = (uint16_t)number(value);
    } else if (strcmp(word, "fall") == 0) {
        check->health.fall = (uint16_t)number(value);
    } else if (strcmp(word, "hold") == 0) {
        check->health.hold_down_ms = number(value);
    } else if (strcmp(word, "flap") == 0) {
        check->health.flap_window_ms = number(value);
    } else if (strcmp(word, "copies") == 0) {
        target->copies = number(value);
    } else {
        set_text(target, word, value);
    }
}

static void read_arguments(struct driver *driver, int count, char **words)
{
    struct target *target = NULL;
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--probe") == 0) {
            target = &driver->targets[driver->target_count++];
            target->backend.name = "backend";
            target->copies = 1;
            target->check = (struct hf_config_check){.verify = true,
                                                     .interval_ms = 200,
                                                     .timeout_ms = 150,
                                                     .stale_ms = 60000,
                                                     .health = {3, 2, 0, 300000, 300000}};
        } else if (target != NULL) {
            set(target, words[i]);
        } else if (i + 1 < count && strcmp(words[i], "--reports") == 0) {
            driver->reports_max = number(words[++i]);
        } else if (i + 1 < count && strcmp(words[i], "--descriptors") == 0) {
            driver->descriptors = number(words[++i]);
        } else if (i + 1 < count && strcmp(words[i], "--remove-after") == 0) {
            driver->remove_after = number(words[++i]);
        } else {
            die(words[i], "no such option");
        }
    }
}

static uint32_t count_descriptors(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        die("/proc/self/fd", "cannot be read");
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static void put_line(struct hf_buf *buf)
{
    (void)puts(hf_buf_text(buf));
    (void)fflush(stdout);
    hf_buf_release(buf);
}

static void checker_closed(void *context)
{
    struct driver *driver = context;
    driver->checker = NULL;
    uv_close((uv_handle_t *)&driver->terminate, NULL);
    uv_close((uv_handle_t *)&driver->be_busy, NULL);
}

static void end(struct driver *driver)
{
    if (!driver->is_ending) {
        driver->is_ending = true;
        hf_checker_close(driver->checker, checker_closed, driver);
    }
}

static void terminated(uv_signal_t *handle, int signal_number)
{
    (void)signal_number;
    end(handle->data);
}

static void busy(uv_signal_t *handle, int signal_number)
{
    (void)handle;
    (void)signal_number;
    uv_sleep(BUSY_MS);
}

static void reported(void *context, const struct hf_check_report *report)
{
    static const char *const results[] = {"passed", "failed", "late"};
    static const char *const verdicts[] = {"unknown", "up", "down"};
    struct driver *driver = context;
    struct driven *probe = &driver->probes[report->probe];
    if (driver->is_ending) {
        die("report", "after the end");
    }
    hf_health_step(&probe->health, &probe->target->check.health, report->result,
                   report->finished_ms);
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, 4096);
    hf_json_init(&json, &buf, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "probe", report->probe);
    hf_json_put_text(&json, "name", probe->target->backend.name);
    hf_json_put_text(&json, "result", results[report->result]);
    hf_json_put_text(&json, "verdict", verdicts[probe->health.verdict]);
    hf_json_put_u64(&json, "status", report->status);
    hf_json_put_u64(&json, "duration_us", report->duration_us);
    hf_json_put_u64(&json, "lag_us", report->lag_us);
    hf_json_put_u64(&json, "finished_ms", report->finished_ms);
    hf_json_put_text(&json, "why", report->why);
    hf_json_object_end(&json);
    put_line(&buf);
    if (++probe->report_count == driver->remove_after) {
        hf_checker_remove(driver->checker, report->probe);
    }
    if (++driver->report_count == driver->reports_max) {
        end(driver);
    }
}

static void add_all(struct driver *driver)
{
    for (uint32_t i = 0; i < driver->target_count; i++) {
        const struct target *target = &driver->targets[i];
        for (uint32_t copy = 0; copy < target->copies; copy++) {
            uint32_t probe = driver->probe_count++;
            char why[HF_CHECK_WHY_MAX];
            if (probe >= PROBES_MAX) {
                die("copies", "too many");
            }
            driver->probes[probe].target = target;
            hf_health_init(&driver->probes[probe].health);
            int error =
                hf_checker_add(driver->checker, &target->check, &target->backend, probe, why);
            if (error != HF_OK) {
                die(hf_strerror(error), why);
            }
        }
    }
}

static void lower_descriptors(const struct driver *driver)
{
    struct rlimit limit;
    if (driver->descriptors > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = driver->descriptors;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void put_end(struct driver *driver, int still_open)
{
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, 4096);
    hf_json_init(&json, &buf, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "descriptors_before", driver->descriptors_before);
    hf_json_put_u64(&json, "descriptors_after", count_descriptors());
    hf_json_put_bool(&json, "handles_left", still_open != 0);
    hf_json_object_end(&json);
    put_line(&buf);
}

int main(int argc, char **argv)
{
    struct driver driver = {0};
    driver.targets = calloc((size_t)argc, sizeof *driver.targets);
    driver.probes = calloc(PROBES_MAX, sizeof *driver.probes);
    if (driver.targets == NULL || driver.probes == NULL) {
        abort();
    }
    (void)signal(SIGPIPE, SIG_IGN);
    read_arguments(&driver, argc, argv);
    uv_loop_init(&driver.loop);
    uv_signal_init(&driver.loop, &driver.terminate);
    driver.terminate.data = &driver;
    uv_signal_start(&driver.terminate, terminated, SIGTERM);
    uv_signal_init(&driver.loop, &driver.be_busy);
    uv_signal_start(&driver.be_busy, busy, SIGUSR1);
    driver.descriptors_before = count_descriptors();
    if (hf_checker_new(&driver.loop, reported, &driver, &driver.checker) != HF_OK) {
        die("checker", "cannot be made");
    }
    add_all(&driver);
    lower_descriptors(&driver);
    uv_run(&driver.loop, UV_RUN_DEFAULT);
    put_end(&driver, uv_loop_close(&driver.loop));
    free(driver.probes);
    free(driver.targets);
    return 0;
}
