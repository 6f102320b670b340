/*
 * Signing in by device code, the login that stays on disk, and signing out.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "azure/azure_private.h"
#include "azure/login_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cred_rig.h"

#define CODE_ROUTE "POST /organizations/oauth2/v2.0/devicecode"
#define TOKEN_ROUTE "POST /organizations/oauth2/v2.0/token"
#define HOME_ROUTE "POST /" RIG_TENANT "/oauth2/v2.0/token"
#define CODE                                                                                                 \
    "{\"user_code\":\"ABCD1234\",\"device_code\":\"device-secret\",\"verification_uri\":"                    \
    "\"https://microsoft.com/devicelogin\",\"expires_in\":900,\"interval\":5,\"message\":\"To sign in, use " \
    "a web "                                                                                                 \
    "browser\"}"
#define QUICK_CODE                                                                                           \
    "{\"user_code\":\"A\",\"device_code\":\"device-secret\",\"verification_uri\":\"https://"                 \
    "x\",\"interval\":\"1\"}"
#define PENDING "{\"error\":\"authorization_pending\",\"error_description\":\"AADSTS70016: pending\"}"
#define SLOW "{\"error\":\"slow_down\"}"
/* {"preferred_username":"ann@example.com","tid":RIG_TENANT} */
#define ID_TOKEN                                                                                             \
    "eyJhbGciOiJub25lIn0."                                                                                   \
    "eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhbm5AZXhhbXBsZS5jb20iLCJ0aWQiOiIxMTExMTExMS0xMTExLTExMTEtMTExMS0xMTExMT" \
    "ExMTExMT"                                                                                               \
    "EifQ.c2ln"
#define SIGNED_IN                                                                                            \
    "{\"access_token\":\"first\",\"expires_in\":3600,\"refresh_token\":\"refresh-one\",\"id_token\":"        \
    "\"" ID_TOKEN "\"}"
#define RENEWED(access, refresh)                                                                             \
    "{\"access_token\":\"" access "\",\"expires_in\":3600,\"refresh_token\":\"" refresh "\"}"

struct seen {
    unsigned prompts, count;
    char code[64], uri[128], message[256], user[128];
    uint32_t expires_s;
    struct err err;
};

static void on_prompt(void *arg, const struct azure_prompt *prompt)
{
    struct seen *s = arg;
    s->prompts++;
    snprintf(s->code, sizeof(s->code), "%s", prompt->user_code);
    snprintf(s->uri, sizeof(s->uri), "%s", prompt->verification_uri);
    snprintf(s->message, sizeof(s->message), "%s", prompt->message);
    s->expires_s = prompt->expires_s;
}

static void on_login(void *arg, const char *user, const struct err *err)
{
    struct seen *s = arg;
    s->count++;
    snprintf(s->user, sizeof(s->user), "%s", user ? user : "(none)");
    err_clear(&s->err);
    if (err)
        s->err = *err;
}

static struct azure_login *start(struct cred_rig *c, struct seen *s)
{
    struct azure_login *login = NULL;
    struct err err;
    memset(s, 0, sizeof(*s));
    if (azure_login(c->rig->azure, on_prompt, on_login, s, &login, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(s->prompts + s->count, 0);
    return login;
}

static int setup(void **state)
{
    int rc = cred_setup(state);
    struct cred_rig *c = *state;
    clock_test_freeze(c->rig->clock, 1000000);
    cred_open(c, "auto");
    fake_arm_forget(c->rig->arm, HOME_ROUTE);
    fake_arm_on(c->rig->arm, CODE_ROUTE, 200, NULL, CODE);
    return rc;
}

/* Lets it be asked `n` more times, each a moment before and a moment after the interval. */
static void polls(struct cred_rig *c, unsigned interval_ms)
{
    unsigned before = fake_arm_hits(c->rig->arm, TOKEN_ROUTE);
    rig_turns(c->rig, 30);
    clock_test_advance(c->rig->clock, interval_ms - 100);
    rig_turns(c->rig, 10);
    assert_int_equal(fake_arm_hits(c->rig->arm, TOKEN_ROUTE), before);
    clock_test_advance(c->rig->clock, 200);
    rig_until_hits(c->rig, TOKEN_ROUTE, before + 1);
    rig_turns(c->rig, 30);
}

static void sign_in_after(struct cred_rig *c, unsigned interval_ms)
{
    struct seen s;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 200, NULL, SIGNED_IN);
    start(c, &s);
    rig_until(c->rig, &s.prompts, 1);
    clock_test_advance(c->rig->clock, interval_ms);
    rig_until(c->rig, &s.count, 1);
    assert_int_equal(s.err.code, 0);
}

static void sign_in(struct cred_rig *c)
{
    sign_in_after(c, 5000);
}

static void waits_for_the_user(void **state)
{
    struct cred_rig *c = *state;
    struct seen s;
    struct stat st;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, PENDING);
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, SLOW);
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 503, NULL, "");
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, FAKE_RESET, NULL, "");
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 200, NULL, SIGNED_IN);
    start(c, &s);
    rig_until(c->rig, &s.prompts, 1);
    assert_string_equal(s.code, "ABCD1234");
    assert_string_equal(s.uri, "https://microsoft.com/devicelogin");
    assert_string_equal(s.message, "To sign in, use a web browser");
    assert_int_equal(s.expires_s, 900);
    polls(c, 5000);
    polls(c, 5000);
    polls(c, 10000); /* slower */
    polls(c, 10000);
    assert_int_equal(s.count, 0);
    polls(c, 10000);
    rig_until(c->rig, &s.count, 1);
    assert_int_equal(s.err.code, 0);
    assert_string_equal(s.user, "ann@example.com");
    assert_contains(fake_arm_last(c->rig->arm, TOKEN_ROUTE), "device_code=device-secret");
    assert_contains(fake_arm_last(c->rig->arm, CODE_ROUTE), "offline_access");
    assert_int_equal(stat(cred_path(c, "login.json"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

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
    sign_in_after(c, 1000);
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
    sign_in(c);
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
    sign_in(c);
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
    sign_in(c);
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

static void ends_that_are_not_happy(void **state)
{
    static const struct {
        int status;
        const char *body, *says;
        int code;
    } cases[] = {
        {400, "{\"error\":\"authorization_declined\"}", "declined", ERR_DENIED},
        {400, "{\"error\":\"expired_token\"}", "run adit login again", ERR_TIMEOUT},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"no device-secret here\"}",
         "invalid_grant", ERR_AUTH},
        {200, "{\"access_token\":\"a\",\"expires_in\":3600}", "no refresh_token", ERR_PROTOCOL},
        {200, "<html>", "did not answer with JSON", ERR_PROTOCOL},
    };
    struct cred_rig *c = *state;
    struct seen s;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_arm_forget(c->rig->arm, TOKEN_ROUTE);
        fake_arm_on(c->rig->arm, TOKEN_ROUTE, cases[i].status, NULL, cases[i].body);
        start(c, &s);
        rig_until(c->rig, &s.prompts, 1);
        clock_test_advance(c->rig->clock, 5000);
        rig_until(c->rig, &s.count, 1);
        assert_contains(s.err.msg, cases[i].says);
        assert_int_equal(s.err.code, cases[i].code);
        assert_null(strstr(s.err.msg, "device-secret"));
        assert_int_equal(access(cred_path(c, "login.json"), F_OK), -1);
    }
}

static void codes_that_cannot_be_used(void **state)
{
    static const struct {
        int status;
        const char *body;
        int code;
    } cases[] = {
        {200, "[]", ERR_PROTOCOL},
        {200, "{\"user_code\":\"A\",\"device_code\":\"d\",\"verification_uri\":\"http://plain\"}",
         ERR_PROTOCOL},
        {200, "{\"user_code\":\"A\",\"verification_uri\":\"https://x\"}", ERR_PROTOCOL},
        {200, "{\"user_code\":7,\"device_code\":[],\"verification_uri\":\"https://x\"}", ERR_PROTOCOL},
        {400, "{\"error\":\"unauthorized_client\"}", ERR_AUTH},
        {400, "{\"error\":\"x\",\"error_codes\":[90002]}", ERR_AUTH},
    };
    struct cred_rig *c = *state;
    struct seen s;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_arm_forget(c->rig->arm, CODE_ROUTE);
        fake_arm_on(c->rig->arm, CODE_ROUTE, cases[i].status, NULL, cases[i].body);
        start(c, &s);
        rig_until(c->rig, &s.count, 1);
        assert_int_equal(s.err.code, cases[i].code);
        assert_int_equal(s.prompts, 0);
    }
}

static void nobody_comes(void **state)
{
    struct cred_rig *c = *state;
    struct seen s;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, PENDING);
    start(c, &s);
    rig_until(c->rig, &s.prompts, 1);
    while (s.count == 0) {
        clock_test_advance(c->rig->clock, 100000);
        rig_turns(c->rig, 5);
    }
    assert_int_equal(s.err.code, ERR_TIMEOUT);
    assert_contains(s.err.msg, "run adit login again");
}

static void canceled_at_every_turn(void **state)
{
    struct cred_rig *c = *state;
    struct seen s;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, PENDING);
    for (unsigned n = 0; n < 30; n++) {
        struct azure_login *login = start(c, &s);
        for (unsigned i = 0; i < n; i++) {
            rig_turns(c->rig, 1);
            clock_test_advance(c->rig->clock, 1000);
        }
        assert_int_equal(s.count, 0);
        if (n % 2)
            azure_login_cancel(login);
        else
            cred_open(c, "auto"); /* closes the other one with the login under way */
        rig_turns(c->rig, 2);
        assert_int_equal(s.count, 0);
    }
}

static void no_memory_at_any_point(void **state)
{
    struct cred_rig *c = *state;
    long k, taken = 1;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 200, NULL, SIGNED_IN);
    for (k = 0; k < 300 && taken; k++) {
        struct seen s = {0};
        struct azure_login *login;
        struct err err;
        cred_open(c, "auto");
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = azure_login(c->rig->azure, on_prompt, on_login, &s, &login, &err);
        uint64_t end = uv_hrtime() + 600000000u; /* a socket that cannot be watched is left to its time-out */
        while (rc == 0 && s.count == 0 && uv_hrtime() < end) {
            rig_turns(c->rig, 1);
            clock_test_advance(c->rig->clock, 50);
        }
        taken = mem_allocations() - before > k;
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        else if (s.count == 0)
            azure_login_cancel(login);
    }
    assert_true(k > 20 && k < 300);
}

static void files_that_are_not_trusted(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    sign_in(c);
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
    sign_in(c);
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
    sign_in(c);
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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, cred_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(waits_for_the_user),
        T(saved_login_serves),
        T(logout_forgets),
        T(logout_during_a_renewal),
        T(login_during_a_renewal),
        T(ends_that_are_not_happy),
        T(codes_that_cannot_be_used),
        T(nobody_comes),
        T(canceled_at_every_turn),
        T(no_memory_at_any_point),
        T(files_that_are_not_trusted),
        T(revoked_login_says_what_to_do),
        T(log_holds_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
