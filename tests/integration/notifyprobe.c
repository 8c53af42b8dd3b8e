/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells the receivers of a configuration of incidents that its input describes: a driver for
 * test_notify.py, which plays the receivers. Each line of input is answered with a line.
 *
 *   notifyprobe holdfast.yaml
 *
 *   open N SEVERITY CODE SUBJECT TITLE…   incident N is open ("-" for no subject)
 *   close N                               it closed now
 *   forget N                              it is not told of any more
 *   count                                 a JSON line: counters of each receiver
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/json.h"
#include "io/notify.h"
#include "io/wallclock.h"

enum { LINE_MAX = 4096, NOTICES_MAX = 1000, TEXT_MAX = 65536 };

struct driver {
    struct hf_notify *notify;
    struct hf_notice notices[NOTICES_MAX];
    uint32_t count;
};

static void die(const char *why)
{
    (void)fprintf(stderr, "notifyprobe: %s\n", why);
    exit(2);
}

static struct hf_notice *find(struct driver *driver, uint64_t number)
{
    for (uint32_t i = 0; i < driver->count; i++) {
        if (driver->notices[i].number == number) {
            return &driver->notices[i];
        }
    }
    if (driver->count == NOTICES_MAX) {
        die("too many incidents");
    }
    driver->notices[driver->count] = (struct hf_notice){
        .number = number, .opened_ms = hf_wallclock_ms(), .subject = "", .text = "more about it"};
    return &driver->notices[driver->count++];
}

static const char *copy(const char *text)
{
    char *copied = strdup(text);
    if (copied == NULL) {
        die("out of memory");
    }
    return copied; /* for as long as the program runs */
}

static void open_incident(struct driver *driver, const char *words)
{
    char severity[16];
    char code[64];
    char subject[256];
    uint64_t number;
    int title = 0;
    if (sscanf(words, "%" SCNu64 " %15s %63s %255s %n", &number, severity, code, subject, &title) <
            4 ||
        title == 0) {
        die(words);
    }
    struct hf_notice *notice = find(driver, number);
    for (int i = HF_SEVERITY_CRITICAL; i <= HF_SEVERITY_NOTICE; i++) {
        if (strcmp(severity, hf_severity_name((enum hf_severity)i)) == 0) {
            notice->severity = (enum hf_severity)i;
        }
    }
    notice->code = copy(code);
    notice->subject = strcmp(subject, "-") == 0 ? "" : copy(subject);
    notice->title = copy(words + title);
    notice->closed_ms = 0;
}

static void forget(struct driver *driver, uint64_t number)
{
    struct hf_notice *notice = find(driver, number);
    *notice = driver->notices[--driver->count];
}

static void put_counters(struct driver *driver)
{
    struct hf_notify_counters rows[HF_NOTIFY_RECEIVERS_MAX];
    uint32_t count = hf_notify_count(driver->notify, rows);
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, TEXT_MAX);
    hf_json_init(&json, &buf, HF_JSON_COMPACT);
    hf_json_object(&json);
    for (uint32_t i = 0; i < count; i++) {
        hf_json_key(&json, rows[i].receiver);
        hf_json_object(&json);
        hf_json_put_u64(&json, "sent", rows[i].sent);
        hf_json_put_u64(&json, "failed", rows[i].failed);
        hf_json_put_u64(&json, "refused", rows[i].refused);
        hf_json_put_u64(&json, "dropped", rows[i].dropped);
        hf_json_put_u64(&json, "pending", rows[i].pending);
        hf_json_object_end(&json);
    }
    hf_json_object_end(&json);
    (void)printf("%s\n", hf_buf_text(&buf));
    hf_buf_release(&buf);
}

static void take_line(struct driver *driver, const char *line)
{
    if (strcmp(line, "count") == 0) {
        put_counters(driver);
        return;
    }
    if (strncmp(line, "open ", 5) == 0) {
        open_incident(driver, line + 5);
    } else if (strncmp(line, "close ", 6) == 0) {
        find(driver, strtoull(line + 6, NULL, 10))->closed_ms = hf_wallclock_ms();
    } else if (strncmp(line, "forget ", 7) == 0) {
        forget(driver, strtoull(line + 7, NULL, 10));
    } else {
        die(line);
    }
    hf_notify_tell(driver->notify, driver->notices, driver->count);
    (void)printf("told\n");
}

int main(int argc, char **argv)
{
    struct driver *driver = calloc(1, sizeof(*driver));
    struct hf_config *config = NULL;
    struct hf_buf problems;
    struct hf_log log;
    char line[LINE_MAX];
    hf_buf_init(&problems, TEXT_MAX);
    if (argc != 2 || driver == NULL || hf_config_read(argv[1], &config, &problems) != HF_OK) {
        die(argc == 2 ? hf_buf_text(&problems) : "usage: notifyprobe holdfast.yaml");
    }
    hf_buf_release(&problems);
    (void)signal(SIGPIPE, SIG_IGN);
    hf_log_init(&log, "probe", false);
    driver->notify = hf_notify_open(config, &log);
    if (driver->notify == NULL) {
        die("no receiver");
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        take_line(driver, line);
        (void)fflush(stdout);
    }
    hf_notify_close(driver->notify);
    hf_config_free(config);
    hf_log_release(&log);
    free(driver);
    return 0;
}
