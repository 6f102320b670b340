/*
 * service_kinds: how each service of a VM answers.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "services.h"

/* --- echo, discard --- */

static void echo_data(struct service_conn *c, char *data, size_t n)
{
    service_send(c, data, n);
}

const struct service_kind service_echo = {"echo", NULL, echo_data, NULL};

static void discard_data(struct service_conn *c, char *data, size_t n)
{
}

const struct service_kind service_discard = {"discard", NULL, discard_data, NULL};

/* --- numbered --- */

static void numbered_open(struct service_conn *c)
{
    int n = snprintf(c->buf, SERVICE_BUF, "%u\n", c->port);
    service_send(c, c->buf, (size_t)n);
}

const struct service_kind service_numbered = {"numbered", numbered_open, echo_data, NULL};

/* --- source: phase 0 waits for the count, phase 1 sends --- */

void services_stream(uint64_t offset, void *out, size_t n)
{
    unsigned char *p = out;
    for (uint64_t k = offset / 8; n; k++) {
        uint64_t z = (k + 1) * 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        z ^= z >> 31;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        z = __builtin_bswap64(z);
#endif
        size_t take = n < 8 ? n : 8;
        memcpy(p, &z, take);
        p += take;
        n -= take;
    }
}

static void source_data(struct service_conn *c, char *data, size_t n)
{
    if (c->phase == 0) {
        c->kept += n;
        if (c->kept < 8)
            return;
        for (int i = 0; i < 8; i++)
            c->left = c->left << 8 | (unsigned char)c->buf[i];
        c->phase = 1;
    } else if (data) {
        return; /* more than a count was sent: not ours to read */
    }
    c->kept = 0;
    if (c->left == 0) {
        service_finish(c);
        return;
    }
    size_t k = c->left < SERVICE_BUF ? (size_t)c->left : SERVICE_BUF;
    services_stream(c->offset, c->buf, k);
    c->offset += k;
    c->left -= k;
    service_send(c, c->buf, k);
}

static void source_end(struct service_conn *c)
{
    if (c->ending)
        service_abort(c);
    else if (c->phase == 0)
        service_finish(c);
}

const struct service_kind service_source = {"source", NULL, source_data, source_end};

/* --- digest --- */

/* Called once at the start, and once more at the end to give the digest back. */
static void digest_open(struct service_conn *c)
{
    if (c->digest) {
        EVP_MD_CTX_free(c->digest);
        c->digest = NULL;
        return;
    }
    c->digest = EVP_MD_CTX_new();
    if (!c->digest || !EVP_DigestInit_ex(c->digest, EVP_sha256(), NULL))
        service_abort(c);
}

static void digest_data(struct service_conn *c, char *data, size_t n)
{
    EVP_DigestUpdate(c->digest, data, n);
    c->left += n;
}

static void digest_end(struct service_conn *c)
{
    unsigned char sum[32];
    unsigned len = 0;
    EVP_DigestFinal_ex(c->digest, sum, &len);
    int n = snprintf(c->buf, SERVICE_BUF, "%llu ", (unsigned long long)c->left);
    for (unsigned i = 0; i < len; i++)
        n += snprintf(c->buf + n, SERVICE_BUF - (size_t)n, "%02x", sum[i]);
    c->buf[n++] = '\n';
    service_send(c, c->buf, (size_t)n);
    service_finish(c);
}

const struct service_kind service_digest = {"digest", digest_open, digest_data, digest_end};

/* --- http: one answer a connection --- */

static void http_data(struct service_conn *c, char *data, size_t n)
{
    (void)data;
    if (c->ending)
        return;
    c->kept += n;
    if (!memmem(c->buf, c->kept, "\r\n\r\n", 4) && c->kept < 16384)
        return;
    c->kept = 0;
    int len = snprintf(
        c->buf, SERVICE_BUF,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
        strlen(c->vm_name) + 1, c->vm_name);
    service_send(c, c->buf, (size_t)len);
    service_finish(c);
}

const struct service_kind service_http = {"http", NULL, http_data, NULL};

/* --- rdp: phase 0 waits for the X.224 connection request, phase 1 echoes --- */

#define RDP_NEG_REQ 1
#define RDP_PROTOCOL_SSL 1
#define RDP_PROTOCOL_HYBRID 2

/* TPKT (RFC 1006 section 6), X.224 CR, perhaps a cookie line, perhaps an RDP negotiation request at its end.
 */
static void rdp_request(struct service_conn *c, size_t len)
{
    static const unsigned char plain[] = {3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0};
    const unsigned char *b = (const unsigned char *)c->buf;
    const unsigned char *neg = len >= 19 ? b + len - 8 : NULL;
    unsigned char reply[19];
    size_t n = sizeof plain;
    memcpy(reply, plain, sizeof plain);
    if (neg && neg[0] == RDP_NEG_REQ && neg[2] == 8 && neg[3] == 0) {
        unsigned char chosen = neg[4] & RDP_PROTOCOL_HYBRID ? RDP_PROTOCOL_HYBRID : neg[4] & RDP_PROTOCOL_SSL;
        const unsigned char response[8] = {2, 0x1f, 8, 0, chosen, 0, 0, 0};
        memcpy(reply + n, response, sizeof response);
        n += sizeof response;
        reply[3] = (unsigned char)n;
        reply[4] = (unsigned char)(n - 5);
    }
    c->phase = 1;
    size_t more = c->kept - len; /* what came behind the request is echoed behind the confirm */
    memmove(c->buf + n, c->buf + len, more);
    memcpy(c->buf, reply, n);
    c->kept = 0;
    service_send(c, c->buf, n + more);
}

static void rdp_data(struct service_conn *c, char *data, size_t n)
{
    if (c->phase) {
        service_send(c, data, n);
        return;
    }
    c->kept += n;
    const unsigned char *b = (const unsigned char *)c->buf;
    if (c->kept < 7)
        return;
    size_t len = (size_t)b[2] << 8 | b[3];
    if (b[0] != 3 || len < 11 || len > 1024 || b[5] != 0xe0) {
        service_abort(c);
        return;
    }
    if (c->kept >= len)
        rdp_request(c, len);
}

const struct service_kind service_rdp = {"rdp", NULL, rdp_data, NULL};
