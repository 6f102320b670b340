/*
 * socks_reply: what a client of a dynamic forward is answered, in its own protocol.
 *
 * The texts say what befell the request and nothing about this machine or the VM: whoever may connect to the
 * forward reads them.
 */
#include <stdio.h>
#include <string.h>

#include "socks.h"

struct row {
    uint8_t v4, v5;     /* SOCKS 4's CD, SOCKS 5's REP (RFC 1928 §6) */
    const char *status; /* of HTTP */
    const char *text;
};

#define GRANTED 90
#define REJECTED 91
#define ADDRESS_IPV4 1
#define NO_ACCEPTABLE_METHOD 0xff

static const struct row rows[SOCKS_OUTCOMES] = {
    [SOCKS_CONNECTED] = {GRANTED, 0, "200 Connection established", "connected"},
    [SOCKS_FAILED] = {REJECTED, 1, "503 Service Unavailable",
                      "the VM cannot be asked now: adit status says more"},
    [SOCKS_FORBIDDEN] = {REJECTED, 2, "403 Forbidden", "the VM's SSH server does not allow it"},
    [SOCKS_NET_UNREACHABLE] = {REJECTED, 3, "502 Bad Gateway", "the VM has no way to the target's network"},
    [SOCKS_HOST_UNREACHABLE] = {REJECTED, 4, "502 Bad Gateway", "the VM cannot find or reach the target"},
    [SOCKS_TARGET_REFUSED] = {REJECTED, 5, "502 Bad Gateway", "the target refused the connection"},
    [SOCKS_TIMED_OUT] = {REJECTED, 6, "504 Gateway Timeout", "the target did not answer the VM in time"},
    [SOCKS_NO_METHOD] = {REJECTED, 1, NULL,
                         "the client offers SOCKS 5 only with authentication, and this proxy has none"},
    [SOCKS_NO_COMMAND] =
        {REJECTED, 7, "405 Method Not Allowed",
         "only CONNECT is served; plain HTTP needs a client that tunnels (curl: --proxytunnel)"},
    [SOCKS_NO_ADDRESS] = {REJECTED, 8, NULL, "the type of the address is unknown"},
    [SOCKS_MALFORMED] = {REJECTED, 1, "400 Bad Request", "the request names no host and port"},
    [SOCKS_TOO_LONG] = {REJECTED, 1, "431 Request Header Fields Too Large", "the request is too long"},
    [SOCKS_BAD_VERSION] = {REJECTED, 1, "505 HTTP Version Not Supported", "this is not HTTP/1.x"},
    [SOCKS_NOT_SPOKEN] = {REJECTED, 1, "400 Bad Request", "this is neither SOCKS nor HTTP CONNECT"},
};

static size_t http(const struct row *row, bool connected, char *out)
{
    int n;
    if (connected)
        n = snprintf(out, SOCKS_REPLY_MAX, "HTTP/1.1 %s\r\n\r\n", row->status);
    else
        n = snprintf(out, SOCKS_REPLY_MAX,
                     "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%sConnection: "
                     "close\r\n\r\nadit: %s\n",
                     row->status, strlen(row->text) + sizeof "adit: \n" - 1,
                     row == &rows[SOCKS_NO_COMMAND] ? "Allow: CONNECT\r\n" : "", row->text);
    return (size_t)n;
}

size_t socks_reply(const struct socks *s, enum socks_outcome outcome, char out[SOCKS_REPLY_MAX])
{
    const struct row *row = &rows[outcome];
    switch (s->protocol) {
    case SOCKS_V4:
        memset(out, 0, 8);
        out[1] = (char)row->v4;
        return 8;
    case SOCKS_V5:
        out[0] = 5;
        out[1] = (char)(s->agreed ? row->v5 : NO_ACCEPTABLE_METHOD);
        if (!s->agreed)
            return 2;
        /* No address of the VM's is known: 0.0.0.0:0. */
        memset(out + 2, 0, 8);
        out[3] = ADDRESS_IPV4;
        return 10;
    case SOCKS_HTTP:
        return http(row, outcome == SOCKS_CONNECTED, out);
    case SOCKS_UNKNOWN:
        break;
    }
    return 0;
}

enum socks_outcome socks_outcome_of(const struct err *err)
{
    static const struct {
        const char *words;
        enum socks_outcome outcome;
    } known[] = {
        {"administratively prohibited", SOCKS_FORBIDDEN},
        {"resource shortage", SOCKS_FAILED},
        {"unknown channel type", SOCKS_FORBIDDEN},
        {"timed out", SOCKS_TIMED_OUT},
        {"network is unreachable", SOCKS_NET_UNREACHABLE},
        {"unreachable", SOCKS_HOST_UNREACHABLE},
        {"no route", SOCKS_HOST_UNREACHABLE},
        {"not known", SOCKS_HOST_UNREACHABLE},
        {"unknown host", SOCKS_HOST_UNREACHABLE},
        {"name resolution", SOCKS_HOST_UNREACHABLE},
        {"address associated", SOCKS_HOST_UNREACHABLE},
    };
    if (err->code == ERR_TIMEOUT)
        return SOCKS_TIMED_OUT;
    if (err->code != ERR_REFUSED)
        return SOCKS_FAILED;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasestr(err->msg, known[i].words))
            return known[i].outcome;
    return SOCKS_TARGET_REFUSED;
}

const char *socks_outcome_text(enum socks_outcome outcome)
{
    return rows[outcome].text;
}
