"""A large fleet: many VMs in several subscriptions, Resource Graph's pages, its quota and how far it is behind."""

import time

from sandbox_fixture import Case, main, wait_for

SHORT = "Resources | where type =~ 'microsoft.compute/virtualmachines' | project id, name | order by id asc"
JOINED = ("Resources | where type =~ 'microsoft.compute/virtualmachines'%s | join kind=leftouter (Resources | where type =~ "
          "'microsoft.network/networkinterfaces') on nicId | project id, name | order by id asc")


class Fleet(Case):
    args = ("--scale", "2500", "--subscriptions", "5")

    def setUp(self):
        self.sb.ctl_ok("arm", "quota", "off")

    def tearDown(self):
        self.sb.ctl_ok("arm", "clear")
        self.sb.ctl_ok("graph", "clear")

    def subscriptions(self):
        return self.sb.arm("GET", "//subscriptions", api="2022-12-01")[2]["value"]

    def pages(self, query, **options):
        rows, bodies = [], []
        while not bodies or "$skipToken" in bodies[-1]:
            status, _, body = self.sb.graph(query, **options, **({"$skipToken": bodies[-1]["$skipToken"]} if bodies else {}))
            self.assertEqual(status, 200, body)
            bodies.append(body)
            rows += body["data"]
        return rows, bodies

    def test_subscriptions_have_names(self):
        all_of_them = self.subscriptions()
        self.assertEqual([s["displayName"] for s in all_of_them], ["Sandbox"] + ["Sandbox %d" % n for n in range(2, 6)])
        self.assertEqual(len({s["subscriptionId"] for s in all_of_them}), 5)

    def test_every_page(self):
        rows, bodies = self.pages(JOINED % "")
        self.assertEqual([b["resultTruncated"] for b in bodies], ["true", "true", "false"])
        self.assertEqual([b["count"] for b in bodies], [1000, 1000, 500])
        self.assertEqual({b["totalRecords"] for b in bodies}, {2500})
        self.assertEqual(sorted(r["name"] for r in rows), ["vm%04d" % n for n in range(1, 2501)])
        self.assertEqual(len({r["publicIp"] for r in rows}), 2500)
        self.assertEqual([r["id"] for r in rows], sorted(r["id"] for r in rows))
        self.assertEqual(len(self.pages(JOINED % "", **{"$top": 900})[1]), 3)

    def test_a_page_belongs_to_its_query(self):
        token = self.sb.graph(SHORT)[2]["$skipToken"]
        self.assertEqual(self.sb.graph(JOINED % "", **{"$skipToken": token})[0], 400)
        self.assertEqual(self.sb.graph(SHORT, **{"$skipToken": "1000"})[0], 400)
        self.assertEqual(self.sb.graph(SHORT, **{"$top": 1001})[0], 400)

    def test_many_names(self):
        names = ["VM%04d" % n for n in range(1, 301)]
        body = self.sb.graph(JOINED % (" and name in~ (%s)" % ", ".join("'%s'" % n for n in names)))[2]
        self.assertEqual(sorted(r["name"].upper() for r in body["data"]), names)
        one = self.subscriptions()[3]["subscriptionId"]
        self.assertEqual(self.sb.graph(SHORT, subscriptions=[one])[2]["totalRecords"], 500)
        ids = [r["id"] for r in body["data"][:2]]
        for column in ("id in~", "tolower(id) in"):
            found = self.sb.graph(JOINED % (" and %s ('%s')" % (column, "', '".join(i.lower() for i in ids))))[2]["data"]
            self.assertEqual([r["id"] for r in found], ids, column)

    def test_names_of_a_length(self):
        query = ("Resources | where type =~ 'microsoft.compute/virtualmachines' and strlen(name) between (%d .. %d)"
                 " | project id | order by id asc")
        body = self.sb.graph(query % (3, 6), **{"$top": 1})[2]
        self.assertEqual((body["totalRecords"], list(body["data"][0])), (2500, ["id"]))
        self.assertEqual(self.sb.graph(query % (7, 9))[2]["totalRecords"], 0)

    def test_direct_calls_agree(self):
        row = self.sb.graph(JOINED % " and name =~ 'vm1234'")[2]["data"][0]
        vm = self.sb.arm("GET", "/" + row["id"] + "?$expand=instanceView")[2]
        self.assertEqual(vm["properties"]["vmId"], row["vmId"])
        nic = self.sb.arm("GET", "/" + vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"] +
                          "?$expand=IPConfigurations/PublicIPAddress")[2]
        ip = nic["properties"]["ipConfigurations"][0]["properties"]
        self.assertEqual((ip["publicIPAddress"]["properties"]["ipAddress"], ip["privateIPAddress"]),
                         (row["publicIp"], row["privateIp"]))

    def test_quota(self):
        self.sb.ctl_ok("arm", "quota", "on")
        left, status = [], 200
        while status == 200 and len(left) < 50:
            status, headers, body = self.sb.graph(JOINED % " and name =~ 'vm0001'")
            left.append(int(headers["x-ms-user-quota-remaining"]))
        self.assertEqual((status, body["error"]["code"]), (429, "RateLimiting"))
        self.assertEqual(left[-16:], sorted(left[-16:], reverse=True))
        self.assertIn(int(headers["Retry-After"]), range(1, 6))
        self.assertRegex(headers["x-ms-user-quota-resets-after"], "^00:00:0[1-5]$")
        self.assertEqual(wait_for(lambda: self.sb.graph(JOINED % " and name =~ 'vm0001'")[0] == 200, 7), True)

    def test_staleness(self):
        def power():
            return self.sb.graph(JOINED % " and name =~ 'vm0042'")[2]["data"][0]["power"]
        self.sb.ctl_ok("graph", "stale", "2s")
        self.sb.ctl_ok("deallocate", "vm0042")
        began = time.monotonic()
        vm = self.sb.vm("vm0042")
        path = "//subscriptions/%s" % vm["subscription"] + self.sb.vm_path("%s/vm0042" % vm["group"], "/instanceView")
        self.assertEqual(self.sb.arm("GET", path)[2]["statuses"][1]["code"], "PowerState/deallocated")
        self.assertEqual(power(), "PowerState/running")
        self.assertTrue(wait_for(lambda: power() == "PowerState/deallocated", 8))
        self.assertGreater(time.monotonic() - began, 1.5)
        self.sb.ctl_ok("start", "vm0042")
        self.assertEqual(power(), "PowerState/deallocated")
        self.sb.ctl_ok("graph", "clear")
        self.assertEqual(power(), "PowerState/running")

    def test_a_synthetic_vm_has_no_machine(self):
        code, _, said = self.sb.ctl("fault", "vm0001", "reset")
        self.assertEqual(code, 1)
        self.assertIn("ARM only", said)


class FleetInAFile(Case):
    world = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: s
scale: 6
scale-subscriptions: 3
subscriptions: [{id: 5ab00000-0000-4000-8000-00000000000a, name: Own}]
vms: [{name: one, group: rg, power: deallocated}, {name: two, group: rg, synthetic: true, public-ip: dynamic}]
"""

    def test_both(self):
        vms = self.sb.status()["vms"]
        self.assertEqual([v["name"] for v in vms], ["one", "two"] + ["vm%04d" % n for n in range(1, 7)])
        self.assertEqual(len({v["subscription"] for v in vms}), 3)
        first = self.sb.vm("two")["address"]
        self.sb.ctl_ok("deallocate", "two")
        self.assertEqual(self.sb.vm("two")["address"], "")
        self.sb.ctl_ok("start", "two")
        self.assertNotEqual(self.sb.vm("two")["address"], first)

    def test_nonsense_is_refused(self):
        import subprocess
        for words in (["--scale", "x"], ["--scale", "20001"], ["--scale", "5", "--subscriptions", "101"], ["--scale"]):
            done = subprocess.run([self.sb.binary, "run", "--dir", self.sb.path("other"), *words], capture_output=True, timeout=30)
            self.assertEqual(done.returncode, 64, words)


if __name__ == "__main__":
    main()
