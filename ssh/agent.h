/*
 * agent: the keys of ssh-agent, listed and used for signing without blocking (draft-miller-ssh-agent).
 * Private to ssh/.
 *
 * One connection to the agent, one question at a time. Thread: the loop's. Callbacks follow the asynchronous
 * contract.
 */
#ifndef ADIT_SSH_AGENT_H
#define ADIT_SSH_AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

#define SSH_AGENT_KEYS_MAX 256
#define SSH_AGENT_REPLY_MAX (256u << 10)

struct ssh_agent;

struct ssh_agent_key {
    uint8_t *blob;
    size_t blob_len;
    char comment[96]; /* printable */
};

struct ssh_agent_keys {
    struct ssh_agent_key *keys;
    size_t count;
};

/* keys is the receiver's then (ssh_agent_keys_done()); it is empty when err is not NULL. */
typedef void (*ssh_agent_list_cb)(void *arg, const struct ssh_agent_keys *keys, const struct err *err);
/* sig: a signature blob of RFC 4253 §6.6 (name, then the inner part), borrowed; NULL with err. */
typedef void (*ssh_agent_sign_cb)(void *arg, const uint8_t *sig, size_t n, const struct err *err);

/* ERR_NOMEM, ERR_INVAL (path too long). Connects when first asked. */
int ssh_agent_new(struct ssh_agent **out, uv_loop_t *loop, const char *path, struct err *err);
int ssh_agent_list(struct ssh_agent *a, ssh_agent_list_cb cb, void *arg, struct err *err);
/* flags: 0, or for RSA 2 = rsa-sha2-256, 4 = rsa-sha2-512. */
int ssh_agent_sign(struct ssh_agent *a, const uint8_t *blob, size_t blob_len, const uint8_t *data, size_t n,
                   uint32_t flags, ssh_agent_sign_cb cb, void *arg, struct err *err);
void ssh_agent_close(struct ssh_agent *a); /* silent; frees itself later. NULL is fine */

/* The answers' parsers. ERR_PROTOCOL, ERR_LIMIT, ERR_NOMEM; ERR_AUTH when the agent says no. */
int ssh_agent_parse_list(struct ssh_agent_keys *out, const uint8_t *reply, size_t n, struct err *err);
int ssh_agent_parse_sign(const uint8_t **sig, size_t *sig_len, const uint8_t *reply, size_t n,
                         struct err *err);
void ssh_agent_keys_done(struct ssh_agent_keys *k);

#endif
