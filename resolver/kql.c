/*
 * kql: composes the Resource Graph query. Source: the string literals and operators of the Kusto Query
 * Language.
 */
#include "kql.h"

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
    strbuf_puts(out, "Resources | where type =~ 'microsoft.compute/virtualmachines' and name in~ (");
    for (size_t i = 0; i < count; i++) {
        if (i)
            strbuf_puts(out, ", ");
        kql_literal_add(out, names[i]);
    }
    strbuf_puts(
        out, ") | mv-expand nic = properties.networkProfile.networkInterfaces"
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
