/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/store_journal.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"

/* Places of https://www.sqlite.org/fileformat2.html, sections 1.3 and 3. */
enum {
    HEADER_SIZE = 28,
    RECORD_EXTRA = 8,    /* page number before the page, checksum behind it */
    COUNTER_OFFSET = 24, /* in page 1: change counter, then size in pages */
    COUNTER_SIZE = 8,
    PAGE_SIZE_MIN = 512,
    PAGE_SIZE_MAX = 65536,
};

/*
 * A part of a journal: a header, padded to a sector, and records. SQLite writes the header's magic
 * and count when the records are on disk, and only then touches the database.
 */
struct segment {
    uint32_t record_count;
    uint32_t pages_before; /* pages in the database when the transaction began */
    uint32_t sector_size;
    uint32_t page_size;
};

/* The change counter and the size in pages that page 1 says. */
struct state {
    uint32_t counter;
    uint32_t pages;
};

static bool power_of_two_in(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && value <= most && (value & (value - 1)) == 0;
}

/* False where SQLite would find nothing to roll back: no header, or one that was zeroed. */
static bool read_segment(int fd, off_t offset, struct segment *ret_segment)
{
    static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    uint8_t bytes[HEADER_SIZE];
    if (pread(fd, bytes, sizeof(bytes), offset) != (ssize_t)sizeof(bytes) ||
        memcmp(bytes, magic, sizeof(magic)) != 0) {
        return false;
    }
    struct hf_cursor cursor;
    struct segment segment;
    hf_cursor_init(&cursor, bytes + sizeof(magic), sizeof(bytes) - sizeof(magic));
    segment.record_count = hf_cursor_u32(&cursor);
    (void)hf_cursor_u32(&cursor); /* the nonce of the checksums */
    segment.pages_before = hf_cursor_u32(&cursor);
    segment.sector_size = hf_cursor_u32(&cursor);
    segment.page_size = hf_cursor_u32(&cursor);
    if (!power_of_two_in(segment.sector_size, 32, PAGE_SIZE_MAX) ||
        !power_of_two_in(segment.page_size, PAGE_SIZE_MIN, PAGE_SIZE_MAX)) {
        return false;
    }
    *ret_segment = segment;
    return true;
}

static struct state read_state(const uint8_t bytes[COUNTER_SIZE])
{
    struct hf_cursor cursor;
    struct state state;
    hf_cursor_init(&cursor, bytes, COUNTER_SIZE);
    state.counter = hf_cursor_u32(&cursor);
    state.pages = hf_cursor_u32(&cursor);
    return state;
}

/* What page 1 was before the transaction; false where the journal does not hold it. */
static bool read_before(int fd, struct segment segment, struct state *ret_before)
{
    static const uint8_t page_1[4] = {0, 0, 0, 1};
    off_t offset = 0;
    do {
        off_t record_size = (off_t)segment.page_size + RECORD_EXTRA;
        offset += segment.sector_size;
        for (uint32_t i = 0; i < segment.record_count; i++, offset += record_size) {
            uint8_t bytes[sizeof(page_1) + COUNTER_OFFSET + COUNTER_SIZE];
            if (pread(fd, bytes, sizeof(bytes), offset) != (ssize_t)sizeof(bytes)) {
                return false;
            }
            if (memcmp(bytes, page_1, sizeof(page_1)) == 0) {
                *ret_before = read_state(bytes + sizeof(page_1) + COUNTER_OFFSET);
                return true;
            }
        }
        offset += segment.sector_size - 1;
        offset -= offset % segment.sector_size;
    } while (read_segment(fd, offset, &segment));
    return false;
}

static bool belongs(sqlite3 *db, int fd, const struct segment *first)
{
    /* Through SQLite's own descriptor: closing another one of the same file would drop every
     * POSIX lock that this process holds on it. */
    sqlite3_file *file = NULL;
    uint8_t bytes[COUNTER_SIZE] = {0};
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) {
        return true; /* let SQLite meet and name the fault */
    }
    int code = file->pMethods->xRead(file, bytes, COUNTER_SIZE, COUNTER_OFFSET);
    if (code != SQLITE_OK) {
        return code != SQLITE_IOERR_SHORT_READ;
    }
    struct state before;
    struct state now = read_state(bytes);
    if (!read_before(fd, *first, &before)) {
        /* Page 1 is still as it was; a rollback would cut the file to the size it had. */
        return now.pages == first->pages_before;
    }
    return now.counter == before.counter || now.counter == before.counter + 1;
}

int hf_store_journal_check(sqlite3 *db, const char *file)
{
    char *path = NULL;
    char *aside = NULL;
    if (asprintf(&path, "%s-journal", file) < 0 || asprintf(&aside, "%s.foreign", path) < 0) {
        abort();
    }
    int error = HF_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct segment first;
    if (fd >= 0 && read_segment(fd, 0, &first) && !belongs(db, fd, &first) &&
        rename(path, aside) != 0) {
        error = HF_EIO;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(aside);
    free(path);
    return error;
}
