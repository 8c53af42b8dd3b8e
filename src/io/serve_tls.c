/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS. GnuTLS asks for the certificate in each handshake, so that one that was written anew serves
 * from the next connection on. Each handshake owns its copy: nothing is shared with those under
 * way when it changes.
 */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "io/folder.h"
#include "io/serve_internal.h"

enum { PEM_ROOM = 256 * 1024, CHAIN_MAX = 8 };

struct serve_tls {
    struct serve_file certificate_file, key_file;
    char *certificate, *key; /* PEM */
};

static gnutls_datum_t datum_of(const char *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)text,
                            .size = (unsigned)strlen(text)};
}

/* Whether it is a certificate, with its key; *ret_why is static. */
static int check_pair(const char *certificate, const char *key, const char **ret_why)
{
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t certificate_pem = datum_of(certificate), key_pem = datum_of(key);
    if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS) {
        abort();
    }
    int code = gnutls_certificate_set_x509_key_mem(credentials, &certificate_pem, &key_pem,
                                                   GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    *ret_why = code < 0 ? gnutls_strerror(code) : "";
    return code < 0 ? HF_EMALF : HF_OK;
}

/* Replaces what there was only by what is right. */
static int load(struct hf_serve *serve)
{
    struct serve_tls *tls = serve->tls;
    char *certificate = calloc(1, PEM_ROOM), *key = calloc(1, PEM_ROOM);
    const char *why = "it cannot be read", *path = tls->certificate_file.path;
    if (certificate == NULL || key == NULL) {
        abort();
    }
    int error = hf_file_read(path, certificate, PEM_ROOM);
    if (error == HF_OK) {
        path = tls->key_file.path;
        error = hf_file_read(path, key, PEM_ROOM);
    }
    if (error == HF_OK) {
        error = check_pair(certificate, key, &why);
    }
    if (error == HF_OK) {
        free(tls->certificate);
        free(tls->key);
        tls->certificate = certificate;
        tls->key = key;
        return HF_OK;
    }
    hf_log(serve->log, HF_LOG_ERROR, "api_certificate_wrong", "path=%s why=%s", path, why);
    free(certificate);
    free(key);
    return HF_EMALF;
}

int hf_serve_tls_open(struct hf_serve *serve)
{
    if (serve->options.certificate_path == NULL || serve->options.key_path == NULL) {
        return serve->options.certificate_path == serve->options.key_path ? HF_OK : HF_EMALF;
    }
    serve->tls = calloc(1, sizeof *serve->tls);
    if (serve->tls == NULL) {
        abort();
    }
    serve->tls->certificate_file.path = serve->options.certificate_path;
    serve->tls->key_file.path = serve->options.key_path;
    (void)hf_serve_file_changed(&serve->tls->certificate_file);
    (void)hf_serve_file_changed(&serve->tls->key_file);
    return load(serve);
}

void hf_serve_tls_close(struct hf_serve *serve)
{
    if (serve->tls != NULL) {
        free(serve->tls->certificate);
        free(serve->tls->key);
        free(serve->tls);
        serve->tls = NULL;
    }
}

void hf_serve_tls_tick(struct hf_serve *serve)
{
    if (serve->tls == NULL) {
        return;
    }
    bool certificate_changed = hf_serve_file_changed(&serve->tls->certificate_file);
    bool key_changed = hf_serve_file_changed(&serve->tls->key_file);
    if ((certificate_changed || key_changed) && load(serve) == HF_OK) {
        hf_log(serve->log, HF_LOG_INFO, "api_certificate_read", "path=%s",
               serve->options.certificate_path);
    }
}

static void release(gnutls_pcert_st *chain, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        gnutls_pcert_deinit(&chain[i]);
    }
    gnutls_free(chain);
}

int hf_serve_tls_retrieve(struct gnutls_session_int *session,
                          const struct gnutls_cert_retr_st *info, gnutls_pcert_st **ret_chain,
                          unsigned *ret_count, gnutls_ocsp_data_st **ret_ocsp,
                          unsigned *ret_ocsp_count, gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
    struct MHD_Connection *mhd = gnutls_session_get_ptr(session);
    const struct serve_connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    const struct serve_tls *tls = connection->serve->tls;
    gnutls_datum_t certificate = datum_of(tls->certificate), key = datum_of(tls->key);
    gnutls_pcert_st *chain = gnutls_malloc(CHAIN_MAX * sizeof *chain);
    gnutls_privkey_t privkey = NULL;
    unsigned count = CHAIN_MAX;
    (void)info;
    if (chain == NULL) {
        return -1;
    }
    if (gnutls_pcert_list_import_x509_raw(chain, &count, &certificate, GNUTLS_X509_FMT_PEM, 0) <
        0) {
        gnutls_free(chain);
        return -1;
    }
    if (gnutls_privkey_init(&privkey) < 0 ||
        gnutls_privkey_import_x509_raw(privkey, &key, GNUTLS_X509_FMT_PEM, NULL, 0) < 0) {
        gnutls_privkey_deinit(privkey);
        release(chain, count);
        return -1;
    }
    *ret_chain = chain;
    *ret_count = count;
    *ret_ocsp = NULL;
    *ret_ocsp_count = 0;
    *ret_key = privkey;
    *ret_flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}
