/*
 * remote_rig: a VM with a remote forward, and the server here that it leads to. One at a time.
 */
#ifndef ADIT_TESTS_REMOTE_RIG_H
#define ADIT_TESTS_REMOTE_RIG_H

#include "fake_ssh.h"
#include "proxy/forward.h"
#include "rig.h"

extern struct rig rig;
extern int remote_target;    /* listening, non-blocking */
extern char remote_spec[64]; /* "-R 8080:localhost:…", may be written over */
extern const char *const remote_specs[1];

int remote_setup(void **state);
int remote_teardown(void **state);
int remote_listen_at(uint16_t *port); /* 0: any */

struct vm *remote_vm(void); /* one that listens by now */
const struct forward *remote_first(const struct vm *vm);
bool remote_accepted(struct client *c);      /* fd −1 before: the target has been connected to */
struct client remote_reached(uint16_t kind); /* somebody calls at the VM and reaches the target here */
void remote_works(void);

#endif
