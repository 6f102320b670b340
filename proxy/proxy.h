/*
 * proxy: the data plane as the daemon's main loop sees it: VMs, their forwards, dialling, and what is going
 * on.
 *
 * Behind it run N workers, a thread and a uv loop each. A VM belongs to one worker (a VM with `via` to the
 * worker of the VM it goes through); its pool, listeners and flows live there without a lock. Between the
 * main loop and a worker only values travel, by mailbox. Names are looked up on the main loop, where the
 * resolver lives.
 *
 * A VM that is wanted keeps its listeners bound and one SSH connection up, for ever: reconnecting with
 * jittered, growing pauses, looking its address up again after each failed connect. Refused authentication or
 * a changed host key stops the attempts (state FAILED) until the user acts: proxy_vm_up, or a changed
 * configuration.
 *
 * Thread: the main loop's, for every function here. Callbacks obey the asynchronous contract (DESIGN §3).
 */
#ifndef ADIT_PROXY_PROXY_H
#define ADIT_PROXY_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/config.h"
#include "resolver/resolver.h"

struct proxy;
struct proxy_req;

/* A question that a login to a VM has: `kind` as docs/protocol.md names it. */
struct proxy_question {
    uint64_t id;
    const char *alias, *kind, *prompt; /* borrowed for the call */
    bool echo;
};

/* Puts questions to a person; each is answered once by proxy_answer(), not inside ask(), unless it is
 * withdrawn first. ask NULL: only the daemon's own SSH_ASKPASS is there. */
struct proxy_asker {
    void (*ask)(void *arg, const struct proxy_question *q);
    void (*withdrawn)(void *arg, uint64_t id);
    void *arg;
};

/* `host-key-check: arm`: has the host keys of a VM asked for through Azure and recorded in its known_hosts.
 */
typedef void (*proxy_keys_cb)(void *arg, bool changed,
                              const struct err *err); /* changed: others than before */
struct proxy_host_keys {
    /* cb exactly once, never inside fetch. vm and facts are borrowed. A handle, or NULL with err. fetch NULL:
     * it cannot be done. */
    void *(*fetch)(void *arg, const struct config_vm *vm, const struct resolver_facts *facts,
                   proxy_keys_cb cb, void *cb_arg, struct err *err);
    void (*cancel)(void *arg, void *handle); /* synchronous and silent */
    void *arg;
};

struct proxy_options {
    uv_loop_t *loop;
    struct clock *clock;
    struct resolver *resolver; /* borrowed; outlives the proxy. NULL: only VMs with an address can be reached,
                                  and a name fails with `resolver_err` */
    const struct err *resolver_err;
    unsigned workers;         /* 0 = one a processor, at most 8 */
    const char *known_hosts;  /* path; copied */
    const char *agent_socket; /* or NULL; copied */
    size_t buffer_max;        /* bytes that all flows of one worker may queue; 0 = 256 MiB */
    struct proxy_asker asker;
    struct proxy_host_keys host_keys;
};

/* Starts the threads. ERR_NOMEM, ERR_SYSTEM. */
int proxy_new(struct proxy **out, const struct proxy_options *options, struct err *err);

/* Closes listeners, then gives flows `grace_ms` to end, then closes all; cb when the threads are joined. */
typedef void (*proxy_closed_cb)(void *arg);
void proxy_close(struct proxy *p, uint32_t grace_ms, proxy_closed_cb cb, void *arg);

/* What an operation came to. err NULL = done. */
typedef void (*proxy_done_cb)(void *arg, const struct err *err);
void proxy_cancel(struct proxy_req *req); /* synchronous and silent; what was begun goes on */

/* Makes the VMs and forwards those of the snapshot (takes a reference): adds, removes, moves; what did not
 * change is not touched, its flows live on. Forwards added at run time stay. cb fires when every listener is
 * bound or has failed: err then names the first that failed and how many more. */
int proxy_apply(struct proxy *p, const struct config *c, proxy_done_cb cb, void *arg, struct proxy_req **out,
                struct err *err);

/* Wants this VM (copied) up. cb: the connection is up and the listeners bound, or why not (ERR_TIMEOUT after
 * deadline_ms; the attempts go on). `adhoc`: it goes when its last runtime forward is cancelled. */
int proxy_vm_up(struct proxy *p, const struct config_vm *vm, bool adhoc, uint32_t deadline_ms,
                proxy_done_cb cb, void *arg, struct proxy_req **out, struct err *err);
/* Closes listeners, flows and connections of it. ERR_NOTFOUND. */
int proxy_vm_down(struct proxy *p, const char *alias, proxy_done_cb cb, void *arg, struct proxy_req **out,
                  struct err *err);

/* Adds a forward to a VM that is known (proxy_vm_up first). cb: it listens AND the VM's connection is up, or
 * why not; on error the forward is not there. listening: the address that was bound, "127.0.0.1:3389", or
 * NULL on error. */
typedef void (*proxy_forward_cb)(void *arg, const char *listening, const struct err *err);
int proxy_forward_add(struct proxy *p, const char *alias, const struct forward_spec *spec,
                      uint32_t deadline_ms, proxy_forward_cb cb, void *arg, struct proxy_req **out,
                      struct err *err);
/* Stops listening and closes the forward's flows. ERR_NOTFOUND lists the VM's forwards. */
int proxy_forward_cancel(struct proxy *p, const char *alias, const struct forward_spec *spec,
                         proxy_done_cb cb, void *arg, struct proxy_req **out, struct err *err);

/* A connected stream socket to `port` of the VM itself (its sshd, usually): a TCP connection, or, with via,
 * one end of a socket pair. The receiver of the callback owns fd (≥ 0 when err is NULL). vm is copied. */
typedef void (*proxy_dial_cb)(void *arg, int fd, const struct err *err);
int proxy_dial(struct proxy *p, const struct config_vm *vm, uint16_t port, uint32_t deadline_ms,
               proxy_dial_cb cb, void *arg, struct proxy_req **out, struct err *err);

/* ---- questions: proxy_ask.c ---- */

/* text NULL: err says why; ERR_NOTFOUND: nobody is there, so SSH_ASKPASS may be tried. The caller wipes text.
 */
void proxy_answer(struct proxy *p, uint64_t id, const char *text, const struct err *err);
/* Whether the way to a VM is, or leads through, the VM of this alias. from: its alias; via: what it is
 * reached through, or NULL: what is known of `from` says so. */
bool proxy_leads_through(const struct proxy *p, const char *from, const char *via, const char *alias);
/* Forgets passwords and the keys that passphrases opened. Connections that are up stay. */
void proxy_forget_answers(struct proxy *p);

/* ---- status ---- */

enum proxy_vm_state {
    PROXY_VM_DOWN, /* not wanted */
    PROXY_VM_RESOLVING,
    PROXY_VM_CONNECTING, /* TCP, key exchange, authentication */
    PROXY_VM_UP,
    PROXY_VM_WAITING, /* between attempts */
    PROXY_VM_IDLE,    /* idle-timeout closed the connection; the next client opens it again */
    PROXY_VM_FAILED,  /* needs the user */
};
const char *proxy_vm_state_name(enum proxy_vm_state s); /* "up", … */

struct proxy_forward_status {
    enum forward_kind kind;
    char *text;      /* as the user wrote it */
    char *listening; /* address bound, or NULL */
    char *target;    /* "localhost:3389" */
    bool runtime;    /* added by `adit forward`, not by the configuration */
    bool bulk;
    uint32_t flows; /* open */
    uint64_t flows_total, flows_failed;
    uint64_t bytes_in;  /* from the VM to the local side */
    uint64_t bytes_out; /* from the local side to the VM */
    char *error;        /* why it does not listen, or the last flow's failure, or NULL */
};

struct proxy_vm_status {
    char *alias;
    char *name; /* the VM's name as configured */
    char *user;
    char *id, *vm_id, *power; /* from ARM, or NULL */
    char *via;                /* or NULL */
    char *address;            /* "127.66.0.2:22" last connected or tried, or NULL */
    enum proxy_vm_state state;
    uint64_t since_wall_ms;                           /* when it got into this state */
    uint64_t retry_in_ms;                             /* WAITING: until the next attempt */
    uint32_t attempts;                                /* failed in a row */
    uint32_t rtt_us;                                  /* 0 = not measured yet */
    uint32_t connections;                             /* SSH connections that are up */
    uint64_t reconnects;                              /* since the VM was added */
    char *server, *cipher, *engine, *host_key, *auth; /* of the first connection, or NULL */
    char *error;                                      /* last error, or NULL */
    uint64_t error_wall_ms;
    struct proxy_forward_status *forwards;
    size_t forward_count;
};

struct proxy_status {
    struct proxy_vm_status *vms; /* in the configuration's order, then those added at run time */
    size_t vm_count;
    unsigned workers;
};

/* Gathers from every worker. status is borrowed for the callback. */
typedef void (*proxy_status_cb)(void *arg, const struct proxy_status *status, const struct err *err);
int proxy_status(struct proxy *p, proxy_status_cb cb, void *arg, struct proxy_req **out, struct err *err);

#endif
