/*
 * ssh_settings: built-in values, overriding, copying and comparing of struct config_ssh.
 */
#include "ssh_settings.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "duration.h"
#include "paths.h"

#define PASSWD_MAX 16384

static int nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

static char *local_user(void)
{
    struct passwd entry, *found = NULL;
    char *scratch = mem_alloc(PASSWD_MAX), *name = NULL;
    if (!scratch)
        return NULL;
    if (getpwuid_r(geteuid(), &entry, scratch, PASSWD_MAX, &found) == 0 && found)
        name = mem_strdup(found->pw_name);
    else
        name = mem_strdup("azureuser"); /* what Azure's own tools name the first user */
    mem_free(scratch);
    return name;
}

static int usual_identities(struct config_ssh *s)
{
    static const char *const names[] = {"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"};
    s->identities = mem_calloc(sizeof names / sizeof names[0], sizeof *s->identities);
    if (!s->identities)
        return ERR_NOMEM;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct err why = {0};
        char *path = paths_expand(names[i], NULL, &why);
        if (why.code == ERR_NOMEM)
            return ERR_NOMEM;
        if (path && access(path, F_OK) == 0)
            s->identities[s->identity_count++] = path;
        else
            mem_free(path);
    }
    return 0;
}

int ssh_settings_builtin(struct config_ssh *out, struct err *err)
{
    struct config_ssh s = {
        .port = 22,
        .agent = true,
        .password = true,
        .host_key_check = CONFIG_HOST_KEY_ACCEPT_NEW,
        .family = CONFIG_FAMILY_ANY,
        .engine = CONFIG_ENGINE_AUTO,
        .wake_session = CONFIG_WAKE_AUTO,
        .connect_timeout_ms = 15000,
        .keepalive_ms = 30000,
        .keepalive_count = 3,
        .connections_max = 4,
    };
    s.user = local_user();
    s.ssh_config = mem_strdup("auto");
    if (!s.user || !s.ssh_config || usual_identities(&s) < 0) {
        ssh_settings_done(&s);
        return nomem(err);
    }
    *out = s;
    return 0;
}

/* Every member that is text of its own, but for the list of identities. */
#define TEXTS 10
static void texts_of(struct config_ssh *s, char **out[TEXTS])
{
    char **const texts[TEXTS] = {
        &s->user,    &s->ssh_config, &s->agent_socket, &s->known_hosts,         &s->host_key_alias,
        &s->ciphers, &s->kex,        &s->macs,         &s->host_key_algorithms, &s->key_algorithms};
    (void)memcpy(out, texts, sizeof texts);
}

static void identities_done(struct config_ssh *s)
{
    for (size_t i = 0; i < s->identity_count; i++)
        mem_free(s->identities[i]);
    mem_free(s->identities);
    s->identities = NULL;
    s->identity_count = 0;
}

void ssh_settings_done(struct config_ssh *s)
{
    char **texts[TEXTS];
    identities_done(s);
    texts_of(s, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        mem_free(*texts[i]);
        *texts[i] = NULL;
    }
}

int ssh_settings_copy(struct config_ssh *out, const struct config_ssh *in)
{
    struct config_ssh s = *in;
    char **texts[TEXTS];
    s.identity_count = 0;
    s.identities = mem_calloc(in->identity_count + 1, sizeof *s.identities);
    bool ok = s.identities != NULL;
    texts_of(&s, texts);
    for (size_t i = 0; i < TEXTS; i++) { /* each, so that none is left borrowed */
        char *text = mem_strdup(*texts[i]);
        ok = ok && (text || !*texts[i]);
        *texts[i] = text;
    }
    for (size_t i = 0; ok && i < in->identity_count; i++) {
        ok = (s.identities[i] = mem_strdup(in->identities[i])) != NULL;
        s.identity_count += ok ? 1 : 0;
    }
    if (!ok) {
        ssh_settings_done(&s);
        return ERR_NOMEM;
    }
    *out = s;
    return 0;
}

static int take_identities(struct config_ssh *s, const struct raw_ssh *raw, const char *base_dir,
                           struct err *err)
{
    if (raw->identity_count == 0)
        return 0;
    identities_done(s);
    s->identities = mem_calloc(raw->identity_count, sizeof *s->identities);
    if (!s->identities)
        return nomem(err);
    for (uint32_t i = 0; i < raw->identity_count; i++) {
        s->identities[i] = paths_expand(raw->identity[i], base_dir, err);
        if (!s->identities[i])
            return err ? err->code : ERR_NOMEM;
        s->identity_count++;
    }
    return 0;
}

static int take_times(struct config_ssh *s, const struct raw_ssh *raw, struct err *err)
{
    int rc = 0;
    if (raw->connect_timeout)
        rc = duration_parse(&s->connect_timeout_ms, raw->connect_timeout, err);
    if (rc == 0 && raw->keepalive)
        rc = duration_parse(&s->keepalive_ms, raw->keepalive, err);
    if (rc == 0 && raw->idle_timeout)
        rc = duration_parse(&s->idle_timeout_ms, raw->idle_timeout, err);
    return rc;
}

static int take_texts(struct config_ssh *s, const struct raw_ssh *raw, const char *base_dir, struct err *err)
{
    if (raw->user) {
        char *user = mem_strdup(raw->user);
        if (!user)
            return nomem(err);
        mem_free(s->user);
        s->user = user;
    }
    if (raw->ssh_config) {
        bool word = strcmp(raw->ssh_config, "auto") == 0 || strcmp(raw->ssh_config, "off") == 0;
        struct err why = {0};
        char *text = word ? mem_strdup(raw->ssh_config) : paths_expand(raw->ssh_config, base_dir, &why);
        if (!text)
            return why.code ? err_copy(err, &why, ERR_CONFIG) : nomem(err);
        mem_free(s->ssh_config);
        s->ssh_config = text;
    }
    return 0;
}

#define TAKE(key, member, from)                                                                              \
    do {                                                                                                     \
        if (from) {                                                                                          \
            (member) = *(from);                                                                              \
            s->given |= (key);                                                                               \
        }                                                                                                    \
    } while (0)
#define GIVEN(key, from) ((from) ? (uint32_t)(key) : 0)

static int take(struct config_ssh *s, const struct raw_ssh *raw, const char *base_dir, struct err *err)
{
    TAKE(CONFIG_KEY_PORT, s->port, raw->port);
    TAKE(CONFIG_KEY_AGENT, s->agent, raw->agent);
    TAKE(CONFIG_KEY_PASSWORD, s->password, raw->password);
    TAKE(CONFIG_KEY_HOST_KEY_CHECK, s->host_key_check, raw->host_key_check);
    TAKE(CONFIG_KEY_FAMILY, s->family, raw->address_family);
    TAKE(CONFIG_KEY_PREFER_PRIVATE_IP, s->prefer_private_ip, raw->prefer_private_ip);
    TAKE(CONFIG_KEY_ENGINE, s->engine, raw->engine);
    TAKE(CONFIG_KEY_WAKE_SESSION, s->wake_session, raw->wake_session);
    TAKE(CONFIG_KEY_KEEPALIVE_COUNT, s->keepalive_count, raw->keepalive_count);
    TAKE(CONFIG_KEY_CONNECTIONS_MAX, s->connections_max, raw->connections_max);
    s->given |= GIVEN(CONFIG_KEY_USER, raw->user) | GIVEN(CONFIG_KEY_SSH_CONFIG, raw->ssh_config) |
                GIVEN(CONFIG_KEY_IDENTITY, raw->identity_count > 0) |
                GIVEN(CONFIG_KEY_CONNECT_TIMEOUT, raw->connect_timeout) |
                GIVEN(CONFIG_KEY_KEEPALIVE, raw->keepalive) |
                GIVEN(CONFIG_KEY_IDLE_TIMEOUT, raw->idle_timeout);
    int rc = take_texts(s, raw, base_dir, err);
    if (rc == 0)
        rc = take_times(s, raw, err);
    return rc < 0 ? rc : take_identities(s, raw, base_dir, err);
}

int ssh_settings_apply(struct config_ssh *out, const struct config_ssh *base, const struct raw_ssh *raw,
                       const char *base_dir, struct err *err)
{
    struct config_ssh s;
    if (ssh_settings_copy(&s, base) < 0)
        return nomem(err);
    int rc = raw ? take(&s, raw, base_dir, err) : 0;
    if (rc < 0)
        ssh_settings_done(&s);
    else
        *out = s;
    return rc;
}

bool ssh_settings_same_identities(const struct config_ssh *a, const struct config_ssh *b)
{
    if (a->identity_count != b->identity_count)
        return false;
    for (size_t i = 0; i < a->identity_count; i++)
        if (strcmp(a->identities[i], b->identities[i]) != 0)
            return false;
    return true;
}

/* Where a value comes from does not count, nor what ssh_config was asked for it. */
bool ssh_settings_equal(const struct config_ssh *a, const struct config_ssh *b)
{
    char **texts[TEXTS], **others[TEXTS];
    texts_of((struct config_ssh *)a, texts); /* read only */
    texts_of((struct config_ssh *)b, others);
    for (size_t i = 0; i < TEXTS; i++) {
        const char *x = *texts[i], *y = *others[i];
        if (texts[i] != &((struct config_ssh *)a)->ssh_config && (x && y ? strcmp(x, y) != 0 : x != y))
            return false;
    }
    return a->port == b->port && ssh_settings_same_identities(a, b) &&
           a->identities_only == b->identities_only && a->agent == b->agent && a->password == b->password &&
           a->host_key_check == b->host_key_check && a->family == b->family &&
           a->prefer_private_ip == b->prefer_private_ip && a->engine == b->engine &&
           a->wake_session == b->wake_session && a->connect_timeout_ms == b->connect_timeout_ms &&
           a->keepalive_ms == b->keepalive_ms && a->keepalive_count == b->keepalive_count &&
           a->connections_max == b->connections_max && a->idle_timeout_ms == b->idle_timeout_ms;
}
