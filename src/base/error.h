/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors: every function that can fail returns 0 or one of the negative values below.
 *
 * A refusal that the design expects (a compare-and-swap that lost, a prerequisite that did not
 * hold) is an outcome and has its own code; it is never logged as a failure by a library.
 */
#ifndef HF_BASE_ERROR_H
#define HF_BASE_ERROR_H

#define HF_ERRORS(X)                                                                               \
    X(EINVAL, "invalid argument")                                                                  \
    X(EMALF, "malformed input")                                                                    \
    X(ELIMIT, "a stated limit was reached")                                                        \
    X(ENOENT, "no such thing")                                                                     \
    X(EEXIST, "exists already")                                                                    \
    X(ESTALE, "changed by somebody else meanwhile")                                                \
    X(EBUSY, "locked by another process for too long")                                             \
    X(EIO, "input or output failed")                                                               \
    X(EFULL, "no space left")                                                                      \
    X(ECORRUPT, "content does not match its digest")                                               \
    X(ETIMEOUT, "no answer in time")                                                               \
    X(ECONN, "connection failed or was cut")                                                       \
    X(EAUTH, "authentication failed")                                                              \
    X(EREFUSED, "the server refused")                                                              \
    X(ESERVFAIL, "the server failed")                                                              \
    X(ESYS, "the operating system refused a call")

enum hf_error_number {
    HF_ERROR_NONE = 0,
#define HF_ERROR_NUMBER(name, text) HF_ERROR_##name,
    HF_ERRORS(HF_ERROR_NUMBER)
#undef HF_ERROR_NUMBER
        HF_ERROR_END
};

enum hf_error {
    HF_OK = 0,
#define HF_ERROR_CODE(name, text) HF_##name = -HF_ERROR_##name,
    HF_ERRORS(HF_ERROR_CODE)
#undef HF_ERROR_CODE
};

/* A static text for an error code, in lower case and without a full stop. */
const char *hf_strerror(int error);

#endif
