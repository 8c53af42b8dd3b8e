/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-lab compare: the outage, and what Holdfast does under the same schedule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/lab_command.h"
#include "holdfast/lab_compare_show.h"
#include "holdfast/tool.h"
#include "lab/page.h"

enum { PAGE_SIZE_MAX = 1024 * 1024 }; /* of any options; see HF_PAGE_SIZE_MAX */

static const char standard_page[] = "holdfast-compare.html";

static void make_options(const struct hf_lab_call *call, struct hf_compare_options *ret_options)
{
    const struct hf_compare_options *usual = &hf_compare_usual;
    *ret_options = (struct hf_compare_options){
        .enactors = (uint32_t)hf_lab_number(call, "enactors", usual->enactors),
        .endpoints = (uint32_t)hf_lab_number(call, "endpoints", usual->endpoints),
        .plans = (uint32_t)hf_lab_number(call, "plans", usual->plans),
        .age = (uint32_t)hf_lab_number(call, "age", usual->age),
        .states_max = (uint32_t)hf_lab_number(call, "states-max", usual->states_max),
        .careless = hf_lab_text(call, "careless") != NULL,
    };
}

static int compare(const struct hf_lab_call *call, const struct hf_compare_options *options,
                   struct hf_compare_result *ret_result)
{
    size_t size = hf_compare_layout(options);
    void *memory = hf_tool_map(size);
    if (memory == NULL) {
        return hf_lab_fail(call, "no address space for %zu octets; see --states-max", size);
    }
    int error = hf_compare_run(options, memory, ret_result);
    hf_tool_unmap(memory, size);
    if (error == HF_ENOENT) {
        return hf_lab_fail(call, "with these options the cloud's protocol has no outage, or no "
                                 "wedge after it; more --plans or a smaller --age have them");
    }
    if (error != HF_OK) {
        return hf_lab_fail(call, "the outage or the wedge is further away than --states-max or "
                                 "the timeline allow");
    }
    return HF_LAB_DONE;
}

static int write_page(struct hf_lab_call *call, const struct hf_compare_result *result)
{
    const char *wanted = hf_lab_text(call, "page");
    const char *path = wanted != NULL ? wanted : standard_page;
    int status = HF_LAB_DONE;
    struct hf_buf html;
    hf_buf_init(&html, PAGE_SIZE_MAX);
    hf_page_write(result, &html);
    if (hf_buf_error(&html) != HF_OK || hf_tool_write(path, &html) != HF_OK) {
        status = hf_lab_fail(call, "cannot write %s: %s", path,
                             hf_buf_error(&html) != HF_OK ? "it is too large" : strerror(errno));
    } else {
        call->page_path = path;
    }
    hf_buf_release(&html);
    return status;
}

static int run(struct hf_lab_call *call)
{
    struct hf_compare_options options;
    struct hf_compare_result *result = calloc(1, sizeof(*result));
    if (result == NULL) {
        abort();
    }
    make_options(call, &options);
    int status = compare(call, &options, result);
    if (status == HF_LAB_DONE) {
        status = write_page(call, result);
        hf_lab_compare_show(call, result);
        status = result->in_step ? status : HF_LAB_FAILED;
    }
    free(result);
    return status;
}

static const struct hf_lab_flag flags[] = {
    {"enactors", HF_LAB_NUMBER, 1, HF_CLOUD_ENACTORS_MAX, "Enactors, 1 to 4 (3)"},
    {"endpoints", HF_LAB_NUMBER, 1, HF_CLOUD_ENDPOINTS_MAX, "Endpoints, 1 to 4 (2)"},
    {"plans", HF_LAB_NUMBER, 1, HF_CLOUD_PLANS_MAX - 1,
     "Plans until the outage, 1 to 14; one more follows it (5)"},
    {"age", HF_LAB_NUMBER, 1, HF_CLOUD_PLANS_MAX,
     "The cloud's clean-up deletes plans so much older than its own, 1 to 15 (2)"},
    {"states-max", HF_LAB_NUMBER, 1, 100 * 1000 * 1000, "States of each search (1000000)"},
    {"careless", HF_LAB_SWITCH, 0, 0, "A canary: Holdfast's writes have no prerequisites"},
    {"page", HF_LAB_TEXT, 0, 0, "Where to write the page (holdfast-compare.html)"},
    {NULL, HF_LAB_SWITCH, 0, 0, NULL},
};

const struct hf_lab_command hf_lab_compare = {
    .name = "compare",
    .subject = HF_LAB_OF_NOTHING,
    .summary = "the outage of October 2025, and Holdfast under the same schedule",
    .details =
        "Finds the shortest outage of the cloud's protocol and how it wedges after it, lets\n"
        "the same happen to Holdfast's enactors, prints both, and writes both side by side\n"
        "as a page of HTML that needs nothing else. Exit status 0: the cloud's protocol\n"
        "fails and Holdfast's does not.",
    .flags = flags,
    .run = run,
};
