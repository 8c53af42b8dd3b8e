/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

double hf_tool_now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void *hf_tool_map(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

void hf_tool_unmap(void *memory, size_t size)
{
    (void)munmap(memory, size);
}

uint64_t hf_tool_memory_of_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_C(1) << 30;
}

uint64_t hf_tool_memory_peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

unsigned hf_tool_cores(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

static void make_set(sigset_t *ret_set)
{
    (void)sigemptyset(ret_set);
    (void)sigaddset(ret_set, SIGINT);
    (void)sigaddset(ret_set, SIGTERM);
}

void hf_tool_block_signals(void)
{
    sigset_t set;
    make_set(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

bool hf_tool_interrupted(unsigned wait_ms)
{
    sigset_t set;
    make_set(&set);
    struct timespec wait = {.tv_sec = wait_ms / 1000,
                            .tv_nsec = (long)(wait_ms % 1000) * 1000 * 1000};
    if (wait_ms > 0) {
        (void)sigaddset(&set, SIGCHLD);
    }
    int number = sigtimedwait(&set, NULL, &wait);
    return number == SIGINT || number == SIGTERM;
}

int hf_tool_read(const char *path, struct hf_buf *ret_buf)
{
    uint8_t part[16384];
    int error = HF_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return HF_EIO;
    }
    for (;;) {
        ssize_t size = read(fd, part, sizeof(part));
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            error = size < 0 ? HF_EIO : hf_buf_error(ret_buf);
            break;
        }
        hf_buf_put(ret_buf, part, (size_t)size);
    }
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return error;
}

/* Where that fails, a file that this made ("x" in mode) is taken away again. */
static int write_as(const char *path, const char *mode, const struct hf_buf *buf)
{
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        return HF_EIO;
    }
    bool is_new = strchr(mode, 'x') != NULL;
    bool is_whole = fwrite(buf->bytes, 1, buf->size, file) == buf->size && fflush(file) == 0 &&
                    (!is_new || fsync(fileno(file)) == 0);
    int saved = errno;
    bool is_closed = fclose(file) == 0;
    if (!is_whole || !is_closed) {
        saved = is_whole ? errno : saved;
        (void)(is_new ? unlink(path) : 0);
        errno = saved;
        return HF_EIO;
    }
    return HF_OK;
}

int hf_tool_write(const char *path, const struct hf_buf *buf)
{
    struct stat found;
    bool is_there = stat(path, &found) == 0;
    if (is_there && !S_ISREG(found.st_mode)) {
        return write_as(path, "we", buf);
    }
    char *real = is_there ? realpath(path, NULL) : strdup(path); /* links stay links */
    char *fresh = NULL;
    int error = HF_EIO;
    if (real != NULL && asprintf(&fresh, "%s.%ld.new", real, (long)getpid()) < 0) {
        fresh = NULL;
    }
    if (fresh != NULL && write_as(fresh, "wxe", buf) == HF_OK) {
        error = rename(fresh, real) == 0 ? HF_OK : HF_EIO;
        int problem = errno;
        (void)(error != HF_OK ? unlink(fresh) : 0);
        errno = problem;
    }
    int saved = errno;
    free(fresh);
    free(real);
    errno = saved;
    return error;
}

void hf_tool_count_text(uint64_t number, char ret_text[HF_TOOL_SHORT_MAX])
{
    char digits[HF_TOOL_SHORT_MAX];
    int size = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    size_t at = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            ret_text[at++] = ',';
        }
        ret_text[at++] = digits[i];
    }
    ret_text[at] = '\0';
}

void hf_tool_rate_text(double rate, char ret_text[HF_TOOL_SHORT_MAX])
{
    if (rate >= 1e6) {
        (void)snprintf(ret_text, HF_TOOL_SHORT_MAX, "%.2f M", rate / 1e6);
    } else if (rate >= 1e4) {
        (void)snprintf(ret_text, HF_TOOL_SHORT_MAX, "%.0f k", rate / 1e3);
    } else {
        (void)snprintf(ret_text, HF_TOOL_SHORT_MAX, "%.0f", rate);
    }
}

void hf_tool_seconds_text(double seconds, char ret_text[HF_TOOL_SHORT_MAX])
{
    static const struct {
        double limit, large, small;
        const char *large_name, *small_name;
    } units[] = {
        {7200, 60, 1, "min", "s"},
        {48 * 3600, 3600, 60, "h", "min"},
        {730 * 86400.0, 86400, 3600, "d", "h"},
    };
    if (seconds < 120) {
        (void)snprintf(ret_text, HF_TOOL_SHORT_MAX, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
        return;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (seconds < units[i].limit) {
            unsigned large = (unsigned)(seconds / units[i].large);
            unsigned small = (unsigned)((seconds - large * units[i].large) / units[i].small);
            (void)snprintf(ret_text, HF_TOOL_SHORT_MAX, "%u %s %u %s", large, units[i].large_name,
                           small, units[i].small_name);
            return;
        }
    }
    (void)snprintf(ret_text, HF_TOOL_SHORT_MAX, "%.1f years", seconds / (365.25 * 86400));
}

void hf_tool_progress_init(struct hf_tool_progress *progress, const struct hf_term *term)
{
    bool is_terminal = isatty(fileno(term->stream)) == 1;
    *progress = (struct hf_tool_progress){
        .term = term, .is_shown = is_terminal, .next_s = hf_tool_now_s() + 0.2};
}

bool hf_tool_progress_due(struct hf_tool_progress *progress)
{
    enum { EACH_MS = 200 };
    if (!progress->is_shown || hf_tool_now_s() < progress->next_s) {
        return false;
    }
    progress->next_s = hf_tool_now_s() + EACH_MS / 1000.0;
    return true;
}

/* Octets of the first so many characters; a bar's blocks are three octets each. */
static int octets_of(const char *text, uint32_t characters)
{
    int size = 0;
    for (; text[size] != 0; size++) {
        bool begins = ((unsigned char)text[size] & 0xc0U) != 0x80U;
        if (begins && characters-- == 0) {
            break;
        }
    }
    return size;
}

void hf_tool_progress_put(struct hf_tool_progress *progress, const char *text)
{
    uint32_t width = progress->term->width > 1 ? progress->term->width - 1 : 1;
    (void)fprintf(progress->term->stream, "\r\x1b[K%.*s", octets_of(text, width), text);
    (void)fflush(progress->term->stream);
    progress->is_there = true;
}

void hf_tool_progress_end(struct hf_tool_progress *progress)
{
    if (progress->is_there) {
        (void)fputs("\r\x1b[K", progress->term->stream);
        (void)fflush(progress->term->stream);
    }
    progress->is_there = false;
}
