/*
 * err: writing, wrapping and classifying errors.
 *
 * Every text is first composed beside the error and only then copied into it, so that a message may quote the
 * one that it replaces.
 */
#include "err.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <uv.h>

#define ELLIPSIS "\xe2\x80\xa6"

struct code_info {
    int code;
    const char *name;
    int exit_status;
    int transient;
};

static const struct code_info codes[] = {
    {ERR_NOMEM, "nomem", EX_OSERR, 1},
    {ERR_INVAL, "invalid", EX_USAGE, 0},
    {ERR_CONFIG, "config", EX_CONFIG, 0},
    {ERR_SYSTEM, "system", EX_OSERR, 0},
    {ERR_TIMEOUT, "timeout", EX_TEMPFAIL, 1},
    {ERR_CANCELED, "canceled", EX_TEMPFAIL, 0},
    {ERR_CLOSED, "closed", EX_TEMPFAIL, 1},
    {ERR_PROTOCOL, "protocol", EX_PROTOCOL, 0},
    {ERR_REFUSED, "refused", EX_UNAVAILABLE, 1},
    {ERR_UNREACHABLE, "unreachable", EX_UNAVAILABLE, 1},
    {ERR_AUTH, "auth", EX_NOPERM, 0},
    {ERR_HOSTKEY, "hostkey", EX_NOPERM, 0},
    {ERR_NOTFOUND, "notfound", EX_UNAVAILABLE, 0},
    {ERR_AMBIGUOUS, "ambiguous", EX_USAGE, 0},
    {ERR_EXISTS, "exists", EX_UNAVAILABLE, 0},
    {ERR_DENIED, "denied", EX_NOPERM, 0},
    {ERR_UNAVAILABLE, "unavailable", EX_UNAVAILABLE, 1},
    {ERR_THROTTLED, "throttled", EX_TEMPFAIL, 1},
    {ERR_LIMIT, "limit", EX_TEMPFAIL, 1},
    {ERR_UNSUPPORTED, "unsupported", EX_UNAVAILABLE, 0},
    {ERR_VERSION, "version", EX_PROTOCOL, 0},
};

static const struct code_info *code_find(int code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

/* Copies as much of text as fits, never half a UTF-8 character. */
static void message_store(struct err *err, const char *text)
{
    size_t n = strlen(text);
    if (n < sizeof err->msg) {
        memcpy(err->msg, text, n + 1);
        return;
    }
    n = sizeof err->msg - sizeof ELLIPSIS;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(err->msg, text, n);
    memcpy(err->msg + n, ELLIPSIS, sizeof ELLIPSIS);
}

int err_setv(struct err *err, int code, const char *fmt, va_list ap)
{
    assert(code < 0);
    if (!err)
        return code;
    char text[2 * ERR_MSG_MAX];
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    err->code = code;
    message_store(err, text);
    return code;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_setv(err, code, fmt, ap);
    va_end(ap);
    return code;
}

static int code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOMEM:
    case ENOBUFS:
        return ERR_NOMEM;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ECANCELED:
        return ERR_CANCELED;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
    case ESHUTDOWN:
        return ERR_CLOSED;
    case EPROTO:
        return ERR_PROTOCOL;
    case ECONNREFUSED:
        return ERR_REFUSED;
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
        return ERR_UNREACHABLE;
    case ENOENT:
    case ENOTDIR:
        return ERR_NOTFOUND;
    case EEXIST:
    case EADDRINUSE:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case EMFILE:
    case ENFILE:
        return ERR_LIMIT;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return ERR_UNSUPPORTED;
    default:
        return ERR_SYSTEM;
    }
}

static int code_of_uv(int status)
{
    switch (status) {
    case UV_EOF:
        return ERR_CLOSED;
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EAI_ADDRFAMILY:
    case UV_EAI_AGAIN:
    case UV_EAI_FAIL:
        return ERR_UNREACHABLE;
    case UV_EAI_MEMORY:
        return ERR_NOMEM;
    case UV_EAI_CANCELED:
        return ERR_CANCELED;
    default:
        return code_of_errno(-status);
    }
}

/* strerror_r has two shapes; the return value tells which one it was. */
static const char *reason_of_errno(int errnum, char *buf, size_t size)
{
#ifdef __GLIBC__
    return strerror_r(errnum, buf, size);
#else
    return strerror_r(errnum, buf, size) == 0 ? buf : "unknown error";
#endif
}

int err_sys(struct err *err, int errnum, const char *fmt, ...)
{
    int code = code_of_errno(errnum);
    char reason[128];
    va_list ap;
    va_start(ap, fmt);
    if (err) {
        char what[ERR_MSG_MAX];
        if (vsnprintf(what, sizeof what, fmt, ap) < 0)
            what[0] = '\0';
        err_set(err, code, "%s: %s", what, reason_of_errno(errnum, reason, sizeof reason));
    }
    va_end(ap);
    return code;
}

int err_uv(struct err *err, int status, const char *fmt, ...)
{
    int code = code_of_uv(status);
    char reason[128];
    va_list ap;
    va_start(ap, fmt);
    if (err) {
        char what[ERR_MSG_MAX];
        if (vsnprintf(what, sizeof what, fmt, ap) < 0)
            what[0] = '\0';
        err_set(err, code, "%s: %s", what, uv_strerror_r(status, reason, sizeof reason));
    }
    va_end(ap);
    return code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    if (!err)
        return ERR_SYSTEM;
    if (err->code == 0)
        return 0;
    char context[ERR_MSG_MAX], text[2 * ERR_MSG_MAX + 2];
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(context, sizeof context, fmt, ap) < 0)
        context[0] = '\0';
    va_end(ap);
    snprintf(text, sizeof text, "%s: %s", context, err->msg);
    message_store(err, text);
    return err->code;
}

int err_hint(struct err *err, const char *fmt, ...)
{
    if (!err)
        return ERR_SYSTEM;
    if (err->code == 0)
        return 0;
    char hint[ERR_MSG_MAX], text[2 * ERR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(hint, sizeof hint, fmt, ap) < 0)
        hint[0] = '\0';
    va_end(ap);
    snprintf(text, sizeof text, "%s%s", err->msg, hint);
    message_store(err, text);
    return err->code;
}

void err_clear(struct err *err)
{
    if (!err)
        return;
    err->code = 0;
    err->msg[0] = '\0';
}

int err_copy(struct err *dst, const struct err *src, int fallback)
{
    int code = src && src->code ? src->code : fallback;
    if (!dst)
        return code;
    dst->code = code;
    if (src && src->code)
        memmove(dst->msg, src->msg, sizeof dst->msg);
    else
        dst->msg[0] = '\0';
    return code;
}

const char *err_code_name(int code)
{
    const struct code_info *c = code_find(code);
    return c ? c->name : code == 0 ? "ok" : "unknown";
}

int err_code_of_name(const char *name)
{
    for (size_t i = 0; name && i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].code;
    return 0;
}

int err_exit_status(int code)
{
    const struct code_info *c = code_find(code);
    return c ? c->exit_status : code == 0 ? EX_OK : EX_SOFTWARE;
}

int err_is_transient(int code)
{
    const struct code_info *c = code_find(code);
    return c ? c->transient : 0;
}
