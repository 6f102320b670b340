/*
 * mail: what the main loop and the workers tell each other: values only.
 *
 * One shape serves every kind; members that a kind does not name are zero. Strings, configurations and
 * descriptors in a mail belong to it and go with it, unless the receiver takes them out (sets the member to
 * NULL or −1). Thread: a mail belongs to whoever holds it.
 */
#ifndef ADIT_PROXY_MAIL_H
#define ADIT_PROXY_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mailbox.h"
#include "config/config.h"
#include "dial.h"
#include "resolver/facts.h"
#include "ssh/ask.h"

struct proxy_vm_status;

enum mail_kind {
    /* main loop → worker */
    MAIL_VM_SET,         /* vm, via, config, flags; req (0 = nobody waits for the listeners) */
    MAIL_VM_UP,          /* vm, req, deadline_ms: answer when it is up */
    MAIL_VM_DROP,        /* vm, req */
    MAIL_FORWARD_ADD,    /* vm, spec, req, deadline_ms */
    MAIL_FORWARD_CANCEL, /* vm, spec, req */
    MAIL_REACHED,        /* vm, seq, reach or err */
    MAIL_DIAL,           /* vm (the one in between), reach, deadline_ms, req */
    MAIL_STATUS,         /* req */
    MAIL_ANSWER,         /* seq, text (a secret) or err */
    MAIL_FORGET,         /* what was answered is asked for again the next time */
    MAIL_STOP,           /* deadline_ms: grace */
    /* worker → main loop */
    MAIL_REACH, /* vm, seq, MAIL_DIRECT: look the name up */
    MAIL_DONE,  /* req, err, text: what MAIL_VM_SET, _UP, _DROP, FORWARD_ADD (text: where it listens), _CANCEL
                   came to */
    MAIL_DIALED, /* req, fd or err */
    MAIL_ASK, /* vm, seq, question, text (the prompt), MAIL_ECHO: put it to a person; MAIL_ANSWER follows */
    MAIL_ASK_OVER, /* seq: the answer is not wanted any more */
    MAIL_REPORT,   /* req, status, ids, status_count */
    MAIL_STOPPED,  /* nothing follows */
};

enum mail_flags {
    MAIL_WANTED = 1 << 0,        /* VM_SET: listeners bound, connection up */
    MAIL_REACH_CHANGED = 1 << 1, /* VM_SET: new flows need a new connection */
    MAIL_TRIM = 1 << 2,          /* VM_SET: only stop what the new configuration does not have */
    MAIL_DIRECT = 1 << 3,        /* REACH: what is remembered is wrong */
    MAIL_ECHO = 1 << 5,
    MAIL_REKEY = 1 << 5,   /* REACH: its host key was not the one that is known */
    MAIL_RUNTIME = 1 << 4, /* FORWARD_ADD: moved with its VM: keep it whether or not it can listen */
};

/* Where a VM can be reached. */
struct mail_reach {
    const struct resolver_facts *facts; /* a reference, or NULL when the address is configured */
    struct dial_address addresses[DIAL_ADDRESSES_MAX];
    size_t count;
    bool rekeyed; /* Azure reports other host keys than were known */
};

struct proxy_mail {
    struct mail mail;
    enum mail_kind kind;
    unsigned flags; /* enum mail_flags */
    unsigned worker;
    uint64_t vm, via, req, seq;
    uint32_t deadline_ms;
    struct config_vm *config;
    struct forward_spec *spec;
    struct mail_reach reach;
    struct proxy_vm_status *status;
    uint64_t *ids; /* of the VMs in status */
    size_t status_count;
    int fd;
    enum ssh_question_kind question;
    bool secret; /* text is wiped when the mail goes */
    char *text;
    struct err err;
};

struct proxy_mail *proxy_mail_new(enum mail_kind kind); /* NULL when out of memory */
void proxy_mail_free(struct proxy_mail *m);
static inline struct proxy_mail *proxy_mail_of(struct mail *m)
{
    return container_of(m, struct proxy_mail, mail);
}

/* Posts, or frees when the box is closed already. */
void proxy_mail_post(struct mailbox *to, struct proxy_mail *m);

int proxy_mail_set_config(struct proxy_mail *m, const struct config_vm *vm);    /* copies. ERR_NOMEM */
int proxy_mail_set_spec(struct proxy_mail *m, const struct forward_spec *spec); /* copies. ERR_NOMEM */

#endif
