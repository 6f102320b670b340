/*
 * ssh_block: Host blocks of ssh_config(5) that lead ssh to a VM through adit.
 */
#include "ssh_block.h"

#include <string.h>

/* One argument, quoted as ssh_config wants it. `tokens`: ssh expands % in this keyword's value. */
static int add_line(struct strbuf *out, const char *keyword, const char *value, bool tokens, struct err *err)
{
    bool quote = value[strcspn(value, " #'\"\\")] != '\0';

    strbuf_printf(out, "    %s %s", keyword, quote ? "\"" : "");
    for (const char *p = value; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            return err_set(err, ERR_INVAL, "%s has a control character, which ssh_config cannot carry",
                           keyword);
        if (*p == '"' || *p == '\\')
            strbuf_puts(out, "\\");
        if (*p == '%' && tokens)
            strbuf_puts(out, "%");
        strbuf_add(out, p, 1);
    }
    strbuf_puts(out, quote ? "\"\n" : "\n");
    return 0;
}

int ssh_block_add(struct strbuf *out, const struct ssh_block *b, struct err *err)
{
    int rc = 0;

    strbuf_printf(out, "Host %s\n", b->patterns);
    if (b->user)
        rc = add_line(out, "User", b->ssh->user, false, err);
    if (b->ssh->port != 22)
        strbuf_printf(out, "    Port %u\n", b->ssh->port);
    for (size_t i = 0; rc == 0 && i < b->ssh->identity_count; i++)
        rc = add_line(out, "IdentityFile", b->ssh->identities[i], true, err);
    if (!b->ssh->agent)
        strbuf_puts(out, "    IdentityAgent none\n");
    strbuf_printf(out, "    ProxyCommand %s proxy --fdpass %%h %%p\n", b->command);
    strbuf_puts(out, "    ProxyUseFdpass yes\n");
    if (rc == 0 && b->host_key_alias)
        rc = add_line(out, "HostKeyAlias", b->host_key_alias, false, err);
    bool by_arm = b->ssh->host_key_check == CONFIG_HOST_KEY_ARM;
    strbuf_printf(out, "    KnownHostsCommand %s known-hosts %%H%s\n", b->command, by_arm ? " %t %K" : "");
    if (by_arm)
        strbuf_puts(out, "    StrictHostKeyChecking yes\n");
    if (rc == 0 && out->bad)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    return rc;
}
