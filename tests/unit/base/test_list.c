/*
 * Tests of base/list.h: order, membership, and walking a list that changes underfoot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct list node;
};

static void fill(struct list *head, struct item *items, int count)
{
    list_init(head);
    for (int i = 0; i < count; i++) {
        items[i].number = i;
        list_init(&items[i].node);
        list_push(head, &items[i].node);
    }
}

static void test_order(void **state)
{
    struct list head;
    struct item items[3], front = {.number = 9};
    fill(&head, items, 3);
    list_push_front(&head, &front.node);
    assert_int_equal(list_count(&head), 4);
    const int expected[] = {9, 0, 1, 2};
    struct item *it;
    int i = 0;
    list_each(it, &head, struct item, node) assert_int_equal(it->number, expected[i++]);
    assert_int_equal(i, 4);
    for (i = 0; i < 4; i++)
        assert_int_equal(container_of(list_pop(&head), struct item, node)->number, expected[i]);
    assert_null(list_pop(&head));
    assert_null(list_first(&head));
}

static void test_current_node_may_be_removed_and_freed(void **state)
{
    struct list head;
    list_init(&head);
    for (int i = 0; i < 10; i++) {
        struct item *it = malloc(sizeof *it);
        assert_non_null(it);
        it->number = i;
        list_push(&head, &it->node);
    }
    struct item *it;
    int seen = 0;
    list_each(it, &head, struct item, node)
    {
        assert_int_equal(it->number, seen++);
        if (it->number % 2 == 0)
            continue;
        list_remove(&it->node);
        free(it);
    }
    assert_int_equal(seen, 10);
    assert_int_equal(list_count(&head), 5);
    list_each(it, &head, struct item, node)
    {
        list_remove(&it->node);
        free(it);
    }
    assert_true(list_empty(&head));
}

static void test_membership(void **state)
{
    struct list a, b;
    struct item items[4];
    fill(&a, items, 4);
    list_init(&b);
    list_remove(&items[0].node);
    assert_true(list_empty(&items[0].node));
    list_remove(&items[0].node);
    list_move(&b, &items[2].node);
    assert_int_equal(list_count(&a), 2);
    assert_int_equal(list_count(&b), 1);
    list_splice(&b, &a);
    assert_true(list_empty(&a));
    list_splice(&b, &a);
    const int expected[] = {2, 1, 3};
    struct item *it;
    int i = 0;
    list_each(it, &b, struct item, node) assert_int_equal(it->number, expected[i++]);
    assert_int_equal(i, 3);
    list_splice(&a, &b);
    assert_int_equal(list_count(&a), 3);
    assert_true(list_empty(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_current_node_may_be_removed_and_freed),
        cmocka_unit_test(test_membership),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
