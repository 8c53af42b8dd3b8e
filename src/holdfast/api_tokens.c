/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "holdfast/api.h"
#include "io/folder.h"

enum { TOKEN_OCTETS = 20, FILE_MODE = 0600 };

void hf_api_url(const struct hf_config_api *config, char ret_url[HF_API_URL_MAX])
{
    ret_url[0] = 0;
    if (config->listen == NULL) {
        return;
    }
    size_t host = strcspn(config->listen, "@");
    bool is_ipv6 = memchr(config->listen, ':', host) != NULL;
    (void)snprintf(ret_url, HF_API_URL_MAX, "%s://%s%.*s%s:%s/",
                   config->certificate_path != NULL ? "https" : "http", is_ipv6 ? "[" : "",
                   (int)host, config->listen, is_ipv6 ? "]" : "", config->listen + host + 1);
}

int hf_api_make_tokens(const struct hf_config_api *config, char *why, size_t why_size)
{
    uint8_t octets[TOKEN_OCTETS];
    char token[2 * TOKEN_OCTETS + 1];
    char text[256];
    if (!config->tokens_are_default) {
        return HF_EEXIST;
    }
    if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets)) {
        (void)snprintf(why, why_size, "there is no randomness for a token");
        return HF_ESYS;
    }
    for (size_t i = 0; i < sizeof(octets); i++) {
        (void)snprintf(token + 2 * i, 3, "%02x", octets[i]);
    }
    int size = snprintf(text, sizeof(text),
                        "# ROLE NAME TOKEN, one a line; ROLE is read or operator.\n"
                        "operator admin %s\n",
                        token);
    int error = hf_folder_make_for(config->tokens_path, why, why_size);
    return error != HF_OK
               ? error
               : hf_file_create(config->tokens_path, FILE_MODE, text, (size_t)size, why, why_size);
}
