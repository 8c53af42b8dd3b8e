/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Knotd: the private knotd of a target with `type: knot`.
 *
 * It lives in one folder, <data_dir>/knot-TARGET/, which is also its working directory:
 *   knot.conf          generated at every start, mode 0600 (it holds the key)
 *   zones/NAME.zone    written once, when missing: the base that the journal's changes build on
 *   journal/           every change since; survives kill -9 (journal-db-mode: robust)
 *   knotd.log          what knotd says, kept below HF_KNOTD_LOG_MAX
 *   knotd.lock         held by the running knotd itself, with its process id inside
 *   run/               its control socket, for `knotc -s run/knot.sock` in this folder
 * and the TSIG key is where the configuration's tsig.secret_file says.
 *
 * knotd outlives this process (it must go on answering when Holdfast is killed): it has a session
 * of its own, and the lock tells the next `holdfast run` that it is there. The lock is the fact;
 * the process id is only a hint that is checked against the process's working directory.
 */
#ifndef HF_IO_KNOTD_H
#define HF_IO_KNOTD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "codec/config.h"
#include "io/process.h"

enum {
    HF_KNOTD_LOG_MAX = 4 * 1024 * 1024,
    HF_KNOTD_FREE_MIN = 32 * 1024 * 1024, /* octets of disk a new one needs */
    HF_KNOTD_WHY_MAX = 512 + PATH_MAX,
    HF_KNOTD_FOLDER_MAX = PATH_MAX - 320, /* leaves room for the names of its files */
    HF_KNOTD_PROBE_BURST = 64,            /* SOA questions sent at a time */
};

struct hf_knotd_zone; /* its apex and whether it answered */

struct hf_knotd {
    char folder[HF_KNOTD_FOLDER_MAX]; /* absolute */
    char target[HF_CONFIG_NAME_MAX + 1];
    char program[PATH_MAX];
    struct sockaddr_storage address;
    int lock_fd;  /* while no knotd runs; -1 otherwise */
    int probe_fd; /* while it is asked whether it answers; -1 otherwise */
    struct hf_knotd_zone *zones;
    uint32_t zone_count;
    uint32_t answered_count; /* zones that answered since hf_knotd_ask */
};

/* What hf_knotd_prepare found different from the last time. */
struct hf_knotd_changes {
    bool server; /* needs a restart */
    bool zones;  /* SIGHUP is enough */
};

/*
 * Makes folder, key, missing zone files and knot.conf for target number target of the
 * configuration. HF_OK, HF_EFULL, HF_EIO, HF_ENOENT (no knotd program), HF_ELIMIT (path too long),
 * HF_EINVAL (a zone's name that cannot be a file's). Initializes ret_knotd, to be released with
 * hf_knotd_release. The key is never overwritten.
 */
int hf_knotd_prepare(const struct hf_config *config, uint32_t target, char *why, size_t why_size,
                     struct hf_knotd *ret_knotd, struct hf_knotd_changes *ret_changes);
void hf_knotd_release(struct hf_knotd *knotd);

/* The knotd that runs in this folder already. HF_ENOENT: none, and the lock is ours from now on;
 * HF_EBUSY: somebody holds the lock who cannot be found. */
int hf_knotd_find(struct hf_knotd *knotd, char *why, size_t why_size,
                  struct hf_process *ret_process);

/*
 * Starts it, after a look at the port and the disk; hf_knotd_find said HF_ENOENT before. HF_EBUSY:
 * a stranger has the port; HF_EFULL: no room for a new one (one that has a journal already is
 * started in any case: it still answers); otherwise as hf_process_start.
 */
int hf_knotd_start(struct hf_knotd *knotd, char *why, size_t why_size,
                   struct hf_process *ret_process);
/* The checks alone. */
int hf_knotd_can_start(const struct hf_knotd *knotd, char *why, size_t why_size);

/* Begins to ask anew, after a start or a reload. */
void hf_knotd_ask(struct hf_knotd *knotd);
/* True once it has answered SOA with authority for every zone. Never blocks; ask again soon. */
bool hf_knotd_answers(struct hf_knotd *knotd);

/* The last line that knotd wrote, "" if there is none. */
void hf_knotd_last_words(const struct hf_knotd *knotd, char *ret_text, size_t room);
/* Keeps the log below its limit; ret_free_bytes is what the disk has left. Call now and then. */
void hf_knotd_tidy(const struct hf_knotd *knotd, uint64_t *ret_free_bytes);

#endif
