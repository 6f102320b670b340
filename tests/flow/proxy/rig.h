/*
 * rig: a plane on a loop with a frozen clock, VMs on it, and clients that speak to their forwards, all in one
 * thread.
 *
 * Time passes by one millisecond a turn. The sshd of a VM is a listening socket; what answers behind it is
 * fake_ssh.
 */
#ifndef ADIT_TESTS_RIG_H
#define ADIT_TESTS_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/ready.h"
#include "proxy/plane.h"
#include "proxy/vm.h"

#define RIG_TURNS_MAX 400000

/* How the next look-ups are answered; the last one stays. */
struct rig_answer {
    const char *address; /* NULL: code and text instead */
    uint16_t port;
    const char *vm_id; /* NULL: a configured address, not a VM of ARM's */
    int code;
    const char *text;
};

struct rig {
    uv_loop_t loop;
    struct clock *clock;
    struct readyq *ready;
    struct plane plane;
    bool up; /* the plane is there */
    bool plane_closed;
    int sshd; /* listening */
    uint16_t sshd_port;
    struct rig_answer answers[8];
    size_t answer_count, lookups, lookups_direct, rekeys;
    bool keys_changed; /* what comes of asking for host keys anew */
    /* What plane_ops.done and dialed said last. */
    unsigned done_count;
    uint64_t done_req;
    struct err done_err;
    char done_text[256];
    int dialed_fd;
    struct err dialed_err;
    unsigned dialed_count;
    size_t flows_max;
};

void rig_init(struct rig *r); /* asserts; answers: the rig's own sshd */
void rig_answers(struct rig *r, const struct rig_answer *answers, size_t count);
struct rig_answer rig_sshd(const struct rig *r);
void rig_turn(struct rig *r);
void rig_turns(struct rig *r, unsigned n);
void rig_pass(struct rig *r, uint64_t ms);        /* time, with turns in between */
void rig_close(struct rig *r, uint32_t grace_ms); /* starts it */
void rig_done(struct rig *r);                     /* finishes it and checks that nothing is left */

/* Turns until the condition holds; false when it does not in time. */
#define rig_until(r, condition)                                                                              \
    ({                                                                                                       \
        unsigned long rig_left = RIG_TURNS_MAX;                                                              \
        uint64_t rig_end = uv_hrtime() + 20000000000u;                                                       \
        while (!(condition) && --rig_left > 0 && uv_hrtime() < rig_end)                                      \
            rig_turn(r);                                                                                     \
        !!(condition);                                                                                       \
    })

/* A VM with these forwards ("PORT:localhost:7", "-D PORT", "-R PORT:localhost:80", …; port 0 lets the system
 * choose). Wanted. */
struct vm *rig_vm(struct rig *r, uint64_t id, const char *alias, const char *const *forwards, size_t count);
struct vm *rig_vm_with(struct rig *r, struct config_vm *config, uint64_t id, uint64_t via, unsigned flags,
                       struct err *err);
struct config_vm *rig_config(const char *alias, const char *const *forwards, size_t count);
uint16_t rig_port(const struct vm *vm, size_t forward); /* where it listens */

/* A client of a forward: non-blocking, verified byte by byte. */
struct client {
    int fd;
    const char *preamble; /* sent first, … */
    size_t preamble_len;
    size_t skip;          /* … and so many bytes of what comes are the answer to it */
    size_t to_send, sent; /* of the pattern */
    size_t received;
    bool check; /* what comes must be the pattern */
    bool stop_reading;
    bool end_when_sent, ended; /* shutdown(WR) after the last byte */
    bool eof, reset;
    size_t step; /* at most so many bytes a call; 0 = 16 KiB */
};
void client_connect(struct client *c, uint16_t port);
void client_pump(struct client *c);
void client_close(struct client *c);
bool client_over(struct client *c); /* pumps; eof or reset */

#endif
