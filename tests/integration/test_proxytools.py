"""What people run over ssh, through both modes of adit proxy: a gigabyte by each tool, and an editor's way of calling ssh."""
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import unittest

from test_proxycommand import MODES, ProxyCase
from world import connect, free_port, recv_exactly, wait_for

SIZE = int(os.environ.get("ADIT_TEST_BYTES", 1 << 30))


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else sha256_of(f)


def sha256_of(f):
    sum_ = hashlib.sha256()
    while part := f.read(1 << 20):
        sum_.update(part)
    return sum_.hexdigest()


class Gigabyte(ProxyCase):
    """There and back by each tool: the same SHA-256, and no process left."""

    FAST = ["-o", "Ciphers=aes128-gcm@openssh.com"]

    def setUp(self):
        super().setUp()
        self.source = self.folder / "source"
        block = os.urandom(1 << 20)
        with open(self.source, "wb") as f:
            for i in range(SIZE >> 20):
                f.write(i.to_bytes(8, "big") + block[8:])
        self.sum = sha256(self.source)

    def assertThereAndBack(self, carry):
        for mode in MODES:
            with self.subTest(mode=mode):
                there, back = self.folder / "there", self.folder / "back"
                carry(mode, there, back)
                self.assertEqual((sha256(there), sha256(back)), (self.sum, self.sum))
                there.unlink()
                back.unlink()
                wait_for("no adit proxy is left", lambda: not self.proxies(), 10)

    def test_scp(self):
        def carry(mode, there, back):
            options = self.options(mode) + self.FAST
            self.run_quietly(["scp", *options, self.source, f"web1:{there}"])
            self.run_quietly(["scp", *options, f"web1:{there}", back])

        self.assertThereAndBack(carry)

    def test_sftp(self):
        def carry(mode, there, back):
            words = ["sftp", *self.options(mode), *self.FAST, "-b", "-", "web1"]
            self.run_quietly(words, stdin=None, input=f"put {self.source} {there}\nget {there} {back}\n")

        self.assertThereAndBack(carry)

    @unittest.skipUnless(shutil.which("rsync"), "rsync is not installed")
    def test_rsync(self):
        def carry(mode, there, back):
            words = ["rsync", "--whole-file", "-e", f"{self.rsh(mode)} {' '.join(self.FAST)}"]
            self.run_quietly([*words, self.source, f"web1:{there}"])
            self.run_quietly([*words, f"web1:{there}", back])

        self.assertThereAndBack(carry)

    def test_control_master(self):
        """Both directions are sessions of one connection."""

        def carry(mode, there, back):
            path = self.folder / f"cm-{mode}"
            master = ["ssh", *self.options(mode), *self.FAST, "-o", f"ControlPath={path}", "-fNM", "web1"]
            subprocess.run(master, env=self.world.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           check=True, timeout=60)  # it stays, and would keep pipes open
            words = ["ssh", *self.options(["ProxyCommand=false"]), "-o", f"ControlPath={path}"]
            with open(self.source, "rb") as source:
                self.run_quietly([*words, "web1", f"cat >{there}"], stdin=source)
            with open(back, "wb") as target:
                run = subprocess.run([*words, "web1", f"cat {there}"], env=self.world.env, stdin=subprocess.DEVNULL, stdout=target, timeout=120)
            self.assertEqual(run.returncode, 0)
            self.run_quietly([*words, "-O", "exit", "web1"])

        self.assertThereAndBack(carry)


class Editor(ProxyCase):
    """VS Code Remote: ssh -T -D PORT HOST bash, a script on standard input that starts a server, and connections to it through the
    SOCKS port for as long as the window is open."""

    SCRIPT = b'{ echo "editor: running on $(uname)"; read -r line; echo "editor: $line"; cat >/dev/null; exit 5; }\n'

    def open(self, mode):
        port = free_port()
        words = ["ssh", *self.options(mode), "-T", "-D", f"127.0.0.1:{port}", "-o", "ConnectTimeout=15", "web1", "bash"]
        run = subprocess.Popen(words, env=self.world.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        run.stdin.write(self.SCRIPT)
        self.assertEqual(run.stdout.readline(), b"editor: running on Linux\n")
        return run, port

    @contextlib.contextmanager
    def through(self, port):
        """A connection to the VM's echo service over SOCKS 5 (RFC 1928)."""
        with connect(port) as s:
            s.sendall(b"\5\1\0")
            self.assertEqual(recv_exactly(s, 2), b"\5\0")
            s.sendall(b"\5\1\0\3\x09localhost" + (7).to_bytes(2, "big"))
            self.assertEqual(recv_exactly(s, 4)[:2], b"\5\0")
            recv_exactly(s, 6)
            yield s

    def assertCloses(self, run):
        run.stdin.close()
        run.stdin = None
        self.assertEqual(run.wait(20), 5)

    def assertEchoes(self, s, data):
        s.sendall(data)
        self.assertEqual(recv_exactly(s, len(data)), data)

    def test_a_window_its_server_and_its_end(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                run, port = self.open(mode)
                with self.through(port) as one, self.through(port) as other:
                    self.assertEchoes(one, b"file system")
                    self.assertEchoes(other, os.urandom(300000))
                    self.assertEchoes(one, b"terminal")
                    run.stdin.write(b"listening\n")
                    self.assertEqual(run.stdout.readline(), b"editor: listening\n")
                with socket.socket() as again, self.assertRaises(OSError):
                    again.bind(("127.0.0.1", port))  # ssh's own, as it was asked for
                self.assertCloses(run)
                wait_for("no adit proxy is left", lambda: not self.proxies(), 10)

    def test_two_windows_and_one_that_is_killed(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                (first, port), (second, other_port) = self.open(mode), self.open(mode)
                with self.through(other_port) as s:
                    first.send_signal(signal.SIGKILL)
                    first.wait(20)
                    self.assertEchoes(s, b"still there")
                self.assertCloses(second)
                wait_for("no adit proxy is left", lambda: not self.proxies(), 10)


if __name__ == "__main__":
    unittest.main()
