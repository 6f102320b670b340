/*
 * fuzz_forward_spec: parses any text as each kind of forward; what parses must survive being written and read
 * again.
 *
 * Input: one byte for the kind, then the text.
 */
#include <string.h>

#include "base/mem.h"
#include "config/forward_spec.h"
#include "fuzz.h"

static void check_parsed(const struct forward_spec *s, const char *text)
{
    struct forward_spec again, copy;
    char *canonical = forward_spec_canonical(s);
    FUZZ_CHECK(canonical && strcmp(s->text, text) == 0);
    FUZZ_CHECK(!(s->listen.host && s->listen.path) && !(s->target.host && s->target.path));
    FUZZ_CHECK(forward_spec_parse(&again, s->kind, canonical, NULL) == 0);
    char *second = forward_spec_canonical(&again);
    FUZZ_CHECK(second && strcmp(canonical, second) == 0);
    FUZZ_CHECK(forward_spec_same_listener(s, &again) == (s->listen.path || s->listen.port));
    FUZZ_CHECK(forward_spec_copy(&copy, s) == 0);
    forward_spec_done(&copy);
    forward_spec_done(&again);
    mem_free(second);
    mem_free(canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum forward_kind kinds[] = {FORWARD_LOCAL, FORWARD_DYNAMIC, FORWARD_REMOTE};
    if (size == 0)
        return 0;
    char *text = mem_strndup((const char *)data + 1, size - 1);
    struct forward_spec s;
    struct err err = {0};
    if (forward_spec_parse(&s, kinds[data[0] % 3], text, &err) == 0) {
        check_parsed(&s, text);
        forward_spec_done(&s);
    } else {
        FUZZ_CHECK(err.code == ERR_INVAL && err.msg[0]);
    }
    mem_free(text);
    return 0;
}
