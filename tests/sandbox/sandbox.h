/*
 * sandbox: the one object that holds the whole local Azure together.
 */
#ifndef ADIT_SANDBOX_SANDBOX_H
#define ADIT_SANDBOX_SANDBOX_H

#include <uv.h>

#include "address.h"
#include "arm.h"
#include "base/list.h"
#include "ctl.h"
#include "http.h"
#include "identity.h"
#include "netns.h"
#include "token.h"
#include "world.h"

struct sandbox {
    uv_loop_t loop;
    const char *dir;  /* absolute */
    char *user;       /* the login name of every sshd: the calling user's */
    char *public_key; /* of the client key, one line */
    struct world world;
    char caller[ADDRESS_LEN]; /* address of whoever calls ARM, as the VMs see it */
    struct netns fabric;
    struct err fabric_why; /* why there is none */
    struct address_book addresses;
    struct http http;
    struct token_book tokens;
    struct identity identity;
    struct arm arm;
    struct list lros; /* lro.h */
    struct ctl ctl;
    unsigned serial;           /* of the last VM process */
    unsigned synthetic_serial; /* of the last address of a synthetic VM */
    unsigned booting;          /* VMs that are not up yet at start-up */
    uv_signal_t on_int, on_term;
    int exit_status;
};

/* Returns the exit status. */
int sandbox_run(const char *dir, const struct world_choice *world, unsigned arm_port);

#endif
