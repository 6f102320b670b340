/*
 * mem: allocation through one door, so that tests can make the k-th allocation fail.
 *
 * All of adit's own code allocates here; libraries that take allocator hooks (libssh2, jansson) are given
 * these. Thread: any. Release builds compile to plain malloc plus one predictable branch. Free with
 * mem_free() only.
 */
#ifndef ADIT_BASE_MEM_H
#define ADIT_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_alloc(size_t n);                /* uninitialised; NULL when out of memory */
void *mem_zalloc(size_t n);               /* zeroed */
void *mem_calloc(size_t count, size_t n); /* zeroed; NULL on overflow too */
void *mem_realloc(void *p, size_t n);
void mem_free(void *p);          /* NULL is fine */
char *mem_strdup(const char *s); /* NULL in, NULL out */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* NULL when out of memory */
char *mem_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Wipes before freeing, in a way that no compiler removes: for secrets. */
void mem_wipe(void *p, size_t n);
void mem_free_secret(void *p, size_t n);

/* Tests: let `successes` allocations pass on this thread, fail the next one, then pass again. Negative: never
 * fail. */
void mem_fail_after(long successes);
long mem_allocations(void); /* on this thread since it began */

#endif
