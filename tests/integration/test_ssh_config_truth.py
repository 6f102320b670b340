"""What adit.yaml leaves open is what the user's ssh says of the VM; adit.yaml wins where it speaks."""
import json
import pathlib
import re
import subprocess
import time
import unittest

from world import BIN, WorldCase, connect, free_port, recv_exactly, wait_for

LIMIT = 5  # seconds that `ssh -G` may take


class Truth(WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        w = cls.world
        w.config()  # keeps the sandbox's own sections
        head = (w.dir / "head.yaml").read_text()
        cls.user = re.search(r"^  user: (\S+)", head, re.M).group(1)
        cls.key = re.search(r"^  identity: \[(\S+)\]", head, re.M).group(1)
        cls.azure = head[: head.index("defaults:")]
        cls.ssh_config = w.dir / "ssh config"
        w.config("  - {name: web1, vm: rg-web/web1, up: false}\n  - {name: win11, vm: rg-desk/win11, up: false}\n")
        cls.address = {}
        for vm in ("web1", "win11"):
            facts = json.loads(w.adit("resolve", vm, "--json").stdout)
            cls.address[vm] = next(a["ip"] for a in facts["addresses"] if a["public"])
        w.adit("stop")

    def tearDown(self):
        self.world.adit("stop", check=False)

    def login(self, user=True):
        """ssh_config's lines that let the sandbox's VMs be logged in to."""
        return (f"  User {self.user}\n" if user else "") + f"  IdentityFile {self.key}\n"

    def given(self, ssh_config, vms, defaults=""):
        self.ssh_config.write_text(ssh_config)
        head = f'{self.azure}defaults:\n  ssh-config: "{self.ssh_config}"\n{defaults}'
        self.world.config("".join(f"  - {vm}\n" for vm in vms), head)

    def sources(self, vm):
        shown = json.loads(self.world.adit("config", "show", "--vm", vm, "--json").stdout)
        return shown, shown["source"]

    # ---- it is used ----

    def test_user_identity_and_known_hosts_of_a_tunnel(self):
        port = free_port()
        known_hosts = self.world.dir / "my_known_hosts"
        self.given(
            f"Host web1\n{self.login()}  UserKnownHostsFile {known_hosts}\n  HostKeyAlias the-web\n"
            "  StrictHostKeyChecking accept-new\n  ServerAliveInterval 7\n  Ciphers aes256-ctr\n",
            [f'{{name: web1, vm: rg-web/web1, up: false, local: ["{port}:localhost:7"]}}'],
        )
        done = self.world.adit("up", "web1")
        self.assertEqual(done.stderr, "")
        with connect(port) as s:
            s.sendall(b"hello")
            self.assertEqual(recv_exactly(s, 5), b"hello")
        vm = self.world.vm("web1")
        self.assertEqual((vm["user"], vm["cipher"]), (self.user, "aes256-ctr"))
        self.assertIn(self.key, vm["auth"])
        self.assertRegex(known_hosts.read_text(), r"^the-web (ssh|ecdsa)-")
        shown, source = self.sources("web1")
        self.assertEqual(shown["ssh"]["keepalive-ms"], 7000)
        for key in ("identity", "known-hosts", "host-key-alias", "ciphers", "keepalive-ms"):
            self.assertEqual(source[key], "ssh_config", key)
        self.assertEqual((source["ssh-config"], source["port"]), ("adit.yaml", "default"))
        page = self.world.adit("config", "show", "--vm", "web1").stdout
        self.assertRegex(page, rf"(?m)^identity +ssh_config +{re.escape(self.key)}$")
        self.assertRegex(page, r"(?m)^port +default +22$")

    def test_port_and_adit_yaml_wins(self):
        self.given(f"Host web*\n{self.login()}  Port 1\n", ["{name: web1, vm: rg-web/web1, up: false}"])
        done = self.world.adit("up", "web1", "--timeout", "3", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertReadable(done.stderr, "web1", f"{self.address['web1']}:1")
        self.given(
            "Host web1\n  User nobody-here\n  Port 1\n  IdentityFile /nonexistent/key\n",
            [f"{{name: web1, vm: rg-web/web1, up: false, port: 22, user: {self.user}}}"],
            f"  identity: [{self.key}]\n",
        )
        self.world.adit("reload")
        self.world.adit("up", "web1")
        _, source = self.sources("web1")
        self.assertEqual({source[k] for k in ("port", "user", "identity")}, {"adit.yaml"})

    def test_a_change_is_noticed_at_up(self):
        self.given("Host web1\n  User nobody-here\n", ["{name: web1, vm: rg-web/web1, up: false}"], f"  identity: [{self.key}]\n")
        done = self.world.adit("up", "web1", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertReadable(done.stderr, "nobody-here")
        self.ssh_config.write_text(f"Host web1\n  User {self.user}\n")
        self.world.adit("up", "web1")
        self.assertEqual(self.world.vm("web1")["user"], self.user)

    def test_a_vm_that_adit_yaml_does_not_name(self):
        self.given(f"Host rg-web/web2\n{self.login()}  RemoteCommand true\n", ["{name: web1, vm: rg-web/web1, up: false}"])
        port = free_port()
        done = self.world.adit("up", "rg-web/web2")
        self.assertReadable(done.stderr, "rg-web/web2", "note", "RemoteCommand")
        self.world.adit("forward", "rg-web/web2", "-L", f"{port}:localhost:7", "--detach")
        with connect(port) as s:
            s.sendall(b"hello")
            self.assertEqual(recv_exactly(s, 5), b"hello")

    # ---- ProxyJump ----

    def test_jump_through_a_vm_of_adit_yaml(self):
        self.given(
            f"Host *\n{self.login()}Host db1\n  ProxyJump web1\n",
            ["{name: web1, vm: rg-web/web1, up: false}", "{name: db1, vm: rg-data/db1, up: false}"],
        )
        self.world.adit("up", "db1")
        self.assertEqual(self.world.vm("db1")["via"], "web1")
        self.assertEqual(self.sources("db1")[1]["via"], "ssh_config")

    def test_jump_through_a_host_that_azure_does_not_know(self):
        jump = f"{self.user}@bastion"
        self.given(
            f"Host bastion\n  HostName {self.address['web1']}\n  User wrong\nHost *\n  IdentityFile {self.key}\n"
            f"Host db1\n  User {self.user}\n  ProxyJump {jump}\n",
            ["{name: db1, vm: rg-data/db1, up: false}"],
        )
        self.world.adit("up")  # brings up no hop for its own sake
        self.assertEqual(self.world.vm("db1")["via"], jump)
        hop = self.world.vm(jump)
        self.assertEqual((hop["user"], hop["state"]), (self.user, "up"))
        self.assertIn(self.address["web1"], hop["address"])

    def test_jumps_in_a_circle_are_named(self):
        self.given(
            f"Host *\n{self.login()}Host web1\n  ProxyJump win11\nHost win11\n  ProxyJump web1\n",
            ["{name: web1, vm: rg-web/web1, up: false}", "{name: win11, vm: rg-desk/win11, up: false}"],
        )
        done = self.world.adit("up", "web1", "win11")
        self.assertReadable(done.stderr, "ProxyJump", "circle")

    def test_a_jump_for_every_other_host(self):
        self.given(
            f"Host !web1 *\n  ProxyJump web1\nHost *\n{self.login()}",
            ["{name: web1, vm: rg-web/web1, up: false}", "{name: db1, vm: rg-data/db1, up: false}"],
        )
        self.world.adit("up", "db1")
        self.assertIsNone(self.world.vm("web1")["via"])
        self.assertEqual(self.world.vm("db1")["via"], "web1")

    # ---- what does not hold ----

    def test_what_adit_does_not_do_is_named_once(self):
        self.given(
            f"Host web1\n{self.login()}  RemoteCommand uptime\n  ControlPath /tmp/%C\n  GSSAPIDelegateCredentials yes\n"
            "  MACs umac-64@openssh.com\n  StrictHostKeyChecking no\n",
            ["{name: web1, vm: rg-web/web1, up: false}"],
        )
        done = self.world.adit("up", "web1")
        named = ("RemoteCommand", "ControlPath", "GSSAPIDelegateCredentials", "MACs", "StrictHostKeyChecking no")
        self.assertReadable(done.stderr, "adit: web1: note: ", *named)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1)
        self.world.adit("reload")
        self.world.adit("up", "web1")
        lines = [line for line in self.world.logs().splitlines() if "RemoteCommand" in line and "ControlPath" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("note: ", self.world.adit("config", "show", "--vm", "web1").stdout)

    def test_our_own_proxy_command_is_no_trouble(self):
        self.given(
            f"Host *.adit web1\n{self.login()}  ProxyCommand '{BIN}/adit' proxy --fdpass %h %p\n  ProxyUseFdpass yes\n"
            f"  KnownHostsCommand {BIN}/adit known-hosts %H\n",
            ["{name: web1, vm: rg-web/web1, up: false}"],
        )
        done = self.world.adit("up", "web1")
        self.assertEqual(done.stderr, "")
        run = subprocess.run(
            ["ssh", "-F", self.ssh_config, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "web1", "echo here"],
            env=self.world.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        self.assertEqual(run.stdout, "here\n", run.stderr)

    def test_an_ssh_config_that_is_wrong(self):
        self.given("Host web1\n  Nonsense yes\n", [f"{{name: web1, vm: rg-web/web1, up: false, user: {self.user}}}"], f"  identity: [{self.key}]\n")
        done = self.world.adit("up", "web1")
        self.assertReadable(done.stderr, "ssh -G web1", "nonsense", "left out")

    def test_a_match_exec_that_hangs_costs_the_limit(self):
        mark = self.world.dir / "match-exec"
        self.given(
            f'Match exec "echo $$ >>{mark}; exec sleep 4321"\n  User nobody-here\n',
            [f"{{name: {n}, vm: rg-web/{n}, up: false, user: {self.user}}}" for n in ("web1", "web2")],
            f"  identity: [{self.key}]\n",
        )
        began = time.monotonic()
        done = self.world.adit("up", "web1")
        self.assertLess(time.monotonic() - began, LIMIT + 10)
        self.assertReadable(done.stderr, "ssh -G web1", f"within {LIMIT} s", "Match exec", "left out")
        pids = [int(p) for p in mark.read_text().split()]
        self.assertTrue(pids)
        wait_for("what Match exec started has ended", lambda: not any(running(p) for p in pids))

    def test_no_ssh_in_path(self):
        empty = self.world.dir / "empty"
        empty.mkdir()
        self.given("Host web1\n  User nobody-here\n", [f"{{name: web1, vm: rg-web/web1, up: false, user: {self.user}}}"], f"  identity: [{self.key}]\n")
        done = self.world.adit("up", "web1", env={"PATH": str(empty)})
        self.assertEqual(done.stderr, "")
        self.assertIn("no ssh in PATH", self.world.logs())

    def test_off(self):
        self.given("Host web1\n  User nobody-here\n", [f"{{name: web1, vm: rg-web/web1, up: false, ssh-config: off, user: {self.user}}}"], f"  identity: [{self.key}]\n")
        self.world.adit("up", "web1")
        done = self.world.adit("config", "show", "--vm", "nowhere", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertReadable(done.stderr, "the configuration names no VM nowhere")

    def test_stopping_while_ssh_is_asked(self):
        self.given("Host web1\n", ["{name: web1, vm: rg-web/web1, up: false}"])
        self.world.adit("config", "show", "--vm", "web1")
        self.ssh_config.write_text('Match exec "exec sleep 4321"\n')
        up = self.world.start("up", "web1")
        wait_for("ssh runs", lambda: subprocess.run(["pgrep", "-P", str(self.pid()), "-x", "ssh"], capture_output=True).returncode == 0)
        began = time.monotonic()
        self.world.adit("stop")
        self.assertLess(time.monotonic() - began, LIMIT - 1)
        self.assertNotEqual(up.wait(20), 0)
        up.communicate()

    def pid(self):
        return self.world.daemon_pid()


def running(pid):
    """Whether the process lives; one that nobody has reaped does not."""
    try:
        return (pathlib.Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
