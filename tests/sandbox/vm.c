/*
 * vm: a VM's files, and the process that plays it: how it is started, asked and ended.
 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "sandbox.h"
#include "sshd.h"
#include "vmhost.h"

#define ANSWER_MS 15000
#define UNIX_PATH_MAX_LEN 100

static const char *const power_names[] = {"deallocated",  "starting", "running",
                                          "deallocating", "stopping", "stopped"};

const char *vm_power_name(const struct vm *vm)
{
    return power_names[vm->power];
}

static json_t *installed_extension(void)
{
    return json_pack("{s:s,s:s,s:s,s:b,s:s}", "publisher", "Microsoft.Azure.OpenSSH", "type",
                     "WindowsOpenSSH", "typeHandlerVersion", "3.0", "autoUpgradeMinorVersion", 1,
                     "provisioningState", "Succeeded");
}

int vm_init(struct vm *vm, struct sandbox *sb, const struct world_vm *spec, unsigned index, struct err *err)
{
    *vm = (struct vm){.sb = sb, .spec = spec, .index = index, .control = -1};
    vm->subscription = spec->subscription ? spec->subscription : sb->world.file->subscriptions[0].id;
    vm->location = spec->location ? spec->location : "westeurope";
    vm->admin = spec->admin ? spec->admin : "azureuser";
    door_init(&vm->door);
    world_uuid(vm->vm_id);
    vm->extensions = json_object();
    vm->commands = json_object();
    nsg_init(vm->nsg, spec);
    world_uuid(vm->nic_etag);
    vm->power = spec->power == INITIAL_STOPPED ? VM_STOPPED : VM_DEALLOCATED;
    if (spec->os == OS_WINDOWS && !(spec->lacks & LACK_EXTENSION))
        json_object_set_new(vm->extensions, "WindowsOpenSSH", installed_extension());
    address_private(&sb->addresses, sb->fabric.mode, index, vm->private_address);
    /* The same group and name may be in several subscriptions; those of the first have the plain name. */
    unsigned of = 0;
    while (strcmp(sb->world.file->subscriptions[of].id, vm->subscription) != 0)
        of++;
    char number[16] = "";
    if (of)
        snprintf(number, sizeof number, "%u.", of + 1);
    int n = snprintf(vm->dir, sizeof vm->dir, "%s/vms/%s%s.%s", sb->dir, number, spec->group, spec->name);
    if (n < 0 || (size_t)n >= sizeof vm->dir)
        return err_set(err, ERR_INVAL, "the path of --dir is too long");
    if (spec->synthetic)
        vm_synthetic_init(vm);
    int rc = public_ip_init(vm, err);
    if (rc || spec->synthetic)
        return rc;
    rc = fs_mkdirs(vm->dir, 0700, err);
    rc = rc ? rc : sshd_host_keys_new(vm->dir, err);
    bool added;
    rc = rc ? rc : sshd_key_authorize(vm->dir, spec->lacks & LACK_KEY ? "" : sb->public_key, &added, err);
    char probe[ADDRESS_LEN];
    snprintf(probe, sizeof probe, "127.66.%u.3", sb->addresses.block);
    vm->port = door_port(probe);
    bool apart = sb->fabric.mode != NETNS_NONE;
    struct sshd_setup s = {.dir = vm->dir,
                           .name = spec->name,
                           .address = apart ? NULL : vm->private_address,
                           .port = apart ? 22 : vm->port,
                           .lines = (const char *const *)spec->sshd,
                           .lines_count = spec->sshd_count};
    rc = rc ? rc : sshd_config_write(&s, err);
    return rc ? err_wrap(err, "vm %s", spec->name) : 0;
}

void vm_done(struct vm *vm)
{
    vm_process_end(vm);
    json_decref(vm->extensions);
    json_decref(vm->commands);
    nsg_done(vm->nsg);
}

const char *vm_instance(const struct vm *vm)
{
    return strrchr(vm->spec->name, '_') + 1;
}

bool vm_runs(const struct vm *vm)
{
    return vm->pid || vm->boot || (vm->spec->synthetic && vm->power == VM_RUNNING);
}

bool vm_has_sshd(const struct vm *vm)
{
    if (vm->spec->os == OS_LINUX)
        return true;
    const char *name;
    json_t *extension;
    json_object_foreach(vm->extensions, name, extension)
    {
        const char *type = json_string_value(json_object_get(extension, "type"));
        const char *state = json_string_value(json_object_get(extension, "provisioningState"));
        if (type && strcasecmp(type, "WindowsOpenSSH") == 0 && state && strcmp(state, "Succeeded") == 0)
            return true;
    }
    return false;
}

/* A Standard address without any group is shut, a Basic one open. */
bool vm_port_open(const struct vm *vm)
{
    struct nsg_packet p = {.source = vm->sb->caller, .destination = vm->private_address};
    bool any = false, open = true;
    for (unsigned i = 0; i < NSG_PLACES; i++) {
        if (!vm->nsg[i].exists || !vm->nsg[i].attached)
            continue;
        any = true;
        p.port = 22;
        bool in = nsg_lets_in(vm->nsg[i].rules, &p);
        p.port = vm->port; /* where 22 may not be bound here */
        open = open && (in || nsg_lets_in(vm->nsg[i].rules, &p));
    }
    return any ? open : vm->ip && !vm->ip->standard;
}

static char *host_json(struct vm *vm)
{
    struct sandbox *sb = vm->sb;
    bool apart = sb->fabric.mode != NETNS_NONE;
    char path[VM_DIR_LEN + 16];
    snprintf(path, sizeof path, "%s/echo.sock", vm->dir);
    json_t *j =
        json_pack("{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:b}", "name", vm->spec->name, "dir", vm->dir, "private",
                  vm->private_address, "mode", (int)sb->fabric.mode, "serial", (int)++sb->serial, "services",
                  (int)vm->spec->services, "port", apart ? 22 : (int)vm->port, "sshd", vm_has_sshd(vm));
    if (strlen(path) <= UNIX_PATH_MAX_LEN)
        json_object_set_new(j, "unix", json_string(path));
    char *text = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    return text;
}

/* After fork: puts the three descriptors where vmhost.h says, and becomes the VM's process. */
static void host_exec(const struct sandbox *sb, int control, const char *json)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int from[3] = {control, sb->fabric.net_fd, sb->fabric.user_fd};
    int high[3];
    for (int i = 0; i < 3; i++)
        high[i] = from[i] >= 0 ? fcntl(from[i], F_DUPFD, 64) : -1;
    for (int i = 0; i < 3; i++)
        if (high[i] >= 0)
            dup2(high[i], VMHOST_CONTROL_FD + i);
    for (int i = 0; i < 3; i++)
        if (high[i] >= 0)
            close(high[i]);
    execl("/proc/self/exe", "adit-sandbox", "vm-host", json, (char *)NULL);
    _exit(127);
}

int vm_process_start(struct vm *vm, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(err, errno, "vm %s: socketpair", vm->spec->name);
    char *json = host_json(vm);
    pid_t pid = fork();
    if (pid == 0)
        host_exec(vm->sb, pair[1], json);
    free(json);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_sys(err, errno, "vm %s: fork", vm->spec->name);
    }
    vm->pid = pid;
    vm->control = pair[0];
    vm->ready = false;
    return 0;
}

static void on_poll_closed(uv_handle_t *h)
{
    mem_free(h);
}

void vm_process_end(struct vm *vm)
{
    if (!vm->pid)
        return;
    kill(vm->pid, SIGKILL);
    while (waitpid(vm->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    /* The end of the socket: process 1 of the VM is gone too, and with it all that it ran. */
    struct pollfd p = {.fd = vm->control};
    shutdown(vm->control, SHUT_WR);
    for (int tries = 0; tries < 100 && !(p.revents & POLLHUP); tries++)
        poll(&p, 1, 50);
    if (vm->poll) {
        uv_poll_stop(vm->poll);
        uv_close((uv_handle_t *)vm->poll, on_poll_closed);
        vm->poll = NULL;
    }
    close(vm->control);
    vm->pid = 0;
    vm->control = -1;
    vm->ready = vm->relay_listens = false;
}

int vm_ask(struct vm *vm, uint32_t verb, int fd, struct err *err)
{
    if (vm->spec->synthetic)
        return err_set(err, ERR_UNAVAILABLE, "vm %s is synthetic: it exists in ARM only", vm->spec->name);
    if (!vm->ready)
        return err_set(err, ERR_UNAVAILABLE, "vm %s is %s", vm->spec->name, vm_power_name(vm));
    struct vmhost_request q = {.verb = verb, .faults = vm->faults};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } aux = {{0}};
    struct iovec v = {&q, sizeof q};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    if (fd >= 0) {
        m.msg_control = &aux;
        m.msg_controllen = sizeof aux;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    struct vmhost_reply r;
    struct pollfd p = {.fd = vm->control, .events = POLLIN};
    if (sendmsg(vm->control, &m, MSG_NOSIGNAL) < 0 || poll(&p, 1, ANSWER_MS) <= 0 ||
        recv(vm->control, &r, sizeof r, 0) != (ssize_t)sizeof r)
        return err_set(err, ERR_UNAVAILABLE, "vm %s: its process does not answer", vm->spec->name);
    vm->stats = r.stats;
    return r.err.code ? err_copy(err, &r.err, r.err.code) : 0;
}
