/*
 * questions: what a login to a VM wants to know, put to a command that waits for that VM.
 */
#ifndef ADIT_DAEMON_QUESTIONS_H
#define ADIT_DAEMON_QUESTIONS_H

#include "job.h"

#define QUESTIONS_TICK_MS 5000
#define QUESTIONS_MS 120000 /* to answer in: sshd waits as long (LoginGraceTime) */
#define QUESTIONS_MAX 1024

struct question;

/* A request that waits for a VM, whether it takes questions or not. Embedded, zeroed before. */
struct questioner {
    struct list node; /* of the daemon's questioners */
    struct job *job;
    const char *alias, *via; /* borrowed from the job's owner; via NULL: as the proxy knows it */
    struct question *asked;  /* what it is being asked, or NULL */
};

void questions_init(struct daemon *d);
void questions_free(struct daemon *d);

/* Until questioner_end(), or as long as the job has its request. */
void questioner_begin(struct questioner *w, struct job *j, const char *alias, const char *via);
void questioner_end(struct questioner *w); /* one that never began may be given when zeroed */

/* From elsewhere in the daemon: as questions_ask(), whose id does not count. cb: exactly once, unless it is
 * taken back first; never inside. text as of ssh_answer_cb. NULL with err: ERR_LIMIT, ERR_NOMEM. */
typedef void (*question_cb)(void *arg, const char *text, const struct err *err);
struct question *questions_put(struct daemon *d, const struct proxy_question *q, question_cb cb, void *arg,
                               struct err *err);
void questions_take_back(struct question *q); /* silent */

/* From the proxy (struct proxy_asker) and from the control socket. */
void questions_ask(void *daemon, const struct proxy_question *q);
void questions_withdrawn(void *daemon, uint64_t id);
void questions_answer(void *daemon, struct control_request *req, int64_t number, const char *text,
                      const struct err *why);

#endif
