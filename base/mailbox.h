/*
 * mailbox: the only way from one loop to another: values go in on any thread, come out in order on the
 * owner's.
 *
 * A message is allocated by the sender, owned by the mailbox once mailbox_post() returned 0, and passed to
 * the receiver, who frees it. It carries values only, never a pointer to something that lives on a loop.
 */
#ifndef ADIT_BASE_MAILBOX_H
#define ADIT_BASE_MAILBOX_H

#include <uv.h>

#include "list.h"

struct mailbox;

struct mail {
    struct list node;            /* private */
    void (*free)(struct mail *); /* how to free one that was never received */
};

typedef void (*mailbox_cb)(void *arg, struct mail *mail); /* the receiver owns mail now */
typedef void (*mailbox_closed_cb)(void *arg);

/* Owner's thread. ERR_NOMEM, ERR_SYSTEM. */
int mailbox_new(struct mailbox **out, uv_loop_t *loop, mailbox_cb cb, void *arg);

/* Any thread. ERR_CLOSED after mailbox_close(): the mail stays the sender's. */
int mailbox_post(struct mailbox *m, struct mail *mail);

/* Owner's thread. Undelivered mail is freed. Posting stays safe (and is refused) until the last
 * mailbox_unref(). */
void mailbox_close(struct mailbox *m, mailbox_closed_cb cb, void *arg);

/* Any thread: senders hold a reference of their own for as long as they may post. mailbox_new() gives the
 * owner one, which mailbox_close() gives back. */
struct mailbox *mailbox_ref(struct mailbox *m);
void mailbox_unref(struct mailbox *m);

#endif
