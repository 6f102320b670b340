/*
 * public_ip: public IPv4 addresses as resources of their own: which there are, and which VM has which.
 *
 * Every VM has a place for the one that its line of the world file names, VM-ip; others are made by PUT. One
 * that is Static has its address as long as it exists, a Dynamic one while its VM is not deallocated.
 */
#ifndef ADIT_SANDBOX_PUBLIC_IP_H
#define ADIT_SANDBOX_PUBLIC_IP_H

#include <jansson.h>
#include <stdbool.h>

#include "address.h"
#include "base/list.h"
#include "world.h"

struct sandbox;
struct vm;

struct public_ip {
    struct list node; /* on world.ips, once it exists */
    char name[100];
    const char *subscription, *group; /* the world's */
    char location[61];
    bool fixed;    /* Static */
    bool standard; /* its SKU; else Basic */
    const char *state;
    char address[ADDRESS_LEN];
    struct vm *vm; /* whose primary NIC has it, or NULL */
    bool made;     /* by PUT: to be freed */
};

/* The VM's own, from its line of the world file; it may not exist (PUBLIC_NONE). */
int public_ip_init(struct vm *vm, struct err *err);
/* NULL: out of memory, or there is none. Names without case. */
struct public_ip *public_ip_new(struct sandbox *sb, const char *subscription, const char *group,
                                const char *name);
struct public_ip *public_ip_find(const struct sandbox *sb, const char *subscription, const char *group,
                                 const char *name);
struct public_ip *public_ip_by_id(const struct sandbox *sb, const char *id); /* of a resource ID, or NULL */
void public_ip_delete(struct sandbox *sb, struct public_ip *ip);             /* it must be on no VM */
void public_ip_all_free(struct sandbox *sb);

/* Gives it an address unless it has one; takes a Dynamic one's away. The VM's `address` follows. */
int public_ip_allocate(struct sandbox *sb, struct public_ip *ip, struct err *err);
void public_ip_release(struct sandbox *sb, struct public_ip *ip);
/* ip NULL: the VM has none from now on. The door is the caller's to update. */
int public_ip_attach(struct vm *vm, struct public_ip *ip, struct err *err);

#endif
