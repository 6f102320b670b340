/*
 * script: picks the script for a VM's system and turns what varies in it into base64.
 */
#include "script.h"

#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "script_text.h"

static char *encoded(const char *text)
{
    size_t n = strlen(text);
    char *out = mem_alloc(BASE64_SIZE(n));
    if (out)
        base64_encode(out, (const uint8_t *)text, n);
    return out;
}

static char *script_key(const struct plan *p, bool add)
{
    char *key = encoded(p->public_key), *user = encoded(p->user), *out = NULL;
    if (key && user)
        out = p->windows ? script_windows_key(add, key, user, p->administrator)
                         : script_linux_key(add, key, user);
    mem_free(key);
    mem_free(user);
    return out;
}

char *script_key_add(const struct plan *p)
{
    return script_key(p, true);
}

char *script_key_remove(const struct plan *p)
{
    return script_key(p, false);
}

char *script_host_keys(bool windows)
{
    return windows ? script_windows_host_keys() : script_linux_host_keys();
}
