/*
 * Public key lines: every type that is taken, and what must never reach a script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "prepare/key.h"

static const char *const good[] = {
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBhJhXMxy2qfy2GdXhZ+Bu/PYAOCMT4w9NJd/cYjYnpw",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCs1iVtz3rWfCRESespqbcRs+twDTo4bUsT/aYcOXv6rEOIIAvT"
    "rxI4ddzcHn9SqMcpwNKsxHr60/6e7MW5eIaWUfJ017ZqD7YlOsxQZcbgPfz9A9x0kMj6/HOx1dY7aVEkMPumwrx1"
    "W5y/xWv9WD1LJYUxOmdLI8Pf9h+F4c01ZM3w9/JdVAEbvFzH+4qqt79dxipweoDnbZ4ejXwEmtY/CwGhT2EWJH9N"
    "3Lybhuw3DlExDyOLbqYue5mlz7ZxuZoncmGpjZ5kYs8ZM+TIeRRwZooFMXSbmUWmN5A82LHQPVKnQNMy5+JWXVM9"
    "bRSvReYSgqnjPbiW1LFThtJ5Vwi/",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBP2tTJwHXtWdc1iY"
    "fusRDaK7e5WFhkE31ea5eJEQlCzJFUiEhz6sL+BGnxeIPBYxSspu+78Yn1MXiLF4QNVZkeI=",
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBOhHfXc0/2Cdj4XJ"
    "/N3t+zeK5/8nRFSGDLr0p5K5XSCoje8EXE5PQGgl/sWVGk09RKrSrP1TaUMHxVXrG+RqUaWsA+hLwG4368YZYajd"
    "cllpU4pHrrq3BNj/XLLGyPk3ZA==",
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBABAbpXGW2ZZ3VUS"
    "3ByOoE2RVqfkk1MoTQPyYIJF5ENDwxho/w+uRliu6s1qEHTS1oNMApzjyvdjI8X17PMMhdwcrgCulJJa/QVFLHAV"
    "+km3jvE8UqD0Zy0O/mvFB6J5IomQfx0zn6+I2h7z6iKBDKtP4zCAtHuh7WMtp+j2eppPVEmhyA==",
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIBhJhXMxy2qfy2GdX"
    "hZ+Bu/PYAOCMT4w9NJd/cYjYnpwAAAABHNzaDo=",
    "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AA"
    "AAIbmlzdHAyNTYAAABBBP2tTJwHXtWdc1iYfusRDaK7e5WFhkE31ea5eJEQlCzJFUiEhz6sL+BGnxeIPBYxSspu+"
    "78Yn1MXiLF4QNVZkeIAAAAEc3NoOg==",
};

static const struct {
    const char *what, *line;
} bad[] = {
    {"no key at all", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"},
    {"31 bytes", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAHxhJhXMxy2qfy2GdXhZ+Bu/PYAOCMT4w9NJd/cYjYno="},
    {"33 bytes", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIRhJhXMxy2qfy2GdXhZ+Bu/PYAOCMT4w9NJd/cYjYnpweA=="},
    {"something after it",
     "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBhJhXMxy2qfy2GdXhZ+Bu/PYAOCMT4w9NJd/cYjYnpwAA=="},
    {"a length past the end",
     "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5/////xhJhXMxy2qfy2GdXhZ+Bu/PYAOCMT4w9NJd/cYjYnpw"},
    {"a type of length 2^32-1", "ssh-ed25519 /////3NzaC1lZDI1NTE5"},
    {"another type inside", "ssh-ed25519 AAAAB3NzaC1yc2EAAAAgGEmFczHLap/LYZ1eFn4G789gA4IxPjD00l39xiNienA="},
    {"three bytes", "ssh-ed25519 AAAA"},
    {"another curve",
     "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAzODQAAABBBP2tTJwHXtWdc1iY"
     "fusRDaK7e5WFhkE31ea5eJEQlCzJFUiEhz6sL+BGnxeIPBYxSspu+78Yn1MXiLF4QNVZkeI="},
    {"a compressed point",
     "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAAhAv2tTJwHXtWdc1iY"
     "fusRDaK7e5WFhkE31ea5eJEQlCzJ"},
    {"a point of another form",
     "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBv2tTJwHXtWdc1iY"
     "fusRDaK7e5WFhkE31ea5eJEQlCzJFUiEhz6sL+BGnxeIPBYxSspu+78Yn1MXiLF4QNVZkeI="},
    {"no application",
     "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIBhJhXMxy2qfy2GdX"
     "hZ+Bu/PYAOCMT4w9NJd/cYjYnpw"},
    {"an empty application",
     "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIBhJhXMxy2qfy2GdX"
     "hZ+Bu/PYAOCMT4w9NJd/cYjYnpwAAAAAA=="},
    {"a short modulus",
     "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQH//////////////////////////////////////////////////"
     "//////////////////////////////////8="},
    {"a negative modulus",
     "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgP//////////////////////////////////////////////////"
     "////////////////////////////////////////////////////////////////////////////////////////"
     "////////////////////////////////"},
    {"a padded modulus",
     "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAggAA////////////////////////////////////////////////"
     "////////////////////////////////////////////////////////////////////////////////////////"
     "//////////////////////////////////8="},
    {"an exponent of nothing",
     "ssh-rsa AAAAB3NzaC1yc2EAAAAAAAAAgQD/////////////////////////////////////////////////////"
     "////////////////////////////////////////////////////////////////////////////////////////"
     "/////////////////////////////w=="},
    {"a certificate",
     "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIBh"
     "JhXMxy2qfy2GdXhZ+Bu/PYAOCMT4w9NJd/cYjYnpw"},
};

static void refused(const char *what, const char *text, size_t n, const char *why)
{
    struct err err = {0};
    char *line;
    int rc = key_line_check(text, n, &line, &err);
    if (rc != ERR_INVAL || line)
        fail_msg("%s: %d, %s", what, rc, line ? line : "no line");
    if (!strstr(err.msg, why))
        fail_msg("%s: '%s' does not say '%s'", what, err.msg, why);
}

static void taken(const char *text, const char *expected)
{
    struct err err = {0};
    char *line;
    if (key_line_check(text, strlen(text), &line, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    assert_string_equal(line, expected);
    mem_free(line);
}

static void test_types(void **state)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *with = mem_printf("%s ann@example.com\n", good[i]);
        taken(good[i], good[i]);
        with[strlen(with) - 1] = 0;
        char *copy = mem_strdup(with);
        with[strlen(with)] = '\n';
        taken(with, copy);
        mem_free(with);
        mem_free(copy);
    }
}

static void test_bad_blobs(void **state)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i].what, bad[i].line, strlen(bad[i].line), "public key: ");
}

/* A blob cut anywhere is no key, and nothing past its end is read (ASan watches the exact-size copy). */
static void test_cut_anywhere(void **state)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        for (size_t n = 0; n < strlen(good[i]); n++) {
            char *cut = mem_alloc(n + 1), *line;
            memcpy(cut, good[i], n);
            assert_int_equal(key_line_check(cut, n, &line, NULL), ERR_INVAL);
            mem_free(cut);
        }
    }
}

static void test_comments(void **state)
{
    static const char *const kept[] = {"it's \"quoted\"",
                                       "$(touch x) `id`; rm -rf /",
                                       "Ännä Müller ’s key",
                                       "\xf0\x9f\x94\x91",
                                       "two  blanks",
                                       "'''",
                                       "@{file}"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char *text = mem_printf("%s %s", good[0], kept[i]), *unix_end = mem_printf("%s\n", text),
             *dos_end = mem_printf("%s\r\n", text), *wide = mem_printf("%s   ", text);
        taken(text, text), taken(unix_end, text), taken(dos_end, text), taken(wide, text);
        mem_free(text), mem_free(unix_end), mem_free(dos_end), mem_free(wide);
    }
}

static void test_refused_text(void **state)
{
    static const struct {
        const char *comment;
        size_t n;
        const char *why;
    } cases[] = {
        {"a\nssh-rsa AAAA", 14, "second line"},
        {"a\n\n", 3, "second line"},
        {"a\rb", 3, "second line"},
        {"a\0b", 3, "control character"},
        {"a\tb", 3, "control character"},
        {"a\x1b[2J", 5, "control character"},
        {"a\x7f", 2, "control character"},
        {"a\xc2\x85", 3, "control character"},     /* NEL */
        {"a\xe2\x80\xa8", 4, "control character"}, /* LINE SEPARATOR */
        {"\xff\xfe", 2, "no UTF-8"},
        {"\xc0\xaf", 2, "no UTF-8"},
        {"\xed\xa0\x80", 3, "no UTF-8"},
        {"\xf4\x90\x80\x80", 4, "no UTF-8"},
        {"\xe2\x80", 2, "no UTF-8"},
    };
    size_t n = strlen(good[0]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        memcpy(text, good[0], n);
        text[n] = ' ';
        memcpy(text + n + 1, cases[i].comment, cases[i].n);
        refused(cases[i].comment, text, n + 1 + cases[i].n, cases[i].why);
    }
}

static void test_other_files(void **state)
{
    static const char *const others[] = {
        "",
        "\n",
        " ",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "no-pty ssh-ed25519 AAAA",
        "SSH-ED25519 AAAA",
        "ssh-dss AAAAB3NzaC1kc3M=",
        "ssh-ed25519 AAAA!",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        refused(others[i], others[i], strlen(others[i]), "public key: ");
    refused("a leading blank", " x", 2, ".pub");
}

/* The same bytes spelled another way: what is removed later must be what was added. */
static void test_only_one_spelling(void **state)
{
    char *text = mem_strdup(good[2]);
    char *last = strchr(text, '=');
    assert_non_null(last);
    last[-1]++;
    refused("spare bits", text, strlen(text), "base64");
    mem_free(text);
    refused("a second piece of base64", "ssh-ed25519 AAAA\tAAAA", 21, "control");
}

static void test_too_long(void **state)
{
    char *text = mem_alloc(KEY_LINE_MAX + 2);
    memset(text, 'a', KEY_LINE_MAX + 2);
    memcpy(text, good[0], strlen(good[0]));
    text[strlen(good[0])] = ' ';
    refused("too long", text, KEY_LINE_MAX + 1, "longer than");
    char *line;
    assert_int_equal(key_line_check(text, KEY_LINE_MAX, &line, NULL), 0);
    mem_free(line);
    mem_free(text);
}

static void test_out_of_memory(void **state)
{
    struct err err = {0};
    char *line;
    for (int k = 0; k < 3; k++) {
        mem_fail_after(k);
        assert_int_equal(key_line_check(good[1], strlen(good[1]), &line, &err), ERR_NOMEM);
        assert_null(line);
    }
    mem_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_bad_blobs),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_refused_text),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_only_one_spelling),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
