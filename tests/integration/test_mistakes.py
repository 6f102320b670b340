"""Users' mistakes: each is a clear message and the right exit code, and nothing else is disturbed."""
import re
import shutil
import socket
import subprocess
import time

from world import WorldCase, connect, free_port, recv_exactly, wait_for


class Mistakes(WorldCase):
    def setUp(self):
        self.port = free_port()
        self.spec = f"{self.port}:localhost:7"
        self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    local: ["{self.spec}"]\n')
        self.world.ctl("arm", "clear")

    def tearDown(self):
        self.world.adit("stop", check=False)

    def fails(self, status, *args, names=(), within=None, env=None):
        began = time.monotonic()
        done = self.world.adit(*args, check=False, env=env)
        took = time.monotonic() - began
        self.assertEqual(done.returncode, status, done.stderr + done.stdout + self.world.logs())
        self.assertReadable(done.stderr + done.stdout, *names)
        if within:
            self.assertLess(took, within)
        return done

    def assertUndisturbed(self):
        with connect(self.port) as s:
            s.sendall(b"fine")
            self.assertEqual(recv_exactly(s, 4), b"fine")

    def test_configuration_errors_are_all_reported_with_their_place(self):
        bad = self.world.dir / "bad.yaml"
        bad.write_text(
            "defaults:\n  user: me\n  prot: 22\nvms:\n  - name: a\n    vm: rg/a\n    local: ['99999:localhost:1']\n    port: ninety\n"
        )
        done = self.fails(78, "config", "check", bad, names=("bad.yaml:3:3", "prot", "port", "bad.yaml:7:", "99999", "bad.yaml:8:", "ninety"))
        self.assertEqual(len([line for line in (done.stdout + done.stderr).splitlines() if "bad.yaml:" in line]), 3)

    def test_daemon_refuses_a_wrong_configuration_and_says_all(self):
        self.world.config_path.write_text("vmz: []\nlog-level: loud\n")
        self.fails(78, "up", "web1", names=("adit.yaml:1:1", "vmz", "adit.yaml:2:", "loud"))

    def test_reload_of_a_wrong_configuration_keeps_the_old_one(self):
        self.world.adit("up", "web1")
        self.world.config_path.write_text("vmz: []\n")
        self.fails(78, "reload", names=("adit.yaml:1:1", "vmz"))
        self.assertUndisturbed()

    def test_a_configuration_that_was_edited_and_not_read(self):
        self.world.adit("up", "web1")
        text = self.world.config_path.read_text()
        self.world.config_path.write_text(text + "  - name: fresh\n    vm: rg-web/web2\n  - name: web2\n    vm: rg-web/web2\n    local: ['%d:localhost:7']\n" % free_port())
        self.fails(69, "up", "fresh", names=("fresh", "adit.yaml has changed", "adit reload"))
        self.fails(0, "up", "web2", names=("adit.yaml has changed", "adit reload"))  # as a VM of Azure, without its forward
        self.fails(0, "status", names=("the configuration has changed", "adit reload"))
        self.world.adit("reload")
        for done in (self.fails(0, "up", "fresh"), self.fails(0, "status"), self.fails(69, "resolve", "rg-web/nosuch")):
            self.assertNotIn("changed", done.stdout + done.stderr)

    def test_port_in_use(self):
        self.world.adit("up", "web1")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.fails(69, "forward", "web1", "-L", f"{port}:localhost:7", "--detach", names=("web1", str(port), "in use"))
        self.assertUndisturbed()

    def test_unknown_vm(self):
        self.world.adit("up", "web1")
        self.fails(69, "up", "rg-web/nosuch", names=("nosuch", "not found"))
        self.fails(69, "resolve", "nosuch", names=("nosuch",))
        self.assertUndisturbed()

    def test_name_in_two_groups_lists_them(self):
        self.fails(64, "resolve", "twin", names=("twin", "rg-lab/twin", "rg-web/twin"))

    def test_wrong_secret(self):
        self.fails(77, "up", "web1", names=("AZURE_CLIENT_SECRET", "AADSTS7000215"),
                   env={"AZURE_CLIENT_SECRET": "wrong-secret-value", "XDG_CACHE_HOME": str(self.world.dir / "no-cache")})
        self.assertNotIn("wrong-secret-value", self.world.logs())

    def test_arm_down(self):
        text = self.world.config_path.read_text()
        endpoint = re.search(r"arm-endpoint: *\"?(https://[^\s\"]+)", text).group(1)
        down = f"https://127.0.0.1:{free_port()}"
        self.world.config_path.write_text(text.replace(endpoint, down))
        done = self.fails(69, "up", "web1", "--timeout", "5s", names=("web1", down.removeprefix("https://")))

    def test_ssh_refused(self):
        nobody = free_port()
        self.world.config(f"  - name: closed\n    address: 127.0.0.1\n    port: {nobody}\n    connect-timeout: 1s\n    local: ['{self.spec}']\n")
        self.fails(69, "up", "closed", names=("closed", f"127.0.0.1:{nobody}", "refused"))
        with self.assertRaises(ConnectionResetError):
            connect(self.port).recv(1)

    def test_vm_that_is_off(self):
        self.world.ctl("deallocate", "rg-web/web2")
        self.addCleanup(self.world.ctl, "start", "rg-web/web2")
        self.world.adit("up", "web1")
        self.fails(69, "forward", "rg-web/web2", "-L", f"{free_port()}:localhost:7", "--detach", "--timeout", "4s", names=("web2", "deallocated"))
        self.assertUndisturbed()

    def test_no_public_address(self):
        self.fails(69, "forward", "rg-data/db1", "-L", f"{free_port()}:localhost:5432", "--detach", "--timeout", "4s",
                   names=("db1", "public", "via"))

    def test_unreadable_key(self):
        self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    identity: ["{self.world.dir}/nosuch_key"]\n    local: ["{self.spec}"]\n')
        self.fails(77, "up", "web1", names=("web1", "nosuch_key"), env={"SSH_AUTH_SOCK": ""})

    def test_passphrase_protected_key_without_an_agent(self):
        key = self.world.dir / "locked"
        if not key.exists():
            shutil.copy(self.world.dir / "id_ed25519", key)  # one that the server takes: only then it matters
            subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret words", "-f", key], check=True)
        self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    identity: ["{key}"]\n    local: ["{self.spec}"]\n')
        self.fails(77, "up", "web1", names=("web1", f"key {key} cannot sign", "passphrase", "`adit up web1` on a terminal asks"), env={"SSH_AUTH_SOCK": ""})
        self.assertNotIn("agent", self.world.vm("web1")["error"])  # an empty variable names none

    def test_key_that_the_server_refuses_is_not_tried_in_a_loop(self):
        key = self.world.dir / "stranger"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    identity: ["{key}"]\n    local: ["{self.spec}"]\n')
        self.fails(77, "up", "web1", names=("web1", str(key)), env={"SSH_AUTH_SOCK": ""})
        self.assertEqual(self.world.vm("web1")["state"], "failed")

    def test_usage_errors(self):
        self.fails(64, "forwrad", names=("forwrad", "did you mean", "forward"), within=5)
        self.fails(64, "forward", "web1", names=("-L",), within=5)
        self.fails(64, "forward", "web1", "-L", "80:a:b:c:d", names=("80:a:b:c:d",), within=5)
        self.fails(64, "up", "--nosuch", names=("nosuch",), within=5)

    def test_cancel_of_a_forward_that_is_not_there_lists_those_that_are(self):
        self.world.adit("up", "web1")
        self.fails(69, "cancel", "web1", "-L", "1:localhost:1", names=("web1", self.spec))

    def test_a_name_that_is_nearly_one_of_ours(self):
        self.world.config('  - name: web1\n    vm: rg-web/web1\n  - name: jumphost\n    address: 127.0.0.9\n')
        for args, status in ((("up", "jumphots", "--no-wait"), 0), (("up", "jumphots"), 69), (("down", "jumphots"), 69), (("status", "jumphots"), 69),
                             (("rdp", "me@jumphots", "--print"), 69), (("proxy", "jumphots", "22"), 255), (("resolve", "jumphots"), 69)):
            with self.subTest(args=args):
                done = self.fails(status, *args, names=("jumphots", "did you mean jumphost?") if status else ())
                self.assertLessEqual(done.stderr.count("\n"), 1, done.stderr)
        self.fails(69, "cancel", "wbe1", "-L", "1:localhost:1", names=("wbe1", "did you mean web1?"))
        self.assertNotIn("did you mean", self.fails(69, "cancel", "web1", "-L", "1:localhost:1", names=("web1", "forward")).stderr)
