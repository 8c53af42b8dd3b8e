/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Severity: how much something that is wrong needs a person. */
#ifndef HF_CODEC_SEVERITY_H
#define HF_CODEC_SEVERITY_H

enum hf_severity {
    HF_SEVERITY_CRITICAL, /* names may be answered wrong or cannot follow any more */
    HF_SEVERITY_WARNING,  /* somebody should look */
    HF_SEVERITY_NOTICE,
};
const char *hf_severity_name(enum hf_severity severity); /* "critical" */
/* HF_EMALF for what is no name of one. */
int hf_severity_parse(const char *name, enum hf_severity *ret_severity);

#endif
