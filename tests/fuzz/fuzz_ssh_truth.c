/*
 * fuzz_ssh_truth: reads any text as the output of `ssh -G`. What is refused says why; what is accepted stays
 * within the limits, and says nothing when it is what is built in.
 */
#include <string.h>

#include "base/mem.h"
#include "config/overlay.h"
#include "config/ssh_truth.h"
#include "fuzz.h"

static void check(const struct ssh_truth *t)
{
    FUZZ_CHECK(t->host_name && t->host_name[0]);
    FUZZ_CHECK(t->ssh.identity_count <= 32);
    for (size_t i = 0; i < t->ssh.identity_count; i++)
        FUZZ_CHECK(t->ssh.identities[i][0] == '/');
    FUZZ_CHECK(!(t->set & CONFIG_KEY_USER) == !t->ssh.user);
    FUZZ_CHECK(!(t->set & CONFIG_KEY_PORT) || t->ssh.port > 0);
    FUZZ_CHECK(!t->ssh.known_hosts || t->ssh.known_hosts[0] == '/');
    FUZZ_CHECK(!t->ssh.agent_socket || t->ssh.agent_socket[0] == '/');
    for (const char *p = t->jump ? t->jump : ""; *p;) {
        struct overlay_jump jump;
        size_t n = strcspn(p, ",");
        if (overlay_jump_parse(&jump, p, n, NULL) == 0)
            FUZZ_CHECK(jump.host[0] && jump.host[0] != '-');
        p += n;
        p += *p == ',';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char builtin[] = "user u\nhostname adit\nport 22\nidentityfile ~/.ssh/id_rsa\n"
                                  "userknownhostsfile /home/u/.ssh/known_hosts\nstricthostkeychecking ask\n";
    const struct ssh_truth_who who = {"/home/u", "u", "here", 1000};
    char *text = mem_strndup((const char *)data, size);
    struct ssh_truth t;
    struct err err = {0};
    FUZZ_CHECK(text);
    int rc = ssh_truth_parse(&t, "win11", text, builtin, NULL, &who, &err);
    FUZZ_CHECK(rc == 0 || (rc == ERR_PROTOCOL && err.msg[0]));
    if (rc == 0)
        check(&t);
    ssh_truth_done(&t);
    if (rc == 0 && ssh_truth_parse(&t, "win11", text, text, NULL, &who, &err) == 0) {
        FUZZ_CHECK(t.set == 0 || t.jump || t.ssh.identity_count == 0);
        ssh_truth_done(&t);
    }
    mem_free(text);
    return 0;
}
