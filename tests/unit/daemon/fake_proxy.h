/*
 * fake_proxy: proxy.h without threads, sockets or VMs: remembers what was asked, and answers when the test
 * says so.
 */
#ifndef ADIT_TESTS_FAKE_PROXY_H
#define ADIT_TESTS_FAKE_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/proxy.h"

/* While held, the callbacks of up and forward_add wait for fake_proxy_release(). */
void fake_proxy_hold(bool hold);
void fake_proxy_release(void);
size_t fake_proxy_waiting(void); /* callbacks held back */

void fake_proxy_fail_up(int code);                    /* 0: the next ones succeed */
void fake_proxy_fail_dials(unsigned count, int code); /* the next so many */
unsigned fake_proxy_dials(void);                      /* so far */
size_t fake_proxy_forwards(void);                     /* that are there, of all VMs */
size_t fake_proxy_vms(void);
unsigned fake_proxy_applied(void); /* calls of proxy_apply */

#endif
