/*
 * ask: puts the questions of a request under way to whoever sits before this command: on its terminal, or by
 * $SSH_ASKPASS, as ssh does.
 */
#ifndef ADIT_CLI_ASK_H
#define ADIT_CLI_ASK_H

#include "ask_program.h"
#include "ask_terminal.h"
#include "cli.h"
#include "progress.h"

struct ask {
    bool batch; /* --batch: nobody is asked */
    bool again; /* a host key was answered with neither yes nor no */
    struct progress *progress;
    struct ask_terminal terminal;
    struct ask_program program;
};

void ask_init(struct ask *a, bool batch, struct progress *progress);
/* Tells the daemon in the request's arguments who may be asked. */
void ask_args(const struct ask *a, json_t *args);
bool ask_active(const struct ask *a); /* a question is on the screen: print nothing else */

/* For a control_watch. */
enum control_asked ask_question(struct ask *a, const struct control_question *q, int wake_fd,
                                char answer[CONTROL_ANSWER_MAX + 1]);
void ask_withdrawn(struct ask *a);

/* control_call() with progress and questions; ask_args() is done here. */
int ask_call(struct ask *a, struct control_client *c, const char *op, json_t *args, uint32_t timeout_ms,
             json_t **data, int *fd, struct err *err);

#endif
