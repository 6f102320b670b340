"""adit proxy as a ProxyCommand: ssh, scp, sftp, rsync, git and a ControlMaster through both modes, what is left behind, and errors."""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import subprocess
import time
import unittest

from world import BIN, WorldCase, wait_for

MODES = {
    "stdio": [f"ProxyCommand={BIN}/adit proxy %h %p"],
    "fdpass": [f"ProxyCommand={BIN}/adit proxy --fdpass %h %p", "ProxyUseFdpass=yes"],
}
QUICK = 2.5  # seconds: what must be said within two, and starting a process on a busy machine
CONFIG = """
  - name: web1
    vm: rg-web/web1
  - name: jump
    vm: rg-desk/win11
  - name: db1
    vm: rg-data/db1
    via: jump
"""


def process_ids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


class ProxyCase(WorldCase):
    """Knows how to run ssh and its friends through adit."""

    def setUp(self):
        self.world.config(CONFIG)
        self.key = self.world.dir / "id_ed25519"
        self.socket = pathlib.Path(self.world.env["XDG_RUNTIME_DIR"]) / "adit" / "aditd.sock"
        self.folder = self.world.dir / self.id().rsplit(".", 1)[-1]
        self.folder.mkdir()

    def tearDown(self):
        self.world.adit("stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def options(self, mode):
        words = ["-F", "none", "-i", self.key]
        options = [
            "IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes", "LogLevel=ERROR", "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null", *(MODES[mode] if isinstance(mode, str) else mode),
        ]
        for option in options:
            words += ["-o", option]
        return [str(word) for word in words]

    def run_quietly(self, words, check=True, timeout=120, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("text", True)
        done = subprocess.run([str(word) for word in words], env=self.world.env, capture_output=True, timeout=timeout, **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f"{words[0]}: exit {done.returncode}: {done.stdout}{done.stderr}{self.world.logs()[-2000:]}")
        return done

    def ssh(self, mode, host, *command, **kwargs):
        return self.run_quietly(["ssh", *self.options(mode), host, *command], **kwargs)

    def proxies(self):
        """The processes `adit proxy` of this world."""
        found = []
        for pid in process_ids():
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
                if words[1:2] == [b"proxy"] and words[0].endswith(b"adit") and os.fsencode(str(self.world.dir)) in environment:
                    found.append(pid)
        return found

    def rsh(self, mode):
        """The same as a program of one word, for those that take only a command."""
        script = self.folder / f"rsh-{mode}"
        quoted = " ".join("'" + word + "'" for word in self.options(mode))
        script.write_text(f'#!/bin/sh\nexec ssh {quoted} "$@"\n')
        script.chmod(0o700)
        return script


class Programs(ProxyCase):
    def each_mode(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                yield mode

    def test_ssh_to_each_kind_of_name(self):
        address = next(a["ip"] for a in json.loads(self.world.adit("resolve", "web1", "--json").stdout)["addresses"] if a["public"])
        for mode in self.each_mode():
            for host in ("web1", "web2.rg-web.adit", "rg-web/web2", address, "db1"):
                with self.subTest(host=host):
                    done = self.ssh(mode, host, "cat; echo from there >&2; exit 7", input="over and back\n", stdin=None, check=False)
                    self.assertEqual((done.stdout, done.stderr, done.returncode), ("over and back\n", "from there\n", 7))

    def test_signals_and_exit_codes_as_directly(self):
        """A command that a signal ends is 255 for ssh, as without adit; one that ends by itself is its own status."""
        for mode in self.each_mode():
            self.assertEqual(self.ssh(mode, "web1", "kill -TERM $$", check=False).returncode, 255)
            self.assertEqual([self.ssh(mode, "web1", f"exit {n}", check=False).returncode for n in (0, 1, 254)], [0, 1, 254])

    def test_interrupting_ssh_leaves_nothing(self):
        for mode in self.each_mode():
            for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                run = subprocess.Popen(["ssh", *self.options(mode), "web1", "echo there; cat"], env=self.world.env,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                with run:
                    self.assertEqual(run.stdout.readline(), b"there\n")
                    run.send_signal(how)
                    run.wait(20)
                wait_for("no adit proxy is left", lambda: not self.proxies(), 10)

    def test_a_gigabyte_arrives_as_it_left(self):
        """There and back at once: what ssh reads must be what it was given, and all of it."""
        size = int(os.environ.get("ADIT_TEST_BYTES", 1 << 30))
        seed = os.urandom(1 << 20)
        for mode in self.each_mode():
            there, back = hashlib.sha256(), hashlib.sha256()
            run = subprocess.Popen(["ssh", *self.options(mode), "-o", "Ciphers=aes128-gcm@openssh.com", "web1", "cat"],
                                   env=self.world.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
            with run:
                feeder = os.fork()
                if feeder == 0:
                    with contextlib.suppress(BrokenPipeError):
                        for i in range(size >> 20):
                            view = memoryview(i.to_bytes(8, "big") + seed[8:])
                            while view:
                                view = view[run.stdin.write(view):]
                    os._exit(0)
                run.stdin.close()
                for i in range(size >> 20):
                    there.update(i.to_bytes(8, "big") + seed[8:])
                    have = 0
                    while have < 1 << 20:
                        part = run.stdout.read((1 << 20) - have)
                        if not part:
                            self.fail(f"the stream ended early: {run.stderr.read()}")
                        back.update(part)
                        have += len(part)
                self.assertEqual(run.stdout.read(), b"")
                os.waitpid(feeder, 0)
                self.assertEqual(run.wait(20), 0)
            self.assertEqual(there.hexdigest(), back.hexdigest())

    def test_scp_and_sftp(self):
        data = os.urandom(3000001)
        source = self.folder / "source"
        source.write_bytes(data)
        for mode in self.each_mode():
            there, here = self.folder / f"there-{mode}", self.folder / f"here-{mode}"
            self.run_quietly(["scp", *self.options(mode), source, f"web1:{there}"])
            self.run_quietly(["scp", *self.options(mode), f"web1:{there}", here])
            self.assertEqual(here.read_bytes(), data)
            here.unlink()
            self.run_quietly(["sftp", *self.options(mode), "-b", "-", "web1"], stdin=None, input=f"get {there} {here}\nrm {there}\n")
            self.assertEqual(here.read_bytes(), data)
            self.assertFalse(there.exists())

    @unittest.skipUnless(shutil.which("rsync"), "rsync is not installed")
    def test_rsync(self):
        tree = self.folder / "tree"
        (tree / "deep").mkdir(parents=True)
        for i in range(50):
            (tree / "deep" / f"f{i}").write_bytes(os.urandom(2000 * i))
        for mode in self.each_mode():
            there, here = self.folder / f"there-{mode}", self.folder / f"here-{mode}"
            self.run_quietly(["rsync", "-a", "-e", self.rsh(mode), f"{tree}/", f"web1:{there}/"])
            self.run_quietly(["rsync", "-a", "-e", self.rsh(mode), f"web1:{there}/", f"{here}/"])
            for i in range(50):
                self.assertEqual((here / "deep" / f"f{i}").read_bytes(), (tree / "deep" / f"f{i}").read_bytes())

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_git(self):
        work, bare = self.folder / "work", self.folder / "bare.git"
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
        self.run_quietly([*git, "init", "-q", "--bare", bare])
        self.run_quietly([*git, "init", "-q", work])
        for number, mode in enumerate(self.each_mode()):
            (work / "file").write_text(f"{number}\n" * 10000)
            self.run_quietly([*git, "-C", work, "add", "file"])
            self.run_quietly([*git, "-C", work, "commit", "-q", "-m", mode])
            over = [*git, "-c", f"core.sshCommand={self.rsh(mode)}"]
            self.run_quietly([*over, "-C", work, "push", "-q", f"web1:{bare}", "main"])
            self.run_quietly([*over, "clone", "-q", f"web1:{bare}", self.folder / f"clone-{mode}"])
            self.assertEqual((self.folder / f"clone-{mode}" / "file").read_text(), f"{number}\n" * 10000)

    def test_control_master(self):
        for mode in self.each_mode():
            path = self.folder / f"cm-{mode}"
            master = ["-o", f"ControlPath={path}", "-o", "ControlMaster=auto", "-o", "ControlPersist=60"]
            done = self.run_quietly(["ssh", *self.options(mode), *master, "web1", "echo first"])
            self.assertEqual(done.stdout, "first\n")
            self.assertTrue(path.exists())
            # The second one goes over the first one's connection: its own ProxyCommand would fail.
            words = ["ssh", *self.options(["ProxyCommand=false"]), *master, "web1", "echo second; exit 3"]
            done = self.run_quietly(words, check=False)
            self.assertEqual((done.stdout, done.returncode), ("second\n", 3))
            self.run_quietly(["ssh", *self.options(mode), *master, "-O", "exit", "web1"])
            wait_for("no adit proxy is left", lambda: not self.proxies(), 10)

    def test_a_hundred_at_once(self):
        self.ssh("fdpass", "web1", "true")
        for mode in self.each_mode():
            takers = []
            for _ in range(100):
                ours, its = socket.socketpair()
                with its:
                    words = [BIN / "adit", "proxy", *(["--fdpass"] if mode == "fdpass" else []), "web1", "22"]
                    takers.append((ours, subprocess.Popen(words, env=self.world.env, stdin=its, stdout=its, stderr=subprocess.PIPE)))
            banners = 0
            for ours, run in takers:
                ours.settimeout(60)
                with ours, run:
                    if mode == "fdpass":
                        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
                        self.assertEqual(len(fds), 1, run.stderr.read() if not fds else "")
                        with socket.socket(fileno=fds[0]) as s:
                            s.settimeout(60)
                            banners += s.recv(8) == b"SSH-2.0-"
                    else:
                        banners += ours.recv(8) == b"SSH-2.0-"
                        ours.shutdown(socket.SHUT_WR)
                        while ours.recv(4096):
                            pass
                    self.assertEqual(run.wait(60), 0)
            self.assertEqual(banners, 100)


class WhoDiesFirst(ProxyCase):
    """ssh, adit, aditd or sshd is killed: ssh ends, and no process of ours stays behind."""

    def open(self, mode, host="web1"):
        run = subprocess.Popen(["ssh", *self.options(mode), host, "echo there; cat"], env=self.world.env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        self.assertEqual(run.stdout.readline(), b"there\n")
        return run

    def assertEnds(self, run):
        run.stdin.close()
        run.stdin = None
        self.assertEqual(run.wait(20), 255)
        wait_for("no adit proxy is left", lambda: not self.proxies(), 10)

    def assertGoesOn(self, run):
        run.stdin.write(b"still\n")
        run.stdin.flush()
        self.assertEqual(run.stdout.readline(), b"still\n")
        run.stdin.close()
        run.stdin = None
        self.assertEqual(run.wait(20), 0)
        wait_for("no adit proxy is left", lambda: not self.proxies(), 10)

    def test_adit(self):
        run = self.open("stdio")
        (pid,) = self.proxies()
        os.kill(pid, signal.SIGKILL)
        self.assertEnds(run)

    def test_adit_is_gone_with_fdpass(self):
        run = self.open("fdpass")
        self.assertEqual(self.proxies(), [])
        self.assertGoesOn(run)

    def test_aditd(self):
        """It only dialled: what is connected goes on without it."""
        for mode in MODES:
            with self.subTest(mode=mode):
                run = self.open(mode)
                os.kill(self.world.daemon_pid(), signal.SIGKILL)
                self.assertGoesOn(run)

    def test_aditd_in_the_data_path(self):
        """Through another VM it carries the bytes, and ssh is told when it cannot any more."""
        for mode in MODES:
            with self.subTest(mode=mode):
                run = self.open(mode, "db1")
                os.kill(self.world.daemon_pid(), signal.SIGKILL)
                self.assertEnds(run)

    def test_sshd(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                run = self.open(mode)
                self.world.ctl("kill-ssh", "rg-web/web1")
                self.assertEnds(run)


class Waiting(ProxyCase):
    def tearDown(self):
        self.world.ctl("start", "rg-web/web2", check=False)
        self.world.ctl("start", "rg-desk/win11", check=False)
        super().tearDown()

    def power(self, name):
        return json.loads(self.world.adit("resolve", name, "--no-cache", "--json").stdout)["power"]

    def through(self, *words):
        return [f"ProxyCommand={BIN}/adit proxy {' '.join(words)} %h %p"]

    def test_start_starts_a_vm_that_is_off(self):
        self.world.adit("resolve", "rg-web/web2")
        self.world.ctl("deallocate", "rg-web/web2")
        done = self.ssh(self.through("--start"), "web2.rg-web.adit", "echo up")
        self.assertEqual(done.stdout, "up\n")
        self.assertEqual(self.power("rg-web/web2"), "running")

    def test_start_starts_what_a_vm_is_reached_through(self):
        self.world.ctl("deallocate", "rg-desk/win11")
        done = self.ssh(self.through("--start"), "db1", "echo behind it")
        self.assertEqual(done.stdout, "behind it\n")

    def test_start_of_a_vm_that_runs_asks_nothing(self):
        self.ssh(self.through("--start"), "web1", "true")
        before = self.world.status()["daemon"]["azure"]["requests"]
        self.ssh(self.through("--start"), "web1", "true")
        self.assertEqual(self.world.status()["daemon"]["azure"]["requests"], before)

    def test_wait_waits_for_a_start_by_others(self):
        self.world.ctl("deallocate", "rg-web/web2")
        run = subprocess.Popen(["ssh", *self.options(self.through("--wait")), "web2.rg-web.adit", "echo up"], env=self.world.env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for("adit proxy runs", self.proxies)
        wait_for("aditd was asked", lambda: self.world.daemon_pid())
        self.assertIsNone(run.poll())
        self.world.ctl("start", "rg-web/web2")
        out, err = run.communicate(timeout=60)
        self.assertEqual((out, run.returncode), ("up\n", 0), err)

    def test_the_time_is_up(self):
        self.world.ctl("deallocate", "rg-web/web2")
        done = self.world.adit("proxy", "--wait", "--timeout", "1500ms", "rg-web/web2", 22, check=False)
        self.assertEqual(done.returncode, 255)
        self.assertReadable(done.stderr, "adit: rg-web/web2: ", "deallocated", "adit start", "tried for")
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_progress_is_seen_on_a_terminal_and_nowhere_else(self):
        self.world.ctl("deallocate", "rg-web/web2")
        ours, its = pty.openpty()
        run = subprocess.Popen([BIN / "adit", "proxy", "--start", "rg-web/web2", "22"], env={**self.world.env, "TERM": "xterm"},
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=its)
        os.close(its)
        with run:
            self.assertTrue(run.stdout.readline().startswith(b"SSH-2.0-"))
        said = b""
        while select.select([ours], [], [], 5)[0]:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side has closed
                break
            said += part
        os.close(ours)
        self.assertIn(b"web2: starting (", said)
        self.assertTrue(said.endswith(b"\r\x1b[K"), said)  # nothing stays on the line that ssh goes on with


class Mistakes(ProxyCase):
    """Each an error in one line, 255, and soon."""

    def proxy_fails(self, *words, host="web1", quick=True, env=None):
        began = time.monotonic()
        done = self.world.adit("proxy", *words, host, 22, check=False, env=env)
        took = time.monotonic() - began
        self.assertEqual(done.returncode, 255, done.stderr)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith(f"adit: {host}: "), lines[0])
        if quick:
            self.assertLess(took, QUICK)
        return lines[0]

    @contextlib.contextmanager
    def listening(self, hello, uid=None):
        """Somebody else's server at the control socket: a process that says hello and refuses each request."""
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.socket.unlink()
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(self.socket))
            ready, tell = os.pipe()
            child = os.fork()
            if child == 0:
                if uid is not None:
                    os.setuid(uid)
                s.listen(16)  # whoever listens is whom the other side sees
                os.write(tell, b"x")
                while True:
                    peer, _ = s.accept()
                    with peer, contextlib.suppress(OSError):
                        peer.sendall(hello)
                        peer.recv(4096)
            try:
                os.read(ready, 1)
                yield
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                os.close(ready)
                os.close(tell)
                self.socket.unlink()

    def test_no_daemon_and_none_can_be_started(self):
        self.assertReadable(self.proxy_fails(env={"ADITD": "/nonexistent/aditd"}), "aditd", "/nonexistent/aditd", "No such file")

    def test_a_hung_daemon(self):
        self.world.adit("up", "web1")
        pid = self.world.daemon_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            self.assertReadable(self.proxy_fails(), "aditd", str(pid), "hangs", "kill")
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_a_stale_socket_is_no_error(self):
        self.ssh("stdio", "web1", "true")
        pid = self.world.daemon_pid()
        os.kill(pid, signal.SIGKILL)
        wait_for("aditd is dead", lambda: not pathlib.Path(f"/proc/{pid}/cmdline").exists() or not pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
        self.assertTrue(self.socket.exists())
        self.ssh("stdio", "web1", "true")
        self.assertNotEqual(self.world.daemon_pid(), pid)

    @unittest.skipUnless(os.geteuid() == 0, "only root can make another user's socket")
    def test_another_users_socket(self):
        with self.listening(b"", uid=1):
            self.assertReadable(self.proxy_fails(), str(self.socket), "another user", "XDG_RUNTIME_DIR")

    def test_a_socket_path_that_is_too_long(self):
        deep = self.folder / ("x" * 120)
        deep.mkdir()
        self.assertReadable(self.proxy_fails(env={"XDG_RUNTIME_DIR": str(deep)}), "longer than", "XDG_RUNTIME_DIR")

    def test_another_version_of_the_protocol(self):
        with self.listening(b'{"adit": 9, "version": "9.9.9", "pid": 1}\n'):
            self.assertReadable(self.proxy_fails(), "9.9.9", "adit stop")

    def test_what_speaks_something_else(self):
        with self.listening(b"220 mail.example.com ESMTP\r\n"):
            self.proxy_fails()

    def test_names_and_ports(self):
        self.assertReadable(self.proxy_fails(host="rg-web/nobody", quick=False), "nobody", "az vm list")
        self.assertReadable(self.world.adit("proxy", "web1", 0, check=False).stderr, "port")
        self.assertEqual(self.world.adit("proxy", "web1", 0, check=False).returncode, 255)
        self.assertEqual(self.world.adit("proxy", "web1", check=False).returncode, 255)

    def test_a_vm_that_is_off(self):
        self.world.ctl("deallocate", "rg-web/web2")
        try:
            self.assertReadable(self.proxy_fails(host="rg-web/web2", quick=False), "deallocated", "adit start")
        finally:
            self.world.ctl("start", "rg-web/web2")

    def test_nobody_listens_there(self):
        done = self.world.adit("proxy", "web1", 4999, check=False)
        self.assertEqual(done.returncode, 255)
        self.assertReadable(done.stderr, "adit: web1: ", ":4999", "refused")

    def test_fdpass_without_a_socket(self):
        self.assertReadable(self.proxy_fails("--fdpass"), "ProxyUseFdpass yes")

    def test_errors_reach_the_user_of_ssh(self):
        done = self.ssh("stdio", "rg-web.nobody.adit", "true", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("adit: rg-web.nobody.adit: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
