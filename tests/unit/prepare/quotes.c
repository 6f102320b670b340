/*
 * quotes: reads PowerShell and Bicep as far as texts between quotes go.
 */
#include "quotes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void keep(struct quotes *q, struct strbuf *value)
{
    assert_true(q->count < QUOTES_MAX);
    q->value[q->count++] = strbuf_take(value);
    strbuf_puts(&q->around, "§");
}

static void begin(struct quotes *q, const char *text)
{
    memset(q, 0, sizeof *q);
    strbuf_init(&q->around);
    assert_non_null(text);
}

/* Bytes of a character that PowerShell takes for a single quote. */
static size_t single(const char *c)
{
    static const char *const all[] = {"'", "‘", "’", "‚", "‛"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strncmp(c, all[i], strlen(all[i])) == 0)
            return strlen(all[i]);
    return 0;
}

/* In PowerShell a doubled quote is one, whichever of the five it is: the first of the two counts. */
static const char *powershell_text(struct strbuf *value, const char *c)
{
    for (;;) {
        size_t n = single(c);
        assert_true(*c);
        if (n && !single(c + n))
            return c + n;
        strbuf_add(value, c, n ? n : 1);
        c += n ? n + single(c + n) : 1;
    }
}

void quotes_powershell(struct quotes *q, const char *text)
{
    begin(q, text);
    for (const char *c = text; *c;) {
        struct strbuf value;
        strbuf_init(&value);
        if (strncmp(c, "@'\n", 3) == 0) {
            const char *end = strstr(c + 2, "\n'@");
            assert_non_null(end);
            strbuf_add(&value, c + 3, (size_t)(end - c - 3));
            keep(q, &value);
            c = end + 3;
        } else if (single(c)) {
            c = powershell_text(&value, c + single(c));
            keep(q, &value);
        } else if (*c == '#') {
            c += strcspn(c, "\n");
        } else {
            assert_null(strchr("\"`", *c));
            strbuf_add(&q->around, c++, 1);
        }
    }
}

static const char *bicep_escape(struct strbuf *value, const char *c)
{
    static const char from[] = "nrt'\\$", to[] = "\n\r\t'\\$";
    if (*c == 'u' && c[1] == '{') {
        char *end, byte = (char)strtoul(c + 2, &end, 16);
        assert_int_equal(*end, '}');
        strbuf_add(value, &byte, 1);
        return end + 1;
    }
    const char *at = strchr(from, *c);
    assert_true(*c && at);
    strbuf_add(value, &to[at - from], 1);
    return c + 1;
}

static const char *bicep_text(struct strbuf *value, const char *c)
{
    while (*c != '\'') {
        assert_true(*c && *c != '\n');
        assert_false(c[0] == '$' && c[1] == '{');
        if (*c == '\\') {
            c = bicep_escape(value, c + 1);
        } else {
            strbuf_add(value, c++, 1);
        }
    }
    return c + 1;
}

void quotes_bicep(struct quotes *q, const char *text)
{
    char open[32];
    size_t depth = 0;
    begin(q, text);
    for (const char *c = text; *c;) {
        struct strbuf value;
        strbuf_init(&value);
        if (strncmp(c, "'''", 3) == 0) {
            const char *from = c + 3 + (c[3] == '\n'), *end = strstr(from, "'''");
            assert_non_null(end);
            strbuf_add(&value, from, (size_t)(end - from));
            keep(q, &value);
            c = end + 3;
        } else if (*c == '\'') {
            c = bicep_text(&value, c + 1);
            keep(q, &value);
        } else if (strncmp(c, "//", 2) == 0) {
            c += strcspn(c, "\n");
        } else {
            static const char brackets[] = "({[)}]";
            size_t kind = strcspn(brackets, (char[]){*c, 0});
            if (kind < 3) {
                assert_true(depth < sizeof open);
                open[depth++] = ")}]"[kind];
            } else if (kind < 6) {
                assert_true(depth > 0 && open[--depth] == *c);
            }
            strbuf_add(&q->around, c++, 1);
        }
    }
    assert_int_equal(depth, 0);
}

void quotes_expect(const struct quotes *q, const char *const values[])
{
    size_t n = 0;
    for (; values[n]; n++) {
        assert_true(n < q->count);
        if (strcmp(q->value[n], values[n]) != 0)
            fail_msg("value %zu: '%s', not '%s'", n, q->value[n], values[n]);
    }
    assert_int_equal(n, q->count);
}

void quotes_done(struct quotes *q)
{
    for (size_t i = 0; i < q->count; i++)
        mem_free(q->value[i]);
    strbuf_done(&q->around);
}
