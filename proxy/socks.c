/*
 * socks: the parser. One byte at a time, so that it does not matter how the bytes were cut on their way.
 *
 *   START ─4─▶ 4_HEAD ─▶ 4_USER ─▶ [4_HOST] ─▶ OVER
 *         ├5─▶ 5_COUNT ─▶ 5_METHODS ─▶ 5_HEAD ─▶ [5_LENGTH ─▶] 5_HOST ─▶ 5_PORT ─▶ OVER
 *         └A–Z▶ HTTP_LINE ─▶ HTTP_HEADER ─▶ OVER
 *
 * Parts of a known length are gathered in `part` until `need` bytes are there; every need is at most 255, and
 * whatever ends with a mark instead is counted against a limit of its own.
 */
#include "socks.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define CONNECT 1
#define METHOD_NONE 0
#define ADDRESS_IPV4 1
#define ADDRESS_NAME 3
#define ADDRESS_IPV6 4

static enum socks_progress bad(struct socks *s, enum socks_outcome why)
{
    s->state = SOCKS_OVER;
    s->outcome = why;
    return SOCKS_BAD;
}

static enum socks_progress next(struct socks *s, enum socks_state state, unsigned need)
{
    s->state = state;
    s->need = (uint16_t)need;
    s->have = 0;
    return SOCKS_MORE;
}

/* Letters of names and addresses only: the host goes to a server, and into a log. */
static bool take_host(struct socks *s, const char *host, size_t len)
{
    if (len == 0 || len > SOCKS_HOST_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)host[i]) && (!host[i] || !strchr("-._:%", host[i])))
            return false;
    memcpy(s->host, host, len);
    s->host[len] = '\0';
    return true;
}

static enum socks_progress finish(struct socks *s)
{
    if (s->port == 0)
        return bad(s, SOCKS_MALFORMED);
    s->state = SOCKS_OVER;
    return SOCKS_DONE;
}

static uint16_t port_at(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* ---- SOCKS 4 and 4a ---- */

/* Command, port, address (4a: 0.0.0.x with x not 0, and a name behind the user). */
static enum socks_progress on_4_head(struct socks *s)
{
    if (s->part[0] != CONNECT)
        return bad(s, SOCKS_NO_COMMAND);
    const uint8_t *ip = s->part + 3;
    s->port = port_at(s->part + 1);
    bool named = !ip[0] && !ip[1] && !ip[2] && ip[3];
    if (!named)
        inet_ntop(AF_INET, ip, s->host, sizeof s->host);
    return next(s, SOCKS_4_USER, 0);
}

static enum socks_progress on_4_user(struct socks *s, uint8_t c)
{
    if (c != 0)
        return ++s->have > SOCKS_USER_MAX ? bad(s, SOCKS_MALFORMED) : SOCKS_MORE;
    return *s->host ? finish(s) : next(s, SOCKS_4_HOST, 0);
}

static enum socks_progress on_4_host(struct socks *s, uint8_t c)
{
    if (c == 0)
        return take_host(s, (const char *)s->part, s->have) ? finish(s) : bad(s, SOCKS_MALFORMED);
    if (s->have == SOCKS_HOST_MAX)
        return bad(s, SOCKS_MALFORMED);
    s->part[s->have++] = c;
    return SOCKS_MORE;
}

/* ---- SOCKS 5 ---- */

static enum socks_progress on_5_methods(struct socks *s)
{
    if (!memchr(s->part, METHOD_NONE, s->need))
        return bad(s, SOCKS_NO_METHOD);
    s->agreed = true;
    next(s, SOCKS_5_HEAD, 4);
    return SOCKS_METHOD;
}

/* Version, command, reserved, type of address. */
static enum socks_progress on_5_head(struct socks *s)
{
    if (s->part[0] != 5)
        return bad(s, SOCKS_MALFORMED);
    if (s->part[1] != CONNECT)
        return bad(s, SOCKS_NO_COMMAND);
    s->address_type = s->part[3];
    switch (s->address_type) {
    case ADDRESS_IPV4:
        return next(s, SOCKS_5_HOST, 4);
    case ADDRESS_IPV6:
        return next(s, SOCKS_5_HOST, 16);
    case ADDRESS_NAME:
        return next(s, SOCKS_5_LENGTH, 1);
    default:
        return bad(s, SOCKS_NO_ADDRESS);
    }
}

static enum socks_progress on_5_host(struct socks *s)
{
    bool ok = true;
    if (s->address_type == ADDRESS_NAME)
        ok = take_host(s, (const char *)s->part, s->need);
    else
        inet_ntop(s->address_type == ADDRESS_IPV4 ? AF_INET : AF_INET6, s->part, s->host, sizeof s->host);
    return ok ? next(s, SOCKS_5_PORT, 2) : bad(s, SOCKS_MALFORMED);
}

/* ---- HTTP ---- */

/* "host:port" or "[v6]:port". */
static bool take_authority(struct socks *s, const char *text, size_t len)
{
    size_t colon = len;
    while (colon > 0 && text[colon - 1] != ':')
        colon--;
    size_t digits = len - colon;
    if (colon == 0 || digits == 0 || digits > 5)
        return false;
    unsigned long port = 0;
    for (size_t i = colon; i < len; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    if (port > UINT16_MAX)
        return false;
    s->port = (uint16_t)port;
    const char *host = text;
    size_t n = colon - 1;
    bool brackets = n > 2 && host[0] == '[' && host[n - 1] == ']';
    if (brackets) {
        host++;
        n -= 2;
    }
    return take_host(s, host, n) && brackets == (strchr(s->host, ':') != NULL);
}

/* METHOD SP authority SP HTTP/1.x (RFC 9112 §3) */
static enum socks_progress on_request_line(struct socks *s)
{
    const char *line = (const char *)s->part, *end = line + s->have;
    while (end > line && end[-1] == '\r')
        end--;
    const char *authority = memchr(line, ' ', (size_t)(end - line));
    const char *version = authority ? memchr(authority + 1, ' ', (size_t)(end - authority - 1)) : NULL;
    if (!version)
        return bad(s, SOCKS_MALFORMED);
    version++;
    if (end - version != 8 || memcmp(version, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)version[7]))
        return bad(s, end - version > 5 && memcmp(version, "HTTP/", 5) == 0 ? SOCKS_BAD_VERSION
                                                                            : SOCKS_MALFORMED);
    if (!take_authority(s, authority + 1, (size_t)(version - 1 - (authority + 1))) || s->port == 0)
        return bad(s, SOCKS_MALFORMED);
    return next(s, SOCKS_HTTP_HEADER, 0);
}

static enum socks_progress on_line_byte(struct socks *s, uint8_t c)
{
    static const char method[] = "CONNECT ";
    if (c == '\n')
        return on_request_line(s);
    if (s->have == SOCKS_LINE_MAX)
        return bad(s, SOCKS_TOO_LONG);
    s->part[s->have++] = c;
    /* Other methods are known by their first word: their line may be long, and is not waited for. */
    size_t len = sizeof method - 1;
    bool judge = s->have == len || (s->have < len && c == ' ');
    return judge && memcmp(s->part, method, s->have) != 0 ? bad(s, SOCKS_NO_COMMAND) : SOCKS_MORE;
}

static enum socks_progress on_header_byte(struct socks *s, uint8_t c)
{
    if (c == '\n') {
        if (!s->in_line)
            return finish(s);
        s->in_line = false;
    } else if (c != '\r') {
        s->in_line = true;
    }
    return SOCKS_MORE;
}

static enum socks_progress on_http_byte(struct socks *s, uint8_t c)
{
    if (++s->header > SOCKS_HEADER_MAX)
        return bad(s, SOCKS_TOO_LONG);
    return s->state == SOCKS_HTTP_LINE ? on_line_byte(s, c) : on_header_byte(s, c);
}

/* ---- all of them ---- */

static enum socks_progress on_first(struct socks *s, uint8_t c)
{
    if (c == 4) {
        s->protocol = SOCKS_V4;
        return next(s, SOCKS_4_HEAD, 7);
    }
    if (c == 5) {
        s->protocol = SOCKS_V5;
        return next(s, SOCKS_5_COUNT, 1);
    }
    if (c < 'A' || c > 'Z')
        return bad(s, SOCKS_NOT_SPOKEN);
    s->protocol = SOCKS_HTTP;
    next(s, SOCKS_HTTP_LINE, 0);
    return on_http_byte(s, c);
}

/* A part is complete. */
static enum socks_progress on_part(struct socks *s)
{
    switch (s->state) {
    case SOCKS_4_HEAD:
        return on_4_head(s);
    case SOCKS_5_COUNT:
        return s->part[0] ? next(s, SOCKS_5_METHODS, s->part[0]) : bad(s, SOCKS_NO_METHOD);
    case SOCKS_5_METHODS:
        return on_5_methods(s);
    case SOCKS_5_HEAD:
        return on_5_head(s);
    case SOCKS_5_LENGTH:
        return s->part[0] ? next(s, SOCKS_5_HOST, s->part[0]) : bad(s, SOCKS_MALFORMED);
    case SOCKS_5_HOST:
        return on_5_host(s);
    default:
        s->port = port_at(s->part);
        return finish(s);
    }
}

static enum socks_progress on_byte(struct socks *s, uint8_t c)
{
    switch (s->state) {
    case SOCKS_START:
        return on_first(s, c);
    case SOCKS_4_USER:
        return on_4_user(s, c);
    case SOCKS_4_HOST:
        return on_4_host(s, c);
    case SOCKS_HTTP_LINE:
    case SOCKS_HTTP_HEADER:
        return on_http_byte(s, c);
    default:
        s->part[s->have++] = c;
        return s->have < s->need ? SOCKS_MORE : on_part(s);
    }
}

enum socks_progress socks_feed(struct socks *s, const uint8_t *in, size_t n, size_t *used)
{
    enum socks_progress p = SOCKS_MORE;
    *used = 0;
    while (p == SOCKS_MORE && *used < n)
        p = on_byte(s, in[(*used)++]);
    return p;
}
