"""The sandbox as a client of Azure sees it: sign-in, ARM's shapes and errors, paging, operations, Resource Graph."""

import http.client
import json
import os
import time

from sandbox_fixture import SUB, Case, main, text_of, wait_for

QUERY = ("Resources | where type =~ 'microsoft.compute/virtualmachines' and name in~ (%s) | mv-expand nic = "
         "properties.networkProfile.networkInterfaces | join kind=leftouter (Resources | where type =~ "
         "'microsoft.network/networkinterfaces') on nicId | project id, name, nicId | order by id asc")


class SignIn(Case):
    def test_secret(self):
        status, _, body = self.sb.sign_in()
        self.assertEqual((status, body["token_type"]), (200, "Bearer"))
        self.assertGreater(body["expires_in"], 300)

    def test_wrong_secret(self):
        status, _, body = self.sb.sign_in(client_secret="wrong")
        self.assertEqual((status, body["error"], body["error_codes"]), (401, "invalid_client", [7000215]))
        self.assertTrue(body["error_description"].startswith("AADSTS7000215: "))

    def test_wrong_client_and_tenant(self):
        status, _, body = self.sb.sign_in(client_id="x")
        self.assertEqual((status, body["error"], body["error_codes"]), (400, "unauthorized_client", [700016]))
        status, _, body = self.sb.http("POST", "/nobody/oauth2/v2.0/token", {"grant_type": "x"}, form=True)
        self.assertEqual((status, body["error_codes"]), (400, [90002]))

    def test_no_token_no_answer(self):
        status, headers, body = self.sb.http("GET", "/subscriptions?api-version=2022-12-01")
        self.assertEqual((status, body["error"]["code"]), (401, "AuthenticationFailed"))
        self.assertIn("authorization_uri=", headers["WWW-Authenticate"])
        status, _, body = self.sb.http("GET", "/subscriptions?api-version=2022-12-01", headers={"Authorization": "Bearer x"})
        self.assertEqual((status, body["error"]["code"]), (401, "InvalidAuthenticationToken"))

    def test_expired(self):
        self.sb.arm("GET", "")
        self.sb.ctl_ok("arm", "expire-tokens")
        status, _, body = self.sb.arm("GET", "")
        self.assertEqual((status, body["error"]["code"]), (401, "ExpiredAuthenticationToken"))
        self.sb.token = None
        self.assertEqual(self.sb.arm("GET", "")[0], 200)


class Resources(Case):
    def test_vm_nic_address(self):
        vm = self.sb.arm("GET", self.sb.vm_path("RG-DESK/WIN11", "?$expand=instanceView"))[2]
        self.assertEqual((vm["name"], vm["properties"]["storageProfile"]["osDisk"]["osType"]), ("win11", "Windows"))
        self.assertIn("PowerState/running", [s["code"] for s in vm["properties"]["instanceView"]["statuses"]])
        nic_id = vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
        nic = self.sb.arm("GET", "/" + nic_id + "?$expand=IPConfigurations/PublicIPAddress")[2]
        ip = nic["properties"]["ipConfigurations"][0]["properties"]
        self.assertEqual(ip["publicIPAddress"]["properties"]["ipAddress"], self.sb.vm("win11")["address"])
        plain = self.sb.arm("GET", "/" + nic_id)[2]
        ref = plain["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]
        self.assertEqual(list(ref), ["id"])
        address = self.sb.arm("GET", "/" + ref["id"])[2]
        self.assertEqual(address["properties"]["ipAddress"], self.sb.vm("win11")["address"])
        self.assertNotIn("instanceView", self.sb.arm("GET", self.sb.vm_path("rg-desk/win11"))[2]["properties"])

    def test_decoy_nic_comes_first(self):
        vm = self.sb.arm("GET", self.sb.vm_path("rg-web/web2"))[2]
        nics = vm["properties"]["networkProfile"]["networkInterfaces"]
        self.assertEqual([n["properties"]["primary"] for n in nics], [False, True])
        decoy = self.sb.arm("GET", "/" + nics[0]["id"])[2]
        self.assertNotIn("publicIPAddress", decoy["properties"]["ipConfigurations"][0]["properties"])

    def test_no_address_while_deallocated(self):
        body = self.sb.arm("GET", self.sb.net_path("rg-lab", "publicIPAddresses/off1-ip"))[2]
        self.assertEqual(body["properties"]["publicIPAllocationMethod"], "Dynamic")
        self.assertNotIn("ipAddress", body["properties"])

    def test_scale_set_instance(self):
        body = self.sb.arm("GET", self.sb.vm_path("rg-web/web-flex_1a2b3c4d"))[2]
        self.assertTrue(body["properties"]["virtualMachineScaleSet"]["id"].endswith("/web-flex"))

    def test_errors(self):
        def code(*args, **kw):
            status, _, body = self.sb.arm(*args, **kw)
            return status, body["error"]["code"]
        self.assertEqual(code("GET", self.sb.vm_path("rg-web/none")), (404, "ResourceNotFound"))
        self.assertEqual(code("GET", self.sb.vm_path("rg-none/web1")), (404, "ResourceGroupNotFound"))
        self.assertEqual(code("GET", "//subscriptions/00000000-0000-0000-0000-000000000000"), (404, "SubscriptionNotFound"))
        self.assertEqual(code("GET", "//subscriptions/x"), (400, "InvalidSubscriptionId"))
        self.assertEqual(code("GET", self.sb.vm_path("rg-web/web1"), api=None), (400, "MissingApiVersionParameter"))

    def test_pages(self):
        names, url = [], "/providers/Microsoft.Compute/virtualMachines"
        for _ in range(10):
            body = self.sb.arm("GET", url)[2]
            names += [v["name"] for v in body["value"]]
            self.assertLessEqual(len(body["value"]), 3)
            self.assertTrue(all("/resourceGroups/RG-" in v["id"] for v in body["value"]))
            if "nextLink" not in body:
                break
            url = body["nextLink"]
        self.assertEqual(sorted(names), sorted(v["name"] for v in self.sb.status()["vms"] if "web-uni" not in v["name"]))
        group = self.sb.arm("GET", "/resourceGroups/rg-desk/providers/Microsoft.Compute/virtualMachines")[2]
        self.assertEqual([v["name"] for v in group["value"]], ["win11", "win-new"])

    def test_correlation(self):
        ask = {"x-ms-client-request-id": "abc", "x-ms-return-client-request-id": "true"}
        headers = self.sb.arm("GET", "", headers=ask)[1]
        self.assertEqual(headers["x-ms-client-request-id"], "abc")
        for name in ("x-ms-request-id", "x-ms-correlation-request-id", "x-ms-ratelimit-remaining-subscription-reads"):
            self.assertTrue(headers[name])

    def test_graph(self):
        def rows(names, **more):
            body = {"query": QUERY % names, "options": {"resultFormat": "objectArray"}, **more}
            return self.sb.arm("POST", "//providers/Microsoft.ResourceGraph/resources", body)[2]
        body = rows("'WEB1', 'off1'")
        self.assertEqual([r["name"] for r in body["data"]], ["off1", "web1"])  # by id, as the query asks
        off, web = body["data"]
        self.assertEqual((web["publicIp"], web["power"], web["osType"]),
                         (self.sb.vm("web1")["address"], "PowerState/running", "Linux"))
        self.assertEqual((off["publicIp"], off["power"]), ("", "PowerState/deallocated"))
        self.assertEqual([r["nicPrimary"] for r in rows("'web2'")["data"]], [True, False])
        self.assertEqual(len(rows("'twin'")["data"]), 2)
        self.assertEqual(rows("'nobody'")["totalRecords"], 0)
        self.assertEqual(rows("'web1'", subscriptions=["00000000-0000-0000-0000-000000000000"])["count"], 0)
        page = rows("'web1', 'off1', 'db1'")
        self.assertEqual(page["count"], 3)
        first = self.sb.arm("POST", "//providers/Microsoft.ResourceGraph/resources",
                            {"query": QUERY % "'web1', 'off1', 'db1'", "options": {"$top": 2}})[2]
        self.assertEqual((first["count"], first["totalRecords"], first["resultTruncated"]), (2, 3, "true"))

    def test_counts(self):
        before = self.sb.requests("nic.get")
        self.sb.arm("GET", self.sb.net_path("rg-web", "networkInterfaces/web1-nic"))
        self.assertEqual(self.sb.requests("nic.get"), before + 1)


class Knobs(Case):
    def tearDown(self):
        self.sb.ctl_ok("arm", "clear")

    def test_throttle(self):
        self.sb.arm("GET", "")
        self.sb.ctl_ok("arm", "throttle", "2")
        answers = [self.sb.arm("GET", "") for _ in range(3)]
        self.assertEqual([a[0] for a in answers], [429, 429, 200])
        self.assertEqual(answers[0][1]["Retry-After"], "1")

    def test_status(self):
        self.sb.ctl_ok("arm", "status", "503")
        self.assertEqual(self.sb.arm("GET", "")[0], 503)

    def test_delay(self):
        self.sb.arm("GET", "")
        self.sb.ctl_ok("arm", "delay", "300ms")
        began = time.monotonic()
        self.sb.arm("GET", "")
        self.assertGreater(time.monotonic() - began, 0.29)

    def test_nonsense_is_refused(self):
        for words in (["arm", "status", "7"], ["arm", "dance"], ["fault", "web1", "latency", "x"], ["start", "nobody"],
                      ["start", "twin"], ["dance"], ["fault", "web1"]):
            code, _, said = self.sb.ctl(*words)
            self.assertEqual(code, 1, words)
            self.assertTrue(said.startswith("adit-sandbox: "), said)


class Operations(Case):
    def test_start_and_deallocate(self):
        status, headers, _ = self.sb.arm("POST", self.sb.vm_path("rg-lab/off1", "/start"))
        self.assertEqual(status, 202)
        self.assertGreater(len(headers["Azure-AsyncOperation"]), 4096)
        self.assertEqual(self.sb.vm("off1")["power"], "starting")
        self.assertEqual(self.sb.arm("GET", headers["Location"])[0], 202)
        self.assertEqual(self.sb.arm("GET", headers["Azure-AsyncOperation"])[2]["status"], "InProgress")
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        self.assertEqual(self.sb.arm("GET", headers["Location"])[0], 200)
        self.assertEqual(self.sb.arm("GET", headers["Location"][:-1])[0], 403)
        first = self.sb.vm("off1")
        self.assertEqual(first["power"], "running")
        self.assertEqual(self.sb.ssh("off1", "hostname").stdout.strip(), "off1" if self.apart() else os.uname().nodename)
        _, headers, _ = self.sb.arm("POST", self.sb.vm_path("rg-lab/off1", "/deallocate"))
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        self.assertEqual((self.sb.vm("off1")["power"], self.sb.vm("off1")["address"]), ("deallocated", ""))
        self.sb.ctl_ok("start", "off1")
        self.assertNotEqual(self.sb.vm("off1")["address"], first["address"])
        self.assertEqual(self.sb.vm("off1")["vmId"], first["vmId"])

    def apart(self):
        return self.sb.status()["namespaces"] != "none"

    def test_new_windows_vm_becomes_ready_step_by_step(self):
        vm = "rg-desk/win-new"
        rule = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 1000, "sourceAddressPrefix": "*",
                "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}
        nsg = self.sb.net_path("rg-desk", "networkSecurityGroups/win-new-nsg/securityRules/allow-SSH")
        knock = ["-o", "ConnectTimeout=1"]
        self.assertIn("timed out", self.sb.ssh("win-new", "true", *knock).stderr)
        self.assertEqual(self.sb.arm("GET", nsg)[0], 404)
        status, headers, _ = self.sb.arm("PUT", nsg, {"properties": rule})
        self.assertEqual(status, 201)
        self.finish_ok(headers)
        self.assertIn("Connection refused", self.sb.ssh("win-new", "true", *knock).stderr)
        extension = self.sb.vm_path(vm, "/extensions/WindowsOpenSSH")
        self.assertEqual(self.sb.arm("GET", extension)[0], 404)
        body = {"location": "westeurope", "properties": {"publisher": "Microsoft.Azure.OpenSSH", "type": "WindowsOpenSSH",
                                                         "typeHandlerVersion": "3.0"}}
        self.finish_ok(self.sb.arm("PUT", extension, body)[1])
        self.assertEqual(self.sb.arm("GET", extension)[2]["properties"]["provisioningState"], "Succeeded")
        self.assertIn("Permission denied", self.sb.ssh("win-new", "true").stderr)
        key = text_of(self.sb.path("id_ed25519.pub")).strip()
        run = {"commandId": "RunPowerShellScript",
               "script": ["Add-Content 'C:\\ProgramData\\ssh\\administrators_authorized_keys' '%s'" % key]}
        done = self.finish_ok(self.sb.arm("POST", self.sb.vm_path(vm, "/runCommand"), run)[1])
        self.assertEqual([e["code"] for e in done["properties"]["output"]["value"]],
                         ["ComponentStatus/StdOut/succeeded", "ComponentStatus/StdErr/succeeded"])
        self.assertEqual(self.sb.ssh("win-new", "echo in").stdout, "in\n")
        self.finish_ok(self.sb.arm("DELETE", nsg)[1])
        self.assertIn("timed out", self.sb.ssh("win-new", "true", *knock).stderr)

    def finish_ok(self, headers):
        body = self.sb.finish(headers)
        self.assertEqual(body["status"], "Succeeded", body)
        return body

    def test_run_command_reads_host_keys(self):
        run = {"commandId": "RunShellScript", "script": ["cat /etc/ssh/ssh_host_*_key.pub"]}
        body = self.finish_ok(self.sb.arm("POST", self.sb.vm_path("rg-web/web1", "/runCommand"), run)[1])
        message = body["properties"]["output"]["value"][0]["message"]
        own = text_of(os.path.join(self.sb.vm("web1")["dir"], "host_ed25519.pub")).split()[1]
        self.assertIn(own, message)
        self.assertTrue(message.startswith("Enable succeeded: \n[stdout]\n"))


class Quota(Case):
    """The token buckets: each caller, each subscription, each VM."""

    LEFT = "x-ms-ratelimit-remaining-subscription-reads"

    def tearDown(self):
        self.sb.ctl_ok("arm", "clear")

    def test_reads_count_down_until_none_is_left(self):
        self.sb.ctl_ok("arm", "clear")
        left = [int(self.sb.arm("GET", "")[1][self.LEFT]) for _ in range(3)]
        self.assertEqual(left[0], 249)
        self.assertLess(left[2], 249)
        status, headers, body = self.drain("/subscriptions/%s/resourceGroups/rg-web?api-version=2022-12-01" % SUB)
        self.assertEqual((status, body["error"]["code"]), (429, "SubscriptionRequestsThrottled"))
        self.assertEqual((headers[self.LEFT], headers["Retry-After"]), ("0", "1"))
        self.assertEqual(self.sb.arm("GET", "//subscriptions")[0], 200)  # the tenant has a bucket of its own
        self.assertGreater(self.sb.requests("throttled"), 0)
        self.assertTrue(wait_for(lambda: self.sb.arm("GET", "")[0] == 200, 3))

    def drain(self, path):
        """Asks over one connection, faster than the bucket is refilled, until it is refused."""
        line = http.client.HTTPSConnection(self.sb.base.removeprefix("https://"), context=self.sb.tls, timeout=20)
        for _ in range(5000):
            line.request("GET", path, headers={"Authorization": "Bearer " + self.sb.token})
            r = line.getresponse()
            body = json.loads(r.read())
            if r.status == 429:
                break
        line.close()
        return r.status, r.headers, body

    def test_global(self):
        self.sb.ctl_ok("arm", "clear")
        self.assertEqual(self.sb.arm("GET", "")[1]["x-ms-ratelimit-remaining-subscription-global-reads"], "3749")

    def test_writes_are_apart(self):
        self.sb.ctl_ok("arm", "clear")
        headers = self.sb.arm("POST", self.sb.vm_path("rg-web/nobody", "/start"))[1]
        self.assertEqual(headers["x-ms-ratelimit-remaining-subscription-writes"], "199")
        self.assertEqual(self.sb.arm("GET", "")[1][self.LEFT], "249")

    def test_one_vm(self):
        self.sb.ctl_ok("arm", "clear")
        answers = [self.sb.arm("GET", self.sb.vm_path("rg-web/web2")) for _ in range(40)]
        self.assertEqual(answers[0][1]["x-ms-ratelimit-remaining-resource"], "Microsoft.Compute/LowCostGetResource;29")
        self.assertEqual({a[0] for a in answers}, {200, 429})
        self.assertEqual(self.sb.arm("GET", self.sb.vm_path("rg-web/web1"))[0], 200)
        self.sb.ctl_ok("arm", "quota", "off")
        self.assertEqual(self.sb.arm("GET", self.sb.vm_path("rg-web/web2"))[0], 200)


if __name__ == "__main__":
    main()
