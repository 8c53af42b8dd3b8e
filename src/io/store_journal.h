/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Store journal: keeps SQLite from rolling a journal back into a file that it does not belong to.
 *
 * SQLite finds a rollback journal by name. Where a process died in a transaction and the database
 * was then replaced by another copy, SQLite would write pages of the old file into the new one.
 * The journal holds what page 1 was, and so the change counter (file format, section 1.3.11) that
 * the file had: a file with another counter is not the one that the journal was written for.
 */
#ifndef HF_IO_STORE_JOURNAL_H
#define HF_IO_STORE_JOURNAL_H

#include <sqlite3.h>

/*
 * To be called between sqlite3_open_v2 and the first read, while no process can be in a
 * transaction. file is db's path without links. A journal that would be rolled back into a file
 * that it does not belong to is renamed to FILE-journal.foreign. HF_EIO where that fails.
 */
int hf_store_journal_check(sqlite3 *db, const char *file);

#endif
