/*
 * prepare: what stands between this machine and a tunnel to a VM, found step by step, and mended.
 *
 * The steps are those of Microsoft's how-to "Connect using SSH to an Azure VM running Windows"; steps.c is
 * their table. A run checks them (`adit doctor`), or checks and mends them in order (`adit prepare`). Checks
 * read only. Everything in Azure is asked for here; what needs names, sockets or SSH is done by the caller's
 * hands. Thread: the loop's, for every function here. Callbacks obey the asynchronous contract.
 */
#ifndef ADIT_PREPARE_PREPARE_H
#define ADIT_PREPARE_PREPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "azure/azure.h"
#include "base/clock.h"
#include "base/err.h"

/* In the order in which they are mended and shown. */
enum prepare_step {
    PREPARE_SIGN_IN,   /* "sign-in": Azure gives a token */
    PREPARE_VM,        /* "vm": the VM exists and may be read */
    PREPARE_POWER,     /* "power": it runs; mend: start */
    PREPARE_ADDRESS,   /* "address": a public IP address, or `via`; mend only with create_public_ip */
    PREPARE_EXTENSION, /* "extension": Windows: OpenSSH is there; mend: PUT WindowsOpenSSH */
    PREPARE_RULE,      /* "rule": the NSGs of NIC and subnet let us in; mend: PUT allow-SSH */
    PREPARE_PORT,      /* "port": the SSH port answers with a banner */
    PREPARE_HOST_KEY,  /* "host-key": the server's key is one that the control plane reports */
    PREPARE_LOGIN,     /* "login": authentication works; mend: the public key by Run Command */
    PREPARE_FORWARD,   /* "forward": a direct-tcpip channel to the forward's target opens */
    PREPARE_RDP,       /* "rdp": RDP answers there */
    PREPARE_STEPS,
};
#define PREPARE_BIT(step) (1u << (step))

const char *prepare_step_name(enum prepare_step s);  /* "host-key": for --only and JSON */
const char *prepare_step_title(enum prepare_step s); /* "host key": for people */
/* PREPARE_STEPS when there is no such step. */
enum prepare_step prepare_step_find(const char *name);

/* ---- what the caller does for a run ---- */

typedef void (*prepare_done_cb)(void *arg, const struct err *err); /* exactly once, never inside submit */
/* text: the resource ID, or the server's banner; valid for the call; NULL with err. */
typedef void (*prepare_text_cb)(void *arg, const char *text, const struct err *err);

/* How far a login came. Stages are told in this order, each once, at most up to the first that fails; after
 * that, or after the last one wanted, nothing more is told and the handle is gone. */
enum prepare_stage {
    PREPARE_STAGE_HOST_KEY,
    PREPARE_STAGE_LOGIN,
    PREPARE_STAGE_FORWARD,
    PREPARE_STAGE_RDP,
};
/* detail: for people, what was seen: "ssh-ed25519 SHA256:…", "publickey (~/.ssh/id_ed25519)"; "" on an error.
 */
typedef void (*prepare_stage_cb)(void *arg, enum prepare_stage stage, const char *detail,
                                 const struct err *err);

struct prepare_hands {
    void *self;
    /* The resource ID of the VM this run is about, asked of ARM directly. ERR_NOTFOUND, ERR_AMBIGUOUS,
     * ERR_AUTH, … as resolver_lookup(). NULL on failure to begin. */
    void *(*locate)(void *self, prepare_text_cb cb, void *arg, struct err *err);
    /* Connects to the VM's SSH port (through `via` where it has one), reads the banner line, closes. The
     * address may be new: nothing remembered is used. */
    void *(*knock)(void *self, uint32_t deadline_ms, prepare_text_cb cb, void *arg, struct err *err);
    /* One SSH connection up to the stage `until`. keys: lines of public keys ("TYPE BASE64 …"), one of which
     * the server's must be, or NULL: the policy of host-key-check decides. target_host:target_port: what the
     * forward and the RDP stage open. */
    void *(*enter)(void *self, const char *keys, const char *target_host, uint16_t target_port,
                   enum prepare_stage until, prepare_stage_cb cb, void *arg, struct err *err);
    /* The control plane reports these host keys (lines): to be remembered for the VM. */
    int (*learn)(void *self, const char *id, const char *vm_id, const char *keys, struct err *err);
    void (*cancel)(void *self, void *handle); /* of any of the above: synchronous and silent */
};

/* ---- a run ---- */

enum prepare_status {
    PREPARE_PASS,
    PREPARE_FAIL,
    PREPARE_SKIP,   /* cannot be known before another step passes, or has nothing to do here */
    PREPARE_MENDED, /* failed, was mended, and passes now */
};
const char *prepare_status_name(enum prepare_status s); /* "pass", … */

/* What a step came to; valid for the call. */
struct prepare_outcome {
    enum prepare_step step;
    enum prepare_status status;
    const char *text; /* what is so, in a clause: "running", "no rule lets 203.0.113.7 reach port 22" */
    const char *mend; /* how it is mended, or what the user can do; "" when nothing */
    bool mendable;    /* `adit prepare` can do it */
    enum prepare_step because; /* of a skipped one; PREPARE_STEPS when it does not apply to this VM */
    const char *action;        /* the role's action that was refused ("Microsoft.Network/…/write"), or "" */
    int code;                  /* ERR_… of a failure, else 0 */
    uint64_t took_ms;
};

enum prepare_mode {
    PREPARE_CHECK, /* read only */
    PREPARE_MEND,
    /* Take away what earlier runs of ours added. Only sign-in, VM, login, rule, address, extension, power are
     * told, in that order: mended = removed, skip = there was nothing, or it was changed since and is left.
     */
    PREPARE_UNDO,
};

enum prepare_form {
    PREPARE_FORM_NONE,
    PREPARE_FORM_AZ,
    PREPARE_FORM_POWERSHELL,
    PREPARE_FORM_ARM,
    PREPARE_FORM_BICEP
};

struct prepare_options {
    struct azure *azure; /* borrowed */
    struct clock *clock; /* borrowed */
    struct prepare_hands hands;
    enum prepare_mode mode;
    unsigned only;        /* PREPARE_BIT()s; 0 = all. What they need is checked, but only they are mended. */
    const char *alias;    /* for messages and names of what is made */
    const char *user;     /* who logs in; NULL = the VM's admin */
    uint16_t port;        /* the SSH port */
    const char *via;      /* alias of the VM it is reached through, or NULL */
    bool private_address; /* prefer-private-ip: no public address is needed */
    const char *target_host; /* what forwards open: "localhost" */
    uint16_t target_port;    /* 0: 3389 on Windows, else the SSH port */
    bool rdp;                /* the RDP stage applies even if it is no Windows */
    const char *public_key;  /* one line, or NULL: the login cannot be mended */
    const char *source; /* address or prefix for the rule ("203.0.113.7", "…/32", "*"), or NULL: our own */
    bool create_public_ip;
    enum prepare_form print; /* with PREPARE_CHECK: the missing steps in this form, by `printed` */
    const char *record;   /* absolute path of the file that remembers what was added; needed but for CHECK */
    uint32_t deadline_ms; /* for everything; 0 = 30 min */
};                        /* strings are copied */

struct prepare_events {
    void (*outcome)(void *arg, const struct prepare_outcome *o); /* each step once, as it completes */
    /* "starting win-new (12 s)": while a step takes its time, about once a second. */
    void (*progress)(void *arg, enum prepare_step step, const char *text);
    /* MEND, UNDO: a change that was made in Azure, in the past tense: "started win-new". */
    void (*changed)(void *arg, enum prepare_step step, const char *text);
    /* The text of `print`, or of what is missing when a write was refused (as az commands): once, before
     * done. */
    void (*printed)(void *arg, const char *text);
    /* Last. err NULL: every step that applies passes. ERR_UNAVAILABLE: some do not (the outcomes say which);
     * ERR_DENIED: a write was refused; else what ended the run early. */
    void (*done)(void *arg, const struct err *err);
};

struct prepare_run;
int prepare_start(struct prepare_run **out, const struct prepare_options *options,
                  const struct prepare_events *events, void *arg, struct err *err);
/* Synchronous and silent; what ARM has begun goes on. What had been changed was told by `changed`. */
void prepare_cancel(struct prepare_run *run);

/* The VM's host keys as it reports them through Run Command, for host-key-check: arm. Text: lines "TYPE
 * BASE64". ERR_UNAVAILABLE (it does not run, no SSH server there yet), and as azure_send(). */
struct prepare_keys;
int prepare_keys_fetch(struct prepare_keys **out, struct azure *azure, struct clock *clock, const char *id,
                       bool windows, uint32_t deadline_ms, prepare_text_cb cb, void *arg, struct err *err);
void prepare_keys_cancel(struct prepare_keys *k); /* synchronous and silent */

#endif
