/*
 * address: takes a block, then hands out its addresses round and round.
 */
#include "address.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST 4U
#define LAST 250U
#define BLOCKS 250U

int address_book_open(struct address_book *b, struct err *err)
{
    *b = (struct address_book){.last = FIRST - 1};
    b->lock_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (b->lock_fd < 0)
        return err_sys(err, errno, "socket");
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        b->block = 1 + ((unsigned)getpid() + i) % BLOCKS;
        int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "adit-sandbox/127.66.%u.0", b->block);
        socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
        if (bind(b->lock_fd, (struct sockaddr *)&at, len) == 0)
            return 0;
    }
    close(b->lock_fd);
    return err_set(err, ERR_LIMIT, "all blocks of 127.66.0.0/16 are taken by other sandboxes; end some");
}

void address_book_close(struct address_book *b)
{
    close(b->lock_fd);
}

int address_public_take(struct address_book *b, char out[ADDRESS_LEN], struct err *err)
{
    for (unsigned i = 0; i < LAST - FIRST; i++) {
        b->last = b->last + 1 < LAST ? b->last + 1 : FIRST;
        if (b->used[b->last])
            continue;
        b->used[b->last] = true;
        snprintf(out, ADDRESS_LEN, "127.66.%u.%u", b->block, b->last);
        return 0;
    }
    return err_set(err, ERR_LIMIT, "no public address is left in 127.66.%u.0/24", b->block);
}

void address_public_give(struct address_book *b, const char *address)
{
    const char *host = strrchr(address, '.');
    unsigned long n = host ? strtoul(host + 1, NULL, 10) : 0;
    if (n >= FIRST && n < LAST)
        b->used[n] = false;
}

void address_private(const struct address_book *b, enum netns_mode mode, unsigned n, char out[ADDRESS_LEN])
{
    if (mode == NETNS_NONE)
        snprintf(out, ADDRESS_LEN, "127.67.%u.%u", b->block, FIRST + n % (LAST - FIRST));
    else
        snprintf(out, ADDRESS_LEN, "10.66.%u.%u", n / (LAST - FIRST) % 256, FIRST + n % (LAST - FIRST));
}
