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
void fake_proxy_hold_dials(bool hold); /* the same for those of dial */
/* Moves the daemon's clock, which stands still from then on. */
void fake_proxy_advance(unsigned ms);
size_t fake_proxy_waiting(void); /* callbacks held back */

void fake_proxy_fail_up(int code);                    /* 0: the next ones succeed */
void fake_proxy_fail_dials(unsigned count, int code); /* the next so many */
unsigned fake_proxy_dials(void);                      /* so far */
size_t fake_proxy_forwards(void);                     /* that are there, of all VMs */
size_t fake_proxy_vms(void);
unsigned fake_proxy_applied(void); /* calls of proxy_apply */

/* Questions: as from a login to this VM; ids below FAKE_QUESTIONS. From the test's thread. */
#define FAKE_QUESTIONS 16
struct fake_answer {
    bool given;
    int code;        /* 0: text is the answer; else the error's */
    char text[1100]; /* or the error's message */
};
void fake_proxy_ask(uint64_t id, const char *alias, const char *kind, const char *prompt);
void fake_proxy_withdraw(uint64_t id);
size_t fake_proxy_answers(void);                   /* so far */
struct fake_answer fake_proxy_answer(uint64_t id); /* after fake_proxy_answers() has counted it */
unsigned fake_proxy_forgotten(void);

/* From fake_proxy.c, on the daemon's thread. */
void fake_questions_open(const struct proxy_options *options);
void fake_questions_close(void);

#endif
