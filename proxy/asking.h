/*
 * asking: the questions that a VM's connections put to a person, and what is remembered of the answers.
 *
 * Thread: the plane's loop, for every function here.
 */
#ifndef ADIT_PROXY_ASKING_H
#define ADIT_PROXY_ASKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ssh/ask.h"

#define ASKING_LOGIN_MS 10000 /* that a login may take after the last answer, whatever its deadline was */

struct plane;
struct pool_conn;
struct vm;

/* Of a connection. */
struct asking {
    char *password;  /* typed for it; the VM's once it has let us in. A secret */
    bool kept_given; /* the VM's password was answered already */
};

/* Of a VM. */
struct asking_vm {
    char *password;   /* that let us in, for the connections to come. A secret */
    unsigned pending; /* questions that a person has not answered */
    bool any;         /* there was one ever */
    uint64_t last_ms; /* when the last was over */
    bool alone;       /* nobody was there to be asked, in this attempt */
    bool once_more;   /* and then somebody came */
};

struct ssh_ask asking_of(struct pool_conn *c);
void asking_conn_up(struct pool_conn *c);
void asking_conn_done(struct pool_conn *c, const struct err *err); /* err NULL: it was not refused */

/* The answer to plane_ops.ask: text, or NULL with err: ERR_NOTFOUND when nobody is there, so that
 * $SSH_ASKPASS may be tried. text is copied where it is kept. */
void asking_answered(struct plane *plane, uint64_t seq, const char *text, const struct err *err);

void asking_forget(struct vm *vm);        /* its password */
void asking_somebody_came(struct vm *vm); /* a request for it */
bool asking_try_again(struct vm *vm);     /* the attempt was in vain only because nobody was there yet */
uint64_t
asking_patience(const struct vm *vm); /* ms that its deadlines wait for a person and the login then; 0 */

#endif
