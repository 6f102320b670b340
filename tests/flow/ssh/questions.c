/*
 * questions: passwords and questions that a person answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "login_side.h"
#include "ssh/keychain.h"

static void test_password(void **state)
{
    struct setting *s = *state;
    static const char *const answers[] = {"sécret"};
    char how[128];
    struct err why;
    if (!s->have_python)
        skip();
    struct asker a = {.answers = answers};
    struct link_options o = to_python(s, "pw");
    if (!login_attempt(&o, &a, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "password");
    assert_int_equal(a.asked, 1);
    assert_false(a.echo[0]);
    assert_non_null(strstr(a.prompts[0], "pw"));
    assert_non_null(strstr(a.prompts[0], "vm test"));
}

static void test_wrong_password_is_asked_for_three_times(void **state)
{
    struct setting *s = *state;
    static const char *const answers[] = {"wrong", "wrong", "wrong", "wrong"};
    char how[128];
    struct err why = {0};
    if (!s->have_python)
        skip();
    struct asker a = {.answers = answers};
    struct link_options o = to_python(s, "never");
    assert_false(login_attempt(&o, &a, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_int_equal(a.asked, SSH_ASK_TRIES);
    assert_non_null(strstr(a.prompts[2], "Refused. Password of never"));
    const char *refused = strstr(why.msg, "refused the password");
    assert_non_null(refused);
    assert_null(strstr(refused + 1, "refused the password"));
    assert_null(strstr(why.msg, "wrong"));
}

static void test_questions(void **state)
{
    struct setting *s = *state;
    static const char *const answers[] = {"sesame", "42", "again"};
    char how[128];
    struct err why;
    if (!s->have_python)
        skip();
    struct asker a = {.answers = answers};
    struct link_options o = to_python(s, "kbd");
    if (!login_attempt(&o, &a, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "keyboard-interactive");
    assert_int_equal(a.asked, 2);
    assert_string_equal(a.prompts[0], "Password:");
    assert_false(a.echo[0]);
    assert_true(a.echo[1]);
    struct asker b = {.answers = answers};
    o = to_python(s, "rounds");
    if (!login_attempt(&o, &b, how, &why))
        fail_msg("%s", why.msg);
    assert_int_equal(b.asked, 3);
}

static void test_odd_questions_are_cleaned(void **state)
{
    struct setting *s = *state;
    static const char *const answers[] = {"x"};
    char how[128];
    struct err why;
    if (!s->have_python)
        skip();
    struct asker a = {.answers = answers};
    struct link_options o = to_python(s, "odd");
    if (!login_attempt(&o, &a, how, &why))
        fail_msg("%s", why.msg);
    for (const char *p = a.prompts[0]; *p; p++)
        assert_true((unsigned char)*p >= 0x20);
    assert_non_null(strstr(a.prompts[0], "word:"));
}

static void test_nobody_answers(void **state)
{
    struct setting *s = *state;
    static const char *const none[] = {NULL, NULL};
    static const char *const never[] = {"never"};
    char how[128];
    struct err why = {0};
    if (!s->have_python)
        skip();
    struct asker a = {.answers = none};
    struct link_options o = to_python(s, "kbd");
    assert_false(login_attempt(&o, &a, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "nobody is there"));

    struct asker c = {.answers = never}; /* closed while a person is being waited for */
    struct world w;
    struct link l;
    world_open(&w);
    c.w = &w;
    o.ask = asker(&c);
    assert_int_equal(link_open(&w, &l, &o, &why), 0);
    assert_true(world_run(&w, &c.armed, 10000));
    link_close(&w, &l);
    assert_int_equal(c.canceled, 1);
    world_close(&w);
}

static void test_two_steps(void **state)
{
    struct setting *s = *state;
    static const char *const answers[] = {"sécret"};
    char how[128];
    struct err why;
    if (!s->have_python)
        skip();
    struct asker a = {.answers = answers};
    struct link_options o = to_python(s, "both");
    o.key = s->python.key;
    if (!login_attempt(&o, &a, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "password");
    assert_false(login_attempt(&o, NULL, how, &why));
    assert_non_null(strstr(why.msg, "wants more"));
}

/* A key with a passphrase; ssh-keygen's default and a PEM file that hides its public half. */
static void locked_key(const struct setting *s, const char *name, const char *options)
{
    server_run("cd %s && ssh-keygen -q -t ecdsa %s -N opensesame -f %s && cat %s.pub >> authorized_keys",
               s->sshd.dir, options, name, name);
}

static void test_passphrase(void **state)
{
    struct setting *s = *state;
    static const char *const answers[] = {"wrong", "opensesame"};
    static const char *const wrong[] = {"a wrong one", "another", "third", "fourth"};
    static const char *const none[] = {NULL};
    static const char *const options[] = {"-a 2", "-m PEM", "-m PEM"};
    for (int i = 0; i < 3; i++) {
        char how[128], name[24], path[128];
        struct err why = {0};
        struct link_options o = to_sshd(s);
        snprintf(name, sizeof name, "locked%d", i);
        snprintf(path, sizeof path, "%s/%s", s->sshd.dir, name);
        locked_key(s, name, options[i]);
        if (i == 2)
            server_run("rm %s.pub", path);
        o.key = path;
        struct asker a = {.answers = wrong}, b = {.answers = answers}, c = {.answers = none},
                     d = {.answers = none};
        assert_false(login_attempt(&o, &a, how, &why));
        assert_int_equal(why.code, ERR_AUTH);
        assert_int_equal(a.asked, 3);
        assert_false(a.echo[0]);
        assert_int_equal(a.kinds[0], SSH_ASK_PASSPHRASE);
        assert_non_null(strstr(a.prompts[0], path));
        assert_non_null(strstr(a.prompts[1], "wrong"));
        assert_non_null(strstr(why.msg, "a wrong passphrase was given 3 times"));
        assert_null(strstr(why.msg, "another"));
        assert_null(strstr(why.msg, "authorized keys"));
        assert_false(login_attempt(&o, &c, how, &why));
        assert_int_equal(c.asked, 1);
        assert_non_null(strstr(why.msg, "nobody is there"));
        assert_false(login_attempt(&o, NULL, how, &why));
        assert_non_null(strstr(why.msg, "ssh-add"));
        if (!login_attempt(&o, &b, how, &why))
            fail_msg("%s", why.msg);
        assert_int_equal(b.asked, 2);
        assert_non_null(strstr(how, path));
        if (!login_attempt(&o, &d, how, &why)) /* it is open now */
            fail_msg("%s", why.msg);
        assert_int_equal(d.asked, 0);
        ssh_keychain_forget(NULL);
        assert_false(login_attempt(&o, NULL, how, &why));
    }
}

static void test_passphrase_is_not_asked_for_in_vain(void **state)
{
    struct setting *s = *state;
    static const char *const none[] = {NULL};
    char how[128], path[128];
    struct err why = {0};
    struct link_options o = to_sshd(s);
    snprintf(path, sizeof path, "%s/stranger", s->sshd.dir);
    server_run("ssh-keygen -q -t ed25519 -a 1 -N opensesame -f %s", path);
    o.key = path;
    struct asker a = {.answers = none};
    assert_false(login_attempt(&o, &a, how, &why));
    assert_int_equal(a.asked, 0);
    assert_non_null(strstr(why.msg, "server refused key"));
}

static void test_closed_while_it_is_unlocked(void **state)
{
    struct setting *s = *state;
    static const char *const never[] = {"never"};
    char path[128];
    struct err why;
    struct link_options o = to_sshd(s);
    locked_key(s, "closed", "");
    snprintf(path, sizeof path, "%s/closed", s->sshd.dir);
    o.key = path;
    struct asker a = {.answers = never};
    struct world w;
    struct link l;
    world_open(&w);
    a.w = &w;
    o.ask = asker(&a);
    assert_int_equal(link_open(&w, &l, &o, &why), 0);
    assert_true(world_run(&w, &a.armed, 10000));
    a.answers = (const char *const[]){"opensesame"};
    uv_timer_start(a.timer, a.timer->timer_cb, 0, 0);
    while (a.armed)
        uv_run(&w.loop, UV_RUN_ONCE);
    link_close(&w, &l); /* the job is dropped, and runs to its end */
    world_close(&w);
    ssh_keychain_forget(NULL);
}

static void test_no_login_needed(void **state)
{
    struct setting *s = *state;
    char how[128];
    struct err why;
    if (!s->have_python)
        skip();
    struct link_options o = to_python(s, "open");
    if (!login_attempt(&o, NULL, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "none");
}

static void test_askpass(void **state)
{
    struct setting *s = *state;
    struct world w;
    struct link l;
    struct err err;
    struct ssh_askpass *pass;
    char program[128];
    if (!s->have_python)
        skip();
    snprintf(program, sizeof program, "%s/askpass", s->python.dir);
    server_run("printf '#!/bin/sh\\necho \"$1\" > %s/asked\\necho sécret\\n' > %s && chmod 700 %s",
               s->python.dir, program, program);
    setenv("SSH_ASKPASS", program, 1);
    world_open(&w);
    assert_int_equal(ssh_askpass_new(&pass, &w.loop, &err), 0);
    struct link_options o = to_python(s, "pw");
    o.ask = ssh_askpass_ask(pass);
    link_up(&w, &l, &o);
    link_close(&w, &l);
    server_run("grep -q 'vm test' %s/asked", s->python.dir);
    ssh_askpass_close(pass, NULL, NULL);
    world_close(&w);
    setenv("SSH_ASKPASS", "/no/such/program", 1);
    assert_int_equal(ssh_askpass_new(&pass, NULL, &err), ERR_NOTFOUND);
    unsetenv("SSH_ASKPASS");
    assert_int_equal(ssh_askpass_new(&pass, NULL, &err), ERR_NOTFOUND);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_wrong_password_is_asked_for_three_times),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_odd_questions_are_cleaned),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_two_steps),
        cmocka_unit_test(test_no_login_needed),
        cmocka_unit_test(test_askpass),
        cmocka_unit_test(test_passphrase),
        cmocka_unit_test(test_passphrase_is_not_asked_for_in_vain),
        cmocka_unit_test(test_closed_while_it_is_unlocked),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("questions", tests, login_start, login_stop);
}
