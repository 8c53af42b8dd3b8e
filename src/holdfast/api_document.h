/* SPDX-License-Identifier: GPL-3.0-or-later */
/* docs/reference/openapi.json, as the build puts it into the program. */
#ifndef HF_HOLDFAST_API_DOCUMENT_H
#define HF_HOLDFAST_API_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t hf_api_document[];
extern const size_t hf_api_document_size;

#endif
