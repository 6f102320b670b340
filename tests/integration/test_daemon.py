"""aditd as a process: started on demand, alone, ended cleanly, never ended by others."""
import json
import os
import pathlib
import signal
import socket
import subprocess

from world import BIN, WorldCase, connect, free_port, recv_exactly, wait_for


class Daemon(WorldCase):
    def setUp(self):
        self.port = free_port()
        self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    local: ["{self.port}:localhost:7"]\n')
        self.socket = pathlib.Path(self.world.env["XDG_RUNTIME_DIR"]) / "adit" / "aditd.sock"

    def tearDown(self):
        self.world.adit("stop", check=False)

    def alive(self, pid):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as f:
                return f.read().split()[2] != "Z"
        except (ProcessLookupError, FileNotFoundError):
            return False

    def test_started_on_demand_and_stopped(self):
        self.assertEqual(self.world.adit("stop", check=False).returncode, 0)
        self.world.adit("up", "web1")
        pid = self.world.daemon_pid()
        self.assertTrue(self.alive(pid))
        self.world.adit("stop")
        wait_for("aditd has ended", lambda: not self.alive(pid))
        self.assertFalse(self.socket.exists())

    def test_sigterm_ends_it_cleanly(self):
        self.world.adit("up", "web1")
        pid = self.world.daemon_pid()
        os.kill(pid, signal.SIGTERM)
        wait_for("aditd has ended", lambda: not self.alive(pid))
        self.assertFalse(self.socket.exists())
        self.assertNotIn("ERROR: ", self.world.logs())  # a sanitizer's report

    def test_stale_socket_is_replaced(self):
        self.world.adit("up", "web1")
        pid = self.world.daemon_pid()
        os.kill(pid, signal.SIGKILL)
        wait_for("aditd is dead", lambda: not self.alive(pid))
        self.assertTrue(self.socket.exists())
        self.world.adit("up", "web1")
        self.assertNotEqual(self.world.daemon_pid(), pid)

    def test_regression_a_daemon_that_ends_is_not_taken_for_one_that_serves(self):
        """It takes a connection and hangs up without a word, as one does between its last answer and its end."""
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as ending:
            ending.bind(str(self.socket))
            ending.listen(1)
            run = self.world.start("up", "web1")
            ending.accept()[0].close()
            self.socket.unlink()
        _, text = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 0, text)

    def test_second_daemon_is_refused(self):
        self.world.adit("up", "web1")
        done = subprocess.run([BIN / "aditd", "--foreground"], env=self.world.env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertReadable(done.stderr, "already", str(self.world.daemon_pid()))

    def test_foreground_reports_ready_and_obeys_sigint(self):
        run = subprocess.Popen([BIN / "aditd", "--foreground"], env=self.world.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        wait_for("its socket is there", self.socket.exists)
        self.world.wait_state("web1", "up")
        run.send_signal(signal.SIGINT)
        _, text = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 0, text)

    def test_garbage_on_the_control_socket_hurts_nobody(self):
        self.world.adit("up", "web1")
        pid = self.world.daemon_pid()
        for garbage in (b"\x00" * 4096, b"{" * 100000 + b"\n", b"[]\n", b'{"id":1}\n', b'{"op":5,"id":"x"}\n', b"\xff\xfe\n", os.urandom(65536) + b"\n"):
            with connect(self.socket) as s:
                try:
                    s.sendall(garbage)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                except (ConnectionResetError, BrokenPipeError):
                    pass
        self.assertEqual(self.world.daemon_pid(), pid)
        with connect(self.port) as s:
            s.sendall(b"fine")
            self.assertEqual(recv_exactly(s, 4), b"fine")

    def test_hung_daemon_is_an_error_within_two_seconds(self):
        self.world.adit("up", "web1")
        pid = self.world.daemon_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            done = self.world.adit("status", check=False, timeout=10)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertNotEqual(done.returncode, 0)
        self.assertReadable(done.stderr, "aditd", "answer")

    def test_reload_adds_and_removes_forwards_and_leaves_others_alone(self):
        other = free_port()
        self.world.adit("up", "web1")
        with connect(self.port) as s:
            self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    local: ["{self.port}:localhost:7", "{other}:localhost:7"]\n')
            self.world.adit("reload")
            with connect(other) as t:
                t.sendall(b"new")
                self.assertEqual(recv_exactly(t, 3), b"new")
            s.sendall(b"old")
            self.assertEqual(recv_exactly(s, 3), b"old")
            self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    local: ["{self.port}:localhost:7"]\n')
            self.world.adit("reload")
            with self.assertRaises(ConnectionRefusedError):
                connect(other)
            s.sendall(b"old")
            self.assertEqual(recv_exactly(s, 3), b"old")

    def test_down_closes_and_up_opens_again(self):
        self.world.adit("up", "web1")
        self.world.adit("down", "web1")
        with self.assertRaises(ConnectionRefusedError):
            connect(self.port)
        self.world.adit("up", "web1")
        connect(self.port).close()

    def test_secret_is_in_no_log_and_no_argv(self):
        secret = self.world.env["AZURE_CLIENT_SECRET"]
        self.world.config_path.write_text("log-level: debug\n" + self.world.config_path.read_text())
        self.world.adit("up", "web1")
        pid = self.world.daemon_pid()
        self.assertNotIn(secret, self.world.logs())
        self.assertNotIn(secret, pathlib.Path(f"/proc/{pid}/cmdline").read_text())
