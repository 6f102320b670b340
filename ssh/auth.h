/*
 * auth: decides what to log in with, in which order, and what to say when nothing worked. Private to ssh/.
 *
 * Keys are loaded and the agent is asked while the handshake still runs. Thread: the loop's.
 */
#ifndef ADIT_SSH_AUTH_H
#define ADIT_SSH_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

struct ssh_auth;
struct ssh_conn;

int ssh_auth_new(struct ssh_auth **out, struct ssh_conn *c, struct err *err); /* starts to gather */
void ssh_auth_begin(struct ssh_auth *a);                                      /* the engine is ready */
bool ssh_auth_asking(const struct ssh_auth *a); /* a person is being waited for */
void ssh_auth_free(struct ssh_auth *a);         /* silent; NULL is fine; what runs on the pool is let go */

/* From the engine. */
void ssh_auth_reply(struct ssh_auth *a, const struct ssh_auth_reply *reply);
void ssh_auth_sign(struct ssh_auth *a, const char *alg, const uint8_t *data, size_t n);
void ssh_auth_prompts(struct ssh_auth *a, const char *title, const struct ssh_prompt *prompts,
                      unsigned count);

/* What was tried so far, for an error that ends the attempt from elsewhere; "" when nothing. */
const char *ssh_auth_tried(struct ssh_auth *a);

#endif
