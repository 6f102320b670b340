/*
 * Tests of base/chunk.h: bytes in order, the pool's limit, and failures that leave the queue as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/chunk.h"
#include "base/err.h"
#include "base/mem.h"

static uint8_t pattern[4 * CHUNK_SIZE];
static uint8_t seen[4 * CHUNK_SIZE];

static int fill_pattern(void **state)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i * 31 + i / 251);
    return 0;
}

static void test_bytes_come_out_in_order(void **state)
{
    struct chunk_pool pool;
    struct chunkq q;
    chunk_pool_init(&pool, 100, 4);
    chunkq_init(&q, &pool);
    size_t in = 0, out = 0, step = 1;
    while (out < sizeof pattern) {
        size_t n = step * 977 % 30011;
        if (n > sizeof pattern - in)
            n = sizeof pattern - in;
        assert_int_equal(chunkq_append(&q, pattern + in, n), 0);
        in += n;
        out += chunkq_read(&q, seen + out, step++ * 1013 % 27011);
        assert_int_equal(chunkq_bytes(&q), in - out);
    }
    assert_memory_equal(seen, pattern, sizeof pattern);
    assert_int_equal(pool.used, 0); /* an empty queue owns nothing */
    assert_null(q.head);
    assert_int_equal(chunkq_read(&q, seen, 10), 0);
    chunkq_done(&q);
    chunk_pool_done(&pool);
}

static void test_written_in_place(void **state)
{
    struct chunk_pool pool;
    struct chunkq q;
    chunk_pool_init(&pool, 100, 0);
    chunkq_init(&q, &pool);
    size_t in = 0;
    while (in < sizeof pattern) {
        uv_buf_t room;
        assert_int_equal(chunkq_reserve(&q, &room), 0);
        assert_true(room.len > 0);
        size_t n = room.len > 5000 ? 5000 : room.len;
        memcpy(room.base, pattern + in, n);
        chunkq_commit(&q, n);
        in += n;
    }
    uv_buf_t bufs[8];
    assert_int_equal(chunkq_peek(&q, bufs, 2), 2);
    unsigned count = chunkq_peek(&q, bufs, 8);
    assert_int_equal(count, 4);
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_memory_equal(bufs[i].base, pattern + at, bufs[i].len);
        at += bufs[i].len;
    }
    assert_int_equal(at, sizeof pattern);
    chunkq_drop(&q, CHUNK_SIZE + 10);
    assert_int_equal(chunkq_peek(&q, bufs, 1), 1);
    assert_memory_equal(bufs[0].base, pattern + CHUNK_SIZE + 10, bufs[0].len);
    chunkq_done(&q);
    assert_int_equal(pool.used, 0);
    chunk_pool_done(&pool);
}

static void test_unused_reservation_goes_back(void **state)
{
    struct chunk_pool pool;
    struct chunkq q;
    uv_buf_t room;
    chunk_pool_init(&pool, 100, 1);
    chunkq_init(&q, &pool);
    assert_int_equal(chunkq_reserve(&q, &room), 0);
    assert_int_equal(pool.used, 1);
    chunkq_commit(&q, 0);
    assert_int_equal(pool.used, 0);
    assert_int_equal(chunkq_peek(&q, &room, 1), 0);

    assert_int_equal(chunkq_append(&q, pattern, 2 * CHUNK_SIZE), 0);
    assert_int_equal(chunkq_reserve(&q, &room), 0);
    assert_int_equal(pool.used, 3);
    chunkq_commit(&q, 0);
    assert_int_equal(pool.used, 2);
    assert_int_equal(chunkq_append(&q, pattern + 2 * CHUNK_SIZE, 100), 0);
    assert_int_equal(chunkq_read(&q, seen, sizeof seen), 2 * CHUNK_SIZE + 100);
    assert_memory_equal(seen, pattern, 2 * CHUNK_SIZE + 100);
    chunk_pool_done(&pool);
}

static void test_pool_limit_holds(void **state)
{
    struct chunk_pool pool;
    struct chunkq a, b;
    uv_buf_t room;
    chunk_pool_init(&pool, 3, 2);
    chunkq_init(&a, &pool);
    chunkq_init(&b, &pool);
    assert_int_equal(chunkq_append(&a, pattern, CHUNK_SIZE + 1), 0);
    assert_int_equal(chunkq_append(&b, pattern, CHUNK_SIZE + 1), ERR_LIMIT);
    assert_int_equal(chunkq_bytes(&b), 0);
    assert_null(b.head);
    assert_int_equal(pool.used, 2);
    assert_int_equal(chunkq_append(&b, pattern, CHUNK_SIZE), 0);
    assert_int_equal(chunkq_reserve(&b, &room), ERR_LIMIT);
    assert_int_equal(chunkq_append(&a, pattern, CHUNK_SIZE - 1), 0); /* fits into what it has */
    assert_int_equal(chunkq_append(&a, pattern, 1), ERR_LIMIT);
    assert_int_equal(chunkq_bytes(&a), 2 * CHUNK_SIZE);
    chunkq_done(&a);
    assert_int_equal(pool.spare_count, 2);
    chunkq_done(&b);
    assert_int_equal(pool.spare_count, 2);
    long before = mem_allocations();
    assert_int_equal(chunkq_append(&a, pattern, 2 * CHUNK_SIZE), 0);
    assert_int_equal(mem_allocations(), before); /* both came from the spare ones */
    chunkq_done(&a);
    chunk_pool_trim(&pool);
    assert_int_equal(pool.spare_count, 0);
    chunk_pool_done(&pool);
}

static void test_out_of_memory_queues_nothing(void **state)
{
    struct chunk_pool pool;
    struct chunkq q;
    chunk_pool_init(&pool, 100, 0);
    chunkq_init(&q, &pool);
    assert_int_equal(chunkq_append(&q, pattern, 100), 0);
    long k = 0;
    for (;; k++) {
        mem_fail_after(k);
        int r = chunkq_append(&q, pattern + 100, sizeof pattern - 100);
        mem_fail_after(-1);
        if (r == 0)
            break;
        assert_int_equal(r, ERR_NOMEM);
        assert_int_equal(chunkq_bytes(&q), 100);
        assert_int_equal(pool.used, 1);
    }
    assert_int_equal(k, 3);
    assert_int_equal(chunkq_read(&q, seen, sizeof seen), sizeof seen);
    assert_memory_equal(seen, pattern, sizeof seen);
    uv_buf_t room;
    mem_fail_after(0);
    assert_int_equal(chunkq_reserve(&q, &room), ERR_NOMEM);
    assert_null(q.head);
    chunk_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_come_out_in_order),      cmocka_unit_test(test_written_in_place),
        cmocka_unit_test(test_unused_reservation_goes_back), cmocka_unit_test(test_pool_limit_holds),
        cmocka_unit_test(test_out_of_memory_queues_nothing),
    };
    return cmocka_run_group_tests(tests, fill_pattern, NULL);
}
