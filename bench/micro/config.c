/*
 * config: what reading adit.yaml costs with a thousand VMs and two thousand forwards.
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "micro.h"

#define VMS 1000

struct config_work {
    char path[64];
};

static int write_file(FILE *f)
{
    fputs("azure: {subscription: 11111111-1111-1111-1111-111111111111}\n"
          "defaults: {user: azureuser, identity: [/nonexistent/id_ed25519], keepalive: 30s}\n"
          "vms:\n",
          f);
    for (int i = 0; i < VMS; i++)
        fprintf(f,
                "  - name: vm%d\n"
                "    vm: rg-%d/vm%d\n"
                "    local: [\"%d:localhost:3389\", \"%d:10.0.0.4:5432\"]\n",
                i, i / 50, i, 10000 + 2 * i, 10001 + 2 * i);
    return fclose(f);
}

static int setup(void **ctx, struct err *err)
{
    struct config_work *w = mem_zalloc(sizeof *w);
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    snprintf(w->path, sizeof w->path, "/tmp/adit-micro-XXXXXX");
    int fd = mkstemp(w->path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f || write_file(f) != 0) {
        if (fd >= 0)
            unlink(w->path);
        mem_free(w);
        return err_set(err, ERR_SYSTEM, "no temporary file to be had");
    }
    *ctx = w;
    return 0;
}

static int run(void *ctx, uint32_t ops)
{
    struct config_work *w = ctx;
    while (ops--) {
        const struct config *c;
        if (config_load(&c, w->path, NULL, NULL) < 0)
            return -1;
        int rc = c->vm_count == VMS && config_vm_by_alias(c, "vm999") ? 0 : -1;
        config_unref(c);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void done(void *ctx)
{
    struct config_work *w = ctx;
    unlink(w->path);
    mem_free(w);
}

const struct micro micro_config = {
    .name = "config-load",
    .what = "a configuration of 1,000 VMs read, checked and freed",
    .guard_ops = 1,
    .setup = setup,
    .run = run,
    .done = done,
};
