/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads arbitrary octets as a response, in pieces whose size the first octet chooses and again
 * whole: both must come to the same end, and no more content may be taken than was asked for.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "codec/http.h"

enum { CONTENT_MAX = 512 };

static int read_all(struct hf_http *http, const uint8_t *bytes, size_t size, size_t piece)
{
    for (size_t at = 0; at < size; at += piece) {
        int error = hf_http_read(http, bytes + at, piece < size - at ? piece : size - at);
        if (error != HF_OK) {
            assert(http->why != NULL);
            return error;
        }
    }
    return hf_http_read_close(http);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct hf_buf first, second;
    hf_buf_init(&first, CONTENT_MAX);
    hf_buf_init(&second, CONTENT_MAX);
    struct hf_http pieces, whole;
    hf_http_init(&pieces, &first, CONTENT_MAX);
    hf_http_init(&whole, &second, CONTENT_MAX);
    int error = read_all(&pieces, bytes + 1, size - 1, (size_t)bytes[0] + 1);
    assert(error == read_all(&whole, bytes + 1, size - 1, size));
    assert(pieces.status == whole.status && pieces.truncated == whole.truncated);
    assert(pieces.why == whole.why && pieces.content_size == whole.content_size);
    assert(hf_buf_error(&first) == HF_OK && first.size == second.size);
    assert(first.size == pieces.content_size && first.size <= CONTENT_MAX);
    hf_buf_release(&first);
    hf_buf_release(&second);
    return 0;
}
