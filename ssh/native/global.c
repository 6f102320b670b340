/*
 * global: requests about the whole connection (RFC 4254 §4): the server's, none of which we follow, and ours,
 * which only ask for a sign of life.
 */
#include "native.h"

static int answer(struct native *n, struct wire_reader *r, struct err *err)
{
    struct wire_writer w;
    (void)wire_get_str(r);
    bool wanted = wire_get_bool(r);
    if (!wire_ok(r))
        return native_wrong("a malformed request", err);
    if (!wanted)
        return 0;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_REQUEST_FAILURE);
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    return rc;
}

int global_message(struct native *n, uint8_t type, struct wire_reader *r, struct err *err)
{
    if (type == MSG_GLOBAL_REQUEST)
        return answer(n, r, err);
    if (n->pings == 0)
        return native_wrong("an answer to no request", err);
    if (n->pings-- == 1) {
        uint64_t took = uv_hrtime() - n->ping_ns;
        n->rtt_ns = n->rtt_ns == 0 || took < n->rtt_ns ? took : n->rtt_ns;
    }
    n->base.up->pong(n->base.conn);
    return 0;
}

/* OpenSSH's PROTOCOL: any answer will do, and the usual one is "failure". */
int native_ping(struct ssh_engine *e, struct err *err)
{
    struct native *n = native_of(e);
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_GLOBAL_REQUEST);
    wire_put_cstr(&w, "keepalive@openssh.com");
    wire_put_bool(&w, true);
    int rc = native_send(n, &w, err);
    wire_write_done(&w);
    if (rc == 0 && n->pings++ == 0)
        n->ping_ns = uv_hrtime();
    return rc < 0 ? rc : 1;
}
