/*
 * io: what libssh2 takes for a socket: input from feed(), output into the connection's queue.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "l2.h"

ssize_t l2_send(libssh2_socket_t fd, const void *data, size_t n, int flags, void **abstract)
{
    struct l2 *e = *abstract;
    if (e->phase == L2_DEAD)
        return (ssize_t)n;
    if (l2_kbdint_here(e))
        return l2_kbdint_send(e, data, n);
    if (e->base.up->output(e->base.conn, data, n) < 0) {
        e->output_failed = true;
        return -ENOMEM;
    }
    return (ssize_t)n;
}

ssize_t l2_recv(libssh2_socket_t fd, void *out, size_t n, int flags, void **abstract)
{
    struct l2 *e = *abstract;
    if (e->phase == L2_DEAD)
        return -ECONNRESET;
    if (l2_kbdint_here(e))
        return l2_kbdint_recv(e, out, n);
    if (e->kept_len > 0) {
        size_t k = n < e->kept_len ? n : e->kept_len;
        memcpy(out, e->kept, k);
        e->kept_len -= k;
        memmove(e->kept, e->kept + k, e->kept_len);
        return (ssize_t)k;
    }
    if (e->in_len == 0)
        return -EAGAIN;
    size_t k = n < e->in_len ? n : e->in_len;
    memcpy(out, e->in, k);
    e->in += k;
    e->in_len -= k;
    return (ssize_t)k;
}

bool l2_has_input(const struct l2 *e)
{
    return e->kept_len + e->in_len > 0;
}

int l2_keep_input(struct l2 *e, struct err *err)
{
    if (e->in_len == 0)
        return 0;
    size_t need = e->kept_len + e->in_len;
    if (need > L2_INPUT_MAX)
        return err_set(err, ERR_PROTOCOL, "the server sends more than it may");
    if (need > e->kept_cap) {
        uint8_t *bigger = mem_realloc(e->kept, need);
        if (!bigger)
            return err_set(err, ERR_NOMEM, "out of memory");
        e->kept = bigger;
        e->kept_cap = need;
    }
    memcpy(e->kept + e->kept_len, e->in, e->in_len);
    e->kept_len = need;
    e->in_len = 0;
    return 0;
}
