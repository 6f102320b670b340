"""host-key-check: arm: the keys are asked of Azure before the first connect, and nothing else is believed."""
import json
import subprocess

from prepare_case import HEAD
from world import BIN, WorldCase, wait_for

WORLD = HEAD + "".join(
    f"  - {{name: {name}, group: rg, os: {os_}, admin: root, public-ip: static}}\n"
    for name, os_ in (("first", "linux"), ("win", "windows"), ("again", "linux"), ("middle", "linux"), ("rotated", "linux"),
                      ("met", "linux"), ("denied", "linux"), ("byssh", "linux"), ("many", "linux"))
)


class ArmKeys(WorldCase):
    world_yaml = WORLD

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = cls.world.config_path.read_text()
        cls.world.config_path.write_text(text.replace("host-key-check: accept-new", "host-key-check: arm"))

    def setUp(self):
        self.world.ctl("arm", "clear")

    def vm_dir(self, name):
        return self.world.dir / f"vms/rg.{name}"

    def asked(self):
        """How often Run Command was used."""
        return json.loads(self.world.ctl("status"))["requests"].get("vm.runCommand", 0)

    def known(self, name):
        """The lines of known_hosts of this VM."""
        path = self.world.dir / "state/adit/known_hosts"
        return [line for line in path.read_text().splitlines() if f"/virtualmachines/{name} " in line] if path.exists() else []

    def wrong_keys(self, name, reported):
        """Another sshd answers at the VM's address; Azure reports its own keys, or (reported) those of the other one."""
        for kind in ("ed25519", "ecdsa"):
            path = self.vm_dir(name) / f"host_{kind}"
            public = path.with_suffix(".pub").read_text()
            path.unlink()
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], input="y\n", text=True, check=True, stdout=subprocess.DEVNULL)
            if not reported:
                path.with_suffix(".pub").write_text(public)
        self.world.ctl("kill-ssh", f"rg/{name}")

    def ssh(self, name, command="true"):
        """Plain ssh through the blocks of `adit ssh-config`."""
        block = self.world.dir / "block"
        block.write_text(self.world.adit("ssh-config").stdout)
        empty = self.world.dir / "no-hosts"
        return subprocess.run(
            ["ssh", "-F", block, "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={empty}", "-o", f"GlobalKnownHostsFile={empty}",
             "-i", self.world.dir / "id_ed25519", f"{name}.rg.adit", command],
            env=self.world.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)

    def test_asked_once_before_the_first_connect(self):
        before = self.asked()
        for name in ("first", "win"):
            self.world.adit("up", f"rg/{name}")
            lines = self.known(name)
            self.assertEqual(len(lines), 2)
            self.assertTrue(all(line.endswith(" source=arm") for line in lines), lines)
        self.assertEqual(self.asked(), before + 2)
        self.world.adit("down", "rg/first")
        self.world.adit("up", "rg/first")
        self.assertEqual(self.asked(), before + 2)

    def test_a_vm_that_is_re_created(self):
        self.world.adit("up", "rg/again")
        old, before = self.known("again"), self.asked()
        self.world.ctl("recreate", "rg/again")
        self.world.wait_state("rg/again", "up")
        wait_for("its new keys are known", lambda: self.known("again") != old)
        self.world.wait_state("rg/again", "up")
        self.assertEqual(len(self.known("again")), 2)
        self.assertEqual({line.split("vmId=")[1] for line in self.known("again")} & {line.split("vmId=")[1] for line in old}, set())
        self.assertGreater(self.asked(), before)
        self.assertEqual(self.ssh("again").returncode, 0)

    def test_somebody_in_the_middle(self):
        self.world.adit("up", "rg/middle")
        known, before = self.known("middle"), self.asked()
        self.wrong_keys("middle", reported=False)
        vm = self.world.wait_state("rg/middle", "failed")
        self.assertReadable(vm["error"], "but the control plane reports", "someone is listening in", "SHA256:")
        self.assertEqual(self.known("middle"), known)
        self.assertEqual(self.asked(), before + 1)
        done = self.world.adit("up", "rg/middle", check=False)
        self.assertEqual(done.returncode, 77)
        said = self.ssh("middle")
        self.assertEqual(said.returncode, 255)
        self.assertReadable(said.stderr, "host key verification failed")
        done = self.world.adit("doctor", "rg/middle", check=False)
        self.assertReadable(done.stdout, "FAIL    host key", "do not log in there")
        self.assertEqual(self.known("middle"), known)

    def test_somebody_in_the_middle_from_the_first_connect_on(self):
        self.wrong_keys("many", reported=False)
        done = self.world.adit("up", "rg/many", check=False)
        self.assertEqual(done.returncode, 77)
        self.assertReadable(done.stderr, "but the control plane reports")
        self.assertEqual(self.ssh("many").returncode, 255)

    def test_keys_that_were_made_anew(self):
        self.world.adit("up", "rg/rotated")
        old = self.known("rotated")
        self.wrong_keys("rotated", reported=True)
        wait_for("its new keys are known", lambda: self.known("rotated") not in (old, []))
        self.world.wait_state("rg/rotated", "up")
        self.assertEqual(self.ssh("rotated").returncode, 0)
        # And when ssh is the first to see it.
        self.world.adit("down", "rg/rotated")
        old = self.known("rotated")
        self.wrong_keys("rotated", reported=True)
        said = self.ssh("rotated")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertNotEqual(self.known("rotated"), old)

    def test_what_was_met_before_is_not_believed(self):
        path = self.world.dir / "state/adit/known_hosts"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.world.adit("resolve", "rg/met")
        facts = json.loads(self.world.adit("resolve", "--json", "rg/met").stdout)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.world.dir / "evil"], check=True)
        evil = " ".join((self.world.dir / "evil.pub").read_text().split()[:2])
        with open(path, "a") as file:
            file.write(f"{facts['id'].lower()} {evil} vmId={facts['vm_id']}\n")
        self.assertNotIn(evil, self.world.adit("known-hosts", facts["id"]).stdout)
        self.world.adit("up", "rg/met")
        self.assertNotIn(evil, path.read_text())

    def test_who_may_not_ask_gets_no_connection(self):
        action = "Microsoft.Compute/virtualMachines/runCommand/action"
        self.world.ctl("arm", "deny", action)
        done = self.world.adit("up", "--timeout", "20", "rg/denied", check=False)
        self.assertEqual(done.returncode, 77)
        self.assertReadable(done.stderr, "host-key-check: arm", action, "adit doctor rg/denied")
        self.assertEqual(self.known("denied"), [])
        said = self.world.adit("known-hosts", "denied.rg.adit", check=False)
        self.assertEqual((said.returncode, said.stdout), (77, ""))
        self.assertReadable(said.stderr, "adit: known-hosts: ", action)
        self.assertEqual(self.ssh("denied").returncode, 255)
        self.world.ctl("arm", "allow", action)
        self.world.adit("up", "rg/denied")

    def test_ssh_gets_them_and_asks_nobody(self):
        before = self.asked()
        runs = [subprocess.Popen([BIN / "adit", "known-hosts", "byssh.rg.adit"], env=self.world.env, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        self.world.adit("known-hosts", "byssh.rg.adit")
        lines = {run.communicate(timeout=60)[0] for run in runs}
        self.assertEqual(len(lines), 1)
        self.assertEqual(lines.pop().count("byssh.rg.adit "), 2)
        self.assertEqual(self.asked(), before + 1)
        said = self.ssh("byssh", "echo in")
        self.assertEqual((said.returncode, said.stdout), (0, "in\n"), said.stderr)
        self.assertEqual(self.asked(), before + 1)

    def test_an_address_has_no_azure_to_ask(self):
        done = self.world.adit("up", "127.0.0.9", check=False)
        self.assertReadable(done.stderr, "host-key-check: arm needs a VM that Azure knows by a name", "accept-new")
        self.assertEqual(done.returncode, 69)
