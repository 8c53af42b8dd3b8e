/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "holdfast/statuspage.h"
#include "io/folder.h"

enum { PATH_OCTETS_MAX = 4096, FOLDER_MODE = 0755, FILE_MODE = 0644 };

/* A folder that everybody may read: the web server is somebody else. */
static int make_folder(const char *folder, char *why, size_t why_size)
{
    struct stat found;
    if (stat(folder, &found) == 0 && S_ISDIR(found.st_mode)) {
        return HF_OK;
    }
    int error = hf_folder_make(folder, why, why_size);
    if (error == HF_OK && chmod(folder, FOLDER_MODE) != 0) {
        (void)snprintf(why, why_size, "%s: %s", folder, strerror(errno));
        error = HF_EIO;
    }
    return error;
}

typedef void page_part(const struct hf_statuspage *page, struct hf_buf *ret_text);

static int write_part(const struct hf_statuspage *page, const char *folder, const char *name,
                      page_part *make, char *why, size_t why_size)
{
    char path[PATH_OCTETS_MAX];
    struct hf_buf text;
    hf_buf_init(&text, HF_STATUSPAGE_BYTES_MAX);
    make(page, &text);
    int error = hf_buf_error(&text);
    int size = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (error != HF_OK || size < 0 || (size_t)size >= sizeof(path)) {
        (void)snprintf(why, why_size, "%s: too long", name);
        error = HF_ELIMIT;
    } else {
        error = hf_file_replace(path, FILE_MODE, text.bytes, text.size, why, why_size);
    }
    hf_buf_release(&text);
    return error;
}

int hf_statuspage_write(const struct hf_statuspage *page, const char *folder, char *why,
                        size_t why_size)
{
    static const struct {
        const char *name;
        page_part *make;
    } parts[] = {
        {"status.json", hf_statuspage_json},
        {"feed.atom", hf_statuspage_atom},
        {"index.html", hf_statuspage_html},
    };
    int error = make_folder(folder, why, why_size);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && error == HF_OK; i++) {
        error = write_part(page, folder, parts[i].name, parts[i].make, why, why_size);
    }
    return error;
}
