/*
 * socks: what a client of a dynamic forward says first, taken apart byte by byte, and what it is answered.
 *
 * SOCKS 4, SOCKS 4a, SOCKS 5 without authentication (RFC 1928), and HTTP's CONNECT (RFC 9110 §9.3.6), told
 * apart by the first byte. Only connections out are asked for: BIND, UDP ASSOCIATE and plain HTTP requests
 * are refused in the client's own protocol. Nothing of a client's words but the place it wants to reach is
 * kept: neither user names nor headers. Pure; any thread.
 */
#ifndef ADIT_PROXY_SOCKS_H
#define ADIT_PROXY_SOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SOCKS_HOST_MAX 255    /* bytes of a name */
#define SOCKS_USER_MAX 255    /* of the user name of SOCKS 4, which is read past */
#define SOCKS_LINE_MAX 300    /* of HTTP's request line */
#define SOCKS_HEADER_MAX 8192 /* of all of HTTP's request, the line included */
#define SOCKS_REPLY_MAX 384

enum socks_protocol { SOCKS_UNKNOWN, SOCKS_V4, SOCKS_V5, SOCKS_HTTP };

/* What became of a request, in the order of the table in socks_reply.c. */
enum socks_outcome {
    SOCKS_CONNECTED,
    SOCKS_FAILED,    /* the VM cannot serve, or nobody knows why */
    SOCKS_FORBIDDEN, /* the VM's server does not allow it */
    SOCKS_NET_UNREACHABLE,
    SOCKS_HOST_UNREACHABLE, /* no route, or a name that nobody knows */
    SOCKS_TARGET_REFUSED,
    SOCKS_TIMED_OUT,
    /* From here on the request itself is to blame. */
    SOCKS_NO_METHOD,   /* SOCKS 5: the client insists on authentication */
    SOCKS_NO_COMMAND,  /* something else than CONNECT */
    SOCKS_NO_ADDRESS,  /* SOCKS 5: an unknown type of address */
    SOCKS_MALFORMED,   /* including a place that no host can have */
    SOCKS_TOO_LONG,    /* HTTP: line or header */
    SOCKS_BAD_VERSION, /* HTTP: not 1.x */
    SOCKS_NOT_SPOKEN,  /* none of the protocols: no answer would be understood */
    SOCKS_OUTCOMES,
};

enum socks_state {
    SOCKS_START,
    SOCKS_4_HEAD,
    SOCKS_4_USER,
    SOCKS_4_HOST,
    SOCKS_5_COUNT,
    SOCKS_5_METHODS,
    SOCKS_5_HEAD,
    SOCKS_5_LENGTH,
    SOCKS_5_HOST,
    SOCKS_5_PORT,
    SOCKS_HTTP_LINE,
    SOCKS_HTTP_HEADER,
    SOCKS_OVER, /* done or bad */
};

enum socks_progress {
    SOCKS_MORE,   /* everything was used; it goes on */
    SOCKS_METHOD, /* SOCKS 5: SOCKS_METHOD_REPLY is to be sent; it goes on with what was not used */
    SOCKS_DONE,   /* host and port are there; what was not used belongs to the connection */
    SOCKS_BAD,    /* outcome says why, and is to be answered */
};

#define SOCKS_METHOD_REPLY "\x05\x00" /* two bytes */

/* Zeroed: ready for the first byte. */
struct socks {
    enum socks_protocol protocol;
    enum socks_state state;
    enum socks_outcome outcome; /* after SOCKS_BAD */
    bool agreed;                /* SOCKS 5: on a method */
    uint8_t address_type;       /* SOCKS 5 */
    uint16_t need, have;        /* bytes of the part that is being read */
    uint16_t header;            /* HTTP: bytes so far */
    bool in_line;               /* HTTP: this line of the header is not empty */
    uint16_t port;
    char host[SOCKS_HOST_MAX + 1]; /* a name, or an address without brackets */
    uint8_t part[SOCKS_LINE_MAX];
};

/* Reads on; *used ≤ n. After SOCKS_DONE or SOCKS_BAD it is not called again. */
enum socks_progress socks_feed(struct socks *s, const uint8_t *in, size_t n, size_t *used);

/* ---- socks_reply.c ---- */

/* The last thing that the client is told before its connection is the target's (SOCKS_CONNECTED) or closed;
 * returns how many bytes, 0 when there is nothing to say. */
size_t socks_reply(const struct socks *s, enum socks_outcome outcome, char out[SOCKS_REPLY_MAX]);

/* What an error says of the target when the VM answered with it instead of opening a channel (ssh.h). OpenSSH
 * hands on the system's own words. */
enum socks_outcome socks_outcome_of(const struct err *err);

const char *socks_outcome_text(enum socks_outcome outcome); /* for people: "the target refused it" */

#endif
