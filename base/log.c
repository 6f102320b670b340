/*
 * log: builds each line in a buffer of fixed size and hands it over with one write(2).
 *
 * One lock orders the writes and guards the rate limits. It also makes log_set_fd() wait for a write under
 * way, so that the caller may close the old descriptor right after.
 */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "err.h"

#define LINE_SIZE 4096 /* a write of up to PIPE_BUF bytes to a pipe is never torn */
#define MESSAGE_SIZE 3072
#define TAIL_RESERVE 8 /* for "…", a quote, a brace and the end of line */
#define ELLIPSIS "\xe2\x80\xa6"

struct line {
    char buf[LINE_SIZE];
    size_t len;
    bool cut;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = STDERR_FILENO; /* under lock */
static atomic_int min_level = LOG_INFO;
static atomic_int line_format = LOG_TEXT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_init(int fd, enum log_level level, enum log_format format)
{
    log_set_fd(fd);
    log_set_level(level);
    atomic_store(&line_format, (int)format);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&min_level, (int)level, memory_order_relaxed);
}

void log_set_fd(int fd)
{
    pthread_mutex_lock(&lock);
    log_fd = fd;
    pthread_mutex_unlock(&lock);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

int log_level_parse(const char *word, enum log_level *out)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (strcmp(word, level_names[i]) != 0)
            continue;
        *out = (enum log_level)i;
        return 0;
    }
    return ERR_INVAL;
}

const char *log_level_name(enum log_level level)
{
    return level <= LOG_ERROR ? level_names[level] : "error";
}

/* Adds all of text, or marks the line as cut and takes nothing more. */
static void add(struct line *l, const char *text, size_t n)
{
    if (l->cut || n > sizeof l->buf - TAIL_RESERVE - l->len) {
        l->cut = true;
        return;
    }
    memcpy(l->buf + l->len, text, n);
    l->len += n;
}

static void puts_raw(struct line *l, const char *text)
{
    add(l, text, strlen(text));
}

/* For the end of the line: may use the reserve. */
static void finish(struct line *l, const char *text)
{
    size_t n = strlen(text);
    memcpy(l->buf + l->len, text, n);
    l->len += n;
}

/* Length of the UTF-8 character at p and its value; 0 when the bytes are none. */
static size_t utf8_next(const unsigned char *p, uint32_t *value)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    if (n <= 1) {
        *value = p[0];
        return n;
    }
    uint32_t v = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) /* the terminating NUL stops here too */
            return 0;
        v = v << 6 | (p[i] & 0x3fu);
    }
    if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return 0;
    *value = v;
    return n;
}

/* What moves a terminal's cursor, ends a line or turns the reading order: C0, DEL, C1, separators, bidi
 * controls. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static void put_escaped(struct line *l, const char *text, bool json, bool quoted)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p && !l->cut) {
        char esc[16];
        uint32_t c;
        size_t n = utf8_next(p, &c);
        if (n == 0) {
            snprintf(esc, sizeof esc, json ? "\\\\x%02x" : "\\x%02x", *p);
            n = 1;
        } else if (c == '\n' || c == '\r' || c == '\t') {
            snprintf(esc, sizeof esc, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        } else if (is_control(c)) {
            snprintf(esc, sizeof esc, json || c > 0xff ? "\\u%04x" : "\\x%02x", (unsigned)c);
        } else if ((c == '"' && (json || quoted)) || (c == '\\' && (json || quoted))) {
            snprintf(esc, sizeof esc, "\\%c", (char)c);
        } else {
            add(l, (const char *)p, n);
            p += n;
            continue;
        }
        puts_raw(l, esc);
        p += n;
    }
}

static void put_time(struct line *l)
{
    struct timespec ts;
    struct tm tm;
    char date[40], text[64];
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof text, "%s.%03dZ", date, (int)(ts.tv_nsec / 1000000));
    puts_raw(l, text);
}

static void put_number(struct line *l, const char *before, uint64_t number)
{
    char text[48];
    snprintf(text, sizeof text, "%s%llu", before, (unsigned long long)number);
    puts_raw(l, text);
}

/* name=value; quoted when it could be taken for more than one word. */
static void text_field(struct line *l, const char *name, const char *value)
{
    if (!value)
        return;
    bool quoted = value[0] == '\0' || strpbrk(value, " \"=") != NULL;
    puts_raw(l, " ");
    puts_raw(l, name);
    puts_raw(l, quoted ? "=\"" : "=");
    put_escaped(l, value, false, quoted);
    if (quoted)
        puts_raw(l, "\"");
}

static void line_text(struct line *l, enum log_level level, const struct log_ctx *ctx, const char *msg)
{
    put_time(l);
    puts_raw(l, " ");
    puts_raw(l, log_level_name(level));
    if (strlen(log_level_name(level)) < 5)
        puts_raw(l, " ");
    size_t before = l->len;
    if (ctx) {
        if (ctx->module) {
            puts_raw(l, " ");
            put_escaped(l, ctx->module, false, false);
        }
        text_field(l, "vm", ctx->vm);
        text_field(l, "forward", ctx->forward);
        if (ctx->conn)
            put_number(l, " conn=", ctx->conn);
        if (ctx->flow)
            put_number(l, " flow=", ctx->flow);
    }
    puts_raw(l, l->len > before ? ": " : " ");
    put_escaped(l, msg, false, false);
    finish(l, l->cut ? ELLIPSIS "\n" : "\n");
}

static void json_field(struct line *l, const char *name, const char *value)
{
    if (!value)
        return;
    puts_raw(l, ",\"");
    puts_raw(l, name);
    puts_raw(l, "\":\"");
    put_escaped(l, value, true, true);
    puts_raw(l, "\"");
}

static void line_json(struct line *l, enum log_level level, const struct log_ctx *ctx, const char *msg)
{
    puts_raw(l, "{\"time\":\"");
    put_time(l);
    puts_raw(l, "\"");
    json_field(l, "level", log_level_name(level));
    if (ctx) {
        json_field(l, "module", ctx->module);
        json_field(l, "vm", ctx->vm);
        json_field(l, "forward", ctx->forward);
        if (ctx->conn)
            put_number(l, ",\"conn\":", ctx->conn);
        if (ctx->flow)
            put_number(l, ",\"flow\":", ctx->flow);
    }
    puts_raw(l, ",\"msg\":\"");
    put_escaped(l, msg, true, true);
    finish(l, l->cut ? ELLIPSIS "\"}\n" : "\"}\n");
}

/* Under lock. Whether the line may pass; *held gets the number of lines kept back before it. */
static bool rate_pass(struct log_rate *r, uint32_t *held)
{
    if (r->every_ms == 0)
        return true;
    uint64_t now = uv_hrtime() / 1000000;
    uint32_t burst = r->burst ? r->burst : 1;
    if (r->used > 0 && now >= r->next_ms) {
        uint64_t back = 1 + (now - r->next_ms) / r->every_ms;
        r->used -= back < r->used ? (uint32_t)back : r->used;
        r->next_ms += back * r->every_ms;
    }
    if (r->used >= burst) {
        r->held += r->held < UINT32_MAX;
        return false;
    }
    if (r->used++ == 0)
        r->next_ms = now + r->every_ms;
    *held = r->held;
    r->held = 0;
    return true;
}

/* Under lock. A log that cannot be written has nowhere to complain. */
static void write_line(const struct line *l)
{
    for (size_t done = 0; done < l->len && log_fd >= 0;) {
        ssize_t n = write(log_fd, l->buf + done, l->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

void log_write(enum log_level level, const struct log_ctx *ctx, struct log_rate *rate, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    int saved = errno;
    uint32_t held = 0;
    if (rate) {
        pthread_mutex_lock(&lock);
        bool pass = rate_pass(rate, &held);
        pthread_mutex_unlock(&lock);
        if (!pass)
            return;
    }
    char msg[MESSAGE_SIZE];
    va_list ap;
    va_start(ap, fmt);
    errno = saved; /* for %m */
    int n = vsnprintf(msg, sizeof msg - 40, fmt, ap);
    va_end(ap);
    if (n < 0)
        msg[n = 0] = '\0';
    size_t len = strlen(msg);
    if ((size_t)n > len) {
        while (len > 0 && ((unsigned char)msg[len - 1] & 0xc0) == 0x80)
            len--;
        if (len > 0 && (unsigned char)msg[len - 1] >= 0xc0)
            len--;
        memcpy(msg + len, ELLIPSIS, sizeof ELLIPSIS);
        len += sizeof ELLIPSIS - 1;
    }
    if (held)
        snprintf(msg + len, sizeof msg - len, " (%lu more like this)", (unsigned long)held);

    struct line line = {.len = 0, .cut = false};
    if (atomic_load(&line_format) == LOG_JSON)
        line_json(&line, level, ctx, msg);
    else
        line_text(&line, level, ctx, msg);
    pthread_mutex_lock(&lock);
    write_line(&line);
    pthread_mutex_unlock(&lock);
    errno = saved;
}
