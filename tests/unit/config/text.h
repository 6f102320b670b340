/*
 * text: configurations written down in the tests themselves.
 */
#ifndef ADIT_TESTS_UNIT_CONFIG_TEXT_H
#define ADIT_TESTS_UNIT_CONFIG_TEXT_H

#include "config/config.h"

/* Loads the text as if it were /etc/adit-test/adit.yaml. Fails the test, with the message, when it does not
 * load. */
const struct config *text_load(const char *text);

/* Loads text that is wrong and fails the test unless its problems are exactly `expected`: one "line:column:
 * text" each, joined with newlines. */
void text_problems(const char *text, const char *expected);

/* A configuration that sets every key there is. */
extern const char text_everything[];

#endif
