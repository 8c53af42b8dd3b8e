/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tokens file, and how files that are read again are looked at: stat once a tick. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "io/folder.h"
#include "io/serve_internal.h"

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool hf_serve_file_changed(struct serve_file *file)
{
    struct stat now = {0};
    if (file->path == NULL) {
        return false;
    }
    (void)stat(file->path, &now); /* all zero: it is gone */
    bool changed = !is_same(&now, &file->seen);
    file->seen = now;
    return changed;
}

/* A static text, or NULL: the file is fit to be read. */
static const char *unfit(const struct stat *file)
{
    if (file->st_ino == 0) {
        return "there is no such file, or it may not be seen";
    }
    if (!S_ISREG(file->st_mode)) {
        return "it is no file";
    }
    if ((file->st_mode & S_IRWXO) != 0) {
        return "it is open to others: chmod o= it, and draw new tokens";
    }
    return NULL;
}

static int read_tokens(struct hf_serve *serve, struct hf_serve_tokens *tokens)
{
    const char *path = serve->tokens_file.path;
    const char *why = unfit(&serve->tokens_file.seen);
    char *text = malloc(HF_SERVE_TOKENS_FILE_MAX + 1);
    uint32_t line = 0;
    if (text == NULL) {
        abort();
    }
    if (why == NULL) {
        int error = hf_file_read(path, text, HF_SERVE_TOKENS_FILE_MAX + 1);
        if (error != HF_OK) {
            why = error == HF_ELIMIT ? "it is longer than 128 KiB" : "it cannot be read";
        } else if (hf_serve_tokens_parse(tokens, text, strlen(text), &line, &why) == HF_OK) {
            why = NULL;
        }
    }
    if (why != NULL) {
        hf_log(serve->log, HF_LOG_ERROR, "api_tokens_wrong", "path=%s line=%u why=%s", path,
               (unsigned)line, why);
    }
    OPENSSL_cleanse(text, HF_SERVE_TOKENS_FILE_MAX);
    free(text);
    return why == NULL ? HF_OK : HF_EMALF;
}

int hf_serve_tokens_open(struct hf_serve *serve)
{
    serve->tokens_file.path = serve->options.tokens_path;
    if (serve->tokens_file.path == NULL) {
        return HF_OK;
    }
    serve->tokens = calloc(1, sizeof *serve->tokens);
    if (serve->tokens == NULL) {
        abort();
    }
    (void)hf_serve_file_changed(&serve->tokens_file);
    return read_tokens(serve, serve->tokens);
}

void hf_serve_tokens_tick(struct hf_serve *serve)
{
    if (!hf_serve_file_changed(&serve->tokens_file)) {
        return;
    }
    struct hf_serve_tokens *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        abort();
    }
    if (read_tokens(serve, fresh) == HF_OK) {
        *serve->tokens = *fresh;
        hf_log(serve->log, HF_LOG_INFO, "api_tokens_read", "path=%s tokens=%u",
               serve->tokens_file.path, (unsigned)fresh->count);
    }
    free(fresh);
}
