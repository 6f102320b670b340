/*
 * fake_private: what fake_ssh.c and fake_target.c share.
 */
#ifndef ADIT_TESTS_FAKE_PRIVATE_H
#define ADIT_TESTS_FAKE_PRIVATE_H

#include "base/list.h"
#include "fake_ssh.h"
#include "ssh/ssh.h"

struct ssh_conn {
    struct list node;
    uv_loop_t *loop;
    struct readyq *ready;
    struct clock *clock;
    struct ready turn;
    uv_poll_t poll;
    int fd;
    unsigned number;
    const struct ssh_conn_events *events;
    void *arg;
    bool up, ending, ended;
    int end_code;
    char end_why[128];
    ssh_closed_cb closed_cb;
    void *closed_arg;
    struct list chans; /* open */
    struct list opens; /* not yet answered, oldest first */
    struct list listens;
    struct list calls; /* that came in and are not accepted yet */
};

struct ssh_chan {
    struct list node;
    struct ssh_conn *conn;
    const struct ssh_chan_events *events;
    void *arg;
    uint16_t port;
    uint64_t asked_ms;
    bool opened;
    struct ssh_listen *listen; /* of a call that nobody has been told of */
    /* to the local side */
    char *queue;
    size_t queue_len, queue_cap;
    uint64_t sent; /* of FAKE_SOURCE */
    size_t held;   /* delivered, no credit yet */
    bool end_queued, eof_sent;
    /* from the local side */
    char room[65536];
    size_t reserved;
    bool starved, got_eof;
};

void fake_lock(void);
void fake_unlock(void);
struct fake_counts *fake_count(void); /* under the lock */
void fake_wake(struct ssh_conn *c);
void fake_targets_turn(struct ssh_conn *c);
void fake_chan_gone(struct ssh_chan *ch);
struct ssh_chan *fake_chan_new(struct ssh_conn *c, uint16_t port);
struct list *fake_conns(void);
void fake_listens_turn(struct ssh_conn *c);
void fake_listens_end(struct ssh_conn *c, const struct err *err);
void fake_chan_end(struct ssh_chan *ch, const struct err *err);

#endif
