/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reach: one request to the API of a daemon on this machine, through its Unix socket; blocking, for
 * commands. What the answer may be is bounded; what a daemon sends is not trusted to be HTTP.
 */
#ifndef HF_IO_REACH_H
#define HF_IO_REACH_H

#include <stdint.h>

#include "base/buf.h"

enum { HF_REACH_BYTES_MAX = 256 * 1024 * 1024 };

struct hf_reach_request {
    const char *socket_path;
    const char *target;   /* path and query, encoded */
    const char *if_match; /* of a POST */
    const char *body;     /* JSON of a POST, or NULL: a GET */
    uint32_t timeout_ms;  /* of each step */
};

struct hf_reach_answer {
    uint16_t status;
    struct hf_buf body;
};

/*
 * HF_OK with an answer, whatever its status: release its body. HF_ECONN: nobody listens, nothing
 * was sent. HF_ETIMEOUT, HF_EMALF, HF_EIO: it may have been heard.
 */
int hf_reach(const struct hf_reach_request *request, struct hf_reach_answer *ret_answer);

#endif
