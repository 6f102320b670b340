/*
 * script: recognises a script, and does what it is about.
 */
#include "script.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "sshd.h"
#include "vm.h"

#define OUTPUT_MAX 4096 /* the platform keeps the last bytes only */
#define LITERAL_MAX 32768

enum about { ABOUT_NOTHING, ABOUT_REMOVE, ABOUT_ADD, ABOUT_HOST_KEYS };

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

static enum about recognise(const char *text)
{
    if (strstr(text, "adit: removed"))
        return ABOUT_REMOVE;
    if (strstr(text, "adit: added"))
        return ABOUT_ADD;
    if (strstr(text, "adit: host keys"))
        return ABOUT_HOST_KEYS;
    if (strstr(text, "authorized_keys"))
        return ABOUT_ADD;
    return strstr(text, "ssh_host_") || strstr(text, "ssh-keyscan") ? ABOUT_HOST_KEYS : ABOUT_NOTHING;
}

bool script_only_reads(const char *text)
{
    return recognise(text) == ABOUT_HOST_KEYS;
}

/* The next public key in text: "TYPE BASE64[ COMMENT]" up to `ends` or the end of its line; mem_free it. */
static char *key_next(const char **text, const char *ends)
{
    static const char *const types[] = {"ssh-ed25519 AAAA", "ssh-rsa AAAA", "ecdsa-sha2-nistp", "sk-ssh-",
                                        "sk-ecdsa-"};
    const char *first = NULL;
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        const char *p = strstr(*text, types[i]);
        if (p && (!first || p < first))
            first = p;
    }
    if (!first)
        return NULL;
    size_t n = strcspn(first, " ");
    n += first[n] ? 1 + strspn(first + n + 1, base64) : 0;
    if (first[n] == ' ')
        n += strcspn(first + n, ends);
    while (n && first[n - 1] == ' ')
        n--;
    *text = first + n;
    return mem_strndup(first, n);
}

/* Adds what the single-quoted literals of base64 hold, a line each. */
static void literals_decode(const char *text, struct strbuf *out)
{
    for (const char *p = strchr(text, '\''); p; p = strchr(p, '\'')) {
        size_t n = strspn(++p, base64);
        if (p[n] != '\'' || n < 8 || n % 4 || n > LITERAL_MAX)
            continue;
        unsigned char *bytes = mem_alloc(n);
        int len = bytes ? EVP_DecodeBlock(bytes, (const unsigned char *)p, (int)n) : -1;
        if (len > 0) {
            len -= (p[n - 1] == '=') + (p[n - 2] == '=');
            strbuf_add(out, (const char *)bytes, (size_t)len);
            strbuf_puts(out, "\n");
        }
        mem_free(bytes);
        p += n + 1;
    }
}

static void key_do(struct vm *vm, bool add, const char *key, struct script_result *r)
{
    bool changed = false;
    struct err err = {0};
    int rc = add ? sshd_key_authorize(vm->dir, key, &changed, &err)
                 : sshd_key_revoke(vm->dir, key, &changed, &err);
    if (rc) {
        strbuf_printf(&r->bad, "%s\n", err.msg);
        r->exit_code = 1;
        return;
    }
    strbuf_printf(&r->out, "adit: %s\n",
                  add       ? changed ? "added" : "present"
                  : changed ? "removed"
                            : "absent");
}

/* Decoded literals have their own end; what stands in a script as it is ends with its quotes. */
static void keys_do(struct vm *vm, bool add, const char *text, struct script_result *r)
{
    struct strbuf decoded;
    strbuf_init(&decoded);
    literals_decode(text, &decoded);
    const char *inside = decoded.data ? decoded.data : "";
    char *key;
    bool any = false;
    while ((key = key_next(&inside, "\r\n"))) {
        any = true;
        key_do(vm, add, key, r);
        mem_free(key);
    }
    while (!any && (key = key_next(&text, "'\"`\r\n"))) {
        key_do(vm, add, key, r);
        mem_free(key);
    }
    strbuf_done(&decoded);
}

static void host_keys_print(struct vm *vm, bool framed, struct script_result *r)
{
    static const char *const names[] = {"host_ed25519.pub", "host_ecdsa.pub"};
    strbuf_puts(&r->out, framed ? "adit: host keys\n" : "");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char path[VM_DIR_LEN + 32], *text = NULL;
        size_t n;
        snprintf(path, sizeof path, "%s/%s", vm->dir, names[i]);
        if (fs_read(path, 16384, &text, &n, NULL) == 0)
            strbuf_puts(&r->out, text);
        mem_free(text);
    }
    strbuf_puts(&r->out, framed ? "adit: end\n" : "");
}

/* What adit's own scripts say then, and what others run into. */
static const char *no_program_data(const char *text, enum about about)
{
    if (about == ABOUT_HOST_KEYS && strstr(text, "there are no host keys"))
        return "adit: there are no host keys: no SSH server is installed\n";
    if (strstr(text, " is missing: no SSH server is installed"))
        return "adit: C:\\ProgramData\\ssh is missing: no SSH server is installed\n";
    return "Could not find a part of the path 'C:\\ProgramData\\ssh'.\n";
}

/* Only the extension brings the directory that sshd's files are in. */
static bool needs_program_data(const char *text, enum about about)
{
    return about == ABOUT_HOST_KEYS || strcasestr(text, "ProgramData\\ssh") ||
           strstr(text, "administrators_authorized_keys");
}

void script_play(struct vm *vm, const char *text, struct script_result *r)
{
    enum about about = recognise(text);
    char path[VM_DIR_LEN + 16];
    strbuf_init(&r->out), strbuf_init(&r->bad);
    r->exit_code = 0;
    if (vm->spec->synthetic) /* there is no machine to change */
        return;
    snprintf(path, sizeof path, "%s/script", vm->dir);
    fs_replace(path, text, strlen(text), 0600, NULL);
    if (vm->power != VM_RUNNING) {
        strbuf_puts(&r->bad, "the VM does not run\n");
        r->exit_code = 1;
    } else if (vm->spec->os == OS_WINDOWS && !vm_has_sshd(vm) && needs_program_data(text, about)) {
        strbuf_puts(&r->bad, no_program_data(text, about));
        r->exit_code = 1;
    } else if (about == ABOUT_HOST_KEYS) {
        host_keys_print(vm, strstr(text, "adit: host keys") != NULL, r);
    } else if (about != ABOUT_NOTHING) {
        keys_do(vm, about == ABOUT_ADD, text, r);
    }
}

const char *script_tail(const struct strbuf *s)
{
    if (!s->data)
        return "";
    return s->len > OUTPUT_MAX ? s->data + s->len - OUTPUT_MAX : s->data;
}
