/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Folder: makes folders and writes small files so that a crash leaves the old file or the new one.
 * why receives a text for people on failure: the path, what went wrong.
 */
#ifndef HF_IO_FOLDER_H
#define HF_IO_FOLDER_H

#include <stddef.h>
#include <sys/types.h>

/* Makes the folder and those above it, mode 0750; one that exists is HF_OK. HF_EFULL, HF_EIO. */
int hf_folder_make(const char *path, char *why, size_t why_size);
/* The same for the folder that a file lies in. */
int hf_folder_make_for(const char *file_path, char *why, size_t why_size);

/* Replaces path by a file with this content (written beside it, fsync, rename). */
int hf_file_replace(const char *path, mode_t mode, const void *bytes, size_t size, char *why,
                    size_t why_size);
/* The same, but only where there is no such file: HF_EEXIST otherwise. */
int hf_file_create(const char *path, mode_t mode, const void *bytes, size_t size, char *why,
                   size_t why_size);
/* Up to room - 1 octets and a NUL into ret_text; HF_ENOENT, HF_ELIMIT longer, HF_EIO. */
int hf_file_read(const char *path, char *ret_text, size_t room);

#endif
