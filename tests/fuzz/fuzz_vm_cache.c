/*
 * fuzz_vm_cache: reads anything as the cache's file; what is taken must be a name of its VM, and must survive
 * being written and read again.
 */
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "fuzz.h"
#include "resolver/asked.h"
#include "resolver/cache_doc.h"

#define SCOPE "cloud=test"

static int check(void *arg, const struct cache_item *item)
{
    size_t *count = arg;
    struct asked a;
    FUZZ_CHECK(asked_of_key(&a, item->key));
    FUZZ_CHECK(!item->facts != !item->missing);
    if (item->facts)
        FUZZ_CHECK(asked_key_fits(item->key, item->facts) &&
                   item->facts->address_count <= RESOLVER_ADDRESSES_MAX);
    ++*count;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uv_loop_t loop;
    static struct clock *clock;
    struct cache *c, *again;
    struct err err;
    size_t count = 0, count_again = 0, len;
    if (!clock) {
        FUZZ_CHECK(uv_loop_init(&loop) == 0 && clock_new(&clock, &loop) == 0);
        clock_test_freeze(clock, 1000000);
    }
    FUZZ_CHECK(cache_new(&c, clock, 600000, &err) == 0);
    FUZZ_CHECK(cache_new(&again, clock, 600000, &err) == 0);
    int rc = cache_doc_read(c, (const char *)data, size, SCOPE, true, &err);
    FUZZ_CHECK(rc >= 0 || err.msg[0]);
    cache_each(c, check, &count);
    char *text = cache_doc_write(c, SCOPE, &len);
    FUZZ_CHECK(text && len <= CACHE_DOC_MAX && cache_doc_read(again, text, len, SCOPE, true, &err) >= 0);
    cache_each(again, check, &count_again);
    FUZZ_CHECK(count == count_again);
    mem_free(text);
    cache_free(c);
    cache_free(again);
    return 0;
}
