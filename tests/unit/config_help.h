/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configurations that tests write, in a folder of their own. */
#ifndef HF_TESTS_CONFIG_HELP_H
#define HF_TESTS_CONFIG_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/config.h"

enum { TEXT_MAX = 1 << 20 };

/* A folder of its own for tests that need files. */
struct folder {
    char path[256];
    char file[512]; /* written last */
};

static inline int folder_make(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder->path, sizeof(folder->path), "%s/holdfast-config-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    if (mkdtemp(folder->path) == NULL) {
        return -1;
    }
    *state = folder;
    return 0;
}

static inline int folder_remove(void **state)
{
    struct folder *folder = *state;
    DIR *entries = opendir(folder->path);
    struct dirent *entry;
    if (entries == NULL) {
        return -1;
    }
    while ((entry = readdir(entries)) != NULL) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    (void)closedir(entries);
    int failed = rmdir(folder->path);
    free(folder);
    return failed;
}

static const char *write_file(struct folder *folder, const char *name, const char *text)
{
    (void)snprintf(folder->file, sizeof(folder->file), "%s/%s", folder->path, name);
    FILE *file = fopen(folder->file, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(folder->file, 0600), 0);
    return folder->file;
}

/* The smallest that is right. */
static const char config_base[] = "installation: prod\n"
                                  "store: sqlite:holdfast.db\n"
                                  "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
                                  "zones: { example.test: { target: edge } }\n"
                                  "pools:\n"
                                  "  web:\n"
                                  "    check: { type: none }\n"
                                  "    backends: [ { name: web-1, address: 192.0.2.1 } ]\n"
                                  "endpoints: { api.example.test: { pools: [web] } }\n";

/* Reads text that must be accepted without a word. */
static inline struct hf_config *accept_text(const char *text)
{
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    int error = hf_config_read_text(text, strlen(text), "test.yaml", &config, &problems);
    assert_string_equal(hf_buf_text(&problems), "");
    assert_int_equal(error, HF_OK);
    hf_buf_release(&problems);
    return config;
}

static inline struct hf_config *accept_file(const char *path)
{
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    int error = hf_config_read(path, &config, &problems);
    assert_string_equal(hf_buf_text(&problems), "");
    assert_int_equal(error, HF_OK);
    hf_buf_release(&problems);
    return config;
}

#endif
