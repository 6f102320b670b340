/*
 * What varies in a script, and that nothing else does: outside of the base64 between single quotes every byte
 * is the same whatever the key and the user are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "prepare/script.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVWfA3Pu3gV9w7/w6DN5aHNHcXSKjO2+4oICBN+jXCB"
#define HOSTILE "'; Remove-Item C:\\ -Recurse; $(touch x) `id` ’ ‘ @\" \"@ \xf0\x9f\x94\x91 %s"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *script_of(bool windows, bool add, bool administrator, const char *key, const char *user)
{
    char *own_key = mem_strdup(key), *own_user = mem_strdup(user);
    struct plan p = {
        .windows = windows, .administrator = administrator, .public_key = own_key, .user = own_user};
    char *script = add ? script_key_add(&p) : script_key_remove(&p);
    assert_non_null(script);
    mem_free(own_key), mem_free(own_user);
    return script;
}

/* What stands before the literal that holds the key, or the user. */
static const char *const before[2][2] = {
    {"adit_key=$(printf %s '", "adit_user=$(printf %s '"},
    {"[string]$key = $raw.GetString([Convert]::FromBase64String('",
     "[string]$user = $utf8.GetString([Convert]::FromBase64String('"},
};

/* Takes the literal out of the script: *value is what it decodes to, the rest is joined again. */
static char *literal_out(char *script, const char *mark, char **value)
{
    char *at = strstr(script, mark);
    assert_non_null(at);
    at += strlen(mark);
    assert_null(strstr(at, mark));
    size_t n = strspn(at, alphabet), pad = strspn(at + n, "=");
    assert_true(pad <= 2 && (n + pad) % 4 == 0 && at[n + pad] == '\'');
    *value = mem_zalloc(n + 4);
    assert_true(base64_decode((uint8_t *)*value, at, n + pad) >= 0);
    char *rest = mem_printf("%.*s%s", (int)(at - script), script, at + n + pad);
    mem_free(script);
    return rest;
}

static char *skeleton(bool windows, bool add, bool administrator, const char *key, const char *user)
{
    char *value, *rest = script_of(windows, add, administrator, key, user);
    rest = literal_out(rest, before[windows][0], &value);
    assert_string_equal(value, key);
    mem_free(value);
    rest = literal_out(rest, before[windows][1], &value);
    assert_string_equal(value, user);
    mem_free(value);
    return rest;
}

static void test_nothing_else_varies(void **state)
{
    for (unsigned i = 0; i < 8; i++) {
        bool windows = i & 1, add = i & 2, administrator = i & 4;
        char *plain = skeleton(windows, add, administrator, KEY, "u");
        char *hostile = skeleton(windows, add, administrator, KEY " " HOSTILE, HOSTILE);
        assert_string_equal(plain, hostile);
        mem_free(plain), mem_free(hostile);
    }
}

/* All is ASCII: Windows PowerShell reads a file without BOM in the machine's code page. No line can end a
 * here-string of PowerShell's, nor a raw string of Bicep's. */
static void test_plain_text(void **state)
{
    for (unsigned i = 0; i < 10; i++) {
        char *script =
            i < 8 ? script_of(i & 1, i & 2, i & 4, KEY " " HOSTILE, HOSTILE) : script_host_keys(i & 1);
        for (const char *c = script; *c; c++)
            assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
        assert_null(strstr(script, "\n'@"));
        assert_null(strstr(script, "'''"));
        assert_int_equal(script[strlen(script) - 1], '\n');
        assert_int_not_equal(script[0], '@'); /* az would take it for the name of a file */
        assert_int_not_equal(script[0], '[');
        mem_free(script);
    }
}

/* A tokenizer for what the scripts use of PowerShell: quotes and brackets close in the order in which they
 * open. */
static void balanced(const char *text)
{
    char open[64];
    size_t depth = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '\'') {
            c = strchr(c + 1, '\'');
            assert_non_null(c);
        } else if (*c == '"') {
            while (*++c != '"') {
                assert_true(*c && *c != '\n');
                c += *c == '`';
            }
        } else if (strchr("({[", *c)) {
            assert_true(depth < sizeof open);
            open[depth++] = *c == '(' ? ')' : *c == '{' ? '}' : ']';
        } else if (strchr(")}]", *c)) {
            assert_true(depth > 0 && open[--depth] == *c);
        }
    }
    assert_int_equal(depth, 0);
}

static void test_powershell_is_well_formed(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        char *script = script_of(true, i & 1, i & 2, KEY " " HOSTILE, HOSTILE);
        balanced(script);
        mem_free(script);
    }
    char *script = script_host_keys(true);
    balanced(script);
    mem_free(script);
}

static void test_windows_says_what_it_must(void **state)
{
    char *known = script_of(true, true, true, KEY, "ann"), *asked = script_of(true, true, false, KEY, "ann");
    static const char *const parts[] = {"$env:ProgramData\\ssh",
                                        "\\administrators_authorized_keys",
                                        "'*S-1-5-32-544:F'",
                                        "'*S-1-5-18:F'",
                                        "/inheritance:r /grant ",
                                        "/setowner ",
                                        "exit 1",
                                        "ProfileList"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(known, parts[i]) || !strstr(asked, parts[i]))
            fail_msg("no %s", parts[i]);
    assert_non_null(strstr(known, "\n$administrator = $true\n"));
    assert_non_null(strstr(asked, "\n$administrator = $false\n"));
    mem_free(known), mem_free(asked);
}

static void test_out_of_memory(void **state)
{
    struct plan p = {.user = (char[]){"ann"}, .public_key = (char[]){KEY}};
    for (int k = 0; k < 3; k++) {
        mem_fail_after(k);
        assert_null(script_key_add(&p));
    }
    mem_fail_after(0);
    assert_null(script_host_keys(true));
    mem_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_else_varies),
        cmocka_unit_test(test_plain_text),
        cmocka_unit_test(test_powershell_is_well_formed),
        cmocka_unit_test(test_windows_says_what_it_must),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
