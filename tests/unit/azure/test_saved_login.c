/*
 * The login that stays on disk: what it serves for, how it is renewed, when it is not trusted, and signing
 * out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "azure/login_file.h"
#include "base/log.h"
#include "login_rig.h"

static void saved_login_serves(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    struct login_saved saved;
    struct err err;
    cred_get(c, &t);
    assert_contains(t.err.msg, "device-code: nobody has run adit login");
    fake_arm_forget(c->rig->arm, CODE_ROUTE);
    fake_arm_on(c->rig->arm, CODE_ROUTE, 200, NULL, QUICK_CODE);
    login_done_after(c, 1000);
    fake_arm_on(c->rig->arm, HOME_ROUTE, 200, NULL, RENEWED("second", "refresh-two"));
    cred_get(c, &t); /* though it was refused a moment ago */
    assert_int_equal(t.err.code, 0);
    cred_used(c, "second");
    assert_contains(fake_arm_last(c->rig->arm, HOME_ROUTE), "grant_type=refresh_token");
    assert_contains(fake_arm_last(c->rig->arm, HOME_ROUTE), "refresh_token=refresh-one");
    assert_int_equal(login_file_read(&saved, cred_path(c, "login.json"), &err), 0);
    assert_string_equal(saved.refresh, "refresh-two");
    assert_string_equal(saved.user, "ann@example.com");
    assert_string_equal(saved.tenant, RIG_TENANT);
    login_saved_done(&saved);
    cred_open(c, "device-code"); /* another aditd, later */
    cred_get(c, &t);
    assert_contains(fake_arm_last(c->rig->arm, HOME_ROUTE), "refresh_token=refresh-two");
}

static void logout_forgets(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    struct err err;
    login_done(c);
    fake_arm_on(c->rig->arm, HOME_ROUTE, 200, NULL, RENEWED("second", "refresh-two"));
    cred_get(c, &t);
    assert_int_equal(azure_logout(c->rig->azure, &err), 0);
    assert_int_equal(access(cred_path(c, "login.json"), F_OK), -1);
    unsigned before = fake_arm_hits(c->rig->arm, "GET /x");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "run adit login or az login");
    assert_int_equal(fake_arm_hits(c->rig->arm, "GET /x"), before);
    assert_int_equal(azure_logout(c->rig->azure, &err), ERR_NOTFOUND);
    assert_contains(err.msg, "nobody is signed in");
}

/* Nor does it take the place of a login that was made meanwhile. */
static void login_during_a_renewal(void **state)
{
    struct cred_rig *c = *state;
    struct told t = {0};
    struct login_saved saved;
    struct err err;
    char text[512];
    login_done(c);
    fake_arm_on(c->rig->arm, HOME_ROUTE, 200, NULL, RENEWED("second", "refresh-two"));
    fake_arm_hold(c->rig->arm, true);
    rig_send(c->rig, "GET", "/x", 0, &t);
    rig_until_hits(c->rig, HOME_ROUTE, 1);
    snprintf(text, sizeof(text),
             "{\"version\":1,\"login\":\"%s\",\"tenant\":\"" RIG_TENANT
             "\",\"client\":\"c\",\"user\":\"bob\","
             "\"refresh_token\":\"of-bob\"}",
             fake_arm_url(c->rig->arm));
    cred_write(c, "login.json", 0600, text);
    fake_arm_hold(c->rig->arm, false);
    rig_until(c->rig, &t.count, 1);
    assert_int_equal(login_file_read(&saved, cred_path(c, "login.json"), &err), 0);
    assert_string_equal(saved.refresh, "of-bob");
    login_saved_done(&saved);
    told_done(&t);
}

/* A renewal that was under way when the user signed out does not bring the login back. */
static void logout_during_a_renewal(void **state)
{
    struct cred_rig *c = *state;
    struct told t = {0};
    struct err err;
    login_done(c);
    fake_arm_on(c->rig->arm, HOME_ROUTE, 200, NULL, RENEWED("second", "refresh-two"));
    fake_arm_hold(c->rig->arm, true);
    rig_send(c->rig, "GET", "/x", 0, &t);
    rig_until_hits(c->rig, HOME_ROUTE, 1);
    assert_int_equal(azure_logout(c->rig->azure, &err), 0);
    fake_arm_hold(c->rig->arm, false);
    rig_until(c->rig, &t.count, 1);
    assert_int_equal(access(cred_path(c, "login.json"), F_OK), -1);
    told_done(&t);
}

static void files_that_are_not_trusted(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    login_done(c);
    const char *path = cred_path(c, "login.json");
    assert_int_equal(chmod(path, 0640), 0);
    cred_open(c, "device-code");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_DENIED);
    assert_contains(t.err.msg, "only you can read");
    cred_write(c, "login.json", 0600, "{\"version\":1,\"refresh_token\":");
    cred_open(c, "device-code");
    cred_get(c, &t);
    assert_contains(t.err.msg, "damaged");
    cred_write(
        c, "login.json", 0600,
        "{\"version\":1,\"login\":\"https://login.elsewhere.example\",\"tenant\":\"t\",\"client\":\"c\","
        "\"user\":\"u\",\"refresh_token\":\"other-secret\"}");
    cred_open(c, "device-code");
    cred_get(c, &t);
    assert_contains(t.err.msg, "the saved login is for https://login.elsewhere.example");
    assert_int_equal(fake_arm_hits(c->rig->arm, HOME_ROUTE), 0);
    assert_null(strstr(t.err.msg, "other-secret"));
}

static void revoked_login_says_what_to_do(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    login_done(c);
    fake_arm_on(
        c->rig->arm, HOME_ROUTE, 400, NULL,
        "{\"error\":\"invalid_grant\",\"error_codes\":[50173],\"error_description\":\"refresh-one\"}");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg,
                    "check the saved login: it was revoked, as after a change of password: run adit login");
    assert_null(strstr(t.err.msg, "refresh-one"));
    fake_arm_forget(c->rig->arm, HOME_ROUTE);
    fake_arm_on(c->rig->arm, HOME_ROUTE, 400, NULL,
                "{\"error\":\"invalid_grant\",\"error_description\":\"bad: refresh-one\"}");
    cred_open(c, "device-code");
    cred_get(c, &t);
    assert_contains(t.err.msg, "invalid_grant");
    assert_null(strstr(t.err.msg, "refresh-one"));
}

static void log_holds_no_secret(void **state)
{
    static const char *const secrets[] = {"device-secret", "refresh-one", "refresh-two", "second", "c2ln"};
    struct cred_rig *c = *state;
    struct told t;
    char text[65536];
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    log_init(fd[1], LOG_DEBUG, LOG_TEXT);
    login_done(c);
    fake_arm_on(c->rig->arm, HOME_ROUTE, 200, NULL, RENEWED("second", "refresh-two"));
    cred_get(c, &t);
    log_init(STDERR_FILENO, LOG_WARN, LOG_TEXT);
    close(fd[1]);
    ssize_t n = read(fd[0], text, sizeof(text) - 1);
    close(fd[0]);
    assert_true(n > 0);
    text[n] = 0;
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
        assert_null(strstr(text, secrets[i]));
}

#define T(f) cmocka_unit_test_setup_teardown(f, login_setup, cred_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(saved_login_serves),         T(logout_forgets),
        T(login_during_a_renewal),     T(logout_during_a_renewal),
        T(files_that_are_not_trusted), T(revoked_login_says_what_to_do),
        T(log_holds_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
