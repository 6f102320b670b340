"""Prepare where Azure fails, hangs, is busy or refuses, and where a user is careless or hostile: a VM for each."""
import json
import shutil
import signal
import subprocess
import unittest

from prepare_case import HEAD, PrepareCase, vm_yaml
from world import wait_for


class Faults(PrepareCase):
    """What Azure can do wrong, a VM for each."""

    world_yaml = HEAD + "".join((
        vm_yaml("alloc", ["power"]), vm_yaml("hangs", ["power"]), vm_yaml("broken", ["extension"]), vm_yaml("busy", ["rule"]),
        vm_yaml("later", ["rule"]), vm_yaml("forbidden", ["rule"]), vm_yaml("cut", ["extension", "rule"]), vm_yaml("only", ["rule", "key"]),
        vm_yaml("scripted", ["key"]), vm_yaml("slow", ["rule"]), vm_yaml("nokey", ["key"]), vm_yaml("ours", ["rule"]), vm_yaml("hidden", ["address"]),
        vm_yaml("shut", ["rule"]), vm_yaml("mute"), vm_yaml("far"),
    ))

    def setUp(self):
        self.world.ctl("arm", "clear")

    def test_a_start_that_fails(self):
        self.world.ctl("arm", "fail-operation", "vm.start@alloc", "AllocationFailed", "no room in this region")
        done = self.prepare("rg/alloc", "--yes", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stdout, "AllocationFailed", "no room in this region", "skip", "run adit prepare again")
        self.assertIn("started", self.prepare("rg/alloc", "--yes").stdout)

    def test_a_start_that_hangs(self):
        self.world.ctl("arm", "hang-operation", "vm.start@hangs")
        done = self.prepare("rg/hangs", "--yes", "--timeout", "8", check=False)
        self.assertEqual(done.returncode, 75)
        self.assertReadable(done.stderr, "not done within 8 s")
        self.world.ctl("arm", "release-operation")
        self.prepare("rg/hangs", "--yes")

    def test_an_extension_that_fails(self):
        self.world.ctl("arm", "fail-operation", "extension.put@broken")
        done = self.prepare("rg/broken", "--yes", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stdout, "VMExtensionProvisioningError")
        self.prepare("rg/broken", "--yes")
        self.assertReady("rg/broken")

    def test_another_operation_is_waited_for(self):
        self.world.ctl("arm", "conflict", "rule.put@busy", 2)
        self.world.ctl("arm", "retryable", "rule.put@later", 2)
        self.assertIn("added the rule", self.prepare("rg/busy", "--yes").stdout)
        self.assertIn("added the rule", self.prepare("rg/later", "--yes").stdout)

    def test_throttling_is_waited_for(self):
        self.world.ctl("arm", "throttle", 4)
        self.assertIn("is ready", self.prepare("rg/slow", "--yes").stdout)

    def test_what_may_not_be_written_is_named_and_printed(self):
        action = "Microsoft.Network/networkSecurityGroups/securityRules/write"
        self.world.ctl("arm", "deny", action)
        done = self.prepare("rg/forbidden", "--yes", check=False)
        self.assertEqual(done.returncode, 77)
        self.assertReadable(done.stdout, action, "az network nsg rule create", "allow-SSH")
        self.assertReadable(done.stderr, "a change was refused", "somebody who may can do it like this")
        as_json = json.loads(self.prepare("rg/forbidden", "--yes", "--json", check=False).stdout)
        rule = next(step for step in as_json["steps"] if step["step"] == "rule")
        self.assertEqual((rule["action"], rule["code"]), (action, "denied"))
        self.assertIn("az network nsg rule create", as_json["printed"])
        self.world.ctl("arm", "allow", action)
        self.prepare("rg/forbidden", "--yes")

    def test_what_may_not_be_read(self):
        self.world.ctl("arm", "deny", "Microsoft.Compute/virtualMachines/read")
        done = self.world.adit("doctor", "rg/scripted", check=False)
        self.assertEqual(done.returncode, 77)
        self.assertReadable(done.stdout, "Microsoft.Compute/virtualMachines/read")

    def test_interrupted_it_says_what_had_been_done(self):
        self.world.ctl("arm", "hang-operation", "rule.put@cut")
        run = self.world.start("prepare", "rg/cut", "--yes")
        wait_for("the rule is being put", lambda: "rule.put" in self.world.ctl("arm", "writes"))
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 130, out + err)
        self.assertReadable(err, "adit: prepare rg/cut: interrupted; done by then: installed the extension WindowsOpenSSH on cut", "what Azure has begun goes on")
        self.world.ctl("arm", "release-operation")
        done = self.prepare("rg/cut", "--yes")
        self.assertNotIn("installed the extension", done.stdout)

    def test_the_daemon_ends_meanwhile(self):
        def stop():
            self.world.adit("stop", "--now")
            return b""

        self.world.ctl("fault", "rg/far", "latency", "1500ms")
        self.world.ctl("arm", "hang-operation", "vm.runCommand@mute")
        for name, doing in (("shut", "knocking at port 22"), ("mute", "for its host keys"), ("far", "connecting to far")):
            with self.subTest(doing):
                status, said = self.in_terminal("doctor", f"rg/{name}", answers=[(doing, stop)])
                self.assertIn(status, (69, 75), said)
                self.assertReadable(said, "aditd")
                self.assertNotIn("left open", self.world.logs())

    def test_only_what_was_asked_for(self):
        self.writes()
        done = self.prepare("rg/only", "--yes", "--only", "rule", check=False)
        self.assertEqual(self.writes(), ["rule.put"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        _, steps, _ = self.doctor("rg/only")
        self.assertEqual({name for name, step in steps.items() if step["status"] == "fail"}, {"login"})
        done = self.prepare("rg/only", "--yes", "--only", "rules", check=False)
        self.assertEqual(done.returncode, 64)
        self.assertReadable(done.stderr, 'no step "rules"', "extension")
        self.prepare("rg/only", "--yes", "--only", "power,login")
        self.assertEqual(self.writes(), ["vm.runCommand"])

    def test_the_rule_is_for_whom_it_is_said(self):
        self.prepare("rg/ours", "--yes", "--source", "203.0.113.0/24")
        self.assertIn("203.0.113.0/24", self.snapshot())
        for wrong in ("300.1.2.3", "203.0.113.7/33", "nobody"):
            done = self.prepare("rg/ours", "--yes", "--source", wrong, check=False)
            self.assertEqual(done.returncode, 64)
            self.assertIn(wrong, done.stderr)

    def test_what_costs_money_is_not_done_unasked(self):
        self.writes()
        done = self.prepare("rg/hidden", "--yes", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stdout, "no public IP address", "--create-public-ip", "costs money")
        self.assertEqual(self.writes(), [])

    def test_keys_that_would_like_to_be_commands(self):
        key = (self.world.dir / "id_ed25519.pub").read_text().split()[:2]
        trap = self.world.dir / "trap"
        comments = [f"'; touch {trap}; echo '", f'"$(touch {trap})" `touch {trap}`', "Zoë at home \\' %s %%", "a b\tc"]
        script = self.world.dir / "vms/rg.scripted/script"
        for comment in comments[:3]:
            with self.subTest(comment):
                line = " ".join((*key, comment))
                (self.world.dir / "trap.pub").write_text(line + "\n")
                done = self.prepare("rg/scripted", "--yes", "--key", self.world.dir / "trap.pub")
                self.assertIn("added the public key", done.stdout)
                self.assertNotIn(comment, script.read_text())
                self.assertIn(line, (self.world.dir / "vms/rg.scripted/authorized_keys").read_text())
                self.prepare("rg/scripted", "--undo", "--yes")
                self.assertNotIn(key[1], (self.world.dir / "vms/rg.scripted/authorized_keys").read_text())
        self.assertFalse(trap.exists())
        self.writes()
        for text in (" ".join(key) + f"\ntouch {trap}\n", f"command=\"touch {trap}\" " + " ".join(key), "ssh-ed25519 AAAA", "x" * 20000, "a\0b"):
            with self.subTest(text[:40]):
                (self.world.dir / "trap.pub").write_text(text)
                done = self.prepare("rg/scripted", "--yes", "--key", self.world.dir / "trap.pub", check=False)
                self.assertEqual(done.returncode, 64, done.stdout + done.stderr)
        self.assertEqual(self.writes(), [])

    def test_a_passphrase_is_asked_for(self):
        locked = self.world.dir / "locked"
        shutil.copy(self.world.dir / "id_ed25519", locked)
        locked.chmod(0o600)
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open sesame", "-f", locked], check=True, stdout=subprocess.DEVNULL)
        self.world.config(f"  - {{name: locked, vm: rg/slow, identity: [{locked}], up: false}}\n")
        self.addCleanup(self.world.adit, "stop", check=False)
        self.addCleanup(self.world.config)
        self.world.adit("stop", check=False)
        self.prepare("rg/slow", "--yes", "--only", "rule")
        done = self.world.adit("doctor", "locked", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stdout, "FAIL    login", "passphrase")
        status, said = self.in_terminal("doctor", "locked", answers=[("Passphrase of", b"open sesame\n")])
        self.assertEqual(status, 0, said)
        self.assertReadable(said, "a tunnel to locked will work")
        self.assertNotIn("open sesame", said)

    def test_mistakes_about_keys(self):
        done = self.prepare("rg/nokey", "--yes", "--key", self.world.dir / "id_ed25519", check=False)
        self.assertEqual(done.returncode, 64)
        self.assertReadable(done.stderr, "is a private key, which goes nowhere", "id_ed25519.pub")
        done = self.prepare("rg/nokey", "--yes", "--key", self.world.dir / "missing.pub", check=False)
        self.assertEqual(done.returncode, 69)
        (self.world.dir / "empty.pub").write_text("\n")
        done = self.prepare("rg/nokey", "--yes", "--key", self.world.dir / "empty.pub", check=False)
        self.assertReadable(done.stderr, "holds no key")
        done = self.prepare("rg/nokey", "--yes", "--key", "x.pub", "--make-key", check=False)
        self.assertReadable(done.stderr, "either --key or --make-key")

    def test_mistakes(self):
        done = self.prepare("rg/alloc", check=False)
        self.assertEqual(done.returncode, 64)
        self.assertReadable(done.stderr, "nobody can be asked here", "--yes", "--dry-run")
        self.assertEqual(self.prepare("rg/alloc", "--print", "yaml", check=False).returncode, 64)
        self.assertReadable(self.prepare("rg/alloc", "--print", "yaml", check=False).stderr, "takes az, powershell, arm or bicep, not")
        self.assertReadable(self.prepare("rg/alloc", "--undo", "--dry-run", check=False).stderr, "has neither a plan nor a printed form")
        for command in ("doctor", "prepare"):
            done = self.world.adit(command, *(["--yes"] if command == "prepare" else []), "rg/nobody", check=False)
            self.assertEqual(done.returncode, 69)
            self.assertReadable(done.stdout, "nobody", "adit resolve --all")
            done = self.world.adit(command, *(["--yes"] if command == "prepare" else []), "127.0.0.9", check=False)
            self.assertEqual(done.returncode, 64)
            self.assertReadable(done.stderr, "is an address", "group/name")
            self.assertEqual(self.world.adit(command, check=False).returncode, 64)


if __name__ == "__main__":
    unittest.main()
