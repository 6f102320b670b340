/*
 * log: one line an event, on standard error or into a file, as text or as JSON.
 *
 * Thread: any. Each line is a single write(2), so lines of several threads do not mix. Lines carry an object,
 * the thing that they are about, as "vm=win11 forward=3389" (text) or as members (JSON). Nothing secret is
 * ever passed to log.
 */
#ifndef ADIT_BASE_LOG_H
#define ADIT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/* The object of a line; any member may be NULL. Strings are borrowed for the call. */
struct log_ctx {
    const char *module;  /* "proxy", "arm", … */
    const char *vm;      /* as the user names it */
    const char *forward; /* the forward as the user wrote it */
    uint64_t conn;       /* number of the SSH connection, 0 = none */
    uint64_t flow;       /* number of the flow, 0 = none */
};

/* A budget for one kind of line: `burst` lines at once, then one every `every_ms`; what was held back is
 * counted and told with the next line that passes ("… (12 more like this)"). Static storage, zero-initialised
 * but for the two limits. */
struct log_rate {
    uint32_t burst;
    uint32_t every_ms;
    /* private */
    uint64_t next_ms;
    uint32_t used;
    uint32_t held;
};

void log_init(int fd, enum log_level level,
              enum log_format format);    /* before other threads start; fd is borrowed */
void log_set_level(enum log_level level); /* any thread, any time */
void log_set_fd(int fd);                  /* any thread: after rotation; the old fd is the caller's */
bool log_enabled(enum log_level level);

/* `ctx` and `rate` may be NULL. Control characters in the text are escaped: a peer cannot forge a line. */
void log_write(enum log_level level, const struct log_ctx *ctx, struct log_rate *rate, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#define log_debug(ctx, ...)                                                                                  \
    (log_enabled(LOG_DEBUG) ? log_write(LOG_DEBUG, (ctx), NULL, __VA_ARGS__) : (void)0)
#define log_info(ctx, ...) log_write(LOG_INFO, (ctx), NULL, __VA_ARGS__)
#define log_warn(ctx, ...) log_write(LOG_WARN, (ctx), NULL, __VA_ARGS__)
#define log_error(ctx, ...) log_write(LOG_ERROR, (ctx), NULL, __VA_ARGS__)

int log_level_parse(const char *word,
                    enum log_level *out); /* "debug" "info" "warn" "error"; negative if none of them */
const char *log_level_name(enum log_level level);

#endif
