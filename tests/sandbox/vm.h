/*
 * vm: one VM as it is now: its power, addresses, identity, and the process that plays it.
 *
 * Thread: the main loop's. Calls to the VM's process block until it answers, a few milliseconds.
 */
#ifndef ADIT_SANDBOX_VM_H
#define ADIT_SANDBOX_VM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "door.h"
#include "nsg.h"
#include "public_ip.h"
#include "quota.h"
#include "relay.h"
#include "world.h"

struct sandbox;
struct vm_past;

/* A stopped VM keeps its machine, and with it its address, unlike a deallocated one. */
enum vm_power { VM_DEALLOCATED, VM_STARTING, VM_RUNNING, VM_DEALLOCATING, VM_STOPPING, VM_STOPPED };

typedef void (*vm_done_cb)(void *arg, const struct err *err); /* err NULL: done */

#define VM_DIR_LEN 400

struct vm {
    struct sandbox *sb;
    const struct world_vm *spec;
    const char *subscription, *location, *admin; /* never NULL */
    unsigned index;
    char dir[VM_DIR_LEN];
    char vm_id[WORLD_UUID_LEN];
    char address[ADDRESS_LEN];     /* public; "" while it has none: that of `ip` */
    struct public_ip *ip;          /* on its primary NIC, or NULL */
    struct public_ip own_ip;       /* from its line of the world file */
    char nic_etag[WORLD_UUID_LEN]; /* of its primary NIC; another after each change */
    char private_address[ADDRESS_LEN];
    uint16_t port; /* of SSH at the public address */
    enum vm_power power;
    json_t *extensions; /* name → ARM properties */
    json_t *commands;   /* managed run commands: name → ARM properties, with their instanceView */
    struct nsg nsg[NSG_PLACES];
    struct relay_faults faults;
    struct relay_stats stats;  /* as last heard */
    struct quota_bucket reads; /* GETs of it */
    struct vm_past *past;      /* graph_past.c, or NULL */
    struct door door;

    /* the process */
    pid_t pid; /* 0 = none */
    int control;
    uv_poll_t *poll;
    bool ready;
    bool relay_listens; /* its relay has our listener */
    uv_timer_t *boot;   /* of a synthetic VM that starts */
    vm_done_cb booted;
    void *booted_arg;
};

/* Fills in what the spec leaves open, makes the directory, host keys and sshd_config. */
int vm_init(struct vm *vm, struct sandbox *sb, const struct world_vm *spec, unsigned index, struct err *err);
void vm_done(struct vm *vm); /* the process is gone, memory freed */

const char *vm_instance(const struct vm *vm);   /* its number in a Uniform scale set, as text */
bool vm_runs(const struct vm *vm);              /* or is about to */
bool vm_has_sshd(const struct vm *vm);          /* a Linux VM, or a Windows one with the OpenSSH extension */
bool vm_port_open(const struct vm *vm);         /* the caller's packets get as far as its SSH port */
const char *vm_power_name(const struct vm *vm); /* "running", … as in PowerState/running */

/* vm_power.c. Starts the process; cb fires once it is up (or failed), never inside the call. ERR_EXISTS: it
 * runs. */
int vm_boot(struct vm *vm, vm_done_cb cb, void *arg, struct err *err);
/* Ends the process, and shuts the door; a dynamic address is given back. */
void vm_deallocate(struct vm *vm);
/* Ends the process, and shuts the door; the address stays. */
void vm_stop(struct vm *vm);
/* Another vmId, other host keys, the same name and address; boots again if it ran. */
int vm_recreate(struct vm *vm, vm_done_cb cb, void *arg, struct err *err);

/* vm_synthetic.c: what takes the place of the process where there is none. */
void vm_synthetic_init(struct vm *vm);
void vm_synthetic_address(struct vm *vm, char out[ADDRESS_LEN]);
int vm_synthetic_boot(struct vm *vm, vm_done_cb cb, void *arg, struct err *err);
void vm_synthetic_end(struct vm *vm); /* one that starts stays as it is */

/* Derives door and sshd from power, extension, rule and faults; call after any of them changed. */
int vm_update(struct vm *vm, struct err *err);

/* vm.c. One request to the process; verb as in vmhost.h. ERR_UNAVAILABLE when it does not run. */
int vm_ask(struct vm *vm, uint32_t verb, int fd, struct err *err);
int vm_process_start(struct vm *vm, struct err *err);
void vm_process_end(struct vm *vm);

#endif
