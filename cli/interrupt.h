/*
 * interrupt: Ctrl-C and SIGTERM as something to poll for, for commands that have to tidy up.
 */
#ifndef ADIT_CLI_INTERRUPT_H
#define ADIT_CLI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* From now on SIGINT, SIGTERM and SIGHUP only make the returned descriptor readable; −1 when there is none
 * left. */
int interrupt_catch(void);
int interrupt_signal(void); /* the signal that came, or 0 */
/* Makes the descriptor readable without a signal; works from a forked child, too. */
void interrupt_wake(void);

/* Waits this long. 0: the time is over; 1: interrupted; 2: the terminal was resized (after
 * interrupt_catch_resize()). */
int interrupt_sleep(uint32_t ms);
void interrupt_catch_resize(void);

#endif
