/*
 * screen: a page that is refreshed in place, without flicker: overwritten line by line, then what is left is
 * wiped.
 */
#include "screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output.h"

void screen_begin(struct screen *s)
{
    s->terminal = output_is_terminal(stdout);
    s->first = true;
    if (s->terminal)
        fputs("\033[?1049h\033[?25l", stdout);
}

static unsigned rows(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

static void overwrite(const char *page)
{
    unsigned left = rows();

    fputs("\033[H", stdout);
    for (; *page && left > 0; left--) {
        size_t n = strcspn(page, "\n");
        fwrite(page, 1, n, stdout);
        fputs(left > 1 ? "\033[K\r\n" : "\033[K", stdout); /* an LF in the last row would scroll */
        page += n + (page[n] == '\n');
    }
    if (left > 0)
        fputs("\033[J", stdout);
}

void screen_show(struct screen *s, const char *page)
{
    if (s->terminal) {
        overwrite(page);
    } else {
        if (!s->first)
            putchar('\n');
        fputs(page, stdout);
    }
    s->first = false;
    fflush(stdout);
}

void screen_end(struct screen *s)
{
    if (s->terminal)
        fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
}
