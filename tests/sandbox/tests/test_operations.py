"""Run Commands of both kinds, power, and what a test can tell ARM to do wrong, kind by kind."""

import base64
import json
import os
import subprocess

from sandbox_fixture import Case, main, text_of, wait_for

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIQ0WmJ1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1 it's; $(ö) \"me\""
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIQ0WmJ1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV2 other"


def coded(text):
    return base64.b64encode(text.encode()).decode()


def add_key(key):
    return ["key=$(printf %%s '%s' | base64 -d)" % coded(key), "user=$(printf %%s '%s' | base64 -d)" % coded("azureuser"),
            "echo 'adit: present' || echo 'adit: added'"]


def remove_key(key):
    return ["$key = [Convert]::FromBase64String('%s')" % coded(key), "'adit: removed'", "'adit: absent'"]


class Base(Case):
    def tearDown(self):
        self.sb.ctl_ok("arm", "clear")

    def finish_ok(self, answer):
        self.assertIn(answer[0], (200, 201, 202), answer)
        body = self.sb.finish(answer[1])
        self.assertEqual(body["status"], "Succeeded", body)
        return body

    def command(self, vm, script, windows=False):
        body = {"commandId": "RunPowerShellScript" if windows else "RunShellScript", "script": script}
        return self.sb.arm("POST", self.sb.vm_path(vm, "/runCommand"), body)

    def output(self, answer):
        return [e["message"] for e in self.finish_ok(answer)["properties"]["output"]["value"]]

    def keys(self, vm):
        return text_of(os.path.join(self.sb.vm(vm)["dir"], "authorized_keys")).splitlines()

    def snapshot(self):
        return json.loads(self.sb.ctl_ok("world", "snapshot"))

    def writes(self):
        return json.loads(self.sb.ctl_ok("arm", "writes"))


class RunCommands(Base):
    def test_a_key_comes_and_goes(self):
        before = self.snapshot()
        self.assertIn("\nadit: added\n", self.output(self.command("rg-web/web1", add_key(KEY)))[0])
        self.assertIn("\nadit: present\n", self.output(self.command("rg-web/web1", add_key(KEY)))[0])
        self.assertIn("\nadit: present\n", self.output(self.command("rg-web/web1", add_key(KEY.replace("me", "you"))))[0])
        self.assertIn("\nadit: added\n", self.output(self.command("rg-web/web1", add_key(OTHER)))[0])
        self.assertIn(KEY, self.keys("web1"))
        self.assertEqual(self.output(self.command("rg-web/web1", remove_key(KEY)))[0],
                         "Enable succeeded: \n[stdout]\nadit: removed\n\n[stderr]\n")
        self.assertNotIn(KEY, self.keys("web1"))
        self.assertIn(OTHER, self.keys("web1"))
        self.assertIn("adit: absent", self.output(self.command("rg-web/web1", remove_key(KEY)))[0])
        self.output(self.command("rg-web/web1", remove_key(OTHER)))
        self.assertEqual(self.snapshot(), before)
        self.assertIn(coded(OTHER), text_of(os.path.join(self.sb.vm("web1")["dir"], "script")))

    def test_host_keys_between_marks(self):
        out, bad = self.output(self.command("rg-desk/win11", ["'adit: host keys'", "Get-Content $d\\ssh_host_*.pub", "'adit: end'"], True))
        own = text_of(os.path.join(self.sb.vm("win11")["dir"], "host_ed25519.pub"))
        self.assertTrue(out.startswith("adit: host keys\n" + own), out)
        self.assertTrue(out.endswith("\nadit: end\n"), out)
        self.assertEqual(bad, "")
        self.assertEqual(self.writes()["count"], 0)

    def test_windows_without_the_extension_lacks_the_directory(self):
        for script in (["'adit: host keys'"], add_key(KEY) + ["administrators_authorized_keys"]):
            out, bad = self.output(self.command("rg-desk/win-new", script, True))
            self.assertEqual(out, "")
            self.assertIn("C:\\ProgramData\\ssh", bad)

    def test_one_at_a_time(self):
        first = self.command("rg-web/web2", ["true"])
        status, _, body = self.command("rg-web/web2", ["true"])
        self.assertEqual((status, body["error"]["code"]), (409, "Conflict"))
        self.finish_ok(first)
        self.finish_ok(self.command("rg-web/web2", ["true"]))

    def managed(self, method, tail="", body=None, vm="rg-web/web1"):
        return self.sb.arm(method, self.sb.vm_path(vm, "/runCommands" + tail), body)

    def test_managed(self):
        self.assertEqual(self.managed("GET", "/add")[0], 404)
        body = {"location": "westeurope", "properties": {"source": {"script": "\n".join(add_key(KEY))}, "timeoutInSeconds": 600}}
        status, headers, made = self.managed("PUT", "/add", body)
        self.assertEqual((status, made["properties"]["provisioningState"]), (201, "Creating"))
        self.assertNotIn("Location", headers)
        self.finish_ok((status, headers, made))
        plain = self.managed("GET", "/add")[2]["properties"]
        self.assertEqual((plain["provisioningState"], "instanceView" in plain), ("Succeeded", False))
        view = self.managed("GET", "/add?$expand=instanceView")[2]["properties"]["instanceView"]
        self.assertEqual((view["executionState"], view["exitCode"], view["output"], view["error"]),
                         ("Succeeded", 0, "adit: added\n", ""))
        self.assertEqual([c["name"] for c in self.managed("GET")[2]["value"]], ["add"])
        body["properties"]["source"]["script"] = "\n".join(remove_key(KEY))
        self.assertEqual(self.managed("PUT", "/ADD", body)[0], 200)
        self.assertTrue(wait_for(lambda: KEY not in self.keys("web1")))
        self.finish_ok(self.managed("DELETE", "/add"))
        self.assertEqual(self.managed("DELETE", "/add")[0], 204)

    def test_managed_that_fails(self):
        body = {"location": "westeurope", "properties": {"source": {"script": "'adit: host keys'"}}}
        self.finish_ok(self.managed("PUT", "/h", body, "rg-desk/win-new"))
        view = self.managed("GET", "/h?$expand=instanceView", vm="rg-desk/win-new")[2]["properties"]["instanceView"]
        self.assertEqual((view["executionState"], view["exitCode"]), ("Failed", 1))
        self.assertIn("ProgramData", view["error"])
        self.finish_ok(self.managed("DELETE", "/h", vm="rg-desk/win-new"))
        self.assertEqual(self.managed("PUT", "/h", body, "rg-lab/off1")[2]["error"]["code"], "OperationNotAllowed")


class Power(Base):
    def test_off_keeps_the_address(self):
        address = self.sb.vm("web1")["address"]
        answer = self.sb.arm("POST", self.sb.vm_path("rg-web/web1", "/powerOff"))
        self.assertEqual(self.sb.vm("web1")["power"], "stopping")
        self.finish_ok(answer)
        self.assertEqual((self.sb.vm("web1")["power"], self.sb.vm("web1")["address"]), ("stopped", address))
        self.assertIn("refused", self.sb.ssh("web1", "true").stderr)
        self.assertEqual(self.sb.arm("POST", self.sb.vm_path("rg-web/web1", "/restart"))[2]["error"]["code"], "OperationNotAllowed")
        self.finish_ok(self.sb.arm("POST", self.sb.vm_path("rg-web/web1", "/start")))
        self.assertEqual((self.sb.vm("web1")["power"], self.sb.vm("web1")["address"]), ("running", address))
        self.finish_ok(self.sb.arm("POST", self.sb.vm_path("rg-web/web1", "/restart")))
        self.assertEqual(self.sb.ssh("web1", "echo again").stdout, "again\n")


class Faults(Base):
    def start(self, vm="rg-lab/off1"):
        return self.sb.arm("POST", self.sb.vm_path(vm, "/start"))

    def test_an_operation_fails_once(self):
        self.sb.ctl_ok("arm", "fail-operation", "vm.start@rg-lab/off1")
        self.assertEqual(self.sb.finish(self.start("rg-lab/twin")[1])["status"], "Succeeded")
        headers = self.start()[1]
        self.assertEqual(self.sb.vm("off1")["power"], "starting")
        body = self.sb.finish(headers)
        self.assertEqual((body["status"], body["error"]["code"]), ("Failed", "AllocationFailed"))
        self.assertIn("sufficient capacity", body["error"]["message"])
        self.assertEqual(self.sb.vm("off1")["power"], "deallocated")
        self.finish_ok(self.start())
        self.sb.ctl_ok("deallocate", "off1")
        self.sb.ctl_ok("deallocate", "rg-lab/twin")

    def extension(self, method="PUT"):
        body = {"location": "westeurope", "properties": {"publisher": "Microsoft.Azure.OpenSSH", "type": "WindowsOpenSSH",
                                                         "typeHandlerVersion": "3.0"}}
        return self.sb.arm(method, self.sb.vm_path("rg-desk/win-new", "/extensions/WindowsOpenSSH"), body if method == "PUT" else None)

    def test_a_failed_extension_stays_failed(self):
        before = self.snapshot()
        self.sb.ctl_ok("arm", "fail-operation", "extension.put", "VMExtensionProvisioningTimeout", "it took too long")
        body = self.sb.finish(self.extension()[1])
        self.assertEqual(body["error"], {"code": "VMExtensionProvisioningTimeout", "message": "it took too long"})
        self.assertEqual(self.extension("GET")[2]["properties"]["provisioningState"], "Failed")
        self.finish_ok(self.extension("DELETE"))
        self.assertEqual(self.snapshot(), before)

    def test_canceled(self):
        self.sb.ctl_ok("arm", "fail-operation", "vm.runCommand", "Canceled")
        self.assertEqual(self.sb.finish(self.command("rg-web/web2", ["true"])[1])["status"], "Canceled")

    def test_hang_until_released(self):
        self.sb.ctl_ok("arm", "hang-operation", "vm.start")
        headers = self.start()[1]
        other = self.finish_ok(self.command("rg-web/web2", ["true"]))  # takes as long as the start would
        self.assertTrue(other)
        self.assertEqual(self.sb.arm("GET", headers["Azure-AsyncOperation"])[2]["status"], "InProgress")
        self.assertEqual(self.sb.vm("off1")["power"], "starting")
        self.assertEqual(self.sb.ctl_ok("arm", "release-operation", "vm.start").strip(), "1")
        self.assertEqual(self.sb.finish(headers)["status"], "Succeeded")
        self.sb.ctl_ok("deallocate", "off1")

    RULE = {"properties": {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 500, "sourceAddressPrefix": "*",
                           "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}}

    def rule(self, method="PUT", vm="web2"):
        return self.sb.arm(method, self.sb.net_path("rg-web", "networkSecurityGroups/%s-nsg/securityRules/r" % vm),
                           self.RULE if method == "PUT" else None)

    def test_conflicts_and_locks(self):
        self.sb.ctl_ok("arm", "conflict", "rule.put@web2", "2")
        self.assertEqual([self.rule()[2]["error"]["code"] for _ in range(2)], ["AnotherOperationInProgress"] * 2)
        self.sb.ctl_ok("arm", "retryable", "rule.put", "1", "7")
        status, headers, body = self.rule()
        self.assertEqual((status, headers["Retry-After"], body["error"]["details"][0]["code"]),
                         (429, "7", "RetryableErrorDueToAnotherOperation"))
        self.sb.ctl_ok("arm", "retryable", "rule.put", "1", "none")
        self.assertNotIn("Retry-After", self.rule()[1])
        self.sb.ctl_ok("arm", "conflict", "extension.put", "1")
        self.assertEqual(self.extension()[2]["error"]["code"], "Conflict")
        self.sb.ctl_ok("arm", "refuse", "vm.start", "1", "409", "SkuNotAvailable")
        self.assertEqual(self.start()[2]["error"]["code"], "SkuNotAvailable")
        self.sb.ctl_ok("arm", "refuse", "operation.get", "1", "429")
        answer = self.rule()
        self.assertEqual(answer[0], 201)
        self.assertEqual(self.sb.arm("GET", answer[1]["Azure-AsyncOperation"])[0], 429)
        self.finish_ok(answer)
        self.finish_ok(self.rule("DELETE"))

    def test_roles(self):
        action = "Microsoft.Network/networkSecurityGroups/securityRules/write"
        self.sb.ctl_ok("arm", "deny", action)
        status, _, body = self.rule()
        self.assertEqual((status, body["error"]["code"]), (403, "AuthorizationFailed"))
        self.assertIn("does not have authorization to perform action '%s' over scope '/subscriptions/" % action, body["error"]["message"])
        self.assertIn("/networkSecurityGroups/web2-nsg/securityRules/r' or the scope", body["error"]["message"])
        self.assertEqual(self.rule("GET")[0], 404)
        self.sb.ctl_ok("arm", "allow", action)
        self.finish_ok(self.rule())
        self.finish_ok(self.rule("DELETE"))
        for action, method, path in (
                ("Microsoft.Compute/virtualMachines/read", "GET", self.sb.vm_path("rg-web/web1")),
                ("Microsoft.Compute/*/action", "POST", self.sb.vm_path("rg-web/web1", "/start")),
                ("Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action", "POST",
                 self.sb.net_path("rg-web", "networkInterfaces/web1-nic/effectiveNetworkSecurityGroups")),
                ("Microsoft.Resources/subscriptions/resourceGroups/read", "GET", "/resourceGroups/rg-web")):
            self.sb.ctl_ok("arm", "deny", action)
            self.assertEqual(self.sb.arm(method, path)[2]["error"]["code"], "AuthorizationFailed", action)
            self.sb.ctl_ok("arm", "allow", action)

    def test_writes_are_listed(self):
        self.sb.arm("GET", self.sb.vm_path("rg-web/web2"))
        self.sb.arm("POST", self.sb.net_path("rg-web", "networkInterfaces/web2-nic/effectiveNetworkSecurityGroups"))
        self.sb.graph("Resources | where type =~ 'microsoft.compute/virtualmachines'")
        self.assertEqual(self.writes(), {"count": 0, "writes": []})
        self.finish_ok(self.rule())
        self.finish_ok(self.rule("DELETE"))
        self.assertEqual([(w["method"], w["kind"], w["status"]) for w in self.writes()["writes"]],
                         [("PUT", "rule.put", 201), ("DELETE", "rule.delete", 202)])
        self.sb.ctl_ok("arm", "clear")
        self.assertEqual(self.writes()["count"], 0)

    def test_nonsense_is_refused(self):
        for words in (["fail-operation", "vm.dance"], ["fail-operation", "vm.start@nobody"], ["conflict", "vm.start"],
                      ["refuse", "vm.start", "1", "200"], ["deny", "everything"], ["allow", "a/b"]):
            code, _, said = self.sb.ctl("arm", *words)
            self.assertEqual((code, said.startswith("adit-sandbox: ")), (1, True), words)
        self.assertEqual(self.sb.ctl("world", "caller", "x")[0], 1)


class Snapshot(Base):
    def test_it_sees_what_changed_and_nothing_else(self):
        before = self.sb.ctl_ok("world", "snapshot")
        self.assertEqual(self.sb.ctl_ok("world", "snapshot"), before)
        vm = json.loads(before)["vms"]["rg-desk/win-new"]
        self.assertEqual((vm["power"], vm["extensions"], vm["keys"], vm["networkSecurityGroups"]["win-new-nsg"]["rules"]),
                         ("running", {}, [], {}))
        self.assertEqual(json.loads(before)["publicIPAddresses"]["rg-desk/win-new-ip"]["sku"], "Standard")
        path = self.sb.net_path("rg-desk", "networkSecurityGroups/win-new-nsg/securityRules/r")
        self.finish_ok(self.sb.arm("PUT", path, Faults.RULE))
        self.assertNotEqual(self.sb.ctl_ok("world", "snapshot"), before)
        self.finish_ok(self.sb.arm("DELETE", path))
        self.assertEqual(self.sb.ctl_ok("world", "snapshot"), before)


LACKS = ("extension", "rule", "key")
SUBSETS = [tuple(x for i, x in enumerate(LACKS) if n >> i & 1) for n in range(8)]


class Lacks(Base):
    """Each step of the how-to alone, each pair, all, none; on a VM that refuses forwarding, too."""
    world = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: s
subscriptions: [{id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}]
vms:
""" + "".join("  - {name: vm%d, group: rg, os: windows, lacks: [%s]}\n" % (n, ", ".join(x)) for n, x in enumerate(SUBSETS)) + """
  - {name: shut, group: rg, sshd: [AllowTcpForwarding no]}
"""

    def test_every_combination(self):
        vms = self.snapshot()["vms"]
        for n, lacks in enumerate(SUBSETS):
            vm = vms["rg/vm%d" % n]
            has = {"extension": bool(vm["extensions"]), "key": bool(vm["keys"]),
                   "rule": bool(vm["networkSecurityGroups"]["vm%d-nsg" % n]["rules"])}
            self.assertEqual(tuple(x for x in LACKS if not has[x]), lacks)
            said = self.sb.ssh("vm%d" % n, "echo in", "-o", "ConnectTimeout=1")
            reason = "timed out" if "rule" in lacks else "refused" if "extension" in lacks else "Permission denied" if "key" in lacks else ""
            self.assertEqual(said.stdout, "" if lacks else "in\n")
            self.assertIn(reason, said.stderr)

    def test_no_forwarding(self):
        done = subprocess.run(self.sb.ssh_args("shut", "-W", "localhost:7"), capture_output=True, text=True, timeout=30)
        self.assertIn("forwarding failed", done.stderr)
        self.assertEqual(self.sb.ssh("shut", "echo in").stdout, "in\n")


class Claims(Case):
    def claims(self):
        token = self.sb.sign_in()[2]["access_token"].split(".")
        self.assertEqual(len(token), 3)
        return json.loads(base64.urlsafe_b64decode(token[1] + "=" * (-len(token[1]) % 4)))

    def test_the_caller_is_in_the_token(self):
        c = self.claims()
        self.assertEqual((c["ipaddr"], c["tid"], c["appid"]), ("203.0.113.7", self.sb.env["AZURE_TENANT_ID"], self.sb.env["AZURE_CLIENT_ID"]))
        self.sb.ctl_ok("world", "caller", "198.51.100.1")
        self.assertEqual(self.claims()["ipaddr"], "198.51.100.1")


class NoClaim(Claims):
    world = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: s
caller: 198.51.100.20
caller-address: none
subscriptions: [{id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}]
vms: [{name: x, group: rg, synthetic: true}]
"""

    def test_the_caller_is_in_the_token(self):
        self.assertNotIn("ipaddr", self.claims())


if __name__ == "__main__":
    main()
