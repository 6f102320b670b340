/*
 * vm: one VM on its worker: kept connected while it is wanted or asked for.
 *
 * Thread: the plane's loop, for every function here.
 */
#ifndef ADIT_PROXY_VM_H
#define ADIT_PROXY_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "asking.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/ready.h"
#include "config/config.h"
#include "mail.h"
#include "plane.h"
#include "pool.h"
#include "proxy.h"

#define VM_CLIENT_LOOKUP_MS                                                                                  \
    5000 /* a waiting client brings the next attempt forward, but not more often than this */
#define VM_UNWANTED_IDLE_MS                                                                                  \
    60000 /* a VM that was only needed as a way to others goes down after so long without a flow */
#define VM_STABLE_MS                                                                                         \
    10000 /* a connection that is lost sooner than this after it came up is a failed attempt */
#define VM_VIA_DEPTH_MAX 8
#define VM_WAITS_MAX 1024 /* requests waiting for one VM to be up */

struct forward;

struct vm {
    struct plane *plane;
    struct list node; /* plane.vms */
    uint64_t id, via; /* via 0: reached directly */
    struct config_vm *config;
    bool wanted, dropped;

    enum proxy_vm_state state;
    uint64_t since_wall_ms;
    struct timer timer;  /* WAITING: the next attempt. UP: the idle timeout. */
    struct ready kick;   /* step() on the next turn */
    uint64_t attempt_ms; /* clock_now() when the last attempt began */
    uint32_t attempts;   /* failed in a row */
    uint64_t reconnects;
    uint64_t up_ms;       /* clock_now() when it last came up */
    uint32_t short_lives; /* connections in a row that were lost at once */
    bool was_up;

    uint64_t seq;            /* of the look-up under way; answers to older ones are ignored */
    bool looking, direct;    /* a look-up is under way; it asks past every cache */
    bool answered;           /* its answer is in reach, answer_err */
    struct mail_reach reach; /* what the last look-up said; count 0 = nothing */
    struct mail_reach answer;
    struct err answer_err;
    bool relook; /* the look-up under way is to tell whether relook_err was due to an old address */
    struct err relook_err;
    bool rekeyed; /* since it was last up, its host keys have been asked for anew */

    struct asking_vm asking;

    struct err err; /* the last one, for people */
    uint64_t err_wall_ms;
    struct pool pool;
    struct list forwards; /* struct forward.node */
    struct list waits;    /* struct vm_wait.node */
    char label[256];      /* "vm win11" */
};

int vm_new(struct vm **out, struct plane *plane, uint64_t id, struct err *err);

/* Takes over config, makes the forwards those of it. *listen_err gets the first failure to listen (code 0 =
 * none), with how many more there were. flags as MAIL_VM_SET. */
void vm_set(struct vm *vm, struct config_vm *config, uint64_t via, unsigned flags, struct err *listen_err);

/* Closes everything of it; silent. The memory goes when the last connection is closed. */
void vm_drop(struct vm *vm);
void vm_stop_listening(struct vm *vm);

/* The answer to plane_ops.resolve. reach (copied, a reference to its facts taken) or err is set. */
void vm_reached(struct vm *vm, uint64_t seq, const struct mail_reach *reach, const struct err *err);

/* The machine slept: what waits, tries again soon. */
void vm_woke(struct vm *vm);

/* Somebody wants a connection of it now: to be called after a waiter or a request came. */
void vm_demand(struct vm *vm);
/* The user asked for it: a FAILED one starts over, a waiting one tries at once. */
void vm_retry(struct vm *vm);
/* 0, or why a client need not wait: the VM has FAILED. */
int vm_check(const struct vm *vm, struct err *err);

/* From the pool. */
void vm_conn_up(struct vm *vm);
void vm_conn_failed(struct vm *vm, enum pool_stage stage,
                    const struct err *err);              /* the first one; never was up */
void vm_conn_lost(struct vm *vm, const struct err *err); /* was up, and was the last one */
void vm_flows_changed(struct vm *vm);                    /* from none to some or back */
void vm_pool_empty(struct vm *vm);                       /* no connection is left in any state */

#define VM_LOG_CTX(v)                                                                                        \
    &(struct log_ctx)                                                                                        \
    {                                                                                                        \
        .module = "proxy", .vm = (v)->config ? (v)->config->alias : NULL                                     \
    }

/* ---- vm.c, for vm_life.c ---- */
void vm_step(struct vm *vm);
void vm_timer_fired(struct vm *vm);
void vm_stop_trying(struct vm *vm);  /* DOWN, no connection */
void vm_forget_reach(struct vm *vm); /* DOWN, and where it was is not to be used again */

/* ---- vm_forwards.c ---- */

/* Adds, starts and removes forwards so that they are those of vm->config plus the runtime ones. */
void vm_forwards_sync(struct vm *vm, bool trim_only, struct err *first_err);
int vm_forward_add(struct vm *vm, const struct forward_spec *spec, bool keep, struct forward **out,
                   struct err *err);
int vm_forward_cancel(struct vm *vm, const struct forward_spec *spec, struct err *err);
/* Remote ones: the VM has a connection again; its connections are going, or gone. */
void vm_forwards_up(struct vm *vm);
void vm_forwards_down(struct vm *vm);
void vm_forwards_free(struct vm *vm);

/* ---- vm_wait.c: requests that are answered when the VM is up, or cannot be ---- */

/* forward may be NULL; with one, the answer carries where it listens, and a failure removes it. */
void vm_wait_add(struct vm *vm, uint64_t req, uint32_t deadline_ms, struct forward *forward);
void vm_wait_up(struct vm *vm);
void vm_wait_failed(struct vm *vm, const struct err *err, bool definite);
void vm_wait_forget_forward(struct forward *f, const struct err *err);
void vm_wait_cancel_all(struct vm *vm, const struct err *err);

#endif
