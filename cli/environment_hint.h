/*
 * environment_hint: tells a user whose Azure variables are not the daemon's.
 */
#ifndef ADIT_CLI_ENVIRONMENT_HINT_H
#define ADIT_CLI_ENVIRONMENT_HINT_H

/* To be called with the code of each error that is told. */
void environment_hint_note(int code);
/* Before adit ends: if such variables may be why it failed, a line on standard error says so. Asks the
 * daemon, if one runs; quiet when it does not answer soon. */
void environment_hint_print(void);

#endif
