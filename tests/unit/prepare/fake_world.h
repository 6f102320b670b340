/*
 * fake_world: one VM with its Azure and its SSH server, in memory, behind the calls that prepare/ makes.
 *
 * It takes the place of azure/ at link time, and is the hands. It behaves: a start makes the VM run, a rule
 * opens the port, a script adds the key. Time is a frozen clock's: nothing is waited for. What fails, and
 * how, is set by faults.
 */
#ifndef ADIT_TESTS_FAKE_WORLD_H
#define ADIT_TESTS_FAKE_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "prepare/prepare.h"

#define SUB "/subscriptions/11111111-1111-1111-1111-111111111111"
#define RG SUB "/resourceGroups/rg-desk/providers"
#define VM_ID RG "/Microsoft.Compute/virtualMachines/win-new"
#define NIC_ID RG "/Microsoft.Network/networkInterfaces/win-new-nic"
#define NSG_ID RG "/Microsoft.Network/networkSecurityGroups/win-new-nsg"
#define SUBNET_NSG_ID RG "/Microsoft.Network/networkSecurityGroups/subnet-nsg"
#define SUBNET_ID RG "/Microsoft.Network/virtualNetworks/vnet/subnets/default"
#define PIP_ID RG "/Microsoft.Network/publicIPAddresses/win-new-ip"
#define HOST_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKkz1jQJxOHqkHGKVtmWzYXIpEWkGz9nKhJ7pWcbmYRx"
#define USER_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQqHqRkmHBBVhy0Bwr1kJgUmg1pNw3ASUdmVAqxDLPG ann@laptop"
#define CALLER "203.0.113.7"

struct fake_fault {
    const char *match; /* in "METHOD path" */
    unsigned times;    /* of the first ones; UINT_MAX: always */
    int code;          /* what it ends with */
    const char *message;
    bool never; /* no answer before its deadline: ERR_TIMEOUT */
};
#define FAKE_FAULTS_MAX 4

struct fake_world {
    uv_loop_t loop;
    struct clock *clock;
    struct azure *azure;

    /* The world as it is; tests change it before a run. */
    int sign_in;    /* what locate fails with, or 0 */
    const char *id; /* of the VM */
    bool exists, windows, sshd_by_extension;
    char power[24];
    bool public_ip; /* the NIC has one, */
    bool pip_made;  /* and that resource is there */
    bool basic;
    bool pip_elsewhere;   /* on another interface by now */
    char extension[24];   /* its state, "" none */
    json_t *rules;        /* of the NIC's NSG: name → properties; NULL: no NSG */
    json_t *subnet_rules; /* of the subnet's, or NULL */
    bool key;             /* the user's key is on it */
    bool key_useless;     /* and does not help */
    bool wrong_host_key, no_forward, no_rdp;
    unsigned etag;                /* of the NIC */
    unsigned boot_ms, install_ms; /* how long sshd takes after a start, an installation */
    bool caller_known;
    bool unallocated;      /* the public IP has no address now */
    const char *host_keys; /* what the script about them prints, or NULL */

    struct fake_fault faults[FAKE_FAULTS_MAX];
    unsigned locates, knocks, enters, learns, scripts;
    unsigned writes; /* PUT, DELETE, start, keys added or removed */
    unsigned requests;
    char log[8192]; /* "METHOD path\n"… of the writes */
    unsigned open;  /* under way */
    uint64_t up_at; /* sshd, by clock_now() */
    char nic_doc_etag[16];
};

void fake_world_init(struct fake_world *w); /* all is well: every check passes */
void fake_world_done(struct fake_world *w);
struct prepare_hands fake_world_hands(struct fake_world *w);
void fake_rule_set(json_t **rules, const char *name, int priority, const char *access, const char *source,
                   const char *port, const char *description);

/* What is missing, as the how-to's steps have it. */
enum fake_lack { LACK_POWER, LACK_ADDRESS, LACK_EXTENSION, LACK_RULE, LACK_KEY, LACKS };
void fake_world_lack(struct fake_world *w, enum fake_lack what);
bool fake_world_has(const struct fake_world *w, enum fake_lack what);

#endif
