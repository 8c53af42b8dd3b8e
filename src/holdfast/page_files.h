/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Page files: what is in web/, inside the program; tools/embed puts it there when it is built.
 */
#ifndef HF_HOLDFAST_PAGE_FILES_H
#define HF_HOLDFAST_PAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/serve.h"

struct hf_page_file {
    const char *path; /* "/index.html" */
    const char *content_type;
    const char *etag;     /* with quotes; of the content, which is not compressed */
    const uint8_t *bytes; /* compressed (gzip) */
    size_t size;
};

/* In the order of their paths. */
extern const struct hf_page_file hf_page_files[];
extern const size_t hf_page_files_count;

/* The file at a request's path, "/" being "/index.html"; or NULL. */
const struct hf_page_file *hf_page_files_find(const char *path);

/* Its being there, as hf_serve_options.is_open wants it. */
bool hf_page_files_has(const char *path);

void hf_page_files_answer(const struct hf_page_file *file, struct hf_serve_answer *answer);

#endif
