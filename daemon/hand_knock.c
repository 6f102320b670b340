/*
 * hand_knock: does an SSH server answer at the VM's port?
 *
 *   LOOKING ──ARM said where──▶ DIALLING ──connected──▶ READING ──"SSH-2.0-…"──▶ cb
 *
 * Happy path: the VM is looked up anew, the port connects, the server says its version (RFC 4253 §4.2, lines
 * before it are passed over). Failure modes: nowhere to connect to, no connection, something else answers, it
 * hangs up or says nothing; the deadline is for all of it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "hands_private.h"
#include "ssh/banner.h"

#define READ_MAX 1024
#define READ_MIN_MS 2000 /* for the banner, however long the connect took */

struct knock {
    struct hand hand;
    struct resolver_req *lookup;
    struct proxy_req *dial;
    uv_poll_t poll;
    int fd; /* −1: not connected */
    bool polling;
    struct ssh_banner banner;
    struct timer deadline;
    uint64_t deadline_at;
    prepare_text_cb cb;
    void *arg;
};

static void on_poll_closed(uv_handle_t *handle)
{
    struct knock *k = handle->data;
    struct hands *h = k->hand.hands;
    close(k->fd);
    mem_free(k);
    hand_gone(h);
}

static void let_go(struct knock *k)
{
    if (k->lookup)
        resolver_cancel(k->lookup);
    if (k->dial)
        proxy_cancel(k->dial);
    timer_stop(&k->deadline);
    hand_end(&k->hand, k->polling);
    if (k->polling) {
        uv_poll_stop(&k->poll);
        uv_close((uv_handle_t *)&k->poll, on_poll_closed);
        return;
    }
    if (k->fd >= 0)
        close(k->fd);
    mem_free(k);
}

static void knock_cancel(struct hand *hand)
{
    let_go(container_of(hand, struct knock, hand));
}

static void finish(struct knock *k, const char *line, const struct err *err)
{
    prepare_text_cb cb = k->cb;
    void *arg = k->arg;
    char text[sizeof k->banner.line] = "";
    struct err why = {0};
    if (line)
        memcpy(text, line, strlen(line) + 1);
    if (err)
        why = *err;
    let_go(k);
    cb(arg, err ? NULL : text, err ? &why : NULL);
}

static uint32_t time_left(const struct knock *k)
{
    uint64_t now = clock_now(k->hand.hands->d->clock);
    return now < k->deadline_at ? (uint32_t)(k->deadline_at - now) : 1;
}

static void on_deadline(struct timer *t)
{
    struct knock *k = container_of(t, struct knock, deadline);
    struct err err = {0};
    if (k->polling)
        err_set(&err, ERR_TIMEOUT, "it connects, but no SSH server says anything");
    else
        err_set(&err, ERR_TIMEOUT, "its address could not be looked up in time");
    finish(k, NULL, &err);
}

static void read_some(struct knock *k)
{
    uint8_t data[READ_MAX];
    struct err err = {0};
    ssize_t n = recv(k->fd, data, sizeof data, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0)
        err_sys(&err, errno, "it hung up");
    else if (n == 0)
        err_set(&err, ERR_CLOSED, "it hung up before an SSH server said anything%s%s%s",
                k->banner.first[0] ? ", but for \"" : "", k->banner.first, k->banner.first[0] ? "\"" : "");
    else
        ssh_banner_feed(&k->banner, data, (size_t)n, &err);
    if (err.code || k->banner.done)
        finish(k, k->banner.line, err.code ? &err : NULL);
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    struct knock *k = handle->data;
    struct err err = {0};
    if (status < 0) {
        err_uv(&err, status, "it hung up");
        finish(k, NULL, &err);
        return;
    }
    read_some(k);
}

static void on_dialled(void *arg, int fd, const struct err *err)
{
    struct knock *k = arg;
    struct err why = {0};
    k->dial = NULL;
    if (err) {
        finish(k, NULL, err);
        return;
    }
    k->fd = fd;
    k->poll.data = k;
    int rc = uv_poll_init(&k->hand.hands->d->loop, &k->poll, fd);
    k->polling = rc == 0;
    if (rc == 0)
        rc = uv_poll_start(&k->poll, UV_READABLE, on_readable);
    if (rc < 0)
        err_uv(&why, rc, "cannot read from it");
    else if (timer_start(&k->deadline, time_left(k) < READ_MIN_MS ? READ_MIN_MS : time_left(k)) < 0)
        err_set(&why, ERR_NOMEM, "out of memory");
    if (why.code)
        finish(k, NULL, &why);
}

static int dial(struct knock *k, struct err *err)
{
    const struct hands *h = k->hand.hands;
    timer_stop(&k->deadline); /* the dial has the rest of the time, and knows better what it waited for */
    return proxy_dial(h->d->proxy, h->vm, h->vm->ssh.port, time_left(k), on_dialled, k, &k->dial, err);
}

static void on_looked(void *arg, const struct resolver_facts *facts, const struct err *err)
{
    struct knock *k = arg;
    struct err why = {0};
    k->lookup = NULL;
    if (facts)
        hands_looked(k->hand.hands, facts);
    if (!facts)
        finish(k, NULL, err);
    else if (dial(k, &why) < 0)
        finish(k, NULL, &why);
}

void *hand_knock(void *hands, uint32_t deadline_ms, prepare_text_cb cb, void *arg, struct err *err)
{
    struct hands *h = hands;
    struct knock *k = mem_zalloc(sizeof *k);
    if (!k) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    k->fd = -1;
    k->cb = cb;
    k->arg = arg;
    k->deadline_at = clock_now(h->d->clock) + deadline_ms;
    timer_init(&k->deadline, h->d->clock, on_deadline);
    hand_begin(&k->hand, h, knock_cancel);
    int rc = timer_start(&k->deadline, deadline_ms);
    if (rc < 0)
        err_set(err, rc, "out of memory");
    else if (hands_is_address(h))
        rc = dial(k, err);
    else
        rc = hands_look(h, time_left(k), on_looked, k, &k->lookup, err);
    if (rc < 0) {
        k->dial = NULL;
        k->lookup = NULL;
        let_go(k);
        return NULL;
    }
    return &k->hand;
}
