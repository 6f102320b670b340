/*
 * caller: a client of a place where the server listens: it sends and checks a stream, on a plain socket.
 */
#ifndef ADIT_TESTS_FLOW_SSH_CALLER_H
#define ADIT_TESTS_FLOW_SSH_CALLER_H

#include <stdbool.h>
#include <stdint.h>

struct caller {
    int fd;
    uint64_t to_send, sent; /* of the stream */
    uint64_t got, good;
    bool end_when_sent, ended; /* says that it will send no more */
    bool eof, reset;
};

void caller_tcp(struct caller *c, uint16_t port); /* 127.0.0.1; keeps what is set in *c */
void caller_unix(struct caller *c, const char *path);
bool caller_over(void *caller); /* pumps; all is sent and the end has come, or a reset */
void caller_close(struct caller *c);

bool port_is_free(void *port); /* a uint16_t: nobody listens there */

/* A port of the loopback addresses on which we listen ourselves. */
struct port {
    int v4, v6;
    uint16_t port;
};
void port_take(struct port *p);
void port_release(struct port *p);

#endif
