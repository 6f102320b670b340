"""ssh, scp and what adit puts in front of them: the installed configuration, with real ssh in a home of its own."""
import os
import pathlib
import stat
import subprocess
import unittest

from world import BIN, WorldCase, free_port


class SshCase(WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.world.dir / "home"
        cls.home.mkdir()
        cls.world.env["HOME"] = str(cls.home)
        cls.key = cls.world.dir / "id_ed25519"

    def setUp(self):
        self.world.config("  - name: web1\n    vm: rg-web/web1\n")

    def tearDown(self):
        self.world.adit("stop", check=False)

    def run_tool(self, *words, check=True):
        done = subprocess.run([*map(str, words)], env=self.world.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}{self.world.logs()}")
        return done

    def fails(self, status, *args, names=(), env=None):
        done = self.world.adit(*args, check=False, env=env)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout + self.world.logs())
        self.assertReadable(done.stderr, *names)
        self.assertTrue(done.stderr.startswith("adit: "), done.stderr)
        return done


class SshConfig(SshCase):
    @property
    def ssh(self):
        return ["ssh", "-F", self.home / ".ssh/config", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
                "-o", f"UserKnownHostsFile={self.home}/.ssh/known_hosts"]

    def options(self, host):
        """What ssh itself makes of the installed configuration."""
        text = self.run_tool("ssh", "-F", self.home / ".ssh/config", "-G", host).stdout
        return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)

    def test_ssh_reads_what_is_installed(self):
        self.world.config(
            "  - name: web1\n    vm: rg-web/web1\n    user: someone\n    port: 2222\n"
            f"    identity: [\"{self.world.dir}/a key\"]\n"
        )
        said = self.world.adit("ssh-config", "--install")
        self.assertIn(str(self.home / ".ssh/config"), said.stdout)
        self.assertIn("ssh -F", said.stderr)  # this HOME is not where ssh looks
        options = self.options("web1.adit")
        self.assertEqual(options["user"], "someone")
        self.assertEqual(options["port"], "2222")
        self.assertRegex(options["hostkeyalias"], r"(?i)^/subscriptions/.*/virtualMachines/web1$")
        self.assertEqual(options["proxycommand"], f"{BIN}/adit proxy --fdpass %h %p")
        self.assertEqual(options["proxyusefdpass"], "yes")
        self.assertEqual(options["knownhostscommand"], f"{BIN}/adit known-hosts %H")
        text = self.run_tool("ssh", "-F", self.home / ".ssh/config", "-G", "web1.adit").stdout
        self.assertIn(f"identityfile {self.world.dir}/a key\n", text)
        other = self.options("web2.rg-web.adit")
        self.assertEqual(other["proxycommand"], f"{BIN}/adit proxy --fdpass %h %p")
        self.assertNotIn("hostkeyalias", other)
        self.assertNotIn("proxycommand", self.options("web1"))
        self.assertNotIn("proxycommand", self.options("example.com"))
        for name in ("config", "adit.conf"):
            self.assertEqual(stat.S_IMODE(os.stat(self.home / ".ssh" / name).st_mode), 0o600)
        self.assertIn("already", self.world.adit("ssh-config", "--install").stdout)
        self.world.adit("ssh-config", "--uninstall")
        self.assertFalse((self.home / ".ssh/adit.conf").exists())
        self.assertIn("nothing to remove", self.world.adit("ssh-config", "--uninstall").stdout)

    def test_a_vm_that_is_named_has_its_plain_name_too(self):
        self.world.adit("ssh-config", "--install", "web1", "rg-web/web2")
        for host in ("web1", "web1.adit", "rg-web/web2", "web2.rg-web.adit"):
            self.assertRegex(self.options(host)["hostkeyalias"], r"/web[12]$")

    def test_no_host_key_question_once_adit_has_met_the_vm(self):
        self.world.adit("ssh-config", "--install")
        self.world.adit("up", "web1")
        for host in ("web1.adit", "web1.rg-web.adit"):  # by resource ID; by name, through the daemon
            done = self.run_tool(*self.ssh, "-i", self.key, host, "echo here; exit 7", check=False)
            self.assertEqual((done.stdout, done.returncode), ("here\n", 7), done.stderr + self.world.logs())
        self.assertFalse((self.home / ".ssh/known_hosts").exists())
        there = self.world.dir / "copied"
        self.run_tool("scp", *self.ssh[1:], "-i", self.key, __file__, f"web1.adit:{there}")
        self.assertEqual(there.read_bytes(), pathlib.Path(__file__).read_bytes())

    def test_a_vm_that_adit_has_not_met_is_unknown_to_ssh(self):
        self.world.adit("ssh-config", "--install")
        done = self.run_tool(*self.ssh, "-i", self.key, "web2.rg-web.adit", "true", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("Host key verification failed", done.stderr)

    def test_a_changed_host_key_stops_ssh(self):
        self.world.adit("ssh-config", "--install")
        self.world.adit("up", "web1")
        known = pathlib.Path(self.world.env["XDG_STATE_HOME"]) / "adit/known_hosts"
        before = known.read_text()
        self.addCleanup(known.write_text, before)
        stranger = self.world.dir / "stranger"
        if not stranger.exists():
            self.run_tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger)
        key = stranger.with_suffix(".pub").read_text().split()[1]
        lines = [line.split() for line in before.splitlines()]
        known.write_text("".join(" ".join([w[0], "ssh-ed25519", key, *w[3:]]) + "\n" for w in lines))
        done = self.run_tool(*self.ssh, "-i", self.key, "web1.adit", "true", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("HOST IDENTIFICATION HAS CHANGED", done.stderr)

    def test_known_hosts_by_resource_id_needs_no_daemon(self):
        self.world.adit("up", "web1")
        vm = self.world.vm("web1")
        self.world.adit("stop")
        lines = self.world.adit("known-hosts", vm["id"]).stdout
        self.assertTrue(lines.startswith(vm["id"] + " "), lines)
        self.assertEqual(self.world.adit("known-hosts", "web1").stdout, "")
        self.assertEqual(self.world.adit("known-hosts", "no,such*host").stdout, "")
        self.assertIsNone(self.world.daemon_pid())

    def test_keys_of_an_earlier_vm_of_the_name_are_not_told(self):
        self.world.adit("up", "web1")
        vm = self.world.vm("web1")
        known = pathlib.Path(self.world.env["XDG_STATE_HOME"]) / "adit/known_hosts"
        before = known.read_text()
        self.addCleanup(known.write_text, before)
        self.assertNotEqual(self.world.adit("known-hosts", "[web1.adit]:2222").stdout, "")
        known.write_text(before.replace(vm["vm_id"], "00000000-0000-0000-0000-000000000000"))
        for name in ("web1.adit", vm["id"]):
            self.assertEqual(self.world.adit("known-hosts", name).stdout, "")

    def test_failures_say_what_to_do(self):
        self.fails(64, "known-hosts", names=("one host",))
        self.fails(64, "ssh-config", "--uninstall", "web1", names=("alone",))
        self.fails(64, "ssh-config", "rg/a b", names=("a b",))
        self.fails(69, "ssh-config", "--install", env={"HOME": str(self.foreign())}, names=("adit.conf", "not adit's", "move it away"))
        done = self.world.adit("ssh-config", "rg-web/nosuch")
        self.assertReadable(done.stderr, "nosuch", "HostKeyAlias", "not found")
        self.assertNotIn("HostKeyAlias", done.stdout)
        self.assertIn("Host rg-web/nosuch nosuch.rg-web.adit\n", done.stdout)

    def foreign(self):
        home = self.world.dir / "foreign"
        (home / ".ssh").mkdir(parents=True, exist_ok=True)
        (home / ".ssh/adit.conf").write_text("Host mine\n")
        return home


if __name__ == "__main__":
    unittest.main()
