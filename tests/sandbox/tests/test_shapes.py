"""What else there is behind a name: instances of a Uniform scale set, several addresses, IPv6, ids in another case."""

from sandbox_fixture import Case, main

NET = "2018-10-01"
SET = "/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachineScaleSets/web-uni"
QUERY = ("Resources | where type =~ 'microsoft.compute/virtualmachines'%s | join kind=leftouter (Resources | where type =~ "
         "'microsoft.network/networkinterfaces') on nicId | project id, name | order by id asc, nicId asc, ipName asc")


class Uniform(Case):
    def get(self, tail, api="2024-11-01"):
        status, _, body = self.sb.arm("GET", SET + tail, api=api)
        self.assertEqual(status, 200, body)
        return body

    def test_instances(self):
        self.assertEqual(self.get("")["properties"]["orchestrationMode"], "Uniform")
        self.assertEqual([i["instanceId"] for i in self.get("/virtualMachines")["value"]], ["0", "2"])
        vm = self.get("/virtualMachines/0?$expand=instanceView")
        self.assertEqual((vm["name"], vm["type"]), ("web-uni_0", "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"))
        self.assertTrue(vm["id"].endswith("/virtualMachineScaleSets/web-uni/virtualMachines/0"))
        self.assertIn("PowerState/running", [s["code"] for s in vm["properties"]["instanceView"]["statuses"]])
        self.assertEqual(vm["properties"]["vmId"], self.sb.vm("web-uni_0")["vmId"])
        self.assertEqual(self.get("/virtualMachines/2/instanceView")["statuses"][1]["code"], "PowerState/deallocated")
        self.assertEqual(self.sb.arm("GET", SET + "/virtualMachines/1")[0], 404)

    def test_addresses(self):
        vm = self.get("/virtualMachines/0")
        ref = vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
        nic = self.get("/virtualMachines/0/networkInterfaces", NET)["value"][0]
        self.assertEqual((nic["id"], "location" in nic), (ref, False))
        ip = nic["properties"]["ipConfigurations"][0]["properties"]
        self.assertEqual(list(ip["publicIPAddress"]), ["id"])
        own = self.sb.vm("web-uni_0")
        self.assertEqual(ip["privateIPAddress"], own["privateAddress"])
        address = self.sb.arm("GET", "/" + ip["publicIPAddress"]["id"], api=NET)[2]
        self.assertEqual(address["properties"]["ipAddress"], own["address"])
        whole = self.sb.arm("GET", "/" + nic["id"] + "?$expand=ipConfigurations/publicIPAddress", api=NET)[2]
        self.assertEqual(whole["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"], address)
        self.assertFalse({"sku", "location", "type"} & set(address))
        self.assertEqual(self.get("/publicipaddresses", NET)["value"], [address])
        listed = self.sb.arm("GET", nic["id"].join(["/", "/ipconfigurations/ipconfig1/publicipaddresses"]), api=NET)[2]
        self.assertEqual(listed["value"], [address])
        without = self.get("/virtualMachines/2/networkInterfaces", NET)["value"][0]
        self.assertNotIn("publicIPAddress", without["properties"]["ipConfigurations"][0]["properties"])

    def test_network_paths_have_versions_of_their_own(self):
        status, _, body = self.sb.arm("GET", SET + "/publicipaddresses", api="2024-05-01")
        self.assertEqual((status, body["error"]["code"]), (400, "NoRegisteredProviderFound"))

    def test_it_is_no_vm(self):
        self.assertEqual(self.sb.arm("GET", self.sb.vm_path("rg-web/web-uni_0"))[0], 404)
        self.assertEqual(self.sb.graph(QUERY % " and name =~ 'web-uni_0'")[2]["totalRecords"], 0)
        self.assertEqual(self.sb.arm("GET", self.sb.net_path("rg-web", "networkInterfaces/web-uni_0-nic"))[0], 404)

    def test_it_runs(self):
        self.assertEqual(self.sb.ssh("web-uni_0", "echo here").stdout, "here\n")
        _, headers, _ = self.sb.arm("POST", SET + "/virtualMachines/2/start")
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        self.assertEqual(self.get("/virtualMachines/2/instanceView")["statuses"][1]["code"], "PowerState/running")

    def test_sets(self):
        body = self.sb.arm("GET", "/providers/Microsoft.Compute/virtualMachineScaleSets")[2]
        self.assertEqual({s["name"]: s["properties"]["orchestrationMode"] for s in body["value"]},
                         {"web-flex": "Flexible", "web-uni": "Uniform"})


class Addresses(Case):
    world = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: s
subscriptions: [{id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}]
vms:
  - {name: many, group: rg-net, synthetic: true, decoy-nic: true, secondary-ip: true, ipv6: true}
  - {name: six, group: rg-net, synthetic: true, public-ip: none, ipv6: true}
  - {name: balanced, group: rg-net, synthetic: true, public-ip: none, load-balanced: true}
  - {name: odd, group: rg-net, synthetic: true, odd-casing: true}
"""

    def nics(self, vm):
        body = self.sb.arm("GET", self.sb.vm_path("rg-net/" + vm))[2]
        for nic in body["properties"]["networkProfile"]["networkInterfaces"]:
            yield self.sb.arm("GET", "/" + nic["id"] + "?$expand=IPConfigurations/PublicIPAddress")[2]["properties"]

    def test_several(self):
        decoy, own = self.nics("many")
        self.assertEqual((decoy["primary"], own["primary"]), (False, True))
        configs = [c["properties"] for c in own["ipConfigurations"]]
        self.assertEqual([(c["primary"], c["privateIPAddressVersion"]) for c in configs],
                         [(False, "IPv4"), (True, "IPv4"), (False, "IPv6")])
        public = [c.get("publicIPAddress", {}).get("properties", {}) for c in configs]
        self.assertEqual([p.get("publicIPAddressVersion") for p in public], [None, "IPv4", "IPv6"])
        self.assertTrue(public[2]["ipAddress"].startswith("2001:db8:66::"))
        self.assertEqual(self.sb.arm("GET", self.sb.net_path("rg-net", "publicIPAddresses/many-ip6"))[2]["properties"], public[2])
        rows = self.sb.graph(QUERY % " and name =~ 'many'")[2]["data"]
        self.assertEqual([(r["nicPrimary"], r["ipPrimary"], r["publicIp"]) for r in rows],
                         [(True, False, ""), (True, True, self.sb.vm("many")["address"]), (True, False, public[2]["ipAddress"]),
                          (False, True, "")])

    def test_only_ipv6(self):
        nic, = self.nics("six")
        public = [c["properties"].get("publicIPAddress") for c in nic["ipConfigurations"]]
        self.assertEqual(public[0], None)
        self.assertEqual(public[1]["properties"]["publicIPAddressVersion"], "IPv6")
        self.assertEqual(self.sb.arm("GET", self.sb.net_path("rg-net", "publicIPAddresses/six-ip"))[0], 404)

    def test_load_balanced(self):
        nic, = self.nics("balanced")
        ip = nic["ipConfigurations"][0]["properties"]
        self.assertIn("/loadBalancers/lb/", ip["loadBalancerBackendAddressPools"][0]["id"])
        self.assertIn("/inboundNatRules/", ip["loadBalancerInboundNatRules"][0]["id"])
        self.assertNotIn("publicIPAddress", ip)

    def test_odd_casing(self):
        vm = self.sb.arm("GET", self.sb.vm_path("rg-net/odd"))[2]
        self.assertIn("/resourcegroups/RG-NET/providers/microsoft.compute/virtualmachines/odd", vm["id"])
        nic, = self.nics("odd")
        self.assertEqual(nic["ipConfigurations"][0]["properties"]["publicIPAddress"]["properties"]["ipAddress"],
                         self.sb.vm("odd")["address"])
        row = self.sb.graph(QUERY % " and name =~ 'odd'")[2]["data"][0]
        self.assertNotEqual(row["id"], vm["id"])
        self.assertEqual(row["id"].lower(), vm["id"].lower())


class BadNames(Case):
    def test_an_instance_is_named_by_its_set(self):
        import subprocess
        path = self.sb.path("bad.yaml")
        with open(path, "w") as f:
            f.write(Addresses.world + "  - {name: x, group: g, scale-set: s, uniform: true}\n")
        done = subprocess.run([self.sb.binary, "run", "--dir", self.sb.path("other"), "--file", path], capture_output=True,
                              text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("named SCALE-SET_NUMBER", done.stderr)


if __name__ == "__main__":
    main()
