/*
 * fuzz_wire: reads a packet by a script that the input brings along, and checks what any reading must keep
 * to.
 *
 * Input: one byte n, n bytes of script (which value is read next), then the packet. What was read is written
 * again and must read the same.
 */
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "fuzz.h"

static void check_inside(struct wire_str s, const uint8_t *packet, size_t size)
{
    if (s.len == 0)
        return;
    FUZZ_CHECK(s.data >= packet && s.len <= size && s.data + s.len <= packet + size);
    volatile uint8_t sink = s.data[0];
    sink = s.data[s.len - 1];
    (void)sink;
}

/* Reads the values of the script; each one that is good goes to w, unless w is NULL. */
static void read_script(struct wire_reader *r, const uint8_t *script, size_t steps, struct wire_writer *w,
                        const uint8_t *packet, size_t size)
{
    for (size_t i = 0; i < steps; i++) {
        struct wire_str s;
        bool was_bad = !wire_ok(r);
        const uint8_t *before = r->p;
        switch (script[i] % 8) {
        case 0: {
            uint8_t v = wire_get_u8(r);
            if (wire_ok(r))
                wire_put_u8(w, v);
            break;
        }
        case 1: {
            uint32_t v = wire_get_u32(r);
            if (wire_ok(r))
                wire_put_u32(w, v);
            break;
        }
        case 2: {
            uint64_t v = wire_get_u64(r);
            if (wire_ok(r))
                wire_put_u64(w, v);
            break;
        }
        case 3:
            s = wire_get_str(r);
            check_inside(s, packet, size);
            if (wire_ok(r))
                wire_put_str(w, s.data, s.len);
            break;
        case 4:
            s = wire_get_mpint(r);
            check_inside(s, packet, size);
            FUZZ_CHECK(s.len == 0 || s.data[0] != 0);
            if (wire_ok(r))
                wire_put_mpint(w, s.data, s.len);
            break;
        case 5:
            s = wire_get_bytes(r, script[i]);
            check_inside(s, packet, size);
            if (wire_ok(r))
                wire_put_bytes(w, s.data, s.len);
            break;
        case 6: {
            char *text = wire_get_cstr(r);
            FUZZ_CHECK((text != NULL) == wire_ok(r));
            if (text)
                wire_put_cstr(w, text);
            mem_free(text);
            break;
        }
        default: {
            bool v = wire_get_bool(r);
            if (wire_ok(r))
                wire_put_bool(w, v);
            break;
        }
        }
        FUZZ_CHECK(r->p >= before && r->p <= r->end);
        FUZZ_CHECK(!was_bad || (!wire_ok(r) && r->p == before));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] > size - 1)
        return 0;
    size_t steps = data[0];
    const uint8_t *script = data + 1, *packet = script + steps;
    size -= 1 + steps;

    struct wire_writer once, twice;
    struct wire_reader r;
    wire_write_init(&once);
    wire_write_init(&twice);
    wire_read_init(&r, packet, size);
    read_script(&r, script, steps, &once, packet, size);
    if (wire_ok(&r)) {
        FUZZ_CHECK(wire_write_ok(&once));
        wire_read_init(&r, once.data, once.len);
        read_script(&r, script, steps, &twice, once.data, once.len);
        FUZZ_CHECK(wire_end(&r));
        FUZZ_CHECK(once.len == twice.len && (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
    }
    wire_write_done(&once);
    wire_write_done(&twice);
    return 0;
}
