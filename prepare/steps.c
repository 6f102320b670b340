/*
 * steps: the table: one row a step.
 *
 * To know in which order things happen, read it from the top: SIGN_IN, VM, then POWER and ADDRESS side by
 * side, then PORT. A server that answers proves the extension and the rule; only one that does not is worth
 * asking ARM about them. HOST_KEY to RDP are stages of one login.
 */
#include "steps.h"

#include <string.h>
#include <strings.h>

#include "step_fns.h"

#define BIT(s) PREPARE_BIT(PREPARE_##s)

const struct step_row step_table[PREPARE_STEPS] = {
    [PREPARE_SIGN_IN] = {.name = "sign-in", .title = "sign-in", .check = sign_in_check},
    [PREPARE_VM] = {.name = "vm",
                    .title = "VM",
                    .needs = BIT(SIGN_IN),
                    .check = vm_step_check,
                    .action = "Microsoft.Compute/virtualMachines/read"},
    [PREPARE_POWER] = {.name = "power",
                       .title = "power",
                       .needs = BIT(VM),
                       .check = power_check,
                       .mend = power_mend,
                       .undo = power_undo,
                       .settle_ms = 60000,
                       .action = "Microsoft.Compute/virtualMachines/start/action"},
    [PREPARE_ADDRESS] = {.name = "address",
                         .title = "address",
                         .needs = BIT(VM),
                         .check = address_check,
                         .mend = address_mend,
                         .undo = address_undo,
                         .settle_ms = 30000,
                         .action = "Microsoft.Network/publicIPAddresses/write"},
    [PREPARE_EXTENSION] = {.name = "extension",
                           .title = "OpenSSH",
                           .needs = BIT(VM),
                           .after = BIT(POWER) | BIT(PORT),
                           .mend_needs = BIT(POWER),
                           .check = extension_check,
                           .mend = extension_mend,
                           .undo = extension_undo,
                           .settle_ms = 30000,
                           .action = "Microsoft.Compute/virtualMachines/extensions/write"},
    [PREPARE_RULE] = {.name = "rule",
                      .title = "security rule",
                      .needs = BIT(VM),
                      .after = BIT(POWER) | BIT(ADDRESS) | BIT(PORT),
                      .check = rule_check,
                      .mend = rule_mend,
                      .undo = rule_undo,
                      .settle_ms = 60000,
                      .action = "Microsoft.Network/networkSecurityGroups/securityRules/write"},
    [PREPARE_PORT] = {.name = "port",
                      .title = "SSH port",
                      .needs = BIT(POWER) | BIT(ADDRESS),
                      .waits = BIT(EXTENSION) | BIT(RULE),
                      .check = port_check,
                      .settle_ms = 60000},
    [PREPARE_HOST_KEY] = {.name = "host-key",
                          .title = "host key",
                          .needs = BIT(PORT),
                          .check = host_key_check,
                          .action = "Microsoft.Compute/virtualMachines/runCommand/action"},
    [PREPARE_LOGIN] = {.name = "login",
                       .title = "login",
                       .needs = BIT(HOST_KEY),
                       .check = login_check,
                       .mend = login_mend,
                       .undo = login_undo,
                       .action = "Microsoft.Compute/virtualMachines/runCommand/action"},
    [PREPARE_FORWARD] = {.name = "forward",
                         .title = "forwarding",
                         .needs = BIT(LOGIN),
                         .check = forward_check},
    [PREPARE_RDP] = {.name = "rdp", .title = "RDP", .needs = BIT(FORWARD), .check = rdp_check},
};

const enum prepare_step step_undo_order[] = {PREPARE_SIGN_IN, PREPARE_VM,      PREPARE_LOGIN,
                                             PREPARE_RULE,    PREPARE_ADDRESS, PREPARE_EXTENSION,
                                             PREPARE_POWER,   PREPARE_STEPS};

const char *prepare_step_name(enum prepare_step s)
{
    return s < PREPARE_STEPS ? step_table[s].name : "";
}

const char *prepare_step_title(enum prepare_step s)
{
    return s < PREPARE_STEPS ? step_table[s].title : "";
}

enum prepare_step prepare_step_find(const char *name)
{
    enum prepare_step s = 0;
    while (s < PREPARE_STEPS && strcasecmp(step_table[s].name, name) != 0)
        s++;
    return s;
}

const char *prepare_status_name(enum prepare_status s)
{
    static const char *const names[] = {"pass", "fail", "skip", "mended"};
    return names[s];
}
