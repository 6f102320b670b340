/*
 * far: the other end of the native engine: a server in memory that really exchanges keys and encrypts, and
 * otherwise sends what the test says.
 *
 * It answers by itself what belongs to a key exchange, and what `o` tells it to. Everything else of the
 * client is written down in `heard`. Thread: any, one at a time.
 */
#ifndef ADIT_TESTS_UNIT_SSH_NATIVE_FAR_H
#define ADIT_TESTS_UNIT_SSH_NATIVE_FAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "ssh/native/cipher.h"
#include "ssh/native/exchange.h"
#include "ssh/native/native.h"

struct far;

/* Where something may be slipped in, or held back: called before the message of that name is sent. */
enum far_point { FAR_KEXINIT, FAR_REPLY, FAR_NEWKEYS, FAR_DONE };

struct far_options {
    const char *kex, *cipher; /* NULL: curve25519-sha256, aes128-gcm@openssh.com */
    const char *compression;  /* NULL: none */
    bool strict;
    bool wrong_guess;        /* a packet that the client must pass over follows each KEXINIT */
    bool lets_in;            /* answers the service request, and the first login with success */
    bool confirms;           /* opens every channel: its number is the client's plus FAR_CHAN */
    uint32_t window, packet; /* that it gives to them; 0: 1 MiB, 32 KiB */
    void (*at)(struct far *f, enum far_point point); /* may be NULL */
};

#define FAR_CHAN 1000

struct far {
    struct far_options o;
    struct wire_writer out;   /* for the client; the caller takes it */
    struct wire_writer in;    /* of the client, not cut into packets yet */
    struct wire_writer heard; /* messages, each as a string */
    struct cipher_state to, from;
    struct cipher_keys *next_from;
    struct wire_writer ours, theirs, client_version; /* KEXINITs of this exchange */
    uint8_t session_id[EXCHANGE_HASH_MAX];
    size_t session_len;
    const struct kex_method *method;
    void *host_key; /* EVP_PKEY, Ed25519 */
    bool offered, version_seen;
    unsigned exchanges; /* that are done */
    void *arg;
    /* What it does wrong. */
    bool bad_signature, zero_point, silent_exchange;
};

void far_init(struct far *f, const struct far_options *o);
void far_done(struct far *f);
void far_other_host_key(struct far *f); /* from now on */

void far_take(struct far *f, const void *data, size_t n); /* from the client */
int far_run(struct far *f);                               /* -1: what the client sent makes no sense */

void far_start(struct far *f);                               /* its version */
void far_offer(struct far *f);                               /* begins a key exchange */
void far_send(struct far *f, const void *payload, size_t n); /* one packet */
void far_send_writer(struct far *f, struct wire_writer *w);  /* likewise; writes it off */
void far_send_type(struct far *f, uint8_t type);             /* a message of one byte */

unsigned far_heard(const struct far *f, uint8_t type); /* how many of that type */

#endif
