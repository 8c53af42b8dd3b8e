/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Store break: ends a process of ours that stands still with a lock of the store in hand.
 *
 * A process that is stopped (SIGSTOP, a debugger) between taking a lock and giving it back keeps
 * all others from the store, until somebody comes. Its death costs nothing: the next reader rolls
 * its transaction back, what it had under way to a DNS server is fenced, and a role is started anew
 * by its supervisor; a command that was suspended (Ctrl-Z) ends. So it is killed, if all of this
 * holds: Linux names it as a holder of a lock on the file or its folder (/proc/locks), it is
 * stopped or traced (/proc/PID/stat), it has the file open, and it runs a program of the same name
 * as this one. A suspended sqlite3 is left alone.
 */
#ifndef HF_IO_STORE_BREAK_H
#define HF_IO_STORE_BREAK_H

#include <sys/stat.h>
#include <sys/types.h>

/*
 * file and folder: what stat(2) says of the database and of its folder. Returns the process that
 * was killed, 0 where there was none to kill. Costs some hundred microseconds; never waits.
 */
pid_t hf_store_break(const struct stat *file, const struct stat *folder);

#endif
