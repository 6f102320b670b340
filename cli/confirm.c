/*
 * confirm: a yes or no from the person at the terminal.
 */
#include "confirm.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "interrupt.h"
#include "output.h"

bool confirm_possible(void)
{
    return isatty(STDIN_FILENO) == 1 && output_is_terminal(stderr);
}

int confirm_ask(const char *question)
{
    char answer[64] = "";
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = interrupt_catch(), .events = POLLIN}};

    fflush(stdout);
    output_text(stderr, question);
    fputs(" [y/N] ", stderr);
    fflush(stderr);
    while (poll(fds, 2, -1) < 0 && !interrupt_signal())
        ;
    if (interrupt_signal()) {
        fputc('\n', stderr);
        return -1;
    }
    ssize_t n = read(STDIN_FILENO, answer, sizeof answer - 1); /* a terminal gives a line */
    if (n <= 0) {
        fputc('\n', stderr);
        return 0;
    }
    answer[strcspn(answer, " \t\r\n")] = '\0';
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
