/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names that somebody may have meant. */
#include <assert.h>
#include <string.h>

#include "base/distance.h"
#include "codec/name.h"
#include "holdfast/explain.h"

enum { NEAREST_MAX = 8 };

/* How far a name is from what was given; a name of which it is the beginning is near. */
static size_t far(const char *given, const char *name)
{
    size_t size = strlen(given); /* with its final dot */
    if (strncmp(given, name, size) == 0) {
        return 1;
    }
    size_t length = strlen(name);
    size_t gap = size > length ? size - length : length - size;
    size_t most = size / 4 < 2 ? 2 : size / 4;
    size_t found = gap > most ? SIZE_MAX : hf_distance(given, name);
    return found > most ? SIZE_MAX : found;
}

uint32_t hf_explain_nearest(const struct hf_config *config, const char *name,
                            uint32_t *ret_endpoints, uint32_t max)
{
    char text[HF_NAME_TEXT_MAX];
    size_t fars[NEAREST_MAX] = {0};
    uint32_t count = 0;
    assert(max > 0);
    max = max > NEAREST_MAX ? NEAREST_MAX : max;
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        hf_name_text(config->endpoints[i].owner, text);
        size_t found = far(name, text);
        uint32_t at = count;
        if (found == SIZE_MAX || (count == max && found >= fars[count - 1])) {
            continue;
        }
        count += count < max;
        at = at < max ? at : max - 1;
        while (at > 0 && fars[at - 1] > found) {
            fars[at] = fars[at - 1];
            ret_endpoints[at] = ret_endpoints[at - 1];
            at--;
        }
        fars[at] = found;
        ret_endpoints[at] = i;
    }
    return count;
}
