/*
 * services: what answers inside a VM. All on TCP, on every address of the VM (or on its private one without
 * namespaces).
 *
 *   7            echo
 *   9            discard
 *   19           source: 8 bytes, a big-endian count, in; that many bytes of services_stream out; then end of
 * stream 29           digest: takes all until end of stream, answers "COUNT SHA256\n", ends 20000–20063  says
 * its own port number as a line, then echoes 80           (http) one HTTP/1.1 answer whose body is the VM's
 * name 3389         (rdp) RDP's connection request and confirm (MS-RDPBCGR 2.2.1.1, 2.2.1.2), then echoes
 *   5432         (postgres) echo
 *   echo.sock    echo, a Unix socket in the VM's directory
 *
 * Ports below 1024 are left out where the user may not bind them. They run on a thread and loop of their own.
 */
#ifndef ADIT_SANDBOX_SERVICES_H
#define ADIT_SANDBOX_SERVICES_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

#define SERVICES_NUMBERED_FIRST 20000
#define SERVICES_NUMBERED_COUNT 64

struct services_setup {
    const char *vm_name;   /* must outlive the thread */
    const char *address;   /* NULL: all of this network namespace */
    const char *unix_path; /* of the Unix echo; NULL: none */
    uint32_t kinds;        /* enum world_service */
};

/* Listens, then serves on a thread of its own for the rest of the process' life. */
int services_start(const struct services_setup *setup, struct err *err);

/* Bytes [offset, offset + n) of the stream that port 19 sends: little-endian 64-bit words, word k the output
 * of splitmix64 for the state (k + 1) · 0x9E3779B97F4A7C15. offset must be a multiple of 8. */
void services_stream(uint64_t offset, void *out, size_t n);

/* services_kinds.c: how each kind answers; private to the services. */
struct service_conn;

struct service_kind {
    const char *name;
    void (*open)(struct service_conn *c); /* may be NULL: waits for data */
    void (*data)(struct service_conn *c, char *data, size_t n);
    void (*end)(struct service_conn *c); /* the client has ended its side; NULL: ends ours too */
};

struct service_conn {
    const struct service_kind *kind;
    const char *vm_name;
    uint16_t port;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
        uv_handle_t handle;
    } u;
    uv_write_t write;
    uv_shutdown_t shutdown;
    char *buf;
    size_t kept;     /* bytes of a request that is not complete yet, at the start of buf */
    uint64_t left;   /* source: bytes to send yet; digest: bytes taken */
    uint64_t offset; /* source: bytes sent */
    void *digest;
    unsigned phase;
    int ended, writing, closing, ending;
};

#define SERVICE_BUF ((size_t)256 * 1024)

void service_send(struct service_conn *c, const void *data,
                  size_t n);                 /* data stays valid until it is written */
void service_finish(struct service_conn *c); /* ends our side after what was sent */
void service_abort(struct service_conn *c);
extern const struct service_kind service_echo, service_discard, service_source, service_digest,
    service_numbered, service_http, service_rdp;

#endif
