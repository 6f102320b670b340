/*
 * wire: what a message costs that is not data: an SSH channel open, written and read back.
 */
#include "base/wire.h"

#include "micro.h"

static int setup(void **ctx, struct err *err)
{
    (void)err;
    *ctx = NULL;
    return 0;
}

static int write_and_read(void)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, 90); /* SSH_MSG_CHANNEL_OPEN, RFC 4254 section 5.1 */
    wire_put_cstr(&w, "direct-tcpip");
    wire_put_u32(&w, 7);
    wire_put_u32(&w, 2097152);
    wire_put_u32(&w, 32768);
    wire_put_cstr(&w, "localhost");
    wire_put_u32(&w, 3389);
    wire_put_cstr(&w, "127.0.0.1");
    wire_put_u32(&w, 50000);
    int rc = wire_write_ok(&w) ? 0 : -1;

    struct wire_reader r;
    wire_read_init(&r, w.data, w.len);
    if (wire_get_u8(&r) != 90 || !wire_str_is(wire_get_str(&r), "direct-tcpip") || wire_get_u32(&r) != 7)
        rc = -1;
    wire_get_u32(&r);
    wire_get_u32(&r);
    wire_get_str(&r);
    if (wire_get_u32(&r) != 3389)
        rc = -1;
    wire_get_str(&r);
    wire_get_u32(&r);
    if (!wire_end(&r))
        rc = -1;
    wire_write_done(&w);
    return rc;
}

static int run(void *ctx, uint32_t ops)
{
    (void)ctx;
    int rc = 0;
    while (ops-- && rc == 0)
        rc = write_and_read();
    return rc;
}

static void done(void *ctx)
{
    (void)ctx;
}

const struct micro micro_wire = {
    .name = "wire",
    .what = "a channel open written and read",
    .guard_ops = 5000,
    .setup = setup,
    .run = run,
    .done = done,
};
