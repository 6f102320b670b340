/*
 * login: every way into a server, and what is said when there is none.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server.h"
#include "world.h"

struct setting {
    struct server sshd, python;
    bool have_python;
    char known[96], known_python[96];
};

/* An asker that answers from a list, a turn later. */
struct asker {
    struct world *w;
    const char *const *answers;
    unsigned asked, canceled;
    char prompts[4][300];
    bool echo[4];
    uv_timer_t *timer;
    bool armed;
    ssh_answer_cb cb;
    void *arg;
};

static void on_timer_closed(uv_handle_t *h)
{
    free(h);
}

static void on_answer_time(uv_timer_t *t)
{
    struct asker *a = t->data;
    const char *answer = a->answers[a->asked - 1];
    struct err err;
    a->armed = false;
    uv_close((uv_handle_t *)t, on_timer_closed);
    if (answer) {
        a->cb(a->arg, answer, NULL);
    } else {
        err_set(&err, ERR_CANCELED, "nobody is there");
        a->cb(a->arg, NULL, &err);
    }
}

static void *asker_ask(void *self, const char *prompt, bool echo, ssh_answer_cb cb, void *arg,
                       struct err *err)
{
    struct asker *a = self;
    assert_true(a->asked < 4);
    snprintf(a->prompts[a->asked], sizeof a->prompts[0], "%s", prompt);
    a->echo[a->asked++] = echo;
    a->cb = cb;
    a->arg = arg;
    a->timer = malloc(sizeof *a->timer);
    uv_timer_init(&a->w->loop, a->timer);
    a->timer->data = a;
    a->armed = true;
    uv_timer_start(a->timer, on_answer_time,
                   a->answers[a->asked - 1] && !strcmp(a->answers[a->asked - 1], "never") ? 3600000 : 20, 0);
    return a;
}

static void asker_cancel(void *self, void *handle)
{
    struct asker *a = self;
    a->canceled++;
    a->armed = false;
    uv_close((uv_handle_t *)a->timer, on_timer_closed);
}

static struct ssh_ask asker(struct asker *a)
{
    return (struct ssh_ask){.ask = asker_ask, .cancel = asker_cancel, .self = a};
}

static int start(void **state)
{
    struct setting *s = calloc(1, sizeof *s);
    signal(SIGPIPE, SIG_IGN);
    server_start_sshd(&s->sshd, "");
    s->have_python = server_start_script(&s->python, ADIT_LOGIN_SERVER);
    snprintf(s->known, sizeof s->known, "%s/known", s->sshd.dir);
    snprintf(s->known_python, sizeof s->known_python, "%s/known", s->python.dir);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct setting *s = *state;
    server_stop(&s->sshd);
    server_stop(&s->python);
    free(s);
    return 0;
}

static struct link_options to_sshd(const struct setting *s)
{
    return (struct link_options){.port = s->sshd.port, .user = s->sshd.user, .known_hosts = s->known};
}

static struct link_options to_python(const struct setting *s, const char *user)
{
    return (struct link_options){.port = s->python.port, .user = user, .known_hosts = s->known_python};
}

static bool settled(void *arg)
{
    struct link *l = arg;
    return l->up || l->closed;
}

/* Tries to log in; true: it worked, and how is in `how`. The reason is in *why otherwise. */
static bool attempt(const struct link_options *o, struct asker *a, char *how, struct err *why)
{
    struct world w;
    struct link l;
    struct ssh_conn_info info;
    struct link_options opt = *o;
    world_open(&w);
    if (a) {
        a->w = &w;
        opt.ask = asker(a);
    }
    if (link_open(&w, &l, &opt, why) == 0)
        assert_true(world_run_until(&w, settled, &l, 20000));
    bool up = l.up;
    if (up) {
        ssh_conn_info(l.conn, &info);
        snprintf(how, 128, "%s", info.auth);
    } else if (l.why.code) {
        *why = l.why;
    }
    link_close(&w, &l);
    world_close(&w);
    return up;
}

static void make_key(const struct setting *s, const char *name, const char *options, char *path)
{
    snprintf(path, 128, "%s/%s", s->sshd.dir, name);
    server_run("test -f %s || (ssh-keygen -q %s -C %s -f %s && cat %s.pub >> %s/authorized_keys)", path,
               options, name, path, path, s->sshd.dir);
}

static void test_key_files(void **state)
{
    static const char *const kinds[][2] = {
        {"ed", "-t ed25519 -N ''"},         {"ec256", "-t ecdsa -b 256 -N ''"},
        {"ec384", "-t ecdsa -b 384 -N ''"}, {"ec521", "-t ecdsa -b 521 -N ''"},
        {"ecpem", "-t ecdsa -m PEM -N ''"}, {"ec8", "-t ecdsa -m PKCS8 -N ''"},
    };
    struct setting *s = *state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[128], how[128];
        struct err why;
        make_key(s, kinds[i][0], kinds[i][1], path);
        struct link_options o = to_sshd(s);
        o.key = path;
        if (!attempt(&o, NULL, how, &why))
            fail_msg("%s: %s", path, why.msg);
        assert_non_null(strstr(how, path));
    }
}

static void test_rsa_key_is_explained(void **state)
{
    struct setting *s = *state;
    char path[128], how[128];
    struct err why = {0};
    make_key(s, "rsa", "-t rsa -b 2048 -N ''", path);
    struct link_options o = to_sshd(s);
    o.key = path;
    assert_false(attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "ssh auth: "));
    assert_non_null(strstr(why.msg, path));
    assert_non_null(strstr(why.msg, "SHA-1"));
    assert_non_null(strstr(why.msg, "ed25519"));
}

static void test_useless_keys_are_explained(void **state)
{
    struct setting *s = *state;
    char locked[128], open[128], missing[128], unknown[128], how[128];
    struct err why = {0};
    make_key(s, "locked", "-t ed25519 -N secret", locked);
    make_key(s, "open", "-t ed25519 -N ''", open);
    chmod(open, 0644);
    snprintf(missing, sizeof missing, "%s/no-such-key", s->sshd.dir);
    snprintf(unknown, sizeof unknown, "%s/unknown", s->sshd.dir);
    server_run("test -f %s || ssh-keygen -q -t ed25519 -N '' -f %s", unknown, unknown);
    const char *keys[] = {locked, open, missing, unknown};
    struct link_options o = to_sshd(s);
    o.keys = keys;
    o.key_count = 4;
    assert_false(attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "passphrase and no agent has it: ssh-add"));
    assert_non_null(strstr(why.msg, "chmod 600"));
    assert_non_null(strstr(why.msg, "no-such-key"));
    assert_non_null(strstr(why.msg, "server refused key"));
    assert_non_null(strstr(why.msg, unknown));
    assert_non_null(strstr(why.msg, "publickey"));
}

static void test_agent(void **state)
{
    struct setting *s = *state;
    char socket[128], locked[128], how[128], pid[128], log[160];
    struct err why;
    make_key(s, "inagent", "-t ed25519 -N ''", locked);
    snprintf(socket, sizeof socket, "%s/agent.sock", s->sshd.dir);
    snprintf(pid, sizeof pid, "%s/agent.pid", s->sshd.dir);
    snprintf(log, sizeof log, "%s/agent.log", s->sshd.dir);
    server_run("ssh-agent -a %s > %s && sed -n 's/SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p' %s > %s", socket, log,
               log, pid);
    server_run("SSH_AUTH_SOCK=%s ssh-add -q %s", socket, locked);
    /* from now on only the agent can sign with it */
    server_run("ssh-keygen -q -p -P '' -N secret -f %s >/dev/null", locked);
    struct link_options o = to_sshd(s);
    o.agent = socket;
    if (!attempt(&o, NULL, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "publickey (agent: inagent)");
    o.key = locked;
    if (!attempt(&o, NULL, how, &why))
        fail_msg("%s", why.msg);
    assert_non_null(strstr(how, "agent: "));
    assert_non_null(strstr(how, locked));
    server_run("kill $(cat %s)", pid);
    /* its socket stays behind or goes: either way the key is the one that is locked */
    assert_false(attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "passphrase"));
    assert_non_null(strstr(why.msg, "agent.sock"));
}

static void test_nothing_to_log_in_with(void **state)
{
    struct setting *s = *state;
    char how[128];
    struct err why = {0};
    struct link_options o = to_sshd(s);
    assert_false(attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_non_null(strstr(why.msg, "no key"));
}

static void test_host_key(void **state)
{
    struct setting *s = *state;
    char how[128], known[128];
    struct err why = {0};
    struct link_options o = to_sshd(s);
    o.key = s->sshd.key;
    snprintf(known, sizeof known, "%s/strict/known", s->sshd.dir);
    o.known_hosts = known;
    o.strict = true;
    assert_false(attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_HOSTKEY);
    o.strict = false;
    assert_true(attempt(&o, NULL, how, &why));
    o.strict = true;
    assert_true(attempt(&o, NULL, how, &why));
    server_run(
        "rm -f %s/other; ssh-keygen -q -t ed25519 -N '' -f %s/other && { printf '/subscriptions/0/vm/test '; "
        "cut -d' ' -f1,2 %s/other.pub | tr -d '\\n'; echo ' vmId=ID-1'; } > %s",
        s->sshd.dir, s->sshd.dir, s->sshd.dir, known);
    o.strict = false;
    assert_false(attempt(&o, NULL, how, &why));
    assert_int_equal(why.code, ERR_HOSTKEY);
    assert_non_null(strstr(why.msg, "has changed"));
    assert_non_null(strstr(why.msg, "line 1"));
    server_run("sed -i s/ID-1/id-0/ %s", known);
    assert_true(attempt(&o, NULL, how, &why)); /* re-created */
    server_run("grep -q 'vmId=id-1' %s && ! grep -q id-0 %s", known, known);
}

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
    if (!attempt(&o, &a, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "password");
    assert_int_equal(a.asked, 1);
    assert_false(a.echo[0]);
    assert_non_null(strstr(a.prompts[0], "pw"));
    assert_non_null(strstr(a.prompts[0], "vm test"));
}

static void test_wrong_password_is_asked_once(void **state)
{
    struct setting *s = *state;
    static const char *const answers[] = {"wrong", "wrong"};
    char how[128];
    struct err why = {0};
    if (!s->have_python)
        skip();
    struct asker a = {.answers = answers};
    struct link_options o = to_python(s, "never");
    assert_false(attempt(&o, &a, how, &why));
    assert_int_equal(why.code, ERR_AUTH);
    assert_int_equal(a.asked, 1);
    assert_non_null(strstr(why.msg, "refused the password"));
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
    if (!attempt(&o, &a, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "keyboard-interactive");
    assert_int_equal(a.asked, 2);
    assert_string_equal(a.prompts[0], "Password:");
    assert_false(a.echo[0]);
    assert_true(a.echo[1]);
    struct asker b = {.answers = answers};
    o = to_python(s, "rounds");
    if (!attempt(&o, &b, how, &why))
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
    if (!attempt(&o, &a, how, &why))
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
    assert_false(attempt(&o, &a, how, &why));
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
    if (!attempt(&o, &a, how, &why))
        fail_msg("%s", why.msg);
    assert_string_equal(how, "password");
    assert_false(attempt(&o, NULL, how, &why));
    assert_non_null(strstr(why.msg, "wants more"));
}

static void test_no_login_needed(void **state)
{
    struct setting *s = *state;
    char how[128];
    struct err why;
    if (!s->have_python)
        skip();
    struct link_options o = to_python(s, "open");
    if (!attempt(&o, NULL, how, &why))
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
        cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_rsa_key_is_explained),
        cmocka_unit_test(test_useless_keys_are_explained),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_nothing_to_log_in_with),
        cmocka_unit_test(test_host_key),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_wrong_password_is_asked_once),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_odd_questions_are_cleaned),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_two_steps),
        cmocka_unit_test(test_no_login_needed),
        cmocka_unit_test(test_askpass),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("login", tests, start, stop);
}
