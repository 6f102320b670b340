/*
 * caller: a VM with a dynamic forward, and clients that speak to it word by word.
 */
#ifndef ADIT_TESTS_CALLER_H
#define ADIT_TESTS_CALLER_H

#include "proxy/forward.h"
#include "rig.h"

#define BYTES(text) text, sizeof(text) - 1
#define TO_ECHO "\5\1\0\5\1\0\3\5web-1\0\7" /* SOCKS 5, in one breath */
#define YES "\5\0\5\0\0\1\0\0\0\0\0\0"      /* and its answers */

extern struct rig caller_rig;
extern struct vm *caller_vm; /* up */

int caller_setup(void **state);
int caller_teardown(void **state);
const struct forward *caller_forward(void);

int caller(void); /* a connected client */
void say(int fd, const char *bytes, size_t n);
void expect(int fd, const char *bytes, size_t n); /* exactly these come next */
bool nothing(int fd);                             /* there is nothing to be read, and no end */
bool ended(int fd);                               /* in order */
void expect_end(int fd);                          /* and no flow is left */

#endif
