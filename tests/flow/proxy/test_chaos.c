/*
 * Whatever is closed after whichever turn, and whichever allocation fails: nothing leaks, nothing is touched
 * after its end, and what is left goes on working.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "fake_ssh.h"
#include "proxy/forward.h"
#include "proxy/via.h"
#include "rig.h"

static struct rig rig;
static const char *const forwards[] = {"0:localhost:7", "0:localhost:19", "0:localhost:13",
                                       "0:localhost:4", "-D 0",           "-D 0"};
enum { FORWARDS = 6, CLIENTS = 8 };
static struct client clients[CLIENTS];

static void scene_begin(void)
{
    memset(&rig, 0, sizeof rig);
    rig_init(&rig);
    fake.source_bytes = 300000;
    fake.chunk_max = 5000;
    struct rig_answer answers[] = {{.address = "127.0.0.1", .port = 1, .vm_id = "vm-1"}, rig_sshd(&rig)};
    rig_answers(&rig, answers, 2);
    rig_vm(&rig, 1, "web1", forwards, FORWARDS);
}

static void clients_begin(const struct vm *vm)
{
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.to_send = 50000, .check = true, .end_when_sent = true};
        size_t forward = (size_t)i % FORWARDS;
        if (forward >= 4) { /* over SOCKS 5, whose answers are as long when they say no */
            clients[i].preamble = forward == 4 ? "\5\1\0\5\1\0\3\1a\0\7" : "\5\1\0\5\1\0\3\1a\0\4";
            clients[i].preamble_len = 11;
            clients[i].skip = 12;
        }
        client_connect(&clients[i], rig_port(vm, forward));
    }
}

static void pump(void)
{
    for (int i = 0; i < CLIENTS; i++)
        client_pump(&clients[i]);
    rig_turn(&rig);
}

static void scene_end(void)
{
    for (int i = 0; i < CLIENTS; i++)
        client_close(&clients[i]);
    rig_done(&rig);
}

/* Another thing for each value of what; returns after the scene is over. */
static void closed_after(unsigned turns, int what)
{
    scene_begin();
    struct vm *vm = plane_vm(&rig.plane, 1);
    clients_begin(vm);
    vm_wait_add(vm, 3, 100, NULL);
    struct rig_answer own = rig_sshd(&rig);
    if (what == 5) { /* through another VM */
        struct err err = {0};
        rig_answers(&rig, &own, 1);
        vm_set(vm, rig_config("web1", forwards, FORWARDS), 2, MAIL_WANTED | MAIL_REACH_CHANGED, &err);
        rig_vm_with(&rig, rig_config("jump", NULL, 0), 2, 0, 0, &err);
    }
    while (turns-- > 0)
        pump();
    switch (what) {
    case 0:
        rig_close(&rig, 0);
        break;
    case 1:
        rig_close(&rig, 20);
        break;
    case 2:
        vm_drop(vm);
        break;
    case 3:
        fake_kill(0, ERR_CLOSED, "the server closed the connection");
        break;
    case 4:
        vm_set(vm, rig_config("web1", forwards, 1), 0, 0, NULL);
        break;
    default:
        vm_drop(plane_vm(&rig.plane, 2));
        break;
    }
    for (int i = 0; i < 30; i++)
        pump();
    scene_end();
}

static void test_anything_may_be_closed_after_any_turn(void **state)
{
    for (int what = 0; what < 6; what++)
        for (unsigned turns = 0; turns < 120; turns += turns < 40 ? 1 : 7)
            closed_after(turns, what);
}

/* Like a scene in which nothing fails, but for the k-th allocation. True when there was no k-th one any more.
 */
static bool scene_without(long k)
{
    scene_begin();
    struct vm *vm = plane_vm(&rig.plane, 1);
    long before = mem_allocations();
    mem_fail_after(k);
    clients_begin(vm);
    for (int i = 0; i < 300; i++)
        pump();
    mem_fail_after(-1);
    bool over = mem_allocations() - before < k;
    /* The daemon lives, and serves. */
    rig_pass(&rig, 70000);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    struct client c = {.to_send = 1000, .check = true, .end_when_sent = true};
    client_connect(&c, rig_port(vm, 0));
    assert_true(rig_until(&rig, client_over(&c)));
    assert_int_equal(c.received, 1000);
    client_close(&c);
    scene_end();
    return over;
}

static void test_any_allocation_may_fail(void **state)
{
    long k = 0;
    while (!scene_without(k) && k < 2000)
        k++;
    assert_in_range(k, 20, 1999); /* there were some, and all were tried */
}

static void test_forwards_may_fail_for_want_of_memory(void **state)
{
    for (long k = 0; k < 40; k++) {
        memset(&rig, 0, sizeof rig);
        rig_init(&rig);
        struct err err = {0};
        struct config_vm *config = rig_config("web1", forwards, FORWARDS);
        struct vm *vm;
        assert_int_equal(vm_new(&vm, &rig.plane, 1, &err), 0);
        mem_fail_after(k);
        vm_set(vm, config, 0, MAIL_WANTED, &err);
        mem_fail_after(-1);
        /* What could not be made is made when it is asked for again. */
        err = (struct err){0};
        vm_set(vm, rig_config("web1", forwards, FORWARDS), 0, MAIL_WANTED, &err);
        assert_int_equal(err.code, 0);
        for (size_t i = 0; i < FORWARDS; i++)
            assert_int_not_equal(rig_port(vm, i), 0);
        rig_done(&rig);
    }
}

static void test_graceful_end_lets_flows_finish(void **state)
{
    scene_begin();
    struct vm *vm = plane_vm(&rig.plane, 1);
    assert_true(rig_until(&rig, vm->state == PROXY_VM_UP));
    clients_begin(vm);
    for (int i = 0; i < 20; i++)
        pump();
    rig_close(&rig, 60000);
    for (int i = 0; i < 20000 && !rig.plane_closed; i++)
        pump();
    assert_true(rig.plane_closed);
    assert_int_equal(clients[0].received, 50000);
    assert_int_equal(clients[1].received, 300000);
    assert_int_equal(clients[2].received, 50000);
    assert_int_equal(clients[4].received, 50000);
    scene_end();
}

static int quiet(void **state)
{
    log_init(open("/dev/null", O_WRONLY), LOG_ERROR, LOG_TEXT);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anything_may_be_closed_after_any_turn),
        cmocka_unit_test(test_any_allocation_may_fail),
        cmocka_unit_test(test_forwards_may_fail_for_want_of_memory),
        cmocka_unit_test(test_graceful_end_lets_flows_finish),
    };
    return cmocka_run_group_tests_name("chaos", tests, quiet, NULL);
}
