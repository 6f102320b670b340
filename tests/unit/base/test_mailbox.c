/*
 * Tests of base/mailbox.h: order and completeness with several sending threads, and closing while they still
 * send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mailbox.h"
#include "base/mem.h"

enum { SENDERS = 4, LETTERS = 5000 };

struct letter {
    struct mail mail;
    int sender, number;
};

static uv_loop_t loop;
static struct mailbox *box;
static int closed;
static int next_of[SENDERS];
static int received;
static int close_after; /* letters; 0: never */
static atomic_int alive;

static void letter_free(struct mail *mail)
{
    atomic_fetch_sub(&alive, 1);
    mem_free(container_of(mail, struct letter, mail));
}

static struct letter *letter_new(int sender, int number)
{
    struct letter *l = mem_zalloc(sizeof *l);
    assert_non_null(l);
    l->mail.free = letter_free;
    l->sender = sender;
    l->number = number;
    atomic_fetch_add(&alive, 1);
    return l;
}

static void on_box_closed(void *arg)
{
    closed++;
}

static void on_mail(void *arg, struct mail *mail)
{
    struct letter *l = container_of(mail, struct letter, mail);
    assert_ptr_equal(arg, &loop);
    assert_int_equal(l->number, next_of[l->sender]);
    next_of[l->sender]++;
    received++;
    letter_free(mail);
    if (received == close_after || received == SENDERS * LETTERS)
        mailbox_close(box, on_box_closed, NULL);
}

static int set_up(void **state)
{
    memset(next_of, 0, sizeof next_of);
    received = closed = close_after = 0;
    uv_loop_init(&loop);
    return mailbox_new(&box, &loop, on_mail, &loop);
}

static int tear_down(void **state)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    assert_int_equal(atomic_load(&alive), 0);
    return uv_loop_close(&loop);
}

struct sender {
    uv_thread_t thread;
    struct mailbox *box;
    int index;
    int refused;
};

static void send_all(void *arg)
{
    struct sender *s = arg;
    for (int i = 0; i < LETTERS; i++) {
        struct letter *l = letter_new(s->index, i);
        int r = mailbox_post(s->box, &l->mail);
        if (r == 0)
            continue;
        s->refused += r == ERR_CLOSED;
        letter_free(&l->mail);
    }
    mailbox_unref(s->box);
}

static void run_senders(struct sender *senders)
{
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.box = mailbox_ref(box), .index = i};
        assert_int_equal(uv_thread_create(&senders[i].thread, send_all, &senders[i]), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < SENDERS; i++)
        uv_thread_join(&senders[i].thread);
}

static void test_all_arrive_in_each_senders_order(void **state)
{
    struct sender senders[SENDERS];
    run_senders(senders);
    assert_int_equal(received, SENDERS * LETTERS);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(senders[i].refused, 0);
}

static void test_closed_while_others_send(void **state)
{
    struct sender senders[SENDERS];
    close_after = 10;
    run_senders(senders);
    assert_int_equal(received, 10);
}

static void test_post_after_close_is_refused(void **state)
{
    struct mailbox *mine = mailbox_ref(box);
    struct letter *l = letter_new(0, 0);
    assert_int_equal(mailbox_post(mine, &l->mail), 0);
    mailbox_close(box, on_box_closed, NULL); /* frees the undelivered one */
    assert_int_equal(atomic_load(&alive), 0);
    assert_int_equal(closed, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    l = letter_new(0, 0);
    assert_int_equal(mailbox_post(mine, &l->mail), ERR_CLOSED);
    letter_free(&l->mail);
    assert_int_equal(received, 0);
    mailbox_unref(mine);
}

static void test_never_inside_post(void **state)
{
    struct letter *l = letter_new(0, 0);
    close_after = 1;
    assert_int_equal(mailbox_post(box, &l->mail), 0);
    assert_int_equal(received, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(received, 1);
}

static void test_out_of_memory(void **state)
{
    struct mailbox *none;
    mem_fail_after(0);
    assert_int_equal(mailbox_new(&none, &loop, on_mail, NULL), ERR_NOMEM);
    mailbox_close(box, on_box_closed, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_arrive_in_each_senders_order),
        TEST(test_closed_while_others_send),
        TEST(test_post_after_close_is_refused),
        TEST(test_never_inside_post),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
