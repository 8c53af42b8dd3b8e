/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/check.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "io/check_probe.h"

enum { PROBES_FIRST_ROOM = 64 };

static void *zeroed(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/*
 * Of the descriptors that this process may have, half are for probes under way and a quarter for
 * connections between them; the rest is for others in it.
 */
static void share_descriptors(struct hf_checker *checker)
{
    struct rlimit limit;
    checker->running_max = HF_CHECK_RUNNING_MAX;
    checker->kept_max = HF_CHECK_KEPT_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    if (limit.rlim_cur / 2 < HF_CHECK_RUNNING_MAX) {
        checker->running_max = limit.rlim_cur < 2 ? 1 : (uint32_t)(limit.rlim_cur / 2);
    }
    if (limit.rlim_cur / 4 < HF_CHECK_KEPT_MAX) {
        checker->kept_max = (uint32_t)(limit.rlim_cur / 4);
    }
}

int hf_checker_new(uv_loop_t *loop, hf_check_reported *reported, void *context,
                   struct hf_checker **ret_checker)
{
    uint32_t phase;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || uv_random(NULL, NULL, &phase, sizeof phase, 0, NULL) != 0) {
        if (epoll_fd >= 0) {
            (void)close(epoll_fd);
        }
        return HF_ESYS;
    }
    struct hf_checker *checker = zeroed(sizeof *checker);
    checker->loop = loop;
    checker->reported = reported;
    checker->context = context;
    checker->phase = phase;
    checker->epoll_fd = epoll_fd;
    share_descriptors(checker);
    checker->match_context = hf_check_match_context();
    checker->match_data = hf_check_match_data();
    hf_buf_init(&checker->request, HF_CHECK_REQUEST_MAX);
    hf_check_run_init(checker);
    *ret_checker = checker;
    return HF_OK;
}

void hf_check_let_go(struct hf_checker *checker)
{
    assert(checker->open_count > 0);
    if (--checker->open_count > 0) {
        return;
    }
    assert(checker->is_closing && checker->tls_contexts == NULL && checker->sources == NULL);
    void (*closed)(void *context) = checker->closed;
    void *context = checker->closed_context;
    hf_check_run_clean(checker);
    while (checker->free_attempts != NULL) {
        struct hf_check_attempt *attempt = checker->free_attempts;
        checker->free_attempts = attempt->next;
        hf_buf_release(&attempt->content);
        free(attempt);
    }
    pcre2_match_context_free(checker->match_context);
    pcre2_match_data_free(checker->match_data);
    hf_buf_release(&checker->request);
    (void)close(checker->epoll_fd);
    free(checker->probes);
    free(checker);
    if (closed != NULL) {
        closed(context);
    }
}

static size_t bucket_of(const struct hf_config_check *check)
{
    return (size_t)(((uintptr_t)check >> 4) % HF_CHECK_RECIPE_BUCKETS);
}

static void recipe_put(struct hf_checker *checker, struct hf_check_recipe *recipe)
{
    if (--recipe->probe_count > 0) {
        return;
    }
    struct hf_check_recipe **at = &checker->recipes[bucket_of(recipe->check)];
    while (*at != recipe) {
        at = &(*at)->next;
    }
    *at = recipe->next;
    pcre2_code_free(recipe->body);
    if (recipe->tls != NULL) {
        hf_check_tls_put(checker, recipe->tls);
    }
    if (recipe->source != NULL) {
        hf_check_source_put(checker, recipe->source);
    }
    free(recipe);
}

static int recipe_fill(struct hf_checker *checker, struct hf_check_recipe *recipe,
                       char ret_why[HF_CHECK_WHY_MAX])
{
    const struct hf_config_check *check = recipe->check;
    if (check->type == HF_CHECK_FILE) {
        recipe->source = hf_check_source_get(checker, check->path);
    }
    bool is_http = check->type == HF_CHECK_HTTP || check->type == HF_CHECK_HTTPS;
    if (is_http && check->body != NULL) {
        int error = hf_check_body_compile(check->body, &recipe->body, ret_why);
        if (error != HF_OK) {
            return error;
        }
    }
    return check->type == HF_CHECK_HTTPS ? hf_check_tls_get(checker, check, &recipe->tls, ret_why)
                                         : HF_OK;
}

static int recipe_get(struct hf_checker *checker, const struct hf_config_check *check,
                      struct hf_check_recipe **ret_recipe, char ret_why[HF_CHECK_WHY_MAX])
{
    struct hf_check_recipe **bucket = &checker->recipes[bucket_of(check)];
    for (struct hf_check_recipe *recipe = *bucket; recipe != NULL; recipe = recipe->next) {
        if (recipe->check == check) {
            recipe->probe_count++;
            *ret_recipe = recipe;
            return HF_OK;
        }
    }
    struct hf_check_recipe *recipe = zeroed(sizeof *recipe);
    recipe->check = check;
    recipe->probe_count = 1;
    recipe->stall_class = hf_check_stall_class(check->timeout_ms / 8);
    recipe->next = *bucket;
    *bucket = recipe;
    int error = recipe_fill(checker, recipe, ret_why);
    if (error != HF_OK) {
        recipe_put(checker, recipe);
        return error;
    }
    *ret_recipe = recipe;
    return HF_OK;
}

static const char *what_is_wrong(const struct hf_config_check *check,
                                 const struct hf_config_backend *backend)
{
    if (check->type == HF_CHECK_NONE) {
        return NULL;
    }
    if (check->interval_ms == 0) {
        return "the check has no interval";
    }
    if (check->type == HF_CHECK_FILE) {
        return check->path == NULL ? "the check has no state file" : NULL;
    }
    if (check->timeout_ms == 0) {
        return "the check has no time limit";
    }
    if (backend->port == 0 && check->port == 0) {
        return "neither the check nor the backend has a port";
    }
    return backend->has_a || backend->has_aaaa ? NULL : "the backend has no address";
}

static int check_request(struct hf_checker *checker, const struct hf_config_check *check,
                         const struct hf_config_backend *backend, char ret_why[HF_CHECK_WHY_MAX])
{
    if (check->type != HF_CHECK_HTTP && check->type != HF_CHECK_HTTPS) {
        return HF_OK;
    }
    int error = hf_check_request(check, backend, !backend->has_a, &checker->request);
    if (error != HF_OK) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX,
                       "the check's path or host has a character that HTTP does not allow there, "
                       "or is too long");
    }
    return error == HF_OK ? HF_OK : HF_EINVAL;
}

static void grow(struct hf_checker *checker, uint32_t number)
{
    uint32_t room = checker->probe_room == 0 ? PROBES_FIRST_ROOM : checker->probe_room;
    while (room <= number) {
        room *= 2;
    }
    if (room > checker->probe_room) {
        struct hf_check_probe **probes = realloc(checker->probes, room * sizeof(void *));
        if (probes == NULL) {
            abort();
        }
        memset(probes + checker->probe_room, 0, (room - checker->probe_room) * sizeof(void *));
        checker->probes = probes;
        checker->probe_room = room;
    }
}

int hf_checker_add(struct hf_checker *checker, const struct hf_config_check *check,
                   const struct hf_config_backend *backend, uint32_t probe,
                   char ret_why[HF_CHECK_WHY_MAX])
{
    assert(!checker->is_closing);
    if (probe >= HF_CHECK_PROBES_MAX) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "a probe number above the limit");
        return HF_ELIMIT;
    }
    if (probe < checker->probe_room && checker->probes[probe] != NULL) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "a probe with this number exists");
        return HF_EEXIST;
    }
    const char *wrong = what_is_wrong(check, backend);
    if (wrong != NULL) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "%s", wrong);
        return HF_EINVAL;
    }
    int error = check_request(checker, check, backend, ret_why);
    struct hf_check_recipe *recipe = NULL;
    if (error == HF_OK) {
        error = recipe_get(checker, check, &recipe, ret_why);
    }
    if (error != HF_OK) {
        return error;
    }
    grow(checker, probe);
    struct hf_check_probe *added = zeroed(sizeof *added);
    added->checker = checker;
    added->recipe = recipe;
    added->backend = backend;
    added->number = probe;
    checker->probes[probe] = added;
    hf_check_run_add(added);
    return HF_OK;
}

void hf_checker_remove(struct hf_checker *checker, uint32_t probe)
{
    if (probe >= checker->probe_room || checker->probes[probe] == NULL) {
        return;
    }
    struct hf_check_probe *removed = checker->probes[probe];
    checker->probes[probe] = NULL;
    hf_check_run_remove(removed);
    recipe_put(checker, removed->recipe);
}

static void handle_closed(uv_handle_t *handle)
{
    hf_check_let_go(handle->data);
}

void hf_checker_close(struct hf_checker *checker, void (*closed)(void *context), void *context)
{
    assert(!checker->is_closing);
    checker->is_closing = true;
    checker->closed = closed;
    checker->closed_context = context;
    for (uint32_t probe = 0; probe < checker->probe_room; probe++) {
        hf_checker_remove(checker, probe);
    }
    uv_close((uv_handle_t *)&checker->prepare, handle_closed);
    uv_close((uv_handle_t *)&checker->timer, handle_closed);
    uv_close((uv_handle_t *)&checker->poll, handle_closed);
}
