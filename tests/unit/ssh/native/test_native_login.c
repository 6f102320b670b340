/*
 * test_native_login: what a server may say while somebody logs in, and what it may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static const char *const SECRET = "a password that must not lie about";

static void accept_service(void)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_SERVICE_ACCEPT);
    wire_put_cstr(&w, "ssh-userauth");
    far_send_writer(&rig.far, &w);
}

static void ready(void)
{
    struct far_options o = {.strict = true};
    rig_init(&rig, &o);
    assert_int_equal(rig_start(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_SERVICE_REQUEST), 1);
    assert_false(rig.is_ready);
    accept_service();
    assert_int_equal(rig_run(&rig), 0);
    assert_true(rig.is_ready);
}

static void send_questions(unsigned count)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_USERAUTH_60);
    wire_put_cstr(&w, "name");
    wire_put_cstr(&w, "do\x1b[2J tell");
    wire_put_cstr(&w, "");
    wire_put_u32(&w, count);
    for (unsigned i = 0; i < count; i++) {
        wire_put_cstr(&w, "wh\007o?");
        wire_put_bool(&w, false);
    }
    far_send_writer(&rig.far, &w);
}

static void send_failure(bool partial)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_USERAUTH_FAILURE);
    wire_put_cstr(&w, "publickey,password");
    wire_put_bool(&w, partial);
    far_send_writer(&rig.far, &w);
}

static void put_key(struct wire_writer *w, const char *type)
{
    wire_write_init(w);
    wire_put_cstr(w, type);
    wire_put_cstr(w, "the rest of it");
}

static void send_key_taken(const char *type, const char *alg)
{
    struct wire_writer w, key;
    put_key(&key, type);
    wire_write_init(&w);
    wire_put_u8(&w, MSG_USERAUTH_60);
    wire_put_cstr(&w, alg);
    wire_put_str(&w, key.data, key.len);
    far_send_writer(&rig.far, &w);
    wire_write_done(&key);
}

static void offer_key(const char *type)
{
    struct wire_writer key;
    struct err err;
    put_key(&key, type);
    assert_int_equal(rig.e->ops->auth_key(rig.e, key.data, key.len, &err), 0);
    wire_write_done(&key);
    assert_int_equal(rig_run(&rig), 0);
}

enum waiting { NOTHING, A_PERSON, A_SIGNATURE };

static void wait_for(enum waiting what)
{
    struct err err;
    ready();
    if (what == A_PERSON) {
        assert_int_equal(rig.e->ops->auth_kbdint(rig.e, &err), 0);
        assert_int_equal(rig_run(&rig), 0);
        send_questions(2);
        assert_int_equal(rig_run(&rig), 0);
        assert_int_equal(rig.prompts, 1);
    } else if (what == A_SIGNATURE) {
        offer_key("ssh-ed25519");
        send_key_taken("ssh-ed25519", "ssh-ed25519");
        assert_int_equal(rig_run(&rig), 0);
        assert_int_equal(rig.signs, 1);
    }
}

/* While our side is asked, the server has nothing to say about it: a second question to the person, or the
 * end of the attempt, would leave the first one to answer something else. */
static void nothing_is_decided_while_we_are_asked(void **state)
{
    for (enum waiting what = NOTHING; what <= A_SIGNATURE; what++) {
        for (int i = 0; i < 4; i++) {
            wait_for(what);
            unsigned prompts = rig.prompts, signs = rig.signs;
            if (i == 0)
                send_failure(false);
            else if (i == 1)
                far_send_type(&rig.far, MSG_USERAUTH_SUCCESS);
            else if (i == 2)
                send_questions(1);
            else
                send_key_taken("ssh-ed25519", "ssh-ed25519");
            assert_true(rig_run(&rig) < 0);
            rig_expect(&rig, ERR_PROTOCOL, "broke the protocol");
            assert_false(rig.logged_in);
            assert_int_equal(rig.replies, 0);
            assert_int_equal(rig.prompts, prompts);
            assert_int_equal(rig.signs, signs);
            rig_done(&rig);
        }
    }
}

static void answers_go_out_and_the_next_questions_come(void **state)
{
    static const char *const answers[] = {"one", "two"};
    struct err err;
    wait_for(A_PERSON);
    assert_int_equal(rig.e->ops->auth_answers(rig.e, answers, 2, &err), 0);
    assert_int_equal(rig.e->ops->auth_answers(rig.e, answers, 2, &err), 0); /* too late: nobody asked */
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_USERAUTH_INFO_RESPONSE), 1);
    send_questions(0); /* answered at once */
    send_questions(1);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_USERAUTH_INFO_RESPONSE), 2);
    assert_int_equal(rig.prompts, 2);
    assert_int_equal(rig.e->ops->auth_answers(rig.e, NULL, 0, &err), 0);
    far_send_type(&rig.far, MSG_USERAUTH_SUCCESS);
    assert_int_equal(rig_run(&rig), 0);
    assert_true(rig.logged_in);
    rig_done(&rig);
}

static void a_signature_that_comes_late_or_never(void **state)
{
    struct err err;
    wait_for(A_SIGNATURE);
    assert_int_equal(rig.e->ops->auth_signature(rig.e, NULL, 0, &err), 0);
    assert_int_equal(rig.replies, 0); /* not inside the call */
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig.replies, 1);
    assert_int_equal(rig.e->ops->auth_signature(rig.e, (const uint8_t *)"s", 1, &err), 0);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(far_heard(&rig.far, MSG_USERAUTH_REQUEST), 1); /* the showing of the key alone */
    rig_done(&rig);

    wait_for(A_SIGNATURE);
    far_offer(&rig.far); /* keys change meanwhile; what is signed does not */
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig.e->ops->auth_signature(rig.e, (const uint8_t *)"s", 1, &err), 0);
    far_send_type(&rig.far, MSG_USERAUTH_SUCCESS);
    assert_int_equal(rig_run(&rig), 0);
    assert_true(rig.logged_in);
    rig_done(&rig);
}

static void a_key_that_was_not_shown(void **state)
{
    static const char *const cases[][2] = {{"ssh-rsa", "rsa-sha2-512"}, {"ssh-ed25519", "rsa-sha2-512"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ready();
        offer_key("ssh-ed25519");
        send_key_taken(cases[i][0], cases[i][1]);
        assert_true(rig_run(&rig) < 0);
        rig_expect(&rig, ERR_PROTOCOL, "a key that it was not shown");
        assert_int_equal(rig.signs, 0);
        rig_done(&rig);
    }
}

static void send_sig_algs(const char *value)
{
    struct wire_writer w;
    wire_write_init(&w);
    wire_put_u8(&w, MSG_EXT_INFO);
    wire_put_u32(&w, 2);
    wire_put_cstr(&w, "other");
    wire_put_cstr(&w, "");
    wire_put_cstr(&w, "server-sig-algs");
    wire_put_cstr(&w, value);
    far_send_writer(&rig.far, &w);
}

/* RFC 8332 §3.3, and certificates: the server is told their name, the signer the key's. */
static void how_a_key_signs(void **state)
{
#define CERT "-cert-v01@openssh.com"
    static const struct {
        const char *algs, *type, *told, *signs;
    } cases[] = {
        {NULL, "ssh-rsa", "rsa-sha2-512", "rsa-sha2-512"},
        {"ssh-ed25519,rsa-sha2-256", "ssh-rsa", "rsa-sha2-256", "rsa-sha2-256"},
        {"rsa-sha2-256,rsa-sha2-512", "ssh-rsa", "rsa-sha2-512", "rsa-sha2-512"},
        {"ssh-rsa", "ssh-rsa", "rsa-sha2-512", "rsa-sha2-512"}, /* never SHA-1 */
        {"rsa-sha2-256", "ssh-rsa" CERT, "rsa-sha2-256" CERT, "rsa-sha2-256"},
        {NULL, "ssh-ed25519" CERT, "ssh-ed25519" CERT, "ssh-ed25519"},
        {"", "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ready();
        if (cases[i].algs)
            send_sig_algs(cases[i].algs);
        assert_int_equal(rig_run(&rig), 0);
        offer_key(cases[i].type);
        send_key_taken(cases[i].type, cases[i].told);
        if (rig_run(&rig) < 0)
            fail_msg("%s", rig.err.msg);
        assert_string_equal(rig.sign_alg, cases[i].signs);
        rig_done(&rig);
    }
}

static void malformed(void **state)
{
    static const struct {
        uint8_t message[24];
        size_t n;
    } cases[] = {
        {{MSG_USERAUTH_FAILURE, 0, 0, 0, 9, 'p'}, 6},
        {{MSG_USERAUTH_FAILURE, 0, 0, 0, 0}, 5},
        {{MSG_USERAUTH_60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17}, 17},
        {{MSG_USERAUTH_60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 17},
        {{MSG_USERAUTH_60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0}, 22},
        {{MSG_EXT_INFO, 0xff, 0xff, 0xff, 0xff}, 5},
        {{MSG_DISCONNECT, 0}, 2},
        {{MSG_SERVICE_ACCEPT}, 1},
        {{70}, 1},
        {{MSG_GLOBAL_REQUEST, 0, 0, 0, 0, 1}, 6},
        {{MSG_CHANNEL_OPEN, 0, 0, 0, 0}, 5},
        {{200}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err;
        ready();
        assert_int_equal(rig.e->ops->auth_kbdint(rig.e, &err), 0);
        far_send(&rig.far, cases[i].message, cases[i].n);
        assert_true(rig_run(&rig) < 0);
        rig_expect(&rig, ERR_PROTOCOL, "broke the protocol");
        assert_int_equal(rig.prompts + rig.replies, 0);
        rig_done(&rig);
    }
}

/* No copy of a password stays in what the engine leaves behind. */
static bool lies_in(const void *where, size_t n)
{
    return memmem(where, n, SECRET, strlen(SECRET)) != NULL;
}

static void a_password_is_wiped(void **state)
{
    struct err err;
    ready();
    rig.far.silent_exchange = true; /* it has to wait, too */
    rig_native(&rig)->out.packets = 1ull << 32;
    rig.soon = true;
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(rig.e->ops->auth_password(rig.e, SECRET, &err), 0);
    struct native *n = rig_native(&rig);
    const uint8_t *held = n->held.data;
    size_t held_len = n->held.len;
    assert_true(lies_in(held, held_len));
    rig.far.silent_exchange = false;
    far_offer(&rig.far);
    assert_int_equal(rig_run(&rig), 0);
    assert_int_equal(n->held.len, 0);
    assert_null(n->held.data);
    assert_true(lies_in(rig.far.heard.data, rig.far.heard.len)); /* it arrived */
    assert_false(lies_in(n, sizeof *n));
    assert_false(lies_in(rig.out, rig.out_cap)); /* and was never in the clear */
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_decided_while_we_are_asked),
        cmocka_unit_test(answers_go_out_and_the_next_questions_come),
        cmocka_unit_test(a_signature_that_comes_late_or_never),
        cmocka_unit_test(a_key_that_was_not_shown),
        cmocka_unit_test(how_a_key_signs),
        cmocka_unit_test(malformed),
        cmocka_unit_test(a_password_is_wiped),
    };
    rig.may_allocate = -1;
    return cmocka_run_group_tests_name("native login", tests, NULL, NULL);
}
