/*
 * confirm: a yes or no from the person at the terminal.
 */
#ifndef ADIT_CLI_CONFIRM_H
#define ADIT_CLI_CONFIRM_H

#include <stdbool.h>

/* Whether somebody can be asked: standard input and standard error are a terminal. */
bool confirm_possible(void);

/* Asks "QUESTION [y/N] " on standard error. 1: yes; 0: anything else; −1: interrupted (interrupt_signal()).
 */
int confirm_ask(const char *question);

#endif
