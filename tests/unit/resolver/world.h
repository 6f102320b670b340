/*
 * world: VMs that the fake ARM knows, and a resolver that asks it.
 */
#ifndef ADIT_TESTS_WORLD_H
#define ADIT_TESTS_WORLD_H

#include "resolver/resolver.h"
#include "rig.h"

#define SUB "33333333-3333-3333-3333-333333333333"
#define SUB2 "44444444-4444-4444-4444-444444444444"
#define GRAPH "POST /providers/Microsoft.ResourceGraph/resources?api-version="
#define VM_PATH(g, n)                                                                                        \
    "/subscriptions/" SUB "/resourceGroups/" g "/providers/Microsoft.Compute/virtualMachines/" n
#define NIC_PATH(n)                                                                                          \
    "/subscriptions/" SUB "/resourceGroups/net/providers/Microsoft.Network/networkInterfaces/" n
#define NO_SUCH(what) "{\"error\":{\"code\":\"" what "\",\"message\":\"It was not found.\"}}"

struct world {
    struct rig *rig;
    struct resolver *resolver;
    uint32_t fresh_ms;     /* of the next one; 0 = the default */
    const char *cache_dir; /* likewise; NULL = none */
    const char *cache_scope;
};

int world_setup(void **state);    /* one configured subscription: SUB */
int world_teardown(void **state); /* asserts that the loop holds nothing any more */
void world_reopen(struct world *w, const char *const *subscriptions, size_t count); /* another resolver */
void world_reopen_same(struct world *w); /* another one like the first */

/* group/name with one interface "NAME-nic" and its addresses; either may be NULL. Replaces an earlier one. */
void world_vm(struct world *w, const char *group, const char *name, const char *power, const char *private_ip,
              const char *public_ip);
void world_no_vm(struct world *w, const char *group, const char *name); /* 404 from now on */

/* What the Resource Graph answers from now on: rows as JSON text. */
void world_graph(struct world *w, const char *rows);
#define ROW(sub, g, n, power, ip)                                                                            \
    "{\"id\":\"/subscriptions/" sub "/resourceGroups/" g "/providers/Microsoft.Compute/virtualMachines/" n   \
    "\",\"vmId\":\"vmid-" n "\",\"power\":\"PowerState/" power                                               \
    "\",\"nicId\":\"/n\",\"nicPrimary\":null,\"ipPrimary\":true,"                                            \
    "\"privateIp\":\"10.0.0.4\",\"publicIp\":\"" ip "\"}"

struct found {
    unsigned count;
    const struct resolver_facts *facts;
    struct err err; /* code 0: none */
};
void found_cb(void *arg, const struct resolver_facts *facts, const struct err *err); /* arg: struct found */
void found_done(struct found *f);

/* Starts and asserts that it was taken. name: "vm", "group/vm" or "subscription/group/vm". */
struct resolver_req *world_ask(struct world *w, const char *name, unsigned flags, uint32_t deadline_ms,
                               struct found *found);
/* Starts, waits for the answer; found must be found_done(). */
void world_find(struct world *w, const char *name, unsigned flags, struct found *found);
void world_invalidate(struct world *w, const char *name);

unsigned world_requests(struct world *w); /* sent to ARM so far */

#endif
