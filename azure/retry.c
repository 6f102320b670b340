/*
 * retry: the rules by which a request is tried again, one table's worth of code.
 */
#include "retry.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define THROTTLED_BASE_MS 1000u
#define THROTTLED_CAP_MS 16000u
#define FAILED_BASE_MS 500u
#define FAILED_CAP_MS 8000u
#define FAILED_MAX 4 /* tries that the server answered with 5xx, or broke off */
#define UNCONNECTED_BASE_MS 150u
#define UNCONNECTED_MAX 2 /* nobody there: say so within a second */
#define RETRY_AFTER_MAX_S 86400
#define JITTER_PERCENT 30

long retry_after_s(const struct http_reply *reply)
{
    const char *text = http_reply_header(reply, "Retry-After");
    char *end;
    if (!text || !*text)
        return -1;
    long s = strtol(text, &end, 10);
    if (*end) {
        time_t when = curl_getdate(text, NULL);
        if (when == (time_t)-1)
            return -1;
        s = (long)(when - (time_t)(clock_wall_ms() / 1000));
        s = s < 0 ? 0 : s;
    }
    return s < 0 ? -1 : s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : s;
}

static int64_t backoff(unsigned base_ms, unsigned cap_ms, unsigned nth)
{
    uint64_t ms = (uint64_t)base_ms << (nth > 16 ? 16 : nth);
    return (int64_t)clock_jitter(ms > cap_ms ? cap_ms : ms, JITTER_PERCENT);
}

/* What the server asked for, and a little more so that not all come back at once; or our own back-off. */
static int64_t asked_or(const struct http_reply *reply, int64_t own_ms)
{
    long s = retry_after_s(reply);
    return s < 0 ? own_ms : s * 1000 + (int64_t)clock_jitter(100, 100);
}

int64_t retry_next(struct retry *r, const struct http_reply *reply, bool repeatable)
{
    switch (reply->failure) {
    case HTTP_NOT_CONNECTED:
        if (r->unconnected >= UNCONNECTED_MAX)
            return RETRY_STOP;
        return backoff(UNCONNECTED_BASE_MS, FAILED_CAP_MS, r->unconnected++);
    case HTTP_BROKEN:
    case HTTP_TIMED_OUT:
        if (!repeatable || r->failed >= FAILED_MAX)
            return RETRY_STOP;
        return backoff(UNCONNECTED_BASE_MS, FAILED_CAP_MS, r->failed++);
    case HTTP_ANSWERED:
        break;
    case HTTP_NOT_TRUSTED:
    case HTTP_IMPOSSIBLE:
        return RETRY_STOP;
    }
    switch (reply->status) {
    case 429:
        return asked_or(reply, backoff(THROTTLED_BASE_MS, THROTTLED_CAP_MS, r->throttled++));
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
        if (!repeatable || r->failed >= FAILED_MAX)
            return RETRY_STOP;
        return asked_or(reply, backoff(FAILED_BASE_MS, FAILED_CAP_MS, r->failed++));
    default:
        return RETRY_STOP;
    }
}
