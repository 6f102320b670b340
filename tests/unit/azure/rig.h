/*
 * rig: a loop, a clock, a fake ARM and a struct azure that talks to it: what every test of azure/ and
 * resolver/ starts from.
 */
#ifndef ADIT_TESTS_RIG_H
#define ADIT_TESTS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "azure/azure.h"
#include "fake_arm.h"

#define RIG_SECRET "s3cr3t~value.that/must+not=show"
#define RIG_TOKEN "token-one"
#define RIG_TENANT "11111111-1111-1111-1111-111111111111"
#define RIG_TOKEN_ROUTE "POST /" RIG_TENANT "/oauth2/v2.0/token"
#define RIG_TOKEN_BODY(value) "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"" value "\"}"

struct rig {
    uv_loop_t loop;
    struct clock *clock;
    struct fake_arm *arm;
    struct azure *azure;
    uv_timer_t tick; /* turns the loop while a test waits */
};

struct rig_options {
    unsigned requests_max;
    bool no_ca;
    const char *arm_url;    /* another one than the fake's */
    const char *credential; /* NULL = "auto" */
    const char *tenant, *login_file;
};

/* cmocka's setup and teardown; the teardown asserts that the loop holds nothing any more. */
int rig_setup(void **state);
int rig_teardown(void **state);

void rig_reopen(struct rig *rig,
                const struct rig_options *options); /* another struct azure, to these options */
void rig_close_azure(struct rig *rig);

/* Turns the loop until *flag is at least n, or fails the test after ten seconds. */
void rig_until(struct rig *rig, const unsigned *flag, unsigned n);
void rig_until_hits(struct rig *rig, const char *prefix, unsigned n);
void rig_turns(struct rig *rig, unsigned n); /* so many times, each with what is ready by then */
/* With the clock frozen: moves it in steps until *flag is at least n; returns the milliseconds that it took.
 */
uint64_t rig_advance_until(struct rig *rig, const unsigned *flag, unsigned n);

/* What a callback was told. */
struct told {
    unsigned count;
    int status;
    struct json_t *json;
    struct err err; /* code 0: none */
    bool has_reply;
};
void told_done(struct told *t);
void told_cb(void *arg, const struct azure_reply *reply, const struct err *err); /* arg: struct told */

/* Sends and asserts that it was taken. */
struct azure_req *rig_send(struct rig *rig, const char *method, const char *path, uint32_t deadline_ms,
                           struct told *told);

#define assert_contains(text, part)                                                                          \
    do {                                                                                                     \
        if (!strstr((text), (part)))                                                                         \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                      \
    } while (0)

#endif
