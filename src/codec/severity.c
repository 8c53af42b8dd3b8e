/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/severity.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

static const char *const names[] = {"critical", "warning", "notice"};

const char *hf_severity_name(enum hf_severity severity)
{
    return names[severity];
}

int hf_severity_parse(const char *name, enum hf_severity *ret_severity)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_severity = (enum hf_severity)i;
            return HF_OK;
        }
    }
    return HF_EMALF;
}
