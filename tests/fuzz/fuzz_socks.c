/*
 * fuzz_socks: a client of a dynamic forward may say anything, in pieces of any size: it makes no difference
 * how it was cut, and what is taken for a request names a place.
 *
 * Input: one byte for the size of the pieces, then what the client says.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "proxy/socks.h"

static enum socks_progress feed(struct socks *s, const uint8_t *in, size_t n, size_t step, size_t *total)
{
    enum socks_progress p = SOCKS_MORE;
    *total = 0;
    while (*total < n && (p == SOCKS_MORE || p == SOCKS_METHOD)) {
        size_t piece = n - *total < step ? n - *total : step, used;
        uint8_t *exact = mem_alloc(piece);
        FUZZ_CHECK(exact);
        memcpy(exact, in + *total, piece);
        p = socks_feed(s, exact, piece, &used);
        mem_free(exact);
        FUZZ_CHECK(used > 0 && used <= piece);
        FUZZ_CHECK(p != SOCKS_MORE || used == piece);
        *total += used;
    }
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socks whole = {0}, pieces = {0};
    size_t used, again;
    char reply[SOCKS_REPLY_MAX];
    if (size == 0)
        return 0;
    enum socks_progress p = feed(&whole, data + 1, size - 1, size, &used);
    FUZZ_CHECK(feed(&pieces, data + 1, size - 1, data[0] % 16 + 1u, &again) == p && used == again);
    FUZZ_CHECK(whole.state == pieces.state && whole.outcome == pieces.outcome && whole.port == pieces.port);
    FUZZ_CHECK(strcmp(whole.host, pieces.host) == 0);
    FUZZ_CHECK(used <= SOCKS_HEADER_MAX + 1);
    if (p == SOCKS_DONE)
        FUZZ_CHECK(whole.port > 0 && *whole.host && !strpbrk(whole.host, " \r\n\t/@[]"));
    if (p == SOCKS_BAD)
        FUZZ_CHECK(whole.outcome > SOCKS_CONNECTED && whole.outcome < SOCKS_OUTCOMES);
    enum socks_outcome outcome = p == SOCKS_BAD ? whole.outcome : SOCKS_CONNECTED;
    FUZZ_CHECK(socks_reply(&whole, outcome, reply) <= sizeof reply);
    return 0;
}
