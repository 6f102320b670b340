/*
 * ssh_truth: what `ssh -G HOST` printed, as settings.
 */
#include "ssh_truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "schema.h"
#include "ssh_lines.h"
#include "ssh_settings.h"
#include "ssh_tokens.h"
#include "ssh_unhonoured.h"

#define VALUE_MAX 16384

struct parse {
    struct ssh_truth *t;
    struct ssh_lines said, builtin, system;
    struct ssh_tokens tokens;
    bool nomem;
};

void ssh_truth_done(struct ssh_truth *t)
{
    ssh_settings_done(&t->ssh);
    mem_free(t->host_name);
    mem_free(t->jump);
    mem_free(t->unhonoured);
    *t = (struct ssh_truth){0};
}

int ssh_truth_unhonoured(struct ssh_truth *t, const char *what)
{
    size_t n = strlen(what);
    for (const char *p = t->unhonoured; p && (p = strstr(p, what)) != NULL; p += n)
        if ((p == t->unhonoured || p[-1] == ' ') && (p[n] == ',' || !p[n]))
            return 0;
    char *text = t->unhonoured ? mem_printf("%s, %s", t->unhonoured, what) : mem_strdup(what);
    if (!text)
        return ERR_NOMEM;
    mem_free(t->unhonoured);
    t->unhonoured = text;
    return 0;
}

static char **text_of(struct ssh_truth *t, enum config_key key)
{
    switch (key) {
    case CONFIG_KEY_USER:
        return &t->ssh.user;
    case CONFIG_KEY_KNOWN_HOSTS:
        return &t->ssh.known_hosts;
    case CONFIG_KEY_HOST_KEY_ALIAS:
        return &t->ssh.host_key_alias;
    case CONFIG_KEY_CIPHERS:
        return &t->ssh.ciphers;
    case CONFIG_KEY_KEX:
        return &t->ssh.kex;
    case CONFIG_KEY_MACS:
        return &t->ssh.macs;
    case CONFIG_KEY_HOST_KEY_ALGORITHMS:
        return &t->ssh.host_key_algorithms;
    case CONFIG_KEY_KEY_ALGORITHMS:
        return &t->ssh.key_algorithms;
    default:
        return NULL;
    }
}

void ssh_truth_drop(struct ssh_truth *t, enum config_key key)
{
    char **text = text_of(t, key);
    if (!text)
        return;
    mem_free(*text);
    *text = NULL;
    t->set &= ~(uint32_t)key;
}

/* The value, when it is one that somebody said. */
static const char *said(const struct parse *p, const char *key)
{
    const char *value = ssh_lines_value(&p->said, key);
    return value && *value && strlen(value) <= VALUE_MAX && !ssh_lines_has(&p->builtin, key, value) ? value
                                                                                                    : NULL;
}

static bool says(const struct parse *p, const char *key, const char *value)
{
    const char *v = said(p, key);
    return v && strcmp(v, value) == 0;
}

static bool says_no(const struct parse *p, const char *key)
{
    return says(p, key, "no") || says(p, key, "false");
}

static void cannot(struct parse *p, const char *what)
{
    p->nomem |= ssh_truth_unhonoured(p->t, what) < 0;
}

static void set_text(struct parse *p, enum config_key key, const char *value)
{
    char **text = text_of(p->t, key);
    if (!value || !text)
        return;
    mem_free(*text);
    *text = mem_strdup(value);
    p->nomem |= !*text;
    p->t->set |= key;
}

static void set_number(struct parse *p, enum config_key key, const char *name, uint32_t *out, uint32_t unit,
                       uint32_t min, uint32_t max)
{
    const char *value = said(p, name);
    char *end = NULL;
    unsigned long n = value ? strtoul(value, &end, 10) : 0;
    if (!value || value[0] < '0' || value[0] > '9' || *end)
        return;
    n = n > max / unit ? max : n * unit;
    *out = n < min ? min : (uint32_t)n;
    p->t->set |= key;
}

/* ---- who logs in, with what ---- */

static void path_failed(struct parse *p, const char *keyword, const struct err *why)
{
    char text[160];
    if (why->code == ERR_NOMEM) {
        p->nomem = true;
        return;
    }
    (void)snprintf(text, sizeof text, "%s (%.100s)", keyword, why->msg);
    cannot(p, text);
}

static bool identities_said(const struct parse *p)
{
    size_t ours = 0, theirs = 0;
    for (size_t i = 0; i < p->said.count; i++) {
        if (strcmp(p->said.items[i].key, "identityfile") != 0)
            continue;
        ours++;
        if (!ssh_lines_has(&p->builtin, "identityfile", p->said.items[i].value))
            return true;
    }
    for (size_t i = 0; i < p->builtin.count; i++)
        theirs += strcmp(p->builtin.items[i].key, "identityfile") == 0;
    return ours > 0 && ours != theirs;
}

static void take_identities(struct parse *p)
{
    struct config_ssh *ssh = &p->t->ssh;
    if (!identities_said(p))
        return;
    ssh->identities = mem_calloc(SCHEMA_IDENTITIES_MAX, sizeof *ssh->identities);
    p->nomem |= !ssh->identities;
    p->t->set |= CONFIG_KEY_IDENTITY;
    for (size_t i = 0; !p->nomem && i < p->said.count; i++) {
        const struct ssh_line *line = &p->said.items[i];
        struct err why = {0};
        if (strcmp(line->key, "identityfile") != 0 || !*line->value || strcmp(line->value, "none") == 0)
            continue;
        if (ssh->identity_count == SCHEMA_IDENTITIES_MAX) {
            cannot(p, "IdentityFile (too many)");
            return;
        }
        if (ssh_tokens_path(&ssh->identities[ssh->identity_count], line->value, &p->tokens, &why) < 0)
            path_failed(p, "IdentityFile", &why);
        else
            ssh->identity_count++;
    }
}

static void take_agent(struct parse *p)
{
    const char *value = said(p, "identityagent");
    struct err why = {0};
    if (!value || strcmp(value, "SSH_AUTH_SOCK") == 0)
        return;
    const char *path = value[0] == '$' && value[1] != '{' ? getenv(value + 1) : value;
    if (!path) {
        cannot(p, "IdentityAgent (its variable is not set where aditd runs)");
        return;
    }
    p->t->ssh.agent = strcmp(path, "none") != 0;
    if (p->t->ssh.agent && ssh_tokens_path(&p->t->ssh.agent_socket, path, &p->tokens, &why) < 0)
        path_failed(p, "IdentityAgent", &why);
    else
        p->t->set |= CONFIG_KEY_AGENT;
}

static bool lists(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || !p[n]))
            return true;
    return false;
}

static void no_keys(struct parse *p)
{
    struct config_ssh *ssh = &p->t->ssh;
    for (size_t i = 0; i < ssh->identity_count; i++)
        mem_free(ssh->identities[i]);
    ssh->identity_count = 0;
    ssh->agent = false;
    p->t->set |= CONFIG_KEY_IDENTITY | CONFIG_KEY_AGENT;
}

static void take_methods(struct parse *p)
{
    const char *methods = said(p, "preferredauthentications");
    bool no_password = says_no(p, "passwordauthentication");
    bool no_questions =
        says_no(p, "kbdinteractiveauthentication") || says_no(p, "challengeresponseauthentication");
    if (says_no(p, "pubkeyauthentication") || (methods && !lists(methods, "publickey")))
        no_keys(p);
    if ((no_password && no_questions) || says(p, "batchmode", "yes") ||
        (methods && !lists(methods, "password") && !lists(methods, "keyboard-interactive"))) {
        p->t->ssh.password = false;
        p->t->set |= CONFIG_KEY_PASSWORD;
    } else if (no_password != no_questions) {
        cannot(p, no_password ? "PasswordAuthentication without KbdInteractiveAuthentication"
                              : "KbdInteractiveAuthentication without PasswordAuthentication");
    }
}

static void take_login(struct parse *p)
{
    set_text(p, CONFIG_KEY_USER, said(p, "user"));
    take_identities(p);
    if (says(p, "identitiesonly", "yes")) {
        p->t->ssh.identities_only = true;
        p->t->set |= CONFIG_KEY_IDENTITIES_ONLY;
    }
    take_agent(p);
    take_methods(p);
    const char *keys = said(p, "pubkeyacceptedalgorithms");
    set_text(p, CONFIG_KEY_KEY_ALGORITHMS, keys ? keys : said(p, "pubkeyacceptedkeytypes"));
}

/* ---- whom it is that we talk to ---- */

/* Several files stand in one line, unquoted: a space before a path's beginning parts them. */
static size_t first_path(const char *list)
{
    size_t n = 0;
    while (list[n] && !(list[n] == ' ' && (list[n + 1] == '/' || list[n + 1] == '~')))
        n++;
    return n;
}

static void take_known_hosts(struct parse *p)
{
    const char *list = said(p, "userknownhostsfile");
    struct err why = {0};
    if (!list)
        return;
    char *first = mem_strndup(list, first_path(list)), *path = NULL;
    if (!first) {
        p->nomem = true;
    } else if (strcmp(first, "none") == 0 || strcmp(first, "/dev/null") == 0) {
        cannot(p, "UserKnownHostsFile (adit always remembers)");
    } else if (ssh_tokens_path(&path, first, &p->tokens, &why) < 0) {
        path_failed(p, "UserKnownHostsFile", &why);
    } else {
        set_text(p, CONFIG_KEY_KNOWN_HOSTS, path);
        if (list[strlen(first)])
            cannot(p, "UserKnownHostsFile (but for the first)");
    }
    mem_free(path);
    mem_free(first);
}

static void take_host(struct parse *p)
{
    const char *strict = said(p, "stricthostkeychecking");
    bool yes = strict && (strcmp(strict, "yes") == 0 || strcmp(strict, "true") == 0);
    if (yes || (strict && strcmp(strict, "accept-new") == 0)) {
        p->t->ssh.host_key_check = yes ? CONFIG_HOST_KEY_STRICT : CONFIG_HOST_KEY_ACCEPT_NEW;
        p->t->set |= CONFIG_KEY_HOST_KEY_CHECK;
    } else if (strict) {
        cannot(p, "StrictHostKeyChecking no");
    }
    take_known_hosts(p);
    set_text(p, CONFIG_KEY_HOST_KEY_ALIAS, said(p, "hostkeyalias"));
    set_text(p, CONFIG_KEY_HOST_KEY_ALGORITHMS, said(p, "hostkeyalgorithms"));
}

/* ---- the way there ---- */

static void take_way(struct parse *p)
{
    struct config_ssh *ssh = &p->t->ssh;
    const char *family = said(p, "addressfamily"), *jump = said(p, "proxyjump");
    const char *command = ssh_lines_value(&p->said, "proxycommand");
    uint32_t port = 0;
    struct err why = {0};
    set_number(p, CONFIG_KEY_PORT, "port", &port, 1, 1, UINT16_MAX);
    ssh->port = (uint16_t)port;
    set_number(p, CONFIG_KEY_CONNECT_TIMEOUT, "connecttimeout", &ssh->connect_timeout_ms, 1000, 1000,
               3600000);
    set_number(p, CONFIG_KEY_KEEPALIVE, "serveraliveinterval", &ssh->keepalive_ms, 1000, 0, 86400000);
    set_number(p, CONFIG_KEY_KEEPALIVE_COUNT, "serveralivecountmax", &ssh->keepalive_count, 1, 1, 100);
    if (family && (strcmp(family, "inet") == 0 || strcmp(family, "inet6") == 0)) {
        ssh->family = family[4] ? CONFIG_FAMILY_IPV6 : CONFIG_FAMILY_IPV4;
        p->t->set |= CONFIG_KEY_FAMILY;
    }
    p->t->through_adit = command && ssh_unhonoured_own(command, "proxy");
    if (jump && strcmp(jump, "none") != 0 && ssh_tokens_expand(&p->t->jump, jump, &p->tokens, &why) < 0)
        path_failed(p, "ProxyJump", &why);
}

static int take_all(struct parse *p, const char *host, const struct ssh_truth_who *who, struct err *err)
{
    const char *name = ssh_lines_value(&p->said, "hostname"), *port = ssh_lines_value(&p->said, "port");
    const char *user = ssh_lines_value(&p->said, "user"), *alias = ssh_lines_value(&p->said, "hostkeyalias");
    if (!name || !*name || !port || !user)
        return err_set(err, ERR_PROTOCOL, "ssh -G told no hostname, port and user");
    p->tokens = (struct ssh_tokens){who, host, name, alias ? alias : host, port, user};
    p->t->host_name = mem_strdup(name);
    p->nomem |= !p->t->host_name;
    take_login(p);
    take_host(p);
    take_way(p);
    set_text(p, CONFIG_KEY_CIPHERS, said(p, "ciphers"));
    set_text(p, CONFIG_KEY_KEX, said(p, "kexalgorithms"));
    set_text(p, CONFIG_KEY_MACS, said(p, "macs"));
    p->nomem |= ssh_unhonoured_find(p->t, &p->said, &p->builtin, &p->system) < 0;
    return p->nomem ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

int ssh_truth_parse(struct ssh_truth *out, const char *host, const char *text, const char *builtin,
                    const char *system, const struct ssh_truth_who *who, struct err *err)
{
    struct parse p = {.t = out};
    *out = (struct ssh_truth){0};
    int rc = ssh_lines_init(&p.said, text);
    if (rc == 0)
        rc = ssh_lines_init(&p.builtin, builtin);
    if (rc == 0)
        rc = ssh_lines_init(&p.system, system);
    rc = rc < 0 ? err_set(err, rc, "out of memory") : take_all(&p, host, who, err);
    ssh_lines_done(&p.said);
    ssh_lines_done(&p.builtin);
    ssh_lines_done(&p.system);
    if (rc < 0)
        ssh_truth_done(out);
    return rc;
}
