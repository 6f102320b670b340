/*
 * front: what the main-loop side of the proxy is made of; private to proxy*.c, apply.c, table.c and
 * request.c.
 *
 * Thread: the main loop's.
 */
#ifndef ADIT_PROXY_FRONT_H
#define ADIT_PROXY_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/mailbox.h"
#include "base/map.h"
#include "base/ready.h"
#include "mail.h"
#include "proxy.h"
#include "reach.h"
#include "worker.h"

#define FRONT_WORKERS_MAX 64
#define FRONT_WORKERS_DEFAULT_MAX 8
#define FRONT_VMS_MAX ((size_t)2 * CONFIG_VMS_MAX) /* configured and added at run time */
#define FRONT_REQUESTS_MAX 65536
#define FRONT_VIA_DEPTH_MAX 8

/* A forward added at run time, remembered so that it survives a move of its VM. */
struct front_runtime {
    struct list node;
    struct forward_spec spec;
};

enum front_dirty {
    FRONT_DIRTY_SET = 1 << 0,
    FRONT_DIRTY_REACH = 1 << 1,
    FRONT_DIRTY_MOVE = 1 << 2,
};

/* A VM as the main loop knows it. */
struct front_vm {
    struct list node; /* proxy.vms */
    uint64_t id;      /* slot in the low 16 bits, a count above */
    size_t order;     /* in the status */
    struct config_vm *config;
    bool configured; /* the configuration has it */
    bool adhoc;      /* goes with its last runtime forward */
    bool wanted;
    bool placed;  /* its worker knows it */
    bool dialled; /* somebody dials through it: kept */
    unsigned worker;
    uint64_t via;         /* 0 = none */
    unsigned dirty;       /* enum front_dirty; during an apply */
    bool listen_failed;   /* a forward of it does not listen: the next apply tries again */
    struct list runtimes; /* struct front_runtime.node */
    struct reach *reach;  /* look-up under way, for reach_seq */
    uint64_t reach_seq;
    struct proxy *proxy;
};

struct proxy {
    struct proxy_options o;
    struct err resolver_err;
    char *known_hosts, *agent_socket;
    struct readyq *ready;
    struct mailbox *box;
    struct worker *workers[FRONT_WORKERS_MAX];
    struct proxy_mail *stop[FRONT_WORKERS_MAX];
    unsigned worker_count, workers_running, next_worker;
    const struct config *config; /* the last applied, or NULL */
    struct list vms;             /* struct front_vm.node, in status order */
    struct map *by_alias;
    struct front_vm **slots; /* FRONT_VMS_MAX */
    uint64_t next_id;
    size_t vm_count, next_order;
    struct list requests; /* struct proxy_req.node */
    size_t request_count;
    uint64_t next_req;
    struct list questions; /* struct front_question.node */
    struct list deferred;  /* struct proxy_req.later: submitted while an apply was half done */
    bool applying, closing;
    int open_handles;
    proxy_closed_cb closed_cb;
    void *closed_arg;
};

/* ---- request.c: what was asked for and is not answered yet ---- */

struct proxy_req {
    struct list node, later;
    struct proxy *proxy;
    uint64_t id;
    unsigned pending;  /* answers still to come */
    struct err err;    /* the first failure */
    unsigned failures; /* how many */
    struct ready ready;
    bool canceled, complete;
    /* Starts it; puts answers that are known at once into the request, too. */
    void (*run)(struct proxy_req *r);
    /* A mail for it came. NULL: request_answered() alone. The mail stays the caller's. */
    void (*mail)(struct proxy_req *r, struct proxy_mail *m);
    void (*deliver)(struct proxy_req *r); /* calls back; not when canceled */
    void (*drop)(struct proxy_req *r);    /* frees what the kind added, and the request */
    union {
        proxy_done_cb done;
        proxy_forward_cb forward;
        proxy_dial_cb dial;
        proxy_status_cb status;
    } cb;
    void *arg;
};

/* Enters a request (allocated by mem_zalloc, its kind's members set) and runs it, now or after the apply
 * under way. On failure it is dropped. */
int request_submit(struct proxy *p, struct proxy_req *r, struct proxy_req **out, struct err *err);
void request_failed(struct proxy_req *r, const struct err *err); /* notes a failure; the first one is told */
/* One answer came (or is not needed): the request is delivered on a later turn when it was the last. */
void request_answered(struct proxy_req *r);
void request_abort_all(struct proxy *p, const struct err *err);
void request_run_deferred(struct proxy *p);
struct proxy_req *request_find(const struct proxy *p, uint64_t id);
void request_deliver_done(struct proxy_req *r); /* for cb.done */
void request_mail(struct proxy *p, struct proxy_mail *m);

/* ---- table.c: the VMs ---- */

struct front_vm *table_find(const struct proxy *p, const char *alias);
struct front_vm *table_by_id(const struct proxy *p, uint64_t id);
int table_add(struct proxy *p, struct config_vm *config, struct front_vm **out,
              struct err *err); /* config taken over */
void table_remove(struct front_vm *vm);
bool table_is_via(const struct front_vm *vm); /* another VM goes through it */
/* The VM that `via:` names: an alias, or else a VM's name, which then gets an entry of its own that nobody
 * wants up but those behind it. self (or NULL) is not taken for it. */
int table_via(struct proxy *p, const char *name, const struct front_vm *self, struct front_vm **out,
              struct err *err);
/* Finds or makes the VM that this one goes through, and picks the worker. *moved: it is on another one now.
 */
int table_route(struct front_vm *vm, bool *moved, struct err *err);
int table_runtime_add(struct front_vm *vm, const struct forward_spec *spec);
void table_runtime_remove(struct front_vm *vm, const struct forward_spec *spec);
void table_collect(struct front_vm *vm); /* removes it when nothing keeps it */

/* ---- to the workers; failures to allocate are logged and reported to `req` (may be NULL) ---- */

bool front_post_set(struct front_vm *vm, unsigned flags, struct proxy_req *req);
bool front_post_drop(struct front_vm *vm, struct proxy_req *req);
bool front_post_forward(struct front_vm *vm, enum mail_kind kind, const struct forward_spec *spec,
                        unsigned flags, uint32_t deadline_ms, struct proxy_req *req);
bool front_post_up(struct front_vm *vm, uint32_t deadline_ms, struct proxy_req *req);
bool front_post(struct proxy *p, unsigned worker, struct proxy_mail *m,
                struct proxy_req *req); /* m NULL: no memory */

/* ---- proxy_ask.c ---- */

void front_asked(struct proxy *p, const struct proxy_mail *m);        /* MAIL_ASK */
void front_ask_over(struct proxy *p, const struct proxy_mail *m);     /* MAIL_ASK_OVER */
bool front_asking(const struct proxy *p, const struct config_vm *vm); /* a person is asked on the way to it */
/* Keys of it that no other wanted VM logs in with are forgotten. */
void front_forget_keys(struct front_vm *vm);
void front_questions_free(struct proxy *p);

void front_reach_asked(struct proxy *p, const struct proxy_mail *m); /* MAIL_REACH */
struct reach_env front_reach_env(const struct proxy *p);

#endif
