/*
 * fake_target: what stands behind a channel: echo, sink, source and the like, with windows and end of file as
 * in SSH.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_private.h"

static size_t some(size_t most)
{
    size_t max = fake.chunk_max ? fake.chunk_max : 65536;
    if (most < max)
        max = most;
    return max ? 1 + (size_t)rand() % max : 0;
}

static void enqueue(struct ssh_chan *ch, const char *data, size_t n)
{
    if (ch->queue_len + n > ch->queue_cap) {
        ch->queue_cap = (ch->queue_len + n) * 2;
        ch->queue = realloc(ch->queue, ch->queue_cap);
        assert(ch->queue);
    }
    memcpy(ch->queue + ch->queue_len, data, n);
    ch->queue_len += n;
}

static void source_more(struct ssh_chan *ch)
{
    char part[4096];
    while (ch->queue_len < 2 * sizeof ch->room && ch->sent < fake.source_bytes) {
        size_t n = 0;
        while (n < sizeof part && ch->sent < fake.source_bytes)
            part[n++] = (char)fake_pattern(ch->sent++);
        enqueue(ch, part, n);
    }
    ch->end_queued = ch->sent == fake.source_bytes;
}

/* One event at most; false when the channel is gone. */
static bool chan_turn(struct ssh_chan *ch)
{
    if (ch->port == FAKE_SOURCE && !ch->end_queued)
        source_more(ch);
    bool may_send = ch->port != FAKE_LATER || ch->got_eof;
    size_t window = SSH_RX_WINDOW - ch->held;
    size_t n = some(ch->queue_len < window ? ch->queue_len : window);
    struct ssh_conn *c = ch->conn;
    if (may_send && n > 0) {
        char *data = malloc(n); /* exactly so long: a reader that reads on is caught */
        memcpy(data, ch->queue, n);
        ch->queue_len -= n;
        memmove(ch->queue, ch->queue + n, ch->queue_len);
        ch->held += n;
        fake_lock();
        if (ch->held > fake_count()->held_most)
            fake_count()->held_most = ch->held;
        fake_unlock();
        size_t half = n / 2;
        uv_buf_t bufs[2] = {uv_buf_init(data, (unsigned)half),
                            uv_buf_init(data + half, (unsigned)(n - half))};
        const struct ssh_chan_events *events = ch->events;
        events->data(ch->arg, half ? bufs : bufs + 1, half ? 2 : 1);
        free(data);
        fake_wake(c);
        return true;
    }
    if (ch->starved && ch->port != FAKE_SILENT) {
        ch->starved = false;
        fake_wake(c);
        ch->events->writable(ch->arg);
        return true;
    }
    if (ch->end_queued && ch->queue_len == 0 && !ch->eof_sent) {
        ch->eof_sent = true;
        fake_wake(c);
        ch->events->eof(ch->arg);
        return true;
    }
    if (ch->eof_sent && ch->got_eof)
        fake_chan_end(ch, NULL);
    return true;
}

static void chan_open(struct ssh_chan *ch)
{
    struct ssh_conn *c = ch->conn;
    fake_wake(c);
    if (ch->port == FAKE_REFUSED) {
        struct err err = {0};
        err_set(&err, ERR_REFUSED, "%s", fake.refusal ? fake.refusal : "Connection refused");
        fake_chan_end(ch, &err);
        return;
    }
    ch->opened = true;
    list_move(&c->chans, &ch->node);
    fake_lock();
    fake_count()->chans_opened++;
    fake_unlock();
    if (ch->port >= FAKE_NAMES) {
        char text[16];
        enqueue(ch, text, (size_t)snprintf(text, sizeof text, "%u\n", ch->port));
        ch->end_queued = true;
    }
    ch->events->opened(ch->arg);
}

void fake_targets_turn(struct ssh_conn *c)
{
    /* Each open channel gets its turn and stands at the end again: a callback may take any of them away. */
    for (size_t n = list_count(&c->chans); n > 0 && !c->ending && !list_empty(&c->chans); n--) {
        struct list *node = list_first(&c->chans);
        list_move(&c->chans, node);
        chan_turn(container_of(node, struct ssh_chan, node));
    }
    /* Opens are answered one at a time. */
    struct list *head = list_first(&c->opens);
    if (!head || c->ending || fake.stall_opens)
        return;
    struct ssh_chan *ch = container_of(head, struct ssh_chan, node);
    if (ch->port != FAKE_HANGS)
        chan_open(ch);
}

bool ssh_chan_tx_reserve(struct ssh_chan *ch, uv_buf_t *room)
{
    if (!ch->opened || ch->starved)
        return false;
    assert(!ch->got_eof);
    /* Now and then there is no room, whoever asks. */
    if (ch->port == FAKE_SILENT || rand() % 8 == 0) {
        ch->starved = true;
        fake_wake(ch->conn);
        return false;
    }
    ch->reserved = some(sizeof ch->room);
    *room = uv_buf_init(ch->room, (unsigned)ch->reserved);
    return true;
}

void ssh_chan_tx_commit(struct ssh_chan *ch, size_t n)
{
    assert(ch->opened && !ch->got_eof && n <= ch->reserved);
    ch->reserved = 0;
    if (ch->port == FAKE_SINK || ch->port == FAKE_SOURCE) {
        fake_lock();
        fake_count()->swallowed += n;
        fake_unlock();
    } else {
        enqueue(ch, ch->room, n);
    }
    fake_wake(ch->conn);
}

void ssh_chan_rx_consume(struct ssh_chan *ch, size_t n)
{
    assert(n <= ch->held);
    ch->held -= n;
    fake_wake(ch->conn);
}

void ssh_chan_eof(struct ssh_chan *ch)
{
    assert(!ch->got_eof);
    ch->got_eof = true;
    if (ch->port != FAKE_SOURCE && ch->port < FAKE_NAMES)
        ch->end_queued = true;
    fake_lock();
    fake_count()->ends_seen++;
    fake_unlock();
    fake_wake(ch->conn);
}
