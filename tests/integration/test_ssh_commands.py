"""ssh, scp and what adit puts in front of them: the installed configuration, with real ssh in a home of its own."""
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import tempfile
import unittest

from world import BIN, RDP_REQUEST, WorldCase, connect, free_port, rdp_opens, recv_exactly, wait_for


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


class Ssh(SshCase):
    """`adit ssh`: the user's ssh, found by the VM's name."""

    def ssh(self, *args, check=True, **kwargs):
        return self.world.adit("ssh", *args, check=check, **kwargs)

    def test_exit_status_and_output_are_the_commands(self):
        self.world.adit("up", "web1")  # its host key is known from here on
        for target in (("web1",), ("-g", "rg-web", "-n", "web1"), ("--name", "web1"), ("rg-web/web1", "-i", self.key)):
            done = self.ssh(*target, "--", "-o", "BatchMode=yes", "echo here; exit 7", check=False)
            self.assertEqual((done.stdout, done.returncode), ("here\n", 7), done.stderr + self.world.logs())

    def test_settings_of_the_configuration_reach_ssh(self):
        self.world.config(f"  - name: web1\n    vm: rg-web/web1\n    user: someone\n    port: 2222\n    identity: [\"{self.key}\"]\n")
        text = self.ssh("web1", "--", "-G").stdout
        for line in ("user someone", "port 2222", f"identityfile {self.key}", "hostkeyalias web1", "proxyusefdpass yes",
                     f"proxycommand {BIN}/adit proxy --fdpass web1 %p", f"knownhostscommand {BIN}/adit known-hosts %H"):
            self.assertIn(line + "\n", text)
        public = self.world.dir / "k.pub"
        public.touch()
        text = self.ssh("web1", "--local-user", "other", "--port", "22", "-p", public, "-c", "/k-cert.pub", "--", "-G").stdout
        for line in ("user other", "port 22", f"identityfile {public}", "certificatefile /k-cert.pub"):
            self.assertIn(line + "\n", text)
        self.assertNotIn(f"identityfile {self.key}\n", text)

    def test_private_address_is_what_azure_says(self):
        text = self.ssh("web1", "--prefer-private-ip", "--", "-G").stdout
        facts = json.loads(self.world.adit("resolve", "web1", "--json").stdout)
        private = next(a["ip"] for a in facts["addresses"] if not a["public"])
        self.assertIn(f"proxycommand {BIN}/adit proxy --fdpass {private} %p\n", text)
        self.assertIn(f"hostkeyalias {facts['id']}\n".lower(), text)

    def test_the_ssh_of_another_folder(self):
        folder = self.world.dir / "client"
        folder.mkdir(exist_ok=True)
        (folder / "ssh").write_text('#!/bin/sh\nfor word; do last=$word; done\necho "mine: $last"\nexit 3\n')
        (folder / "ssh").chmod(0o755)
        done = self.ssh("web1", "--ssh-client-folder", folder, "--", "uptime", check=False)
        self.assertEqual((done.stdout, done.returncode), ("mine: uptime\n", 3))

    def test_forwards_alone_are_carried_by_adit(self):
        port = free_port()
        spec = f"{port}:localhost:7"
        run = self.world.start("ssh", "-g", "rg-web", "-n", "web1", "--", "-N", "-L", spec)
        wait_for("the forward listens", lambda: self.world.forward("web1", spec))
        self.world.wait_state("web1", "up")
        with connect(port) as s:
            s.sendall(b"four")
            self.assertEqual(recv_exactly(s, 4), b"four")
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
        wait_for("the forward is gone", lambda: not self.world.forward("web1", spec))

    def test_failures_are_one_line_and_255(self):
        self.fails(255, "ssh", names=("which VM",))
        self.fails(255, "ssh", "-g", "rg", names=("-g needs -n",))
        self.fails(255, "ssh", "web1", "uptime", names=("behind --", "adit ssh web1 -- uptime"))
        self.fails(255, "ssh", "web1", "--ip", "10.0.0.4", names=("either",))
        self.fails(255, "ssh", "--ip", "10.0.0.4", "--prefer-private-ip", names=("nothing to choose",))
        self.fails(255, "ssh", "web1", "--port", "none", names=("the port", "none"))
        self.fails(255, "ssh", "web1", "--resource-type", "Microsoft.HybridCompute/machines", names=("HybridCompute", "az ssh arc"))
        self.fails(255, "ssh", "web1", "--local-uzer", "me", names=("did you mean --local-user",))
        self.fails(255, "ssh", "-n", "-oProxyCommand=x", names=("no VM's name",))
        self.fails(255, "ssh", "web1", "--ssh-client-folder", "/nonexistent", names=("ssh web1", "/nonexistent/ssh", "--ssh-client-folder"))
        self.fails(255, "ssh", "rg-web/nosuch", "--prefer-private-ip", names=("nosuch", "not found"))
        self.fails(255, "ssh", "it's", names=("quote",))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.fails(255, "ssh", "web1", "--", "-N", "-L", f"{port}:localhost:7", names=("web1", str(port), "in use"))
        done = self.ssh("rg-web/nosuch", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertReadable(done.stderr, "nosuch", "not found")


class Rdp(SshCase):
    """`adit rdp`: the user's RDP client on a tunnel of its own."""

    def setUp(self):
        self.world.config("  - name: win11\n    vm: rg-desk/win11\n")
        self.bin = pathlib.Path(tempfile.mkdtemp(dir=self.world.dir))
        self.said = self.bin / "said"

    def client(self, script, name="xfreerdp"):
        """A client in PATH that notes its arguments, then does what the script says."""
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "$0 $*" >>"{self.said}.new"\nmv "{self.said}.new" "{self.said}"\n{script}\n')
        path.chmod(0o755)

    @property
    def path(self):
        return {"PATH": f"{self.bin}:{self.world.env['PATH']}"}

    def start(self, *args):
        return subprocess.Popen([BIN / "adit", "rdp", *args], env={**self.world.env, **self.path}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def port_of(self, run):
        wait_for("the client runs", lambda: self.said.exists() or run.poll() is not None)
        self.assertIsNone(run.poll(), run.stderr.read() if run.poll() is not None else "")
        return int(self.said.read_text().strip().rsplit(":", 1)[1])

    def forwards(self):
        vm = self.world.vm("win11")
        return [f["listening"] for f in vm["forwards"]] if vm else []

    def test_the_client_gets_a_tunnel_that_ends_with_it(self):
        self.client(f'while [ ! -e "{self.bin}/close" ]; do sleep 0.05; done\nexit 9')
        run = self.start("win11", "--", "/u:me")
        port = self.port_of(run)
        self.assertIn(f"xfreerdp /u:me /v:127.0.0.1:{port}", self.said.read_text())
        self.assertTrue(rdp_opens(port))
        (self.bin / "close").touch()
        out, err = run.communicate(timeout=30)
        said = [line for line in err.splitlines() if not line.startswith("adit: win11: up at ")]  # told when it came late
        self.assertEqual((run.returncode, out, said), (0, "", []))
        wait_for("the forward is gone", lambda: self.forwards() == [])

    def test_a_second_window_keeps_the_tunnel_and_shares_the_connection(self):
        self.client("exit 0")  # hands over to one that runs already, as Remmina does
        run = self.start("win11")
        port = self.port_of(run)
        with connect(port) as window:
            window.sendall(RDP_REQUEST)
            recv_exactly(window, 19)
            self.assertTrue(rdp_opens(port))
            wait_for("one window is open", lambda: self.world.vm("win11")["forwards"][0]["flows"] == 1)
            self.assertIsNone(run.poll())
            self.assertEqual(self.world.vm("win11")["connections"], 1)
        run.communicate(timeout=30)
        self.assertEqual(run.returncode, 0)

    def test_print_and_write_stay_until_interrupted(self):
        file = self.bin / "win11.rdp"
        run = self.start("win11", "--print", "--write", str(file))
        address = run.stdout.readline().strip()
        self.assertRegex(address, r"^127\.0\.0\.1:\d+$")
        self.assertIn(f"full address:s:{address}\r\n", file.read_bytes().decode())
        self.assertTrue(rdp_opens(int(address.split(":")[1])))
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
        self.assertEqual(run.returncode, 0)
        wait_for("the forward is gone", lambda: self.forwards() == [])

    def test_keep_leaves_the_tunnel_to_the_daemon(self):
        done = self.world.adit("rdp", "win11", "--print", "--keep")
        port = int(done.stdout.strip().split(":")[1])
        self.assertTrue(rdp_opens(port))
        self.assertReadable(done.stderr, "adit cancel win11 -L", str(port))
        self.world.adit("cancel", "win11", "-L", f"127.0.0.1:{port}:localhost:3389")

    def test_the_client_that_is_named(self):
        self.client("exit 0")
        self.client("exit 0", "remmina")
        done = self.world.adit("rdp", "win11", "--keep", "--client", "remmina", env=self.path)
        self.assertRegex(self.said.read_text(), r"remmina -c rdp://127\.0\.0\.1:\d+\n")
        self.client("exit 0", "my-viewer")
        self.world.adit("rdp", "win11", "--keep", "--client", self.bin / "my-viewer", env=self.path)
        self.assertRegex(self.said.read_text(), r"my-viewer 127\.0\.0\.1:\d+\n")

    def test_a_killed_command_takes_its_tunnel_along_when_the_client_ends(self):
        self.client(f'while [ ! -e "{self.bin}/close" ]; do sleep 0.05; done')
        run = self.start("win11")
        self.assertTrue(rdp_opens(self.port_of(run)))
        run.kill()
        (self.bin / "close").touch()
        run.communicate(timeout=30)
        wait_for("the forward is gone", lambda: self.forwards() == [])

    def test_failures_say_what_to_do(self):
        self.fails(64, "rdp", names=("which VM",))
        self.fails(64, "rdp", "win11", "--print", "--client", "remmina", names=("start no client",))
        self.fails(64, "rdp", "win11", "--port", "0", names=("the port",))
        nothing = {"PATH": str(self.bin)}
        self.fails(69, "rdp", "win11", env=nothing, names=("rdp win11", "no RDP client", "xfreerdp", "--client", "--print"))
        self.fails(69, "rdp", "win11", "--client", "nosuch", names=("no nosuch in PATH",))
        self.fails(69, "rdp", "rg-desk/nosuch", "--print", names=("nosuch", "not found"))
        self.fails(69, "rdp", "win11", "--write", "/nonexistent/x.rdp", names=("/nonexistent/x.rdp",))
        (self.bin / "broken").write_text("#!/nonexistent/interpreter\n")
        (self.bin / "broken").chmod(0o755)
        self.fails(69, "rdp", "win11", "--client", self.bin / "broken", names=("cannot run", "broken"))
        self.assertEqual(self.forwards(), [])


if __name__ == "__main__":
    unittest.main()
