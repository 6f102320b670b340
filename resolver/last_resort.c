/*
 * last_resort: when ARM cannot be asked, what it once said is better than nothing, and says so itself.
 */
#include "base/log.h"
#include "base/mem.h"
#include "facts_build.h"
#include "resolver_private.h"

/* Whether the question did not get through; a refusal or a "there is none" is an answer. */
static bool unanswered(int code)
{
    return code == ERR_UNAVAILABLE || code == ERR_TIMEOUT || code == ERR_THROTTLED ||
           code == ERR_UNREACHABLE || code == ERR_AUTH;
}

const struct resolver_facts *last_resort(struct resolver *r, const char *key, const struct err *why)
{
    static struct log_rate rate = {.burst = 5, .every_ms = 60000};
    const struct resolver_facts *old = unanswered(why->code) ? cache_last_resort(r->cache, key) : NULL, *copy;
    if (!old || facts_copy(&copy, old, RESOLVER_SOURCE_CACHE))
        return NULL;
    uint64_t now = clock_wall_ms(),
             age = now > old->fetched_wall_ms ? (now - old->fetched_wall_ms) / 1000 : 0;
    ((struct resolver_facts *)copy)->unconfirmed = mem_strdup(why->msg); /* nobody else holds it yet */
    log_write(LOG_WARN, &(struct log_ctx){.module = "resolver", .vm = old->name}, &rate,
              "Azure cannot be asked; using what it said %llu:%02llu:%02llu (h:m:s) ago: %s",
              (unsigned long long)age / 3600, (unsigned long long)age / 60 % 60, (unsigned long long)age % 60,
              why->msg);
    return copy;
}
