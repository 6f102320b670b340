/*
 * cred_rig: sets the parts up that only the credentials need.
 */
#include "cred_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int cred_setup(void **state)
{
    struct cred_rig *c = calloc(1, sizeof(*c));
    void *rig;
    int rc = rig_setup(&rig);
    c->rig = rig;
    c->metadata = fake_arm_new_plain(&c->rig->loop);
    snprintf(c->dir, sizeof(c->dir), "/tmp/adit-cred-XXXXXX");
    if (!mkdtemp(c->dir))
        return -1;
    setenv("PATH", c->dir, 1);
    unsetenv("AZURE_TENANT_ID");
    unsetenv("AZURE_CLIENT_ID");
    unsetenv("AZURE_CLIENT_SECRET");
    fake_arm_on(c->rig->arm, "GET /x", 200, NULL, "{}");
    *state = c;
    return rc;
}

int cred_teardown(void **state)
{
    struct cred_rig *c = *state;
    cred_shell("rm -rf %s", c->dir);
    fake_arm_close(c->metadata);
    void *rig = c->rig;
    free(c);
    return rig_teardown(&rig);
}

const char *cred_path(struct cred_rig *c, const char *name)
{
    char *path = c->paths[c->next_path++ % CRED_PATHS];
    snprintf(path, sizeof(c->paths[0]), "%s/%s", c->dir, name);
    return path;
}

const char *cred_write(struct cred_rig *c, const char *name, int mode, const char *text)
{
    const char *path = cred_path(c, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, (mode_t)mode), 0);
    return path;
}

void cred_tool(struct cred_rig *c, const char *name, const char *script)
{
    char text[8192];
    snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
    cred_write(c, name, 0755, text);
}

void cred_open(struct cred_rig *c, const char *credential)
{
    rig_reopen(c->rig,
               &(struct rig_options){.credential = credential, .login_file = cred_path(c, "login.json")});
}

void cred_get(struct cred_rig *c, struct told *told)
{
    memset(told, 0, sizeof(*told));
    rig_send(c->rig, "GET", "/x", 0, told);
    rig_until(c->rig, &told->count, 1);
    told_done(told);
}

void cred_used(struct cred_rig *c, const char *token)
{
    char header[600];
    snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", token);
    assert_contains(fake_arm_last(c->rig->arm, "GET /x"), header);
}

void cred_shell(const char *format, ...)
{
    char command[2048];
    int n = snprintf(command, sizeof(command), "PATH=/usr/local/bin:/usr/bin:/bin; ");
    va_list ap;
    va_start(ap, format);
    vsnprintf(command + n, sizeof(command) - (size_t)n, format, ap);
    va_end(ap);
    if (system(command))
        fail_msg("failed: %s", command);
}
