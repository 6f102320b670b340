/*
 * port_owner: which process listens on a TCP port, as far as /proc shows it to us.
 *
 * Only ever run for an error message; bounded, so that a machine with very many processes delays no flow for
 * long.
 */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"

#define LINKS_MAX 20000 /* descriptors looked at */
#define STATE_LISTEN 0x0a

/* The inode of the listening socket, 0 when there is none. proc(5), /proc/net/tcp. */
static uint64_t listening_inode(const char *table, uint16_t port)
{
    FILE *f = fopen(table, "re");
    if (!f)
        return 0;
    char line[512];
    uint64_t found = 0;
    while (!found && fgets(line, sizeof line, f)) {
        unsigned local_port, state;
        uint64_t inode;
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers */
        if (sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %" SCNu64, &local_port, &state,
                   &inode) == 3 &&
            local_port == port && state == STATE_LISTEN)
            found = inode;
    }
    fclose(f);
    return found;
}

static bool process_holds(const char *pid, const char *wanted, unsigned *budget)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    bool found = false;
    const struct dirent *e;
    while (!found && *budget > 0 && (e = readdir(dir)) != NULL) {
        char target[64];
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1);
        (*budget)--;
        if (n <= 0)
            continue;
        target[n] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    closedir(dir);
    return found;
}

static void process_name(const char *pid, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    snprintf(out, size, "a process");
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fgets(out, (int)size, f))
        out[strcspn(out, "\n")] = '\0';
    fclose(f);
}

void port_owner_text(uint16_t port, char *out, size_t size)
{
    out[0] = '\0';
    uint64_t inode = listening_inode("/proc/net/tcp", port);
    if (!inode)
        inode = listening_inode("/proc/net/tcp6", port);
    if (!inode)
        return;
    char wanted[64], name[64];
    snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    /* Ourselves first: the likeliest, and not to be missed on a machine with more descriptors than are looked
     * at. */
    unsigned budget = LINKS_MAX;
    if (process_holds("self", wanted, &budget)) {
        snprintf(out, size, " (held by adit itself, for another forward)");
        return;
    }
    budget = LINKS_MAX;
    DIR *proc = opendir("/proc");
    if (!proc)
        return;
    const struct dirent *e;
    while (budget > 0 && (e = readdir(proc)) != NULL) {
        if (!isdigit((unsigned char)e->d_name[0]) || !process_holds(e->d_name, wanted, &budget))
            continue;
        process_name(e->d_name, name, sizeof name);
        snprintf(out, size, " (held by %s, pid %.20s)", name, e->d_name);
        break;
    }
    closedir(proc);
}
