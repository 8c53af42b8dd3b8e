/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Process: starts other programs and watches them through pidfds (pidfd_open(2)), which stay true
 * when a process id is used again, and work for processes that are not our children.
 *
 * A struct hf_process is plain data; hf_process_forget closes its descriptor. Starting blocks until
 * the program runs or could not be run; nothing else blocks.
 */
#ifndef HF_IO_PROCESS_H
#define HF_IO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { HF_PROCESS_ENDED_MAX = 64 };

struct hf_process {
    pid_t pid; /* 0: none */
    int pidfd; /* becomes readable when the process ends */
    bool is_child;
};

struct hf_process_options {
    const char *program; /* path */
    char *const *argv;   /* ends with NULL */
    const char *folder;  /* its working directory, or NULL: ours */
    const char *output;  /* file that its standard output and error are added to; NULL: ours */
    int kept_fd;         /* a descriptor that it inherits, or -1 */
    bool dies_with_us;   /* gets SIGTERM when this process ends in any way */
    bool own_group;      /* Ctrl-C on the terminal does not reach it */
    bool own_session;    /* nor does anything else from the terminal */
};

/*
 * Starts a program with standard input from /dev/null, default signal handling, and without
 * NOTIFY_SOCKET. HF_ENOENT no such program, HF_ESYS otherwise; why receives a text for people.
 */
int hf_process_start(const struct hf_process_options *options, char *why, size_t why_size,
                     struct hf_process *ret_process);

/* Watches a process that somebody else started. HF_ENOENT: it is gone. */
int hf_process_adopt(pid_t pid, struct hf_process *ret_process);

/* Sends a signal; a process that ended is no error. */
void hf_process_signal(const struct hf_process *process, int number);

/* True once it ended; then text says how ("exit status 1", "killed by SIGKILL", "ended") and the
 * process is forgotten. */
bool hf_process_ended(struct hf_process *process, char ret_text[HF_PROCESS_ENDED_MAX]);
void hf_process_forget(struct hf_process *process);

/* Whether the process works in this folder: how one is recognized after a restart of ours. */
bool hf_process_works_in(const struct hf_process *process, const char *folder);

/* The path of a program: itself where it has a '/', else found in PATH and in the folders for
 * daemons. HF_ENOENT, HF_ELIMIT. */
int hf_process_find_program(const char *name, char *ret_path, size_t room);

#endif
