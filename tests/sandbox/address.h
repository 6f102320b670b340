/*
 * address: which loopback addresses this sandbox hands to its VMs.
 *
 * Every sandbox on the machine takes a block 127.66.X.0/24 of its own, held by an abstract Unix socket that
 * the kernel drops with the process. An address that is given back is not handed out again until the others
 * have been.
 */
#ifndef ADIT_SANDBOX_ADDRESS_H
#define ADIT_SANDBOX_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "netns.h"

#define ADDRESS_LEN 16

struct address_book {
    int lock_fd;
    unsigned block;
    unsigned last;
    bool used[256];
};

int address_book_open(struct address_book *b, struct err *err);
void address_book_close(struct address_book *b);
int address_public_take(struct address_book *b, char out[ADDRESS_LEN], struct err *err);
void address_public_give(struct address_book *b, const char *address);

/* The private address of the n-th VM: 10.66.x.y inside the fabric; 127.67.x.y where all share one loopback.
 */
void address_private(const struct address_book *b, enum netns_mode mode, unsigned n, char out[ADDRESS_LEN]);

#endif
