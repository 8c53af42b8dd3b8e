/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"

const char *hf_strerror(int error)
{
    switch (error) {
    case HF_OK:
        return "done";
#define HF_ERROR_TEXT(name, text)                                                                  \
    case HF_##name:                                                                                \
        return text;
        HF_ERRORS(HF_ERROR_TEXT)
#undef HF_ERROR_TEXT
    default:
        return "unknown error";
    }
}
