/*
 * Signing in by device code.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "login_rig.h"

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

static void waits_for_the_user(void **state)
{
    struct cred_rig *c = *state;
    struct login_seen s;
    struct stat st;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, PENDING);
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, SLOW);
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 503, NULL, "");
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, FAKE_RESET, NULL, "");
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 200, NULL, SIGNED_IN);
    login_start(c, &s);
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
    struct login_seen s;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_arm_forget(c->rig->arm, TOKEN_ROUTE);
        fake_arm_on(c->rig->arm, TOKEN_ROUTE, cases[i].status, NULL, cases[i].body);
        login_start(c, &s);
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
    struct login_seen s;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_arm_forget(c->rig->arm, CODE_ROUTE);
        fake_arm_on(c->rig->arm, CODE_ROUTE, cases[i].status, NULL, cases[i].body);
        login_start(c, &s);
        rig_until(c->rig, &s.count, 1);
        assert_int_equal(s.err.code, cases[i].code);
        assert_int_equal(s.prompts, 0);
    }
}

static void nobody_comes(void **state)
{
    struct cred_rig *c = *state;
    struct login_seen s;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, PENDING);
    login_start(c, &s);
    rig_until(c->rig, &s.prompts, 1);
    while (s.count == 0) {
        clock_test_advance(c->rig->clock, 100000);
        rig_turns(c->rig, 5);
    }
    assert_int_equal(s.err.code, ERR_TIMEOUT);
    assert_contains(s.err.msg, "run adit login again");
}

static void at_a_tenant_of_choice(void **state)
{
    struct cred_rig *c = *state;
    struct login_seen s = {0};
    struct azure_login *login;
    struct err err;
    fake_arm_on(c->rig->arm, "POST /contoso.example/oauth2/v2.0/devicecode", 200, NULL, CODE);
    assert_int_equal(
        azure_login(c->rig->azure, "contoso.example", login_on_prompt, login_on_done, &s, &login, &err), 0);
    rig_until(c->rig, &s.prompts, 1);
    azure_login_cancel(login);
    assert_int_equal(azure_login(c->rig->azure, "../x", login_on_prompt, login_on_done, &s, &login, &err),
                     ERR_INVAL);
}

static void one_that_nothing_would_use_is_refused(void **state)
{
    struct cred_rig *c = *state;
    struct login_seen s = {0};
    struct azure_login *login;
    struct err err;
    cred_open(c, "cli");
    assert_int_equal(azure_login(c->rig->azure, NULL, login_on_prompt, login_on_done, &s, &login, &err),
                     ERR_CONFIG);
    assert_contains(err.msg, "device-code");
}

static void canceled_at_every_turn(void **state)
{
    struct cred_rig *c = *state;
    struct login_seen s;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 400, NULL, PENDING);
    for (unsigned n = 0; n < 30; n++) {
        struct azure_login *login = login_start(c, &s);
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
    bool over = false;
    long k;
    fake_arm_on(c->rig->arm, TOKEN_ROUTE, 200, NULL, SIGNED_IN);
    for (k = 0; k < 300 && !over; k++) {
        struct login_seen s = {0};
        struct azure_login *login;
        struct err err;
        cred_open(c, "auto");
        long before = mem_allocations();
        mem_fail_after(k);
        int rc = azure_login(c->rig->azure, NULL, login_on_prompt, login_on_done, &s, &login, &err);
        uint64_t end = uv_hrtime() + 600000000u; /* a socket that cannot be watched is left to its time-out */
        while (rc == 0 && s.count == 0 && uv_hrtime() < end) {
            rig_turns(c->rig, 1);
            clock_test_advance(c->rig->clock, 50);
        }
        over = mem_allocations() - before <= k && s.count && !s.err.code;
        mem_fail_after(-1);
        if (rc)
            assert_int_equal(rc, ERR_NOMEM);
        else if (s.count == 0)
            azure_login_cancel(login);
    }
    assert_true(k > 20 && k < 300);
}

#define T(f) cmocka_unit_test_setup_teardown(f, login_setup, cred_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(waits_for_the_user),
        T(ends_that_are_not_happy),
        T(codes_that_cannot_be_used),
        T(at_a_tenant_of_choice),
        T(one_that_nothing_would_use_is_refused),
        T(nobody_comes),
        T(canceled_at_every_turn),
        T(no_memory_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
