/*
 * output: printing others' text so that it cannot play with the terminal; errors; what is known of the
 * terminal.
 */
#include "output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "config_hint.h"
#include "environment_hint.h"
#include "name_hint.h"

/* Length of the printable UTF-8 character at s; 0 when it must be escaped. */
static size_t printable(const unsigned char *s)
{
    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7F ? 1 : 0;
    size_t n = s[0] >= 0xC2 && s[0] < 0xE0   ? 2
               : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
               : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if (n == 2 && s[0] == 0xC2 && s[1] < 0xA0) /* C1 controls */
        return 0;
    return n;
}

void output_escape(struct strbuf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t n = printable(p);
        if (n > 0)
            strbuf_add(out, (const char *)p, n);
        else
            strbuf_printf(out, "\\x%02X", *p);
        p += n > 0 ? n : 1;
    }
}

void output_text(FILE *f, const char *text)
{
    struct strbuf escaped;
    strbuf_init(&escaped);
    output_escape(&escaped, text);
    if (escaped.len > 0 && !escaped.bad)
        fputs(escaped.data, f);
    strbuf_done(&escaped);
}

void output_block(FILE *f, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n\t");
        struct strbuf part;
        strbuf_init(&part);
        strbuf_add(&part, text, n);
        if (part.len > 0 && !part.bad)
            output_text(f, part.data);
        strbuf_done(&part);
        if (text[n])
            fputc(text[n], f);
        text += n + (text[n] != '\0');
    }
}

size_t output_width(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

bool output_is_terminal(FILE *f)
{
    return isatty(fileno(f)) == 1;
}

bool output_colours(FILE *f)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return output_is_terminal(f) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

unsigned output_columns(FILE *f)
{
    struct winsize size;
    if (!output_is_terminal(f) || ioctl(fileno(f), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

/* The daemon names the VM in its messages too; once is enough. */
static const char *without_repetition(const char *what, const char *message)
{
    const char *name = strrchr(what, ' ');
    name = name ? name + 1 : what;
    size_t n = strlen(name);
    if (strncmp(message, "vm ", 3) == 0 && strncmp(message + 3, name, n) == 0 &&
        strncmp(message + 3 + n, ": ", 2) == 0)
        return message + 3 + n + 2;
    return message;
}

int cli_fail(const struct err *err, const char *what_fmt, ...)
{
    char what[512] = "";
    va_list ap;

    if (what_fmt) {
        va_start(ap, what_fmt);
        vsnprintf(what, sizeof what, what_fmt, ap);
        va_end(ap);
    }
    fflush(stdout);
    fputs("adit: ", stderr);
    if (*what) {
        output_text(stderr, what);
        fputs(": ", stderr);
    }
    output_text(stderr, *what ? without_repetition(what, err->msg) : err->msg);
    name_hint_print(stderr, err, what);
    fputc('\n', stderr);
    environment_hint_note(err->code);
    config_hint_note(err->code);
    return err_exit_status(err->code);
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "adit: %s: ", cli->command->name);
    output_text(stderr, text);
    fprintf(stderr, "\nusage: adit %s %s\n", cli->command->name, cli->command->synopsis);
    return EX_USAGE;
}
