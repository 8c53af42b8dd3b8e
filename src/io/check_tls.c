/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "io/check_probe.h"

enum {
    TLS_CONTEXTS_MAX = 1024,
    TLS_HOST_MAX = 255, /* octets of a name in SNI */
};

/* A CA file that was written anew is another file: probes added later trust what it says then. */
struct hf_check_tls {
    struct hf_check_tls *next;
    SSL_CTX *context;
    char *ca_file; /* NULL: the system's */
    struct stat ca_stat;
    bool verify;
    uint32_t recipe_count;
};

static const char *last_error(void)
{
    unsigned long error = ERR_peek_last_error();
    const char *text = error == 0 ? NULL : ERR_reason_error_string(error);
    return text == NULL ? "unknown error" : text;
}

static bool is_same_ca(const struct hf_check_tls *tls, const char *ca_file,
                       const struct stat *ca_stat)
{
    if (ca_file == NULL || tls->ca_file == NULL) {
        return ca_file == NULL && tls->ca_file == NULL;
    }
    return strcmp(tls->ca_file, ca_file) == 0 && tls->ca_stat.st_ino == ca_stat->st_ino &&
           tls->ca_stat.st_size == ca_stat->st_size &&
           tls->ca_stat.st_mtim.tv_sec == ca_stat->st_mtim.tv_sec &&
           tls->ca_stat.st_mtim.tv_nsec == ca_stat->st_mtim.tv_nsec;
}

static int load_trust(SSL_CTX *context, const char *ca_file, char ret_why[HF_CHECK_WHY_MAX])
{
    ERR_clear_error();
    int loaded = ca_file == NULL ? SSL_CTX_set_default_verify_paths(context)
                                 : SSL_CTX_load_verify_file(context, ca_file);
    if (loaded != 1) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "CA file %s: %s",
                       ca_file == NULL ? "of the system" : ca_file, last_error());
        return HF_EINVAL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return HF_OK;
}

/* A ticket that comes with a resumed handshake would outlive the verification: see check_keep.c. */
static int session_given(SSL *ssl, SSL_SESSION *session)
{
    if (!SSL_session_reused(ssl)) {
        hf_check_keep_session(SSL_get_app_data(ssl), session);
    }
    return 0;
}

static int new_context(const struct hf_config_check *check, SSL_CTX **ret_context,
                       char ret_why[HF_CHECK_WHY_MAX])
{
    static const uint8_t protocols[] = "\x08http/1.1";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        abort();
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, session_given);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    int error = check->verify ? load_trust(context, check->ca_file, ret_why) : HF_OK;
    if (error != HF_OK) {
        SSL_CTX_free(context);
        return error;
    }
    *ret_context = context;
    return HF_OK;
}

int hf_check_tls_get(struct hf_checker *checker, const struct hf_config_check *check,
                     struct hf_check_tls **ret_tls, char ret_why[HF_CHECK_WHY_MAX])
{
    const char *ca_file = check->verify ? check->ca_file : NULL;
    struct stat ca_stat = {0};
    if (ca_file != NULL && stat(ca_file, &ca_stat) != 0) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "CA file %s: no such file", ca_file);
        return HF_EINVAL;
    }
    unsigned count = 0;
    for (struct hf_check_tls *tls = checker->tls_contexts; tls != NULL; tls = tls->next) {
        if (tls->verify == check->verify && is_same_ca(tls, ca_file, &ca_stat)) {
            tls->recipe_count++;
            *ret_tls = tls;
            return HF_OK;
        }
        count++;
    }
    if (count == TLS_CONTEXTS_MAX) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "more than %d CA files", TLS_CONTEXTS_MAX);
        return HF_ELIMIT;
    }
    SSL_CTX *context;
    int error = new_context(check, &context, ret_why);
    if (error != HF_OK) {
        return error;
    }
    struct hf_check_tls *tls = calloc(1, sizeof *tls);
    char *path = ca_file == NULL ? NULL : strdup(ca_file);
    if (tls == NULL || (ca_file != NULL && path == NULL)) {
        abort();
    }
    *tls = (struct hf_check_tls){.next = checker->tls_contexts,
                                 .context = context,
                                 .ca_file = path,
                                 .ca_stat = ca_stat,
                                 .verify = check->verify,
                                 .recipe_count = 1};
    checker->tls_contexts = tls;
    *ret_tls = tls;
    return HF_OK;
}

void hf_check_tls_put(struct hf_checker *checker, struct hf_check_tls *tls)
{
    if (--tls->recipe_count > 0) {
        return;
    }
    struct hf_check_tls **at = &checker->tls_contexts;
    while (*at != tls) {
        at = &(*at)->next;
    }
    *at = tls->next;
    SSL_CTX_free(tls->context);
    free(tls->ca_file);
    free(tls);
}

/*
 * The host without what belongs to the Host header only: the brackets of an IPv6 address, a port.
 * Names in SNI and certificates have no final dot (RFC 6066 3).
 */
static bool peer_name(const char *host, char ret_name[TLS_HOST_MAX + 1])
{
    size_t size = strlen(host);
    const char *colon = strchr(host, ':');
    if (host[0] == '[') {
        host++;
        size = strcspn(host, "]");
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        size = (size_t)(colon - host);
    }
    if (size > 1 && host[size - 1] == '.') {
        size--;
    }
    if (size == 0 || size > TLS_HOST_MAX) {
        return false;
    }
    memcpy(ret_name, host, size);
    ret_name[size] = 0;
    return true;
}

/* Whom the certificate must name: check.host (a name or an address), else the address probed. */
static bool set_peer(const struct hf_check_attempt *attempt)
{
    const struct hf_check_probe *probe = attempt->probe;
    const char *host = probe->recipe->check->host;
    X509_VERIFY_PARAM *param = SSL_get0_param(attempt->ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (host == NULL) {
        return probe->at_aaaa ? X509_VERIFY_PARAM_set1_ip(param, probe->backend->aaaa, 16) == 1
                              : X509_VERIFY_PARAM_set1_ip(param, probe->backend->a, 4) == 1;
    }
    char name[TLS_HOST_MAX + 1];
    if (!peer_name(host, name)) {
        return false;
    }
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1) {
        return true; /* SNI is for names only (RFC 6066 3) */
    }
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
           SSL_set_tlsext_host_name(attempt->ssl, name) == 1;
}

static void flush(struct hf_check_attempt *attempt)
{
    char *bytes = NULL;
    BIO *out = SSL_get_wbio(attempt->ssl);
    long size = BIO_get_mem_data(out, &bytes);
    if (size > 0) {
        hf_check_send(attempt, bytes, (size_t)size);
        (void)BIO_reset(out);
    }
}

static void fail(struct hf_check_attempt *attempt)
{
    long verified = SSL_get_verify_result(attempt->ssl);
    const struct hf_config_check *check = attempt->probe->recipe->check;
    if (check->verify && verified != X509_V_OK) {
        hf_check_attempt_failed(attempt, "tls: certificate: %s",
                                X509_verify_cert_error_string(verified));
    } else {
        hf_check_attempt_failed(attempt, "tls: %s", last_error());
    }
}

static void shake_hands(struct hf_check_attempt *attempt)
{
    ERR_clear_error();
    int result = SSL_do_handshake(attempt->ssl);
    if (result != 1 && SSL_get_error(attempt->ssl, result) != SSL_ERROR_WANT_READ) {
        fail(attempt);
        return;
    }
    if (result == 1) {
        hf_check_keep_trust(attempt);
        /* the request goes out with the end of the handshake */
        hf_check_http_start(attempt);
    } else {
        flush(attempt);
    }
}

void hf_check_tls_start(struct hf_check_attempt *attempt)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(attempt->probe->recipe->tls->context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (ssl == NULL || in == NULL || out == NULL) {
        abort();
    }
    BIO_set_mem_eof_return(in, -1); /* empty means: more will come */
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    attempt->ssl = ssl;
    attempt->trusted_until_ms = 0;
    (void)SSL_set_app_data(ssl, attempt);
    if (set_peer(attempt)) {
        attempt->is_session_given = hf_check_keep_offer_session(attempt);
        shake_hands(attempt);
    } else {
        hf_check_attempt_failed(attempt, "tls: the host cannot be a certificate's name");
    }
}

void hf_check_tls_send(struct hf_check_attempt *attempt, const void *bytes, size_t size)
{
    ERR_clear_error();
    int written = SSL_write(attempt->ssl, bytes, (int)size);
    if (written <= 0) { /* cannot be: the way out is memory */
        fail(attempt);
        return;
    }
    flush(attempt);
}

static void read_plain(struct hf_check_attempt *attempt)
{
    struct hf_checker *checker = attempt->checker;
    while (attempt->probe != NULL) {
        ERR_clear_error();
        int size = SSL_read(attempt->ssl, checker->plain_room, sizeof checker->plain_room);
        if (size > 0) {
            hf_check_http_read(attempt, checker->plain_room, (size_t)size);
            continue;
        }
        int reason = SSL_get_error(attempt->ssl, size);
        if (reason == SSL_ERROR_WANT_READ) {
            flush(attempt); /* an answer to a key update */
            return;
        }
        if (reason == SSL_ERROR_ZERO_RETURN) {
            hf_check_http_read_close(attempt);
            /* A close where more was due: the reader has said so, or the response is done. */
            return;
        }
        fail(attempt);
    }
}

void hf_check_tls_read(struct hf_check_attempt *attempt, const uint8_t *bytes, size_t size)
{
    assert(size <= INT32_MAX);
    if (BIO_write(SSL_get_rbio(attempt->ssl), bytes, (int)size) != (int)size) {
        abort();
    }
    if (!SSL_is_init_finished(attempt->ssl)) {
        shake_hands(attempt);
    }
    if (attempt->probe != NULL && SSL_is_init_finished(attempt->ssl)) {
        read_plain(attempt);
    }
}

/* Many servers close without close_notify; the response itself says whether it is whole. */
void hf_check_tls_read_close(struct hf_check_attempt *attempt)
{
    if (SSL_is_init_finished(attempt->ssl)) {
        hf_check_http_read_close(attempt);
    } else {
        hf_check_attempt_failed(attempt, "tls handshake: closed by the server");
    }
}

bool hf_check_tls_has_more(const struct hf_check_attempt *attempt)
{
    return SSL_pending(attempt->ssl) > 0 || BIO_ctrl_pending(SSL_get_rbio(attempt->ssl)) > 0;
}

bool hf_check_tls_idle(struct hf_check_attempt *attempt, const uint8_t *bytes, size_t size)
{
    uint8_t octet;
    if (BIO_write(SSL_get_rbio(attempt->ssl), bytes, (int)size) != (int)size) {
        abort();
    }
    ERR_clear_error();
    int result = SSL_read(attempt->ssl, &octet, 1);
    if (result > 0 || SSL_get_error(attempt->ssl, result) != SSL_ERROR_WANT_READ) {
        return false;
    }
    flush(attempt);
    return true;
}
