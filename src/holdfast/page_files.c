/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/page_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *path, const void *file)
{
    return strcmp(path, ((const struct hf_page_file *)file)->path);
}

const struct hf_page_file *hf_page_files_find(const char *path)
{
    const char *wanted = strcmp(path, "/") == 0 ? "/index.html" : path;
    return bsearch(wanted, hf_page_files, hf_page_files_count, sizeof hf_page_files[0], compare);
}

bool hf_page_files_has(const char *path)
{
    return hf_page_files_find(path) != NULL;
}

void hf_page_files_answer(const struct hf_page_file *file, struct hf_serve_answer *answer)
{
    answer->content_type = file->content_type;
    answer->is_gzip = true;
    (void)snprintf(answer->etag, sizeof answer->etag, "%s", file->etag);
    hf_buf_put(&answer->body, file->bytes, file->size);
}
