/*
 * banner: the server's version line, read before an engine sees it, to notice at once what is no SSH server.
 */
#include "banner.h"

#include <string.h>

#include "text.h"

static int line_done(struct ssh_banner *b, struct err *err)
{
    char raw[sizeof b->line];
    size_t n = b->len < sizeof raw ? b->len : sizeof raw;
    memcpy(raw, b->line, n);
    b->len = 0;
    if (n >= 4 && memcmp(raw, "SSH-", 4) == 0) {
        b->done = true;
        ssh_text_clean(b->line, sizeof b->line, raw, n);
        if (strncmp(b->line, "SSH-2.0-", 8) != 0 && strncmp(b->line, "SSH-1.99-", 9) != 0)
            return err_set(err, ERR_UNSUPPORTED, "the server does not speak SSH 2: it says \"%s\"", b->line);
        return 0;
    }
    if (b->lines++ == 0)
        ssh_text_clean(b->first, sizeof b->first, raw, n);
    if (b->lines > SSH_BANNER_LINES_MAX)
        return err_set(err, ERR_PROTOCOL, "what answers is no SSH server: it says \"%s\"", b->first);
    return 0;
}

int ssh_banner_feed(struct ssh_banner *b, const uint8_t *data, size_t n, struct err *err)
{
    for (size_t i = 0; i < n && !b->done; i++) {
        if (++b->bytes > SSH_BANNER_MAX || (data[i] == '\0' && b->lines == 0 && b->bytes < 8)) {
            if (b->lines == 0)
                ssh_text_clean(b->first, sizeof b->first, b->line,
                               b->len < sizeof b->line ? b->len : sizeof b->line);
            return err_set(err, ERR_PROTOCOL, "what answers is no SSH server: it says \"%s\"", b->first);
        }
        if (data[i] == '\n') {
            int rc = line_done(b, err);
            if (rc < 0)
                return rc;
            continue;
        }
        if (b->len < sizeof b->line)
            b->line[b->len] = (char)data[i];
        b->len++;
    }
    return 0;
}
