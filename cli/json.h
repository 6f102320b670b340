/*
 * json: building requests and printing answers.
 */
#ifndef ADIT_CLI_JSON_H
#define ADIT_CLI_JSON_H

#include <jansson.h>

/* An array of the words of argv. */
json_t *json_words(char **words, int count);
void json_print(const json_t *value); /* indented, on standard output */
void json_print_line(const json_t *value);

#endif
