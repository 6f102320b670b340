/*
 * output: printing others' text so that it cannot play with the terminal, and what is known of the terminal.
 */
#ifndef ADIT_CLI_OUTPUT_H
#define ADIT_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/strbuf.h"

/* Control characters (C0, DEL, C1) and bytes that are no UTF-8 come out as \xNN. */
void output_text(FILE *f, const char *text);
void output_escape(struct strbuf *out, const char *text);
void output_block(FILE *f, const char *text); /* several lines: LF and tabs stay */
size_t output_width(const char *text);        /* columns of escaped text: its characters */

/* Colours: only on a terminal that is not dumb, and not when NO_COLOR is set to anything. */
bool output_colours(FILE *f);
bool output_is_terminal(FILE *f);
unsigned output_columns(FILE *f); /* of the terminal; 0 when it is none */

#endif
