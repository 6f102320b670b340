/*
 * kql: composes the Resource Graph query. Source: the string literals and operators of the Kusto Query
 * Language.
 */
#include "kql.h"

#include <string.h>

void kql_literal_add(struct strbuf *out, const char *text)
{
    strbuf_puts(out, "'");
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '\'' || *p == '\\')
            strbuf_printf(out, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            strbuf_printf(out, "\\u%04x", *p);
        else
            strbuf_add(out, (const char *)p, 1);
    }
    strbuf_puts(out, "'");
}

void kql_vms_named(struct strbuf *out, const char *const *names, size_t count)
{
    strbuf_puts(out, "Resources | where type =~ 'microsoft.compute/virtualmachines'");
    for (size_t i = 0; i < count; i++) {
        strbuf_puts(out, i ? ", " : " and name in~ (");
        kql_literal_add(out, names[i]);
    }
    if (count)
        strbuf_puts(out, ")");
    strbuf_puts(
        out, " | mv-expand nic = properties.networkProfile.networkInterfaces"
             " | extend nicId = tolower(tostring(nic.id))"
             " | join kind=leftouter (Resources | where type =~ 'microsoft.network/networkinterfaces'"
             " | mv-expand ipc = properties.ipConfigurations"
             " | project nicId = tolower(id), ipName = tostring(ipc.name), ipPrimary = "
             "tobool(ipc.properties.primary),"
             " privateIp = tostring(ipc.properties.privateIPAddress),"
             " publicIpId = tolower(tostring(ipc.properties.publicIPAddress.id))) on nicId"
             " | join kind=leftouter (Resources | where type =~ 'microsoft.network/publicipaddresses'"
             " | project publicIpId = tolower(id), publicIp = tostring(properties.ipAddress)) on publicIpId"
             " | project id, name, resourceGroup, subscriptionId, location, vmId = tostring(properties.vmId),"
             " osType = tostring(properties.storageProfile.osDisk.osType),"
             " power = tostring(properties.extended.instanceView.powerState.code),"
             " adminUser = tostring(properties.osProfile.adminUsername),"
             " provisioning = tostring(properties.provisioningState), nicId,"
             " nicPrimary = tobool(nic.properties.primary), ipName, ipPrimary, privateIp, publicIp"
             " | order by id asc, nicId asc, ipName asc");
}

void kql_vms_as_long_as(struct strbuf *out, const char *name)
{
    size_t n = strlen(name);
    strbuf_printf(
        out,
        "Resources | where type =~ 'microsoft.compute/virtualmachines' and strlen(name) between (%zu .. %zu)"
        " | project id | order by id asc",
        n > 3 ? n - 3 : 0, n + 3);
}
