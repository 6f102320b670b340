/*
 * nearest: which of some words a mistyped one was meant to be.
 */
#ifndef ADIT_CLI_NEAREST_H
#define ADIT_CLI_NEAREST_H

/* words ends with NULL. NULL when none is near enough. */
const char *nearest_word(const char *typed, const char *const *words);

#endif
