/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a probe keeps between its runs, for each of its two addresses: the connection, where the
 * configuration says so, and the TLS session.
 *
 * A session is kept as bytes, without the server's certificate: a client that resumes does not look
 * at it again. That leaves 371 octets of a usual session of TLS 1.3, where the certificate alone
 * has 400 to 2,000, and OpenSSL's own object takes several times as many. It is used by the probe
 * that got it only, so for the same server, name, authorities and verification, and until
 * check.resume after the full handshake or the end of a certificate in the chain, whichever comes
 * first; a connection that is kept likewise. Tickets that come with a resumed handshake do not
 * prolong it. A probe that does not pass forgets it.
 */
#include <assert.h>
#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/check_probe.h"

enum {
    SESSION_SIZE_MAX = 16 * 1024, /* octets as OpenSSL writes them; larger ones are not kept */
    PEER_TAG = 3,                 /* of the certificate, in OpenSSL's SSL_SESSION_ASN1 */
    MS_PER_S = 1000,
    S_PER_DAY = 86400,
};

struct session {
    uint8_t *bytes; /* DER; NULL: none */
    uint32_t size;
    uint64_t until_ms; /* uv_now */
};

struct hf_check_kept {
    struct hf_check_attempt *connections[2]; /* IPv4, IPv6 */
    struct session sessions[2];
};

static struct hf_check_kept *kept_of(struct hf_check_probe *probe)
{
    if (probe->kept == NULL) {
        probe->kept = calloc(1, sizeof *probe->kept);
        if (probe->kept == NULL) {
            abort();
        }
    }
    return probe->kept;
}

static void forget_session(struct hf_checker *checker, struct session *session)
{
    checker->sessions_size -= session->size;
    free(session->bytes);
    *session = (struct session){0};
}

void hf_check_keep_forget_session(struct hf_check_probe *probe)
{
    if (probe->kept != NULL) {
        forget_session(probe->checker, &probe->kept->sessions[probe->at_aaaa]);
    }
}

static void drop(struct hf_check_attempt *attempt)
{
    attempt->keeper->kept->connections[attempt->is_aaaa] = NULL;
    attempt->keeper = NULL;
    attempt->checker->kept_count--;
    hf_check_attempt_end(attempt);
}

void hf_check_keep_release(struct hf_check_probe *probe)
{
    if (probe->kept == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (probe->kept->connections[i] != NULL) {
            drop(probe->kept->connections[i]);
        }
        forget_session(probe->checker, &probe->kept->sessions[i]);
    }
    free(probe->kept);
    probe->kept = NULL;
}

/* --- connections --- */

bool hf_check_keep_connection(struct hf_check_attempt *attempt)
{
    struct hf_check_probe *probe = attempt->probe;
    struct hf_checker *checker = attempt->checker;
    if (!probe->recipe->check->reuse || !hf_http_is_reusable(&attempt->http) ||
        attempt->unsent.size > 0 || attempt->is_end_seen ||
        checker->kept_count >= checker->kept_max ||
        (attempt->ssl != NULL && hf_check_tls_has_more(attempt))) {
        return false;
    }
    assert(kept_of(probe)->connections[probe->at_aaaa] == NULL);
    kept_of(probe)->connections[probe->at_aaaa] = attempt;
    checker->kept_count++;
    attempt->is_aaaa = probe->at_aaaa;
    attempt->keeper = probe;
    probe->attempt = NULL;
    attempt->probe = NULL;
    return true;
}

struct hf_check_attempt *hf_check_keep_take_connection(struct hf_check_probe *probe)
{
    struct hf_check_attempt *attempt =
        probe->kept == NULL ? NULL : probe->kept->connections[probe->at_aaaa];
    if (attempt == NULL) {
        return NULL;
    }
    /* What came since is no answer to what will be asked; the loop may not have seen it yet. */
    uint8_t octet;
    bool is_quiet = recv(attempt->fd, &octet, 1, MSG_PEEK) < 0 && errno == EAGAIN;
    bool is_stale =
        attempt->ssl != NULL && uv_now(probe->checker->loop) >= attempt->trusted_until_ms;
    if (!is_quiet || is_stale) {
        drop(attempt);
        return NULL;
    }
    probe->kept->connections[probe->at_aaaa] = NULL;
    probe->checker->kept_count--;
    attempt->keeper = NULL;
    return attempt;
}

void hf_check_keep_idle_events(struct hf_check_attempt *attempt)
{
    struct hf_checker *checker = attempt->checker;
    ssize_t size = recv(attempt->fd, checker->read_room, HF_CHECK_READ_ROOM, 0);
    bool is_quiet = size < 0 && errno == EAGAIN;
    bool is_harmless = size > 0 && size < HF_CHECK_READ_ROOM && attempt->ssl != NULL &&
                       hf_check_tls_idle(attempt, checker->read_room, (size_t)size);
    if (!is_quiet && !is_harmless) {
        drop(attempt);
    }
}

/* --- sessions --- */

/* How long the certificates that were verified are valid from now, in ms; 0: no longer. */
static uint64_t validity_ms(SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    uint64_t least_ms = UINT64_MAX;
    for (int i = 0; i < sk_X509_num(chain); i++) { /* none where nothing is verified: -1 */
        int days = 0;
        int seconds = 0;
        const ASN1_TIME *end = X509_get0_notAfter(sk_X509_value(chain, i));
        if (ASN1_TIME_diff(&days, &seconds, NULL, end) != 1 || days < 0 || seconds < 0) {
            return 0;
        }
        uint64_t ms = ((uint64_t)days * S_PER_DAY + (uint64_t)seconds) * MS_PER_S;
        least_ms = ms < least_ms ? ms : least_ms;
    }
    return least_ms;
}

void hf_check_keep_trust(struct hf_check_attempt *attempt)
{
    struct hf_check_probe *probe = attempt->probe;
    if (attempt->trusted_until_ms != 0) {
        return;
    }
    if (SSL_session_reused(attempt->ssl)) {
        assert(probe->kept != NULL);
        attempt->trusted_until_ms = probe->kept->sessions[probe->at_aaaa].until_ms;
        return;
    }
    uint64_t limit_ms = probe->recipe->check->resume_ms;
    uint64_t valid_ms = limit_ms == 0 ? 0 : validity_ms(attempt->ssl);
    attempt->trusted_until_ms =
        uv_now(probe->checker->loop) + (valid_ms < limit_ms ? valid_ms : limit_ms);
}

/* The fields of a SEQUENCE without the certificate, written to the front of bytes; their size. */
static size_t without_peer(uint8_t *bytes, const uint8_t *fields, size_t size)
{
    size_t kept = 0;
    const uint8_t *at = fields;
    const uint8_t *end = fields + size;
    while (at < end) {
        const uint8_t *content = at;
        long content_size;
        int tag;
        int class;
        if ((ASN1_get_object(&content, &content_size, &tag, &class, end - at) & 0x80) != 0) {
            return 0;
        }
        size_t field_size = (size_t)(content - at) + (size_t)content_size;
        if (class != V_ASN1_CONTEXT_SPECIFIC || tag != PEER_TAG) {
            memcpy(bytes + kept, at, field_size);
            kept += field_size;
        }
        at += field_size;
    }
    return kept;
}

/* The session as it is kept, at most SESSION_SIZE_MAX octets; its size, or 0 where it cannot be. */
static size_t encode(SSL_SESSION *session, uint8_t *room)
{
    uint8_t whole[SESSION_SIZE_MAX];
    uint8_t *end = whole;
    int size = i2d_SSL_SESSION(session, NULL);
    if (size <= 0 || size > SESSION_SIZE_MAX) {
        return 0;
    }
    (void)i2d_SSL_SESSION(session, &end);
    const uint8_t *fields = whole;
    long fields_size;
    int tag;
    int class;
    if ((ASN1_get_object(&fields, &fields_size, &tag, &class, size) & 0x80) != 0) {
        return 0;
    }
    uint8_t shorter[SESSION_SIZE_MAX];
    size_t kept = without_peer(shorter, fields, (size_t)fields_size);
    uint8_t *at = room;
    if (kept == 0) {
        return 0;
    }
    ASN1_put_object(&at, 1, (int)kept, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(at, shorter, kept);
    return (size_t)(at - room) + kept;
}

void hf_check_keep_session(struct hf_check_attempt *attempt, SSL_SESSION *given)
{
    struct hf_check_probe *probe = attempt->probe;
    struct hf_checker *checker = attempt->checker;
    uint8_t bytes[SESSION_SIZE_MAX];
    if (probe == NULL) { /* a late ticket on a connection that is kept */
        return;
    }
    hf_check_keep_trust(attempt);
    struct session *session = &kept_of(probe)->sessions[probe->at_aaaa];
    bool is_another = session->bytes != NULL && session->until_ms == attempt->trusted_until_ms;
    if (is_another || uv_now(checker->loop) >= attempt->trusted_until_ms) {
        return;
    }
    size_t size = encode(given, bytes);
    if (size == 0 || checker->sessions_size + size > HF_CHECK_SESSIONS_SIZE_MAX) {
        return;
    }
    forget_session(checker, session);
    session->bytes = malloc(size);
    if (session->bytes == NULL) {
        abort();
    }
    memcpy(session->bytes, bytes, size);
    session->size = (uint32_t)size;
    session->until_ms = attempt->trusted_until_ms;
    checker->sessions_size += size;
}

bool hf_check_keep_offer_session(struct hf_check_attempt *attempt)
{
    struct hf_check_probe *probe = attempt->probe;
    struct session *session = probe->kept == NULL ? NULL : &probe->kept->sessions[probe->at_aaaa];
    if (session == NULL || session->bytes == NULL) {
        return false;
    }
    if (uv_now(probe->checker->loop) >= session->until_ms) {
        forget_session(probe->checker, session);
        return false;
    }
    const uint8_t *at = session->bytes;
    SSL_SESSION *read = d2i_SSL_SESSION(NULL, &at, (long)session->size);
    bool is_offered = read != NULL && SSL_set_session(attempt->ssl, read) == 1;
    SSL_SESSION_free(read);
    if (!is_offered) {
        forget_session(probe->checker, session);
    }
    return is_offered;
}
