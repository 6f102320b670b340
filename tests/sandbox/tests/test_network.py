"""Who gets to a VM's SSH port: security groups of NIC and subnet, effective rules, public addresses that come and go."""

import json

from sandbox_fixture import Case, main

HEAD = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: s
operation-ms: 100
subscriptions: [{id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}]
vms:
"""


def rule(**changes):
    body = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 1000, "sourceAddressPrefix": "*",
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22", **changes}
    return {"properties": body}


class Doors(Case):
    """What is knocked at, and who gets in."""
    world = HEAD + """
  - {name: plain, group: rg}
  - {name: denied, group: rg, rules: [{name: no, priority: 900, access: deny, source: 203.0.113.0/24}]}
  - {name: later, group: rg, rules: [{name: no, priority: 1001, access: deny}]}
  - {name: elsewhere, group: rg, lacks: [rule], rules: [{name: some, priority: 300, source: '198.51.100.0/24,10.0.0.0/8'}]}
  - {name: range, group: rg, lacks: [rule], rules: [{name: some, priority: 300, port: '20-25,443', source: Internet}]}
  - {name: other, group: rg, lacks: [rule], rules: [{name: udp, priority: 300, protocol: udp}, {name: out, priority: 300, direction: outbound},
                                                    {name: web, priority: 301, port: '80'}, {name: tag, priority: 302, source: Storage}]}
  - {name: subnet, group: rg, nsg: subnet}
  - {name: both, group: rg, nsg: both}
  - {name: half, group: rg, nsg: both, rules: [{name: no, priority: 100, access: deny, source: VirtualNetwork}, {name: sub, on: subnet, priority: 100, access: deny}]}
  - {name: bare, group: rg, nsg: none}
  - {name: basic, group: rg, nsg: none, public-ip: dynamic}
"""

    def gets_in(self, vm):
        said = self.sb.ssh(vm, "echo in", "-o", "ConnectTimeout=1")
        self.assertIn(said.stdout + ("timed out" if "timed out" in said.stderr else ""), ("in\n", "timed out"), said.stderr)
        return said.stdout == "in\n"

    def test_rules_are_judged(self):
        got = {vm["name"]: self.gets_in(vm["name"]) for vm in self.sb.status()["vms"]}
        self.assertEqual(got, {"plain": True, "denied": False, "later": True, "elsewhere": False, "range": True,
                               "other": False, "subnet": True, "both": True, "half": False, "bare": False, "basic": True})

    def test_the_caller_moves(self):
        self.sb.ctl_ok("world", "caller", "198.51.100.9")
        self.assertTrue(self.gets_in("elsewhere"))
        self.assertTrue(self.gets_in("denied"))
        self.sb.ctl_ok("world", "caller", "203.0.113.7")
        self.assertFalse(self.gets_in("elsewhere"))

    def put(self, nsg, name, **changes):
        return self.sb.arm("PUT", self.sb.net_path("rg", "networkSecurityGroups/%s/securityRules/%s" % (nsg, name)),
                           rule(**changes))

    def test_a_rule_opens_and_closes(self):
        path = self.sb.net_path("rg", "networkSecurityGroups/other-nsg/securityRules/allow-SSH")
        status, headers, body = self.put("other-nsg", "allow-SSH", sourceAddressPrefix="203.0.113.7/32", priority=1100)
        self.assertEqual((status, body["properties"]["provisioningState"]), (201, "Updating"))
        self.assertIn("/providers/Microsoft.Network/locations/westeurope/operations/", headers["Azure-AsyncOperation"])
        self.assertNotIn("Location", headers)
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        self.assertEqual(self.sb.arm("GET", path)[2]["properties"]["sourceAddressPrefix"], "203.0.113.7/32")
        self.assertTrue(self.gets_in("other"))
        headers = self.sb.arm("DELETE", path)[1]
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        self.assertEqual(self.sb.arm("GET", headers["Location"])[0], 204)
        self.assertFalse(self.gets_in("other"))
        self.assertEqual(self.sb.arm("DELETE", path)[0], 204)

    def test_refusals(self):
        def code(*args, **changes):
            status, _, body = self.put(*args, **changes)
            return status, body["error"]["code"]
        self.assertEqual(code("plain-nsg", "x"), (400, "SecurityRuleConflict"))
        self.assertEqual(code("plain-nsg", "x", priority=99), (400, "SecurityRuleInvalidPriority"))
        self.assertEqual(code("plain-nsg", "x", priority=101, destinationPortRange="22;"), (400, "SecurityRuleInvalidPortRange"))
        self.assertEqual(code("plain-nsg", "x", priority=101, sourceAddressPrefix="10.0.0.1/24"),
                         (400, "SecurityRuleInvalidAddressPrefix"))
        self.assertEqual(code("plain-nsg", "x", priority=101, sourceAddressPrefix=None)[0], 400)
        self.assertEqual(code("nobody-nsg", "x"), (404, "ParentResourceNotFound"))
        self.assertEqual(code("bare-nsg", "x"), (404, "ParentResourceNotFound"))

    def test_one_change_of_a_group_at_a_time(self):
        first = self.put("both-nsg", "one", priority=200)
        status, headers, body = self.put("both-nsg", "two", priority=201)
        self.assertEqual((status, body["error"]["code"], body["error"]["details"][0]["code"]),
                         (429, "RetryableError", "RetryableErrorDueToAnotherOperation"))
        self.assertEqual(headers["Retry-After"], "1")
        other = self.put("both-subnet-nsg", "two", priority=201)
        self.assertEqual(other[0], 201)
        self.assertEqual([self.sb.finish(x[1])["status"] for x in (first, other)], ["Succeeded"] * 2)


class Documents(Case):
    """NIC, subnet and group name each other."""
    world = HEAD + """
  - {name: nic, group: rg}
  - {name: subnet, group: rg, nsg: subnet, decoy-nic: true}
  - {name: both, group: rg, nsg: both, rules: [{name: web, priority: 300, port: '80,443', on: subnet}]}
  - {name: none, group: rg, nsg: none}
  - {name: off, group: rg, power: deallocated}
"""

    def nic(self, vm):
        return self.sb.arm("GET", self.sb.net_path("rg", "networkInterfaces/%s-nic" % vm))[2]["properties"]

    def subnet(self, vm):
        return self.sb.arm("GET", "/" + self.nic(vm)["ipConfigurations"][0]["properties"]["subnet"]["id"])[2]

    def test_who_names_whom(self):
        def last(of):
            return of.get("networkSecurityGroup", {}).get("id", "").split("/")[-1]
        got = {vm: (last(self.nic(vm)), last(self.subnet(vm)["properties"])) for vm in ("nic", "subnet", "both", "none")}
        self.assertEqual(got, {"nic": ("nic-nsg", ""), "subnet": ("", "subnet-subnet-nsg"),
                               "both": ("both-nsg", "both-subnet-nsg"), "none": ("", "")})
        group = self.sb.arm("GET", self.sb.net_path("rg", "networkSecurityGroups/both-subnet-nsg"))[2]["properties"]
        self.assertEqual(group["subnets"][0]["id"], self.subnet("both")["id"])
        self.assertEqual([r["name"] for r in group["securityRules"]], ["allow-SSH", "web"])
        self.assertEqual(len(group["defaultSecurityRules"]), 6)
        self.assertEqual(self.sb.arm("GET", self.sb.net_path("rg", "networkSecurityGroups/nic-subnet-nsg"))[0], 404)
        vnet = self.sb.arm("GET", self.sb.net_path("rg", "virtualNetworks/vnet"))[2]
        self.assertEqual([s["name"] for s in vnet["properties"]["subnets"]], ["default", "storage", "subnet", "both"])
        self.assertEqual(self.sb.arm("GET", self.sb.net_path("rg", "virtualNetworks/vnet/subnets/x"))[0], 404)

    def effective(self, nic):
        status, headers, body = self.sb.arm("POST", self.sb.net_path("rg", "networkInterfaces/%s/effectiveNetworkSecurityGroups" % nic))
        if status != 202:
            return status, body
        self.assertNotIn("Azure-AsyncOperation", headers)
        self.assertIn("/operationResults/", headers["Location"])
        while status == 202:
            status, _, body = self.sb.arm("GET", headers["Location"])
        return status, body

    def test_effective(self):
        status, body = self.effective("both-nic")
        self.assertEqual((status, len(body["value"])), (200, 2))
        subnet, nic = body["value"]
        self.assertEqual((list(subnet["association"]), list(nic["association"])), (["subnet"], ["networkInterface"]))
        self.assertTrue(subnet["networkSecurityGroup"]["id"].endswith("/both-subnet-nsg"))
        rules = {r["name"]: r for r in subnet["effectiveSecurityRules"]}
        ssh, web, deny = rules["securityRules/allow-SSH"], rules["securityRules/web"], rules["defaultSecurityRules/DenyAllInBound"]
        self.assertEqual((ssh["protocol"], ssh["destinationPortRange"], ssh["sourceAddressPrefix"], ssh["sourcePortRange"]),
                         ("Tcp", "22-22", "0.0.0.0/0", "0-65535"))
        self.assertEqual(web["destinationPortRanges"], ["80-80", "443-443"])
        self.assertNotIn("destinationPortRange", web)
        self.assertEqual((deny["protocol"], deny["access"], deny["priority"]), ("All", "Deny", 65500))
        self.assertIn("10.66.0.0/16", rules["defaultSecurityRules/AllowVnetInBound"]["expandedSourceAddressPrefix"])
        self.assertEqual(self.effective("none-nic"), (200, {"value": []}))

    def test_effective_needs_a_running_vm(self):
        status, body = self.effective("off-nic")
        self.assertEqual((status, body["error"]["code"]), (400, "NicMustBeAttachedToRunningVmToGetEffectiveSecurityGroups"))
        self.assertEqual(self.effective("nobody-nic")[0], 404)


class Addresses(Case):
    """Public addresses are made, put on a NIC, and the VM is reached there."""
    world = HEAD + """
  - {name: hidden, group: rg, public-ip: none}
  - {name: seen, group: rg}
"""

    def put_ip(self, name, **changes):
        body = {"location": "westeurope", "sku": {"name": "Standard"},
                "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", **changes}}
        return self.sb.arm("PUT", self.sb.net_path("rg", "publicIPAddresses/" + name), body)

    def nic(self, vm="hidden"):
        return self.sb.arm("GET", self.sb.net_path("rg", "networkInterfaces/%s-nic" % vm))[2]

    def put_nic(self, nic, vm="hidden", match=None):
        return self.sb.arm("PUT", self.sb.net_path("rg", "networkInterfaces/%s-nic" % vm), nic,
                           {"If-Match": match} if match else {})

    def test_make_attach_detach_delete(self):
        path = self.sb.net_path("rg", "publicIPAddresses/mine")
        self.assertEqual(self.sb.arm("GET", path)[0], 404)
        status, headers, body = self.put_ip("mine")
        self.assertEqual((status, body["sku"]["name"]), (201, "Standard"))
        self.assertNotIn("ipAddress", body["properties"])
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        made = self.sb.arm("GET", path)[2]
        nic = self.nic()
        etag = nic["etag"]
        nic["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": made["id"]}
        self.assertEqual(self.put_nic(nic, match='W/"old"')[2]["error"]["code"], "PreconditionFailed")
        status, headers, body = self.put_nic(nic, match=etag)
        self.assertEqual(status, 200)
        self.assertNotEqual(body["etag"], etag)
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        self.assertEqual(self.sb.vm("hidden")["address"], made["properties"]["ipAddress"])
        self.assertEqual(self.sb.ssh("hidden", "echo in").stdout, "in\n")
        used = self.sb.arm("GET", path)[2]["properties"]["ipConfiguration"]["id"]
        self.assertTrue(used.endswith("/hidden-nic/ipConfigurations/ipconfig1"))
        self.assertEqual(self.sb.arm("DELETE", path)[2]["error"]["code"], "PublicIPAddressCannotBeDeleted")
        taken = self.nic("seen")
        taken["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": made["id"]}
        self.assertEqual(self.put_nic(taken, "seen")[2]["error"]["code"], "PublicIPReferencedByMultipleIPConfigs")
        del nic["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]
        self.assertEqual(self.sb.finish(self.put_nic(nic)[1])["status"], "Succeeded")
        self.assertEqual(self.sb.vm("hidden")["address"], "")
        self.assertEqual(self.sb.finish(self.sb.arm("DELETE", path)[1])["status"], "Succeeded")
        self.assertEqual(self.sb.arm("GET", path)[0], 404)
        self.assertEqual(self.sb.arm("DELETE", path)[0], 204)

    def test_a_body_that_forgets_the_group_takes_it_off(self):
        nic = self.nic("seen")
        group = nic["properties"].pop("networkSecurityGroup")
        self.assertEqual(self.sb.finish(self.put_nic(nic, "seen")[1])["status"], "Succeeded")
        self.assertIn("timed out", self.sb.ssh("seen", "true", "-o", "ConnectTimeout=1").stderr)
        nic["properties"]["networkSecurityGroup"] = group
        self.assertEqual(self.sb.finish(self.put_nic(nic, "seen")[1])["status"], "Succeeded")
        self.assertEqual(self.sb.ssh("seen", "echo in").stdout, "in\n")

    def test_standard_is_static(self):
        self.assertEqual(self.put_ip("x", publicIPAllocationMethod="Dynamic")[0], 400)

    def test_joining_needs_a_role(self):
        self.sb.finish(self.put_ip("linked")[1])
        nic = self.nic()
        nic["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {
            "id": self.sb.arm("GET", self.sb.net_path("rg", "publicIPAddresses/linked"))[2]["id"]}
        self.sb.ctl_ok("arm", "deny", "Microsoft.Network/publicIPAddresses/join/action")
        status, _, body = self.put_nic(nic)
        self.sb.ctl_ok("arm", "clear")
        self.assertEqual((status, body["error"]["code"]), (403, "LinkedAuthorizationFailed"))
        self.assertEqual(json.loads(self.sb.ctl_ok("world", "snapshot"))["vms"]["rg/hidden"]["publicIp"], "")


if __name__ == "__main__":
    main()
