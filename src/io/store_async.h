/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Store, off the loop thread: runs blocking store work in order on one worker thread.
 *
 * A job is a function that uses the store; it runs on the worker, its done callback on the loop
 * thread, in the order of submission. Watching: on_change is called on the loop thread soon after
 * any process committed, the file was replaced, or the store began or ceased to work, and once
 * after start. inotify hints that a commit is complete, a poll every HF_STORE_POLL_MS is the truth:
 * several changes may make one call, and one change two. A store that cannot be opened now is
 * opened by later jobs and polls. With create it is created once: a file that vanishes later is
 * never made anew, because somebody may be about to put a backup there. A process of ours that
 * stands still with the store's lock is killed (store_break.h).
 */
#ifndef HF_IO_STORE_ASYNC_H
#define HF_IO_STORE_ASYNC_H

#include <stdbool.h>
#include <uv.h>

#include "io/log.h"
#include "io/store.h"

enum {
    HF_STORE_POLL_MS = 200,
    HF_STORE_JOBS_MAX = 1024,
};

struct hf_store_async;

/*
 * Runs on the worker. store is NULL when it could not be opened, and open_error then says why; a
 * job that has no use for that returns open_error.
 */
typedef int hf_store_job(void *context, struct hf_store *store, int open_error);
/*
 * Runs on the loop; result is what the job returned. why is "" after HF_OK, else what
 * hf_store_why said when the job returned; valid during the call.
 */
typedef void hf_store_done(void *context, int result, const char *why);
typedef void hf_store_on_change(void *context);

/*
 * on_change may be NULL. log, which may be NULL, hears of processes that were killed. HF_ESYS when
 * the operating system has no thread or descriptor left.
 */
int hf_store_async_start(uv_loop_t *loop, const char *path, bool create, struct hf_log *log,
                         hf_store_on_change *on_change, void *context,
                         struct hf_store_async **ret_async);

/*
 * HF_ELIMIT when HF_STORE_JOBS_MAX jobs are not done yet, HF_EINVAL after stop. context must stay
 * valid until done ran. To be called on the loop thread, also from done.
 */
int hf_store_async_submit(struct hf_store_async *async, hf_store_job *job, hf_store_done *done,
                          void *context);

/*
 * Runs what was submitted, then closes; closed runs on the loop when nothing is left of async.
 * on_change is not called any more.
 */
void hf_store_async_stop(struct hf_store_async *async, void (*closed)(void *context),
                         void *context);

#endif
