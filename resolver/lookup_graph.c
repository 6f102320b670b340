/*
 * lookup_graph: finds VMs by bare name with one Resource Graph query that already carries every fact.
 *
 * The request is ARM's POST /providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01 with
 *
 *   {"subscriptions": ["GUID", …],              absent: every subscription that the caller can see
 *    "query": QUERY,
 *    "options": {"resultFormat": "objectArray", "$top": 1000, "$skipToken": "…"}}   $skipToken from the second page on
 *
 * QUERY is one line, its parts joined by single blanks; NAMES is 'web1' or 'web1', 'web2', …, each quoted for KQL:
 *
 *   Resources
 *   | where type =~ 'microsoft.compute/virtualmachines' and name in~ (NAMES)
 *   | mv-expand nic = properties.networkProfile.networkInterfaces
 *   | extend nicId = tolower(tostring(nic.id))
 *   | join kind=leftouter (Resources
 *       | where type =~ 'microsoft.network/networkinterfaces'
 *       | mv-expand ipc = properties.ipConfigurations
 *       | project nicId = tolower(id), ipName = tostring(ipc.name), ipPrimary = tobool(ipc.properties.primary),
 *           privateIp = tostring(ipc.properties.privateIPAddress),
 *           publicIpId = tolower(tostring(ipc.properties.publicIPAddress.id))) on nicId
 *   | join kind=leftouter (Resources
 *       | where type =~ 'microsoft.network/publicipaddresses'
 *       | project publicIpId = tolower(id), publicIp = tostring(properties.ipAddress)) on publicIpId
 *   | project id, name, resourceGroup, subscriptionId, location, vmId = tostring(properties.vmId),
 *       osType = tostring(properties.storageProfile.osDisk.osType),
 *       power = tostring(properties.extended.instanceView.powerState.code),
 *       adminUser = tostring(properties.osProfile.adminUsername),
 *       provisioning = tostring(properties.provisioningState), nicId, nicPrimary = tobool(nic.properties.primary),
 *       ipName, ipPrimary, privateIp, publicIp
 *   | order by id asc, nicId asc, ipName asc
 *
 * The reply is {"totalRecords", "count", "data": [ROW, …], "resultTruncated": "false", "$skipToken"?}. One ROW is one
 * ipConfiguration; a VM with several has neighbouring rows that repeat its own columns:
 *
 *   {"id": "/subscriptions/…/virtualMachines/web1", "name": "web1", "resourceGroup": "rg-web" (lower case),
 *    "subscriptionId": "GUID", "location": "westeurope", "vmId": "GUID", "osType": "Linux" | "Windows",
 *    "power": "PowerState/running", "adminUser": "azureuser", "provisioning": "Succeeded",
 *    "nicId": "/subscriptions/…" (lower case), "nicPrimary": true | false | null, "ipName": "ipconfig1",
 *    "ipPrimary": true | false | null, "privateIp": "10.0.0.4", "publicIp": "20.1.2.3"}
 *
 * What is unknown is "" or null: "publicIp" without a public address or while a Dynamic one is unallocated, "power"
 * while the platform does not know it, everything from "ipName" on for a NIC that is gone.
 */
