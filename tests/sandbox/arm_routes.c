/*
 * arm_routes: which call goes to which handler, and under which name it is counted.
 */
#include "arm.h"

#define SUB "/subscriptions/{s}"
#define GROUP SUB "/resourceGroups/{g}"
#define COMPUTE GROUP "/providers/Microsoft.Compute/virtualMachines"
#define SETS "/providers/Microsoft.Compute/virtualMachineScaleSets"
#define SET GROUP SETS "/*"
#define INSTANCE SET "/virtualMachines/*"
#define NETWORK GROUP "/providers/Microsoft.Network/"

const struct arm_route arm_routes[] = {
    {"GET", "/subscriptions", "subscription.list", arm_subscriptions_list},
    {"GET", SUB, "subscription.get", arm_subscription_get},
    {"GET", SUB "/resourceGroups", "group.list", arm_groups_list},
    {"GET", GROUP, "group.get", arm_group_get},
    {"GET", SUB "/providers/Microsoft.Compute/virtualMachines", "vm.list", arm_vms_list},
    {"GET", SUB "/providers/Microsoft.Compute/locations/*/operations/*", "operation.get", arm_operation_get},
    {"GET", SUB "/providers/Microsoft.Network/locations/*/operations/*", "operation.get", arm_operation_get},
    {"GET", SUB "/providers/Microsoft.Network/locations/*/operationResults/*", "operation.get",
     arm_operation_get},
    {"GET", COMPUTE, "vm.list", arm_vms_list},
    {"GET", COMPUTE "/*", "vm.get", arm_vm_get},
    {"GET", COMPUTE "/*/instanceView", "vm.get", arm_vm_instance_view},
    {"POST", COMPUTE "/*/start", "vm.start", arm_vm_start},
    {"POST", COMPUTE "/*/deallocate", "vm.deallocate", arm_vm_deallocate},
    {"POST", COMPUTE "/*/restart", "vm.restart", arm_vm_restart},
    {"POST", COMPUTE "/*/powerOff", "vm.powerOff", arm_vm_power_off},
    {"GET", COMPUTE "/*/runCommands", "command.list", arm_commands_list},
    {"GET", COMPUTE "/*/runCommands/*", "command.get", arm_command_get},
    {"PUT", COMPUTE "/*/runCommands/*", "command.put", arm_command_put},
    {"DELETE", COMPUTE "/*/runCommands/*", "command.delete", arm_command_delete},
    {"POST", COMPUTE "/*/runCommand", "vm.runCommand", arm_run_command},
    {"GET", COMPUTE "/*/extensions", "extension.list", arm_extensions_list},
    {"GET", COMPUTE "/*/extensions/*", "extension.get", arm_extension_get},
    {"PUT", COMPUTE "/*/extensions/*", "extension.put", arm_extension_put},
    {"DELETE", COMPUTE "/*/extensions/*", "extension.delete", arm_extension_delete},
    {"GET", NETWORK "networkInterfaces", "nic.list", arm_nics_list},
    {"GET", NETWORK "networkInterfaces/*", "nic.get", arm_nic_get},
    {"PUT", NETWORK "networkInterfaces/*", "nic.put", arm_nic_put},
    {"POST", NETWORK "networkInterfaces/*/effectiveNetworkSecurityGroups", "nic.effective",
     arm_effective_nsgs},
    {"GET", NETWORK "virtualNetworks/*", "vnet.get", arm_vnet_get},
    {"GET", NETWORK "virtualNetworks/*/subnets", "subnet.list", arm_subnets_list},
    {"GET", NETWORK "virtualNetworks/*/subnets/*", "subnet.get", arm_subnet_get},
    {"GET", NETWORK "publicIPAddresses", "publicip.list", arm_public_ips_list},
    {"GET", NETWORK "publicIPAddresses/*", "publicip.get", arm_public_ip_get},
    {"PUT", NETWORK "publicIPAddresses/*", "publicip.put", arm_public_ip_put},
    {"DELETE", NETWORK "publicIPAddresses/*", "publicip.delete", arm_public_ip_delete},
    {"GET", NETWORK "networkSecurityGroups/*", "nsg.get", arm_nsg_get},
    {"GET", NETWORK "networkSecurityGroups/*/securityRules", "rule.list", arm_rules_list},
    {"GET", NETWORK "networkSecurityGroups/*/securityRules/*", "rule.get", arm_rule_get},
    {"PUT", NETWORK "networkSecurityGroups/*/securityRules/*", "rule.put", arm_rule_put},
    {"DELETE", NETWORK "networkSecurityGroups/*/securityRules/*", "rule.delete", arm_rule_delete},
    {"POST", "/providers/Microsoft.ResourceGraph/resources", "graph", arm_graph},
    {"GET", SUB SETS, "vmss.list", arm_sets_list},
    {"GET", GROUP SETS, "vmss.list", arm_sets_list},
    {"GET", SET, "vmss.get", arm_set_get},
    {"GET", SET "/networkInterfaces", "vmss.nics", arm_set_nics_list},
    {"GET", SET "/publicipaddresses", "vmss.ips", arm_set_ips_list},
    {"GET", SET "/virtualMachines", "instance.list", arm_instances_list},
    {"GET", INSTANCE, "instance.get", arm_instance_get},
    {"GET", INSTANCE "/instanceView", "instance.get", arm_vm_instance_view},
    {"POST", INSTANCE "/start", "instance.start", arm_vm_start},
    {"POST", INSTANCE "/deallocate", "instance.deallocate", arm_vm_deallocate},
    {"POST", INSTANCE "/runCommand", "instance.runCommand", arm_run_command},
    {"GET", INSTANCE "/networkInterfaces", "instance.nics", arm_instance_nics_list},
    {"GET", INSTANCE "/networkInterfaces/*", "instance.nic", arm_instance_nic_get},
    {"GET", INSTANCE "/networkInterfaces/*/ipconfigurations/*/publicipaddresses", "instance.ips",
     arm_instance_ips},
    {"GET", INSTANCE "/networkInterfaces/*/ipconfigurations/*/publicipaddresses/*", "instance.ip",
     arm_instance_ips},
    {0},
};
