/*
 * err: an error that gathers context while it travels up.
 *
 * A function that can fail returns 0 (or a count) or a negative `enum err_code`, and takes a `struct err *`
 * last, which it fills before it returns negative. Each layer that hands the error on adds its own name once
 * with err_wrap(), so that the whole reads from the outside in: "forward 3389: vm win11: ssh auth: server
 * refused key /home/u/.ssh/id_rsa". Logged once, where it stops travelling. A `struct err` is a plain value:
 * copy it, keep it, send it between threads. It owns no memory. Passing NULL as `struct err *` is allowed
 * everywhere and loses the message, not the code.
 */
#ifndef ADIT_BASE_ERR_H
#define ADIT_BASE_ERR_H

#include <stdarg.h>

enum err_code {
    ERR_NOMEM = -1,        /* allocation failed */
    ERR_INVAL = -2,        /* the caller (in the end: the user) asked for something malformed */
    ERR_CONFIG = -3,       /* the configuration file is wrong */
    ERR_SYSTEM = -4,       /* a system call failed; the message carries its reason */
    ERR_TIMEOUT = -5,      /* a deadline passed */
    ERR_CANCELED = -6,     /* the owner went away */
    ERR_CLOSED = -7,       /* the peer ended it */
    ERR_PROTOCOL = -8,     /* the peer broke the protocol */
    ERR_REFUSED = -9,      /* connection or channel refused */
    ERR_UNREACHABLE = -10, /* no route, no address, name not found in DNS */
    ERR_AUTH = -11,        /* authentication refused: trying again will not help */
    ERR_HOSTKEY = -12,     /* the host key is not the one that is known */
    ERR_NOTFOUND = -13,    /* no such VM, forward, file, … */
    ERR_AMBIGUOUS = -14,   /* a name fits several VMs */
    ERR_EXISTS = -15,      /* already there; an address in use */
    ERR_DENIED = -16,      /* permission denied: by ARM (403) or by the file system */
    ERR_UNAVAILABLE = -17, /* ARM, the daemon or the VM cannot serve now */
    ERR_THROTTLED = -18,   /* ARM said 429 and the deadline leaves no room to wait */
    ERR_LIMIT = -19,       /* one of our own limits was reached */
    ERR_UNSUPPORTED = -20, /* the peer or this build cannot do it */
    ERR_VERSION = -21,     /* adit and aditd do not speak the same protocol version */
};

#define ERR_MSG_MAX 1024

struct err {
    int code;              /* enum err_code, or 0 when nothing is wrong */
    char msg[ERR_MSG_MAX]; /* always terminated; cut with "…" when too long */
};

/* Sets code and message (replacing what was there) and returns `code`, to be used as `return err_set(err,
 * …)`. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_setv(struct err *err, int code, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* Sets "WHAT: strerror(errnum)"; maps errnum to the code that fits (ECONNREFUSED → ERR_REFUSED, …). Returns
 * the code. */
int err_sys(struct err *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same for a libuv status (UV_E…, negative). */
int err_uv(struct err *err, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " before the message; returns err->code. Nothing happens to an empty error. A NULL err knows
 * no code: then ERR_SYSTEM comes back, so a caller that may be given NULL returns the code that it already
 * holds. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds text behind the message as it stands, "; what to do next" or " (detail)". Returns as err_wrap does. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);

/* Copies src (may be NULL: then only `fallback` is set) to dst (may be NULL). Returns the code. */
int err_copy(struct err *dst, const struct err *src, int fallback);

/* A stable lower-case word for the code: "timeout", "auth", …; used in JSON. err_code_of_name gives 0 if
 * unknown. */
const char *err_code_name(int code);
int err_code_of_name(const char *name);

/* sysexits(3) for a command that ends with this code: 64, 69, 70, 71, 75, 76, 77 or 78. */
int err_exit_status(int code);

/* Whether the same attempt may succeed later without a change by the user (timeout, closed, unavailable, …).
 */
int err_is_transient(int code);

#endif
