/*
 * face_rig: a proxy with real worker threads on a main loop, and the fake SSH behind it.
 *
 * Thread: the main loop's.
 */
#ifndef ADIT_TESTS_FACE_RIG_H
#define ADIT_TESTS_FACE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <uv.h>

#include "proxy/proxy.h"
#include "rig.h"

extern uv_loop_t face_loop;
extern struct proxy *face_proxy;
extern struct rig face_servers; /* only its sshd */
extern bool face_closed;

int face_setup(void **state);
int face_teardown(void **state);
void face_close(uint32_t grace_ms);

/* What the last answered operation came to. */
struct answer {
    unsigned calls;
    struct err err;
    char text[128];
    int fd;
};

void face_on_done(void *arg, const struct err *err);
void face_on_forward(void *arg, const char *listening, const struct err *err);
void face_on_dial(void *arg, int fd, const struct err *err);
void face_answered(struct answer *a, unsigned calls); /* waits, and checks that there were not more */

/* Turns the loop until the condition holds; false when it does not in time. */
#define face_until(condition)                                                                                \
    ({                                                                                                       \
        uint64_t until_end = uv_hrtime() + 20000000000u;                                                     \
        while (!(condition) && uv_hrtime() < until_end) {                                                    \
            if (uv_run(&face_loop, UV_RUN_NOWAIT) >= 0)                                                      \
                usleep(200);                                                                                 \
        }                                                                                                    \
        !!(condition);                                                                                       \
    })

const struct config *face_config(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void face_apply(const struct config *c,
                struct answer *a); /* takes the reference over; waits for the answer */

/* What proxy_status() showed; of each VM its first forward. */
struct picture {
    unsigned calls;
    size_t vm_count;
    struct {
        char alias[64], listening[64], text[64], error[256];
        enum proxy_vm_state state;
        size_t forward_count;
        uint64_t bytes_in, bytes_out;
        uint32_t flows;
    } vms[8];
};
struct picture face_look(void);
uint16_t face_port(const char *listening);
void face_echo(uint16_t port, size_t bytes); /* there and back, checked */

/* A VM of the configuration: alias, port of its sshd, one local forward. */
#define VM "  - {name: %s, address: 127.0.0.1, port: %u, user: me, local: [\"%s\"]}\n"

#endif
