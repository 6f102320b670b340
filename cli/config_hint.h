/*
 * config_hint: tells a user who has edited the configuration that aditd does not know it yet.
 */
#ifndef ADIT_CLI_CONFIG_HINT_H
#define ADIT_CLI_CONFIG_HINT_H

/* To be called when a command has failed with this code; 0: it has not, but names of the configuration count.
 */
void config_hint_note(int code);
/* Before adit ends: if it was noted and the file has changed since aditd read it, a line on standard error
 * says so. Asks the daemon, if one runs; quiet when it does not answer soon. */
void config_hint_print(void);

#endif
