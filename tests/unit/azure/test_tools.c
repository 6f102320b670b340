/*
 * The credentials of developers' tools: az and azd, played by shell scripts on PATH.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "azure/azure_private.h"
#include "azure/tool.h"
#include "cred_rig.h"

#define LONG_TOKEN "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJ2ZXIiOiIxLjAifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"

static char *slurp(struct cred_rig *c, const char *name)
{
    static char text[4096];
    FILE *f = fopen(cred_path(c, name), "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = 0;
    return text;
}

static void az_is_asked_without_secrets(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    char script[1024];
    setenv("AZURE_CLIENT_SECRET", RIG_SECRET, 1); /* a principal that is not complete */
    snprintf(script, sizeof(script),
             "echo \"$@\" >%s/argv; echo \"secret=$AZURE_CLIENT_SECRET dir=$PWD\" >%s/env\n"
             "echo '{\"accessToken\":\"from-az\",\"expires_on\":4102444800,\"expiresOn\":\"1999-01-01 "
             "00:00:00\"}'",
             c->dir, c->dir);
    cred_tool(c, "az", script);
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    cred_used(c, "from-az");
    char expected[256];
    snprintf(expected, sizeof(expected), "account get-access-token --output json --resource %s\n",
             fake_arm_url(c->rig->arm));
    assert_string_equal(slurp(c, "argv"), expected);
    assert_string_equal(slurp(c, "env"), "secret= dir=/\n");
    rig_reopen(c->rig, &(struct rig_options){.credential = "cli", .tenant = RIG_TENANT});
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    assert_contains(slurp(c, "argv"), " --tenant " RIG_TENANT "\n");
}

/* What Debian's az 2.45 gives: local time, no zone. */
static void az_in_zone(struct cred_rig *c, const char *zone)
{
    struct told t;
    char script[512], when[64];
    setenv("TZ", zone, 1);
    tzset();
    time_t ends = time(NULL) + 3600;
    struct tm tm;
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&ends, &tm));
    snprintf(script, sizeof(script), "echo '{\"accessToken\":\"local\",\"expiresOn\":\"%s.123456\"}'", when);
    cred_tool(c, "az", script);
    cred_open(c, "cli");
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    cred_used(c, "local");
    ends = time(NULL) - 60;
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&ends, &tm));
    snprintf(script, sizeof(script), "echo '{\"accessToken\":\"local\",\"expiresOn\":\"%s.123456\"}'", when);
    cred_tool(c, "az", script);
    cred_open(c, "cli");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "expired");
    unsetenv("TZ");
    tzset();
}

static void az_with_local_time(void **state)
{
    az_in_zone(*state, "WINTER8");
    az_in_zone(*state, "NEVER8ALWAYS,0/0,J365/25"); /* daylight saving time the whole year */
}

static void az_that_fails(void **state)
{
    static const struct {
        const char *script, *says;
        int code;
    } cases[] = {
        {"echo 'ERROR: Please run az login to setup account.' >&2; exit 1",
         "az failed with 1: Please run az login", ERR_AUTH},
        {"printf '\\033[91mAADSTS700082: expired\\033[0m\\nTrace\\n' >&2; exit 1",
         "AADSTS700082: expired Trace", ERR_AUTH},
        {"echo 'cache has " LONG_TOKEN " in it' >&2; exit 3", "cache has (hidden) in it", ERR_AUTH},
        {"exit 2", "az failed with 2: it does not say why; try az login", ERR_AUTH},
        {"echo 'python3: not found' >&2; exit 127", "az is not installed properly", ERR_AUTH},
        {"echo nonsense", "az: what it wrote holds no accessToken", ERR_PROTOCOL},
        {"echo '{\"accessToken\":\"a b\",\"expires_on\":4102444800}'", "no token has", ERR_PROTOCOL},
        {"kill -9 $$", "az failed with 137", ERR_AUTH},
        {"while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
         "az writes more than 64 KiB", ERR_LIMIT},
    };
    struct cred_rig *c = *state;
    struct told t;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cred_tool(c, "az", cases[i].script);
        cred_open(c, "cli");
        cred_get(c, &t);
        assert_contains(t.err.msg, cases[i].says);
        assert_int_equal(t.err.code, cases[i].code);
        assert_null(strstr(t.err.msg, "eyJ0"));
        assert_null(strchr(t.err.msg, 0x1b));
    }
}

static void az_that_is_not_there(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    cred_open(c, "cli");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "cli: az is not installed, or not on the PATH of aditd");
}

static bool is_gone(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    char state = 'X';
    if (f) {
        if (fscanf(f, "%*d %*s %c", &state) != 1)
            state = 'X';
        fclose(f);
    }
    return state == 'X' || state == 'Z';
}

/* Its children go with it: az is a script that starts python. */
static void az_that_hangs_is_killed(void **state)
{
    struct cred_rig *c = *state;
    struct told t = {0};
    char script[256];
    clock_test_freeze(c->rig->clock, 1000000);
    snprintf(script, sizeof(script), "/bin/sleep 1000 & echo $! >%s/pid; echo x >%s/started; wait", c->dir,
             c->dir);
    cred_tool(c, "az", script);
    cred_open(c, "cli");
    rig_send(c->rig, "GET", "/x", 0, &t);
    uint64_t end = uv_hrtime() + 10000000000u;
    while (!slurp(c, "started")[0] && uv_hrtime() < end)
        rig_turns(c->rig, 1);
    pid_t pid = (pid_t)atoi(slurp(c, "pid"));
    assert_true(pid > 1 && !is_gone(pid));
    clock_test_advance(c->rig->clock, 26000);
    rig_until(c->rig, &t.count, 1);
    assert_contains(t.err.msg, "az did not end within 25 s");
    while (!is_gone(pid) && uv_hrtime() < end)
        rig_turns(c->rig, 1);
    assert_true(is_gone(pid));
    told_done(&t);
}

static void closing_while_az_runs(void **state)
{
    struct cred_rig *c = *state;
    struct told t = {0};
    cred_tool(c, "az", "while :; do :; done");
    cred_open(c, "cli");
    rig_send(c->rig, "GET", "/x", 0, &t);
    rig_turns(c->rig, 3);
    rig_close_azure(c->rig);
    assert_int_equal(t.count, 0); /* and the teardown finds the loop empty */
}

/* az leaves something of its own behind that holds its output open. */
static void output_that_stays_open(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    cred_tool(c, "az", "/bin/sleep 5 & echo '{\"accessToken\":\"from-az\",\"expires_on\":4102444800}'");
    cred_open(c, "cli");
    uint64_t start = uv_hrtime();
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    assert_true(uv_hrtime() - start < 4000000000u);
}

static void tenant_is_no_option(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    cred_tool(c, "az", "exit 0");
    rig_reopen(c->rig, &(struct rig_options){.credential = "cli", .tenant = "--debug"});
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_INVAL);
    assert_contains(t.err.msg, "azure: tenant");
}

static void azd_serves_when_az_does_not(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    char script[512];
    cred_tool(c, "az", "echo 'Please run az login' >&2; exit 1");
    snprintf(script, sizeof(script),
             "echo \"$@\" >%s/argv; echo '{\"token\":\"from-azd\",\"expiresOn\":\"2100-01-01T00:00:00Z\"}'",
             c->dir);
    cred_tool(c, "azd", script);
    cred_get(c, &t);
    assert_int_equal(t.err.code, 0);
    cred_used(c, "from-azd");
    snprintf(script, sizeof(script), "auth token --output json --scope %s/.default\n",
             fake_arm_url(c->rig->arm));
    assert_string_equal(slurp(c, "argv"), script);
    cred_tool(
        c, "azd",
        "printf '%s' '{\"type\":\"consoleMessage\",\"data\":{\"message\":\"\\nERROR: not logged in, run `azd "
        "auth login` "
        "to login\\n\"}}'; exit 1");
    cred_open(c, "azd");
    cred_get(c, &t);
    assert_contains(t.err.msg, "azd failed with 1: not logged in, run `azd auth login` to login");
}

static void tools_cannot_answer_a_challenge(void **state)
{
    struct cred_rig *c = *state;
    struct told t;
    cred_tool(c, "az", "echo '{\"accessToken\":\"from-az\",\"expires_on\":4102444800}'");
    cred_open(c, "cli");
    fake_arm_forget(c->rig->arm, "GET /x");
    fake_arm_on(c->rig->arm, "GET /x", 401,
                "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"\r\n", "{}");
    cred_get(c, &t);
    assert_int_equal(t.err.code, ERR_AUTH);
    assert_contains(t.err.msg, "run az login --claims-challenge eyJhIjoxfQ==");
    assert_int_equal(fake_arm_hits(c->rig->arm, "GET /x"), 1);
}

static void text_of_tools(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"\033[1;31mred\033[0m", "red"},
        {"a " LONG_TOKEN ", b", "a (hidden), b"},
        {"eyJhbGciOiJSUzI1NiJ9.x", "(hidden)"},
        {"see https://aka.ms/azlogin", "see https://aka.ms/azlogin"},
        {"11111111-1111-1111-1111-111111111111", "11111111-1111-1111-1111-111111111111"},
        {"\033[", ""},
    };
    char out[200];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tool_text_clean(out, sizeof(out), cases[i].in);
        assert_string_equal(out, cases[i].out);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, cred_setup, cred_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(az_is_asked_without_secrets),
        T(az_with_local_time),
        T(az_that_fails),
        T(az_that_is_not_there),
        T(az_that_hangs_is_killed),
        T(closing_while_az_runs),
        T(output_that_stays_open),
        T(tenant_is_no_option),
        T(azd_serves_when_az_does_not),
        T(tools_cannot_answer_a_challenge),
        cmocka_unit_test(text_of_tools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
