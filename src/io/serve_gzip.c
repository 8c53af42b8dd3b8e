/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "io/serve_internal.h"

enum {
    GZIP_BITS = 15 + 16, /* the largest window, gzip's frame */
    GZIP_LEVEL = 3,
    GZIP_MEMORY = 8,
    PIECE = 32 * 1024,
};

/* Runs step (deflate or inflate) over all of from. */
static int pump(z_stream *stream, int (*step)(z_stream *, int), const struct hf_buf *from,
                struct hf_buf *to)
{
    Bytef *piece = malloc(PIECE);
    if (piece == NULL) {
        abort();
    }
    assert(from->size <= UINT32_MAX);
    stream->next_in = from->bytes;
    stream->avail_in = (uInt)from->size;
    int code = Z_OK;
    while (code == Z_OK && hf_buf_error(to) == HF_OK) {
        stream->next_out = piece;
        stream->avail_out = PIECE;
        code = step(stream, Z_FINISH);
        if (code == Z_BUF_ERROR && stream->avail_out == 0) {
            code = Z_OK;
        }
        hf_buf_put(to, piece, PIECE - stream->avail_out);
    }
    free(piece);
    if (hf_buf_error(to) != HF_OK) {
        return HF_ELIMIT;
    }
    return code == Z_STREAM_END ? HF_OK : HF_EMALF;
}

int hf_serve_gzip(const struct hf_buf *from, struct hf_buf *to)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_BITS, GZIP_MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        abort();
    }
    int error = pump(&stream, deflate, from, to);
    (void)deflateEnd(&stream);
    return error;
}

int hf_serve_gunzip(const struct hf_buf *from, struct hf_buf *to)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, GZIP_BITS) != Z_OK) {
        abort();
    }
    int error = pump(&stream, inflate, from, to);
    (void)inflateEnd(&stream);
    return error;
}
