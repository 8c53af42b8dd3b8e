/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/notify.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "io/wallclock.h"

enum { WAIT_MAX_MS = 60000 };

/* One receiver's transfer, the thread's own. */
struct transfer {
    const struct hf_config_receiver *config;
    char *url;
    CURL *easy;
    struct curl_slist *headers;
    struct hf_buf body;
    struct hf_notify_message message;
    size_t answer_size;
    char error[CURL_ERROR_SIZE];
    char why[HF_NOTIFY_WHY_MAX]; /* "" while all is well */
};

struct hf_notify {
    /* Never changed while the thread runs. */
    struct hf_notify_sender sender;
    uint32_t receiver_count;
    uv_thread_t thread;
    CURLM *multi;

    /* The thread's. */
    struct hf_log log;
    struct transfer transfers[HF_NOTIFY_RECEIVERS_MAX];

    /* Under lock. */
    uv_mutex_t lock;
    struct hf_notify_machine machine;
    bool stopping;
};

/* --- one message --- */

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    (void)bytes;
    transfer->answer_size += size * count;
    return transfer->answer_size > HF_NOTIFY_ANSWER_MAX ? 0 : size * count;
}

static void add_header(struct transfer *transfer, const char *name, const char *value)
{
    struct hf_buf line;
    hf_buf_init(&line, HF_NOTIFY_ANSWER_MAX);
    hf_buf_printf(&line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(transfer->headers, hf_buf_text(&line));
    if (longer == NULL) {
        abort();
    }
    transfer->headers = longer;
    hf_buf_release(&line);
}

static void add_headers(struct transfer *transfer, const char *delivery)
{
    const struct hf_config_receiver *config = transfer->config;
    add_header(transfer, "Content-Type", "application/json");
    if (config->type == HF_NOTIFY_WEBHOOK) {
        char signature[HF_NOTIFY_SIGNATURE_MAX];
        hf_notify_sign(config->secret, strlen(config->secret), transfer->message.at_ms,
                       transfer->body.bytes, transfer->body.size, signature);
        add_header(transfer, "Holdfast-Signature", signature);
        add_header(transfer, "Holdfast-Delivery", delivery);
    }
    if (config->token != NULL) {
        struct hf_buf value;
        hf_buf_init(&value, HF_NOTIFY_ANSWER_MAX);
        hf_buf_printf(&value, "Bearer %s", config->token);
        add_header(transfer, "Authorization", hf_buf_text(&value));
        hf_buf_release(&value);
    }
}

static void set_up(struct hf_notify *notify, struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct hf_config_receiver *config = transfer->config;
    curl_easy_reset(easy); /* keeps its connection */
    (void)curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (const char *)transfer->body.bytes);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)transfer->body.size);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "holdfast/" HF_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    if (config->ca_file != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, config->ca_file);
    }
    transfer->error[0] = 0;
    transfer->answer_size = 0;
    if (curl_multi_add_handle(notify->multi, easy) != CURLM_OK) {
        abort(); /* out of memory */
    }
}

/* Under lock: encodes what is to be sent now to a receiver; false: nothing. */
static bool compose(struct hf_notify *notify, uint32_t number, char *ret_delivery)
{
    struct transfer *transfer = &notify->transfers[number];
    if (!hf_notify_begin(&notify->machine, number, hf_wallclock_ms(), &transfer->message)) {
        return false;
    }
    hf_buf_clear(&transfer->body);
    if (transfer->config->type == HF_NOTIFY_ALERTMANAGER) {
        hf_notify_alerts(&notify->machine, number, &transfer->message, &notify->sender,
                         &transfer->body);
    } else {
        hf_notify_webhook(&notify->machine, number, &transfer->message, &notify->sender,
                          &transfer->body);
        hf_notify_delivery(&notify->machine, &transfer->message, &notify->sender, ret_delivery);
    }
    assert(hf_buf_error(&transfer->body) == HF_OK); /* incidents and texts are bounded */
    return true;
}

static void begin(struct hf_notify *notify)
{
    for (uint32_t i = 0; i < notify->receiver_count; i++) {
        struct transfer *transfer = &notify->transfers[i];
        char delivery[HF_NOTIFY_DELIVERY_MAX] = "";
        uv_mutex_lock(&notify->lock);
        bool has_message = compose(notify, i, delivery);
        uv_mutex_unlock(&notify->lock);
        if (has_message) {
            add_headers(transfer, delivery);
            set_up(notify, transfer);
        }
    }
}

/* --- its end --- */

static enum hf_notify_result result_of(const struct transfer *transfer, CURLcode code,
                                       char ret_why[HF_NOTIFY_WHY_MAX])
{
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && status >= 200)) {
        const char *error = transfer->error[0] != 0 ? transfer->error : curl_easy_strerror(code);
        (void)snprintf(ret_why, HF_NOTIFY_WHY_MAX, "%s", error);
        return HF_NOTIFY_FAILED;
    }
    if (status >= 200 && status < 300) {
        ret_why[0] = 0;
        return HF_NOTIFY_DONE;
    }
    if (status >= 300 && status < 400) {
        (void)snprintf(ret_why, HF_NOTIFY_WHY_MAX,
                       "status %ld: it redirects, which is not followed", status);
        return HF_NOTIFY_REFUSED;
    }
    (void)snprintf(ret_why, HF_NOTIFY_WHY_MAX, "status %ld", status);
    bool is_passing = status >= 500 || status == 408 || status == 425 || status == 429;
    return is_passing ? HF_NOTIFY_FAILED : HF_NOTIFY_REFUSED;
}

static void say(struct hf_notify *notify, struct transfer *transfer, const char *why)
{
    if (strcmp(why, transfer->why) == 0) {
        return;
    }
    if (why[0] != 0) {
        hf_log(&notify->log, HF_LOG_WARNING, "notify_trouble", "receiver=%s why=%s",
               transfer->config->name, why);
    } else {
        hf_log(&notify->log, HF_LOG_INFO, "notify_well", "receiver=%s", transfer->config->name);
    }
    memcpy(transfer->why, why, HF_NOTIFY_WHY_MAX);
}

static void finish(struct hf_notify *notify, struct transfer *transfer, CURLcode code)
{
    char why[HF_NOTIFY_WHY_MAX] = "";
    enum hf_notify_result result = result_of(transfer, code, why);
    (void)curl_multi_remove_handle(notify->multi, transfer->easy);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    uv_mutex_lock(&notify->lock);
    hf_notify_finish(&notify->machine, (uint32_t)(transfer - notify->transfers), &transfer->message,
                     result, hf_wallclock_ms());
    uv_mutex_unlock(&notify->lock);
    say(notify, transfer, why);
}

static void finish_all(struct hf_notify *notify)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(notify->multi, &left)) != NULL) {
        struct transfer *transfer = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) == CURLE_OK) {
            finish(notify, transfer, message->data.result);
        }
    }
}

/* --- the thread --- */

/* Under lock. */
static int wait_ms(const struct hf_notify *notify)
{
    uint64_t now_ms = hf_wallclock_ms();
    uint64_t deadline_ms = hf_notify_deadline_ms(&notify->machine);
    if (deadline_ms <= now_ms) {
        return 0;
    }
    return deadline_ms - now_ms < WAIT_MAX_MS ? (int)(deadline_ms - now_ms) : WAIT_MAX_MS;
}

static void run(void *context)
{
    struct hf_notify *notify = context;
    for (;;) {
        int running;
        begin(notify);
        if (curl_multi_perform(notify->multi, &running) != CURLM_OK) {
            abort();
        }
        finish_all(notify);
        uv_mutex_lock(&notify->lock);
        bool stopping = notify->stopping;
        int wait = wait_ms(notify);
        uv_mutex_unlock(&notify->lock);
        if (stopping) {
            break;
        }
        (void)curl_multi_poll(notify->multi, NULL, 0, wait, NULL);
    }
}

/* --- from outside --- */

static char *url_of(const struct hf_config_receiver *config)
{
    static const char path[] = "/api/v2/alerts";
    size_t size = strlen(config->url);
    bool is_manager = config->type == HF_NOTIFY_ALERTMANAGER;
    while (is_manager && config->url[size - 1] == '/') {
        size--;
    }
    char *url = malloc(size + sizeof(path));
    if (url == NULL) {
        abort();
    }
    (void)snprintf(url, size + sizeof(path), "%.*s%s", (int)size, config->url,
                   is_manager ? path : "");
    return url;
}

struct hf_notify *hf_notify_open(const struct hf_config *config, const struct hf_log *log)
{
    struct hf_notify_options options[HF_NOTIFY_RECEIVERS_MAX];
    if (config->receiver_count == 0) {
        return NULL;
    }
    struct hf_notify *notify = calloc(1, sizeof(*notify));
    if (notify == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (notify->multi = curl_multi_init()) == NULL || uv_mutex_init(&notify->lock) != 0) {
        abort();
    }
    notify->sender = (struct hf_notify_sender){config->installation, config->alerts_url};
    notify->receiver_count = config->receiver_count;
    hf_log_share(log, &notify->log);
    for (uint32_t i = 0; i < config->receiver_count; i++) {
        const struct hf_config_receiver *receiver = &config->receivers[i];
        struct transfer *transfer = &notify->transfers[i];
        options[i] =
            (struct hf_notify_options){receiver->type, receiver->severity, receiver->repeat_ms};
        transfer->config = receiver;
        transfer->url = url_of(receiver);
        transfer->easy = curl_easy_init();
        hf_buf_init(&transfer->body, HF_NOTIFY_BODY_MAX);
        if (transfer->easy == NULL) {
            abort();
        }
    }
    hf_notify_machine_init(&notify->machine, options, config->receiver_count, hf_wallclock_ms());
    if (uv_thread_create(&notify->thread, run, notify) != 0) {
        abort();
    }
    return notify;
}

void hf_notify_close(struct hf_notify *notify)
{
    if (notify == NULL) {
        return;
    }
    uv_mutex_lock(&notify->lock);
    notify->stopping = true;
    uv_mutex_unlock(&notify->lock);
    (void)curl_multi_wakeup(notify->multi);
    (void)uv_thread_join(&notify->thread);
    for (uint32_t i = 0; i < notify->receiver_count; i++) {
        struct transfer *transfer = &notify->transfers[i];
        (void)curl_multi_remove_handle(notify->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
        curl_slist_free_all(transfer->headers);
        hf_buf_release(&transfer->body);
        free(transfer->url);
    }
    (void)curl_multi_cleanup(notify->multi);
    curl_global_cleanup();
    uv_mutex_destroy(&notify->lock);
    free(notify);
}

void hf_notify_tell(struct hf_notify *notify, const struct hf_notice *notices, uint32_t count)
{
    if (notify == NULL) {
        return;
    }
    uv_mutex_lock(&notify->lock);
    hf_notify_observe(&notify->machine, notices, count, hf_wallclock_ms());
    uv_mutex_unlock(&notify->lock);
    (void)curl_multi_wakeup(notify->multi);
}

uint32_t hf_notify_count(struct hf_notify *notify,
                         struct hf_notify_counters ret_counters[HF_NOTIFY_RECEIVERS_MAX])
{
    if (notify == NULL) {
        return 0;
    }
    uv_mutex_lock(&notify->lock);
    for (uint32_t i = 0; i < notify->receiver_count; i++) {
        const struct hf_notify_receiver *receiver = &notify->machine.receivers[i];
        ret_counters[i] = (struct hf_notify_counters){
            .receiver = notify->transfers[i].config->name,
            .sent = receiver->sent,
            .failed = receiver->failed,
            .refused = receiver->refused,
            .dropped = receiver->dropped,
            .acknowledged_ms = receiver->acknowledged_ms,
            .pending = hf_notify_pending(&notify->machine, i),
        };
    }
    uv_mutex_unlock(&notify->lock);
    return notify->receiver_count;
}
