/*
 * arm: what taking ARM's replies apart costs: a VM with its instance view, and its network interface.
 */
#include <jansson.h>
#include <string.h>

#include "micro.h"
#include "resolver/arm_nic.h"
#include "resolver/arm_vm.h"

#define SUB "/subscriptions/11111111-1111-1111-1111-111111111111"
#define NET SUB "/resourceGroups/rg-desk/providers/Microsoft.Network"
#define VM SUB "/resourceGroups/rg-desk/providers/Microsoft.Compute/virtualMachines/win11"

static const char VM_REPLY[] =
    "{\"name\":\"win11\",\"id\":\"" VM
    "\",\"type\":\"Microsoft.Compute/virtualMachines\",\"location\":\"westeurope\","
    "\"tags\":{\"team\":\"desk\",\"cost\":\"1234\"},\"properties\":{"
    "\"vmId\":\"44444444-4444-4444-4444-444444444444\","
    "\"hardwareProfile\":{\"vmSize\":\"Standard_D4s_v5\"},\"provisioningState\":\"Succeeded\","
    "\"storageProfile\":{\"imageReference\":{\"publisher\":\"MicrosoftWindowsDesktop\",\"offer\":\"windows-"
    "11\","
    "\"sku\":\"win11-23h2-pro\",\"version\":\"latest\"},\"osDisk\":{\"osType\":\"Windows\",\"name\":\"win11_"
    "disk\","
    "\"createOption\":\"FromImage\",\"caching\":\"ReadWrite\",\"diskSizeGB\":127},\"dataDisks\":[]},"
    "\"osProfile\":{\"computerName\":\"win11\",\"adminUsername\":\"azureuser\",\"secrets\":[],"
    "\"allowExtensionOperations\":true},\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" NET
    "/networkInterfaces/win11-nic\",\"properties\":{\"primary\":true,\"deleteOption\":\"Detach\"}}]},"
    "\"timeCreated\":\"2025-11-02T10:00:00Z\",\"instanceView\":{\"vmAgent\":{\"vmAgentVersion\":\"2.7\","
    "\"statuses\":[{\"code\":\"ProvisioningState/succeeded\",\"level\":\"Info\"}]},\"statuses\":["
    "{\"code\":\"ProvisioningState/succeeded\",\"level\":\"Info\",\"displayStatus\":\"Provisioning "
    "succeeded\"},"
    "{\"code\":\"PowerState/running\",\"level\":\"Info\",\"displayStatus\":\"VM running\"}]}}}";

static const char NIC_REPLY[] =
    "{\"name\":\"win11-nic\",\"id\":\"" NET "/networkInterfaces/win11-nic\",\"location\":\"westeurope\","
    "\"properties\":{\"provisioningState\":\"Succeeded\",\"primary\":true,\"ipConfigurations\":[{"
    "\"name\":\"ipconfig1\",\"properties\":{\"primary\":true,\"privateIPAddress\":\"10.66.0.4\","
    "\"privateIPAllocationMethod\":\"Dynamic\",\"privateIPAddressVersion\":\"IPv4\",\"publicIPAddress\":{"
    "\"id\":\"" NET "/publicIPAddresses/win11-ip\",\"properties\":{\"ipAddress\":\"127.66.0.4\","
    "\"publicIPAddressVersion\":\"IPv4\",\"publicIPAllocationMethod\":\"Static\"}}}}]}}";

static int setup(void **ctx, struct err *err)
{
    (void)err;
    *ctx = NULL;
    return 0;
}

static json_t *load(const char *text, size_t n)
{
    return json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
}

static int resolve_once(void)
{
    struct arm_vm vm;
    json_t *reply = load(VM_REPLY, sizeof VM_REPLY - 1);
    json_t *nic = load(NIC_REPLY, sizeof NIC_REPLY - 1);
    int rc = reply && nic ? arm_vm_parse(&vm, reply, NULL) : -1;
    if (rc == 0) {
        rc = arm_nic_parse(vm.facts, nic, true, NULL);
        if (rc == 0 && (vm.facts->power != RESOLVER_POWER_RUNNING || vm.nic_count != 1))
            rc = -1;
        arm_vm_done(&vm);
    }
    json_decref(reply);
    json_decref(nic);
    return rc < 0 ? -1 : 0;
}

static int run(void *ctx, uint32_t ops)
{
    (void)ctx;
    int rc = 0;
    while (ops-- && rc == 0)
        rc = resolve_once();
    return rc;
}

static void done(void *ctx)
{
    (void)ctx;
}

const struct micro micro_arm = {
    .name = "arm-replies",
    .what = "the replies about a VM and its network interface parsed into facts",
    .bytes = sizeof VM_REPLY + sizeof NIC_REPLY - 2,
    .guard_ops = 200,
    .setup = setup,
    .run = run,
    .done = done,
};
