/*
 * truth_self: who asks ssh, and what our SSH engine can make of the answers.
 */
#include "truth_self.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "ssh/ssh.h"

#define PASSWD_MAX 16384

int truth_self_init(struct truth_self *s)
{
    struct passwd entry, *found = NULL;
    char *scratch = mem_alloc(PASSWD_MAX);
    bool known = scratch && getpwuid_r(getuid(), &entry, scratch, PASSWD_MAX, &found) == 0 && found;
    *s = (struct truth_self){0};
    s->home = mem_strdup(known ? found->pw_dir : "/"); /* as ssh does: not $HOME */
    s->user = mem_strdup(known ? found->pw_name : "");
    mem_free(scratch);
    if (gethostname(s->host_name, sizeof s->host_name - 1) != 0)
        s->host_name[0] = '\0';
    s->who = (struct ssh_truth_who){s->home, s->user, s->host_name, (unsigned)getuid()};
    return s->home && s->user ? 0 : ERR_NOMEM;
}

void truth_self_done(struct truth_self *s)
{
    mem_free(s->home);
    mem_free(s->user);
    *s = (struct truth_self){0};
}

void truth_check_algorithms(struct ssh_truth *t, const char *engine)
{
    const struct {
        enum config_key key;
        enum ssh_method method;
        const char *list, *name;
    } lists[] = {
        {CONFIG_KEY_CIPHERS, SSH_METHOD_CIPHER, t->ssh.ciphers, "Ciphers"},
        {CONFIG_KEY_KEX, SSH_METHOD_KEX, t->ssh.kex, "KexAlgorithms"},
        {CONFIG_KEY_MACS, SSH_METHOD_MAC, t->ssh.macs, "MACs"},
        {CONFIG_KEY_HOST_KEY_ALGORITHMS, SSH_METHOD_HOST_KEY, t->ssh.host_key_algorithms,
         "HostKeyAlgorithms"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char text[96];
        if (!lists[i].list || ssh_engine_knows_any(engine, lists[i].method, lists[i].list))
            continue;
        (void)snprintf(text, sizeof text, "%s (adit's SSH engine knows none of them)", lists[i].name);
        (void)ssh_truth_unhonoured(t, text);
        ssh_truth_drop(t, lists[i].key);
    }
}
