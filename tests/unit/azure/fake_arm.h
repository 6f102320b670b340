/*
 * fake_arm: an HTTPS server on the tests' own loop that answers as told and remembers what it was asked.
 *
 * It plays ARM and the sign-in endpoint at once. Its certificate is made anew, for 127.0.0.1. HTTP/1.1,
 * keep-alive.
 */
#ifndef ADIT_TESTS_FAKE_ARM_H
#define ADIT_TESTS_FAKE_ARM_H

#include <stdbool.h>
#include <uv.h>

struct fake_arm;

/* Statuses that are none. */
enum { FAKE_HANG = -1, FAKE_RESET = -2, FAKE_CUT = -3 /* half of the body, then the end */ };

struct fake_arm *fake_arm_new(uv_loop_t *loop);
struct fake_arm *fake_arm_new_plain(uv_loop_t *loop);   /* http, as metadata services have it */
void fake_arm_close(struct fake_arm *f);                /* then run the loop */
const char *fake_arm_url(const struct fake_arm *f);     /* "https://127.0.0.1:PORT" */
const char *fake_arm_ca_file(const struct fake_arm *f); /* its certificate */

/* Requests whose "METHOD target" begins with `prefix` (the longest one that fits wins) get this answer.
 * Several for one prefix are given in turn, the last one for ever. headers: "Name: value\r\n"… or NULL. An
 * unknown target gets 404. */
void fake_arm_on(struct fake_arm *f, const char *prefix, int status, const char *headers, const char *body);
void fake_arm_forget(struct fake_arm *f, const char *prefix);

/* While held, answers wait; letting go sends them. */
void fake_arm_hold(struct fake_arm *f, bool held);

unsigned fake_arm_hits(const struct fake_arm *f, const char *prefix); /* requests that begin so */
const char *fake_arm_last(const struct fake_arm *f,
                          const char *prefix);           /* head and body of the last one, or "" */
unsigned fake_arm_connections(const struct fake_arm *f); /* accepted so far */

#endif
