/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Store work off the loop thread: order, bounds, watching, and faults of the file meanwhile. */
#include "store_help.h"

#include <uv.h>

#include "io/store_async.h"

enum { PATIENCE_MS = 10000 };

/* One loop with a store; what happened on it is counted, and notes are written in order. */
struct scene {
    struct place *place;
    uv_loop_t loop;
    uv_timer_t patience;
    uv_thread_t loop_thread;
    struct hf_store_async *async;
    unsigned change_count;
    unsigned done_count;
    int last_result;
    char last_why[HF_STORE_WHY_MAX];
    char notes[8192];
    bool closed;
    bool impatient;
};

static void on_impatient(uv_timer_t *patience)
{
    struct scene *scene = patience->data;
    scene->impatient = true;
}

static void on_change(void *context)
{
    struct scene *scene = context;
    uv_thread_t self = uv_thread_self();
    assert_true(uv_thread_equal(&self, &scene->loop_thread));
    scene->change_count++;
}

static void on_closed(void *context)
{
    struct scene *scene = context;
    scene->closed = true;
}

static int scene_make(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    if (place_make((void **)&scene->place) != 0) {
        free(scene);
        return -1;
    }
    (void)uv_loop_init(&scene->loop);
    (void)uv_timer_init(&scene->loop, &scene->patience);
    scene->patience.data = scene;
    (void)uv_timer_start(&scene->patience, on_impatient, PATIENCE_MS, 0);
    scene->loop_thread = uv_thread_self();
    *state = scene;
    return 0;
}

static void start(struct scene *scene, bool create)
{
    assert_int_equal(hf_store_async_start(&scene->loop, scene->place->path, create, NULL, on_change,
                                          scene, &scene->async),
                     HF_OK);
}

static void turn(struct scene *scene)
{
    (void)uv_run(&scene->loop, UV_RUN_ONCE);
    assert_false(scene->impatient);
}

static int scene_remove(void **state)
{
    struct scene *scene = *state;
    hf_store_async_stop(scene->async, on_closed, scene);
    while (!scene->closed && !scene->impatient) {
        (void)uv_run(&scene->loop, UV_RUN_ONCE);
    }
    bool good = scene->closed && !scene->impatient;
    uv_close((uv_handle_t *)&scene->patience, NULL);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    good = uv_loop_close(&scene->loop) == 0 && good;
    good = place_remove((void **)&scene->place) == 0 && good;
    free(scene);
    return good ? 0 : -1;
}

static void wait_for_changes(struct scene *scene, unsigned count)
{
    while (scene->change_count < count) {
        turn(scene);
    }
}

/* A numbered job that notes where it ran. */
struct numbered {
    struct scene *scene;
    int number;
};

static void note(struct scene *scene, char what, int number)
{
    size_t size = strlen(scene->notes);
    (void)snprintf(scene->notes + size, sizeof(scene->notes) - size, "%c%d ", what, number);
}

static int numbered_job(void *context, struct hf_store *store, int open_error)
{
    struct numbered *numbered = context;
    uv_thread_t self = uv_thread_self();
    if (store == NULL || uv_thread_equal(&self, &numbered->scene->loop_thread)) {
        return open_error != HF_OK ? open_error : HF_EINVAL;
    }
    return numbered->number % 2 == 0 ? HF_OK : HF_ESTALE;
}

static void numbered_done(void *context, int result, const char *why)
{
    struct numbered *numbered = context;
    assert_string_equal(why, "");
    assert_int_equal(result, numbered->number % 2 == 0 ? HF_OK : HF_ESTALE);
    note(numbered->scene, 'd', numbered->number);
    numbered->scene->done_count++;
}

static void jobs_run_elsewhere_and_are_done_in_order(void **state)
{
    struct scene *scene = *state;
    struct numbered jobs[5];
    start(scene, true);
    for (int i = 0; i < 5; i++) {
        jobs[i] = (struct numbered){.scene = scene, .number = i};
        assert_int_equal(hf_store_async_submit(scene->async, numbered_job, numbered_done, &jobs[i]),
                         HF_OK);
    }
    while (scene->done_count < 5) {
        turn(scene);
    }
    assert_string_equal(scene->notes, "d0 d1 d2 d3 d4 ");
}

/* A job that waits until the test lets it go, so that others queue behind it. */
static int gated_job(void *context, struct hf_store *store, int open_error)
{
    (void)store;
    (void)open_error;
    uv_sem_wait(context);
    return HF_OK;
}

static int counted_job(void *context, struct hf_store *store, int open_error)
{
    (void)context;
    (void)store;
    return open_error;
}

static void counted_done(void *context, int result, const char *why)
{
    struct scene *scene = context;
    scene->last_result = result;
    (void)snprintf(scene->last_why, sizeof(scene->last_why), "%s", why);
    scene->done_count++;
}

static void the_queue_is_bounded_and_drained_by_stop(void **state)
{
    struct scene *scene = *state;
    uv_sem_t gate;
    assert_int_equal(uv_sem_init(&gate, 0), 0);
    start(scene, true);
    assert_int_equal(hf_store_async_submit(scene->async, gated_job, NULL, &gate), HF_OK);
    for (int i = 1; i < HF_STORE_JOBS_MAX; i++) {
        assert_int_equal(hf_store_async_submit(scene->async, counted_job, counted_done, scene),
                         HF_OK);
    }
    assert_int_equal(hf_store_async_submit(scene->async, counted_job, counted_done, scene),
                     HF_ELIMIT);
    uv_sem_post(&gate);
    while (scene->done_count == 0) {
        turn(scene);
    }
    assert_int_equal(hf_store_async_submit(scene->async, gated_job, NULL, &gate), HF_OK);
    assert_int_equal(hf_store_async_submit(scene->async, counted_job, counted_done, scene), HF_OK);
    hf_store_async_stop(scene->async, on_closed, scene);
    assert_int_equal(hf_store_async_submit(scene->async, counted_job, counted_done, scene),
                     HF_EINVAL);
    uv_sem_post(&gate);
    while (!scene->closed) {
        turn(scene);
    }
    assert_int_equal(scene->done_count, HF_STORE_JOBS_MAX);
    assert_int_equal(scene->last_result, HF_OK);
    uv_sem_destroy(&gate);
    scene->closed = false;
    start(scene, true); /* for scene_remove; also: a second store on the same loop */
}

static void a_commit_of_another_is_noticed(void **state)
{
    struct scene *scene = *state;
    struct hf_store *other = store_made(scene->place);
    start(scene, true);
    wait_for_changes(scene, 1);
    char before[16] = "0";
    char after[16];
    assert_int_equal(move_ref(other, "head", NULL, before), HF_OK);
    wait_for_changes(scene, 2);
    for (unsigned i = 1; i < 20; i++) {
        unsigned count = scene->change_count;
        (void)snprintf(after, sizeof(after), "%u", i);
        assert_int_equal(move_ref(other, "head", before, after), HF_OK);
        memcpy(before, after, sizeof(before));
        wait_for_changes(scene, count + 1);
    }
    hf_store_close(other);
}

/* By the poll alone each would take the time between two of them; also through a link. */
static void commits_are_hinted(void **state)
{
    struct scene *scene = *state;
    struct hf_store *other = store_made(scene->place);
    char target[320];
    assert_int_equal(move_ref(other, "head", NULL, "0"), HF_OK); /* a journal is there */
    assert_int_equal(move_ref(other, "tail", NULL, "0"), HF_OK);
    hf_store_close(other);
    (void)snprintf(target, sizeof(target), "%s.real", scene->place->path);
    assert_int_equal(rename(scene->place->path, target), 0);
    assert_int_equal(symlink(target, scene->place->path), 0);
    other = store_made(scene->place);
    assert_int_equal(move_ref(other, "tail", "0", "1"), HF_OK);
    start(scene, false);
    wait_for_changes(scene, 1);
    char before[16] = "0";
    char after[16];
    uint64_t begun_ns = uv_hrtime();
    for (unsigned i = 1; i <= 20; i++) {
        unsigned count = scene->change_count;
        (void)snprintf(after, sizeof(after), "%u", i);
        assert_int_equal(move_ref(other, "head", before, after), HF_OK);
        memcpy(before, after, sizeof(before));
        wait_for_changes(scene, count + 1);
    }
    assert_true(uv_hrtime() - begun_ns < 10 * HF_STORE_POLL_MS * UINT64_C(1000000));
    hf_store_close(other);
}

static void many_commits_make_few_calls(void **state)
{
    struct scene *scene = *state;
    uv_sem_t gate;
    struct hf_store *other = store_made(scene->place);
    struct hf_digest name;
    assert_int_equal(uv_sem_init(&gate, 0), 0);
    start(scene, true);
    wait_for_changes(scene, 1);
    assert_int_equal(hf_store_async_submit(scene->async, gated_job, NULL, &gate), HF_OK);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(hf_store_put(other, &i, sizeof(i), &name), HF_OK);
    }
    unsigned count = scene->change_count;
    uv_sem_post(&gate);
    wait_for_changes(scene, count + 1);
    assert_true(scene->change_count <= count + 2);
    uv_sem_destroy(&gate);
    hf_store_close(other);
}

static int submit_and_wait(struct scene *scene, hf_store_job *job)
{
    unsigned count = scene->done_count;
    assert_int_equal(hf_store_async_submit(scene->async, job, counted_done, scene), HF_OK);
    while (scene->done_count == count) {
        turn(scene);
    }
    return scene->last_result;
}

static int head_job(void *context, struct hf_store *store, int open_error)
{
    struct hf_buf buf;
    (void)context;
    if (store == NULL) {
        return open_error;
    }
    hf_buf_init(&buf, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_ref_get(store, "head", &buf);
    hf_buf_release(&buf);
    return error;
}

static void a_store_that_comes_later_is_opened(void **state)
{
    struct scene *scene = *state;
    start(scene, false);
    wait_for_changes(scene, 1);
    assert_int_equal(submit_and_wait(scene, head_job), HF_ENOENT);
    expect_words(scene->last_why, scene->place, "no such file");
    unsigned count = scene->change_count;
    struct hf_store *other = store_made(scene->place);
    assert_int_equal(move_ref(other, "head", NULL, "1"), HF_OK);
    hf_store_close(other);
    wait_for_changes(scene, count + 1);
    assert_int_equal(submit_and_wait(scene, head_job), HF_OK);
    assert_string_equal(scene->last_why, "");
}

static void a_file_that_vanishes_is_told_and_not_made_anew(void **state)
{
    struct scene *scene = *state;
    char path[320];
    start(scene, true);
    wait_for_changes(scene, 1);
    assert_int_equal(submit_and_wait(scene, head_job), HF_ENOENT);
    assert_non_null(strstr(scene->last_why, "never set"));
    unsigned count = scene->change_count;
    assert_int_equal(rename(scene->place->path, place_beside(scene->place, ".away", path)), 0);
    wait_for_changes(scene, count + 1);
    assert_int_equal(submit_and_wait(scene, head_job), HF_ENOENT);
    expect_words(scene->last_why, scene->place, "no such file");
    assert_int_equal(access(scene->place->path, F_OK), -1);
    change_raw(path, "INSERT INTO ref VALUES ('head', x'31')");
    count = scene->change_count;
    assert_int_equal(rename(path, scene->place->path), 0);
    wait_for_changes(scene, count + 1);
    assert_int_equal(submit_and_wait(scene, head_job), HF_OK);
}

static void a_folder_that_comes_later_is_found(void **state)
{
    struct scene *scene = *state;
    char folder[300];
    (void)snprintf(folder, sizeof(folder), "%s/later", scene->place->folder);
    (void)snprintf(scene->place->path, sizeof(scene->place->path), "%.250s/later/holdfast.db",
                   scene->place->folder);
    start(scene, true);
    wait_for_changes(scene, 1);
    assert_int_equal(submit_and_wait(scene, head_job), HF_ENOENT);
    expect_words(scene->last_why, scene->place, "folder does not exist");
    unsigned count = scene->change_count;
    assert_int_equal(mkdir(folder, 0700), 0);
    wait_for_changes(scene, count + 1);
    assert_int_equal(access(scene->place->path, F_OK), 0);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_make, scene_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(jobs_run_elsewhere_and_are_done_in_order),
        SCENE_TEST(the_queue_is_bounded_and_drained_by_stop),
        SCENE_TEST(a_commit_of_another_is_noticed),
        SCENE_TEST(commits_are_hinted),
        SCENE_TEST(many_commits_make_few_calls),
        SCENE_TEST(a_store_that_comes_later_is_opened),
        SCENE_TEST(a_file_that_vanishes_is_told_and_not_made_anew),
        SCENE_TEST(a_folder_that_comes_later_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
