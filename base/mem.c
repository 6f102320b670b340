/*
 * mem: malloc behind a countdown that a test can set.
 */
#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local long countdown = -1; /* allocations that may still pass; negative: all */
static _Thread_local long counted;

static inline int must_fail(void)
{
    counted++;
    if (__builtin_expect(countdown < 0, 1))
        return 0;
    return countdown-- == 0;
}

/* malloc(0) may give NULL, which callers would take for an error. */
static inline size_t at_least_one(size_t n)
{
    return n ? n : 1;
}

void *mem_alloc(size_t n)
{
    return must_fail() ? NULL : malloc(at_least_one(n));
}

void *mem_zalloc(size_t n)
{
    return must_fail() ? NULL : calloc(1, at_least_one(n));
}

void *mem_calloc(size_t count, size_t n)
{
    size_t total; /* calloc checks this too, but sanitizers take it for a crime there */
    if (must_fail() || __builtin_mul_overflow(count, n, &total))
        return NULL;
    return calloc(1, at_least_one(total));
}

void *mem_realloc(void *p, size_t n)
{
    return must_fail() ? NULL : realloc(p, at_least_one(n));
}

void mem_free(void *p)
{
    free(p);
}

char *mem_strdup(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
    if (!s)
        return NULL;
    n = strnlen(s, n);
    char *copy = mem_alloc(n + 1);
    if (!copy)
        return NULL;
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *mem_vprintf(const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return NULL;
    char *text = mem_alloc((size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, fmt, ap);
    return text;
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = mem_vprintf(fmt, ap);
    va_end(ap);
    return text;
}

void mem_wipe(void *p, size_t n)
{
    if (p)
        explicit_bzero(p, n);
}

void mem_free_secret(void *p, size_t n)
{
    mem_wipe(p, n);
    mem_free(p);
}

void mem_fail_after(long successes)
{
    countdown = successes < 0 ? -1 : successes;
}

long mem_allocations(void)
{
    return counted;
}
