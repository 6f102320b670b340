"""The world a test runs in: a sandbox Azure, a configuration, aditd, and the adit command, all in one temporary folder."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

BIN = pathlib.Path(os.environ.get("ADIT_BIN", "build/dev/bin")).resolve()
DEADLINE = float(os.environ.get("ADIT_TEST_DEADLINE", "30"))  # seconds that a condition may take to come true


def wait_for(what, condition, deadline=DEADLINE):
    """Polls until condition() is true and returns its value; fails naming `what` when the deadline passes."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what}")
        time.sleep(0.02)


def free_port():
    """A loopback port that nobody listens on at the moment."""
    return free_ports(1)[0]


def free_ports(count):
    """As many different ones: all are held while they are chosen."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


class World:
    """A sandbox and the environment that points adit at it. Use as a context manager."""

    def __init__(self, world_yaml=None, sandbox_args=()):
        # A short folder: the path of a Unix socket may not be longer than 104 bytes.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="adit-"))
        self.env = dict(os.environ)
        self.sandbox = None
        self.world_yaml = world_yaml
        self.sandbox_args = sandbox_args

    def __enter__(self):
        command = [BIN / "adit-sandbox", "run", "--dir", self.dir, *self.sandbox_args]
        if self.world_yaml:
            (self.dir / "world.yaml").write_text(self.world_yaml)
            command += ["--file", self.dir / "world.yaml"]
        self.sandbox_log = open(self.dir / "sandbox.log", "wb")
        self.sandbox = subprocess.Popen(command, stdout=self.sandbox_log, stderr=subprocess.STDOUT)
        try:
            wait_for("the sandbox is ready", self._sandbox_ready)
        except BaseException:
            self.__exit__()
            raise
        for line in (self.dir / "env").read_text().splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            if name.isidentifier():
                self.env[name] = value.strip("'\"")
        self.config_path = pathlib.Path(self.env["ADIT_CONFIG"])
        return self

    def _sandbox_ready(self):
        if self.sandbox.poll() is not None:
            raise AssertionError("the sandbox ended: " + (self.dir / "sandbox.log").read_text())
        return (self.dir / "ready").exists()

    def __exit__(self, *_):
        if (self.dir / "env").exists():
            self.adit("stop", check=False)
        self.sandbox.terminate()
        try:
            self.sandbox.wait(15)
        except subprocess.TimeoutExpired:
            self.sandbox.kill()
            self.sandbox.wait()
        self.sandbox_log.close()
        said = self.logs() + (self.dir / "sandbox.log").read_text(errors="replace")
        if not os.environ.get("ADIT_TEST_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        for report in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "Assertion `"):
            if report in said:
                raise AssertionError(f"a sanitizer or an assertion spoke:\n{said[said.index(report) - 200:][:6000]}")

    # ---- commands ----

    def adit(self, *args, check=True, timeout=60, env=None, stdin=subprocess.DEVNULL, start_new_session=False):
        """Runs adit to its end; the CompletedProcess has text in stdout and stderr."""
        done = subprocess.run(
            [BIN / "adit", *map(str, args)],
            env={**self.env, **(env or {})},
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            start_new_session=start_new_session,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"adit {' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout}{done.stderr}{self.logs()}")
        return done

    def start(self, *args, **kwargs):
        """Starts adit and leaves it running."""
        return subprocess.Popen(
            [BIN / "adit", *map(str, args)],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **kwargs,
        )

    def ctl(self, *args, check=True):
        done = subprocess.run(
            [BIN / "adit-sandbox", "ctl", "--dir", self.dir, *map(str, args)], capture_output=True, text=True, timeout=60
        )
        if check and done.returncode != 0:
            raise AssertionError(f"adit-sandbox ctl {args}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def config(self, vms="", head=None):
        """Writes the configuration: the sandbox's own azure: and defaults: sections, then these vms."""
        if head is None:
            if not (self.dir / "head.yaml").exists():
                text = self.config_path.read_text()
                (self.dir / "head.yaml").write_text(text[: text.index("\nvms:")] + "\n")
            head = (self.dir / "head.yaml").read_text()
        self.config_path.write_text(head + ("vms:\n" + vms if vms else ""))

    # ---- what is going on ----

    def status(self):
        return json.loads(self.adit("status", "--json").stdout)

    def vm(self, alias):
        """What `adit status` says of a VM; None when it is not there, or no daemon runs yet."""
        done = self.adit("status", "--json", check=False)
        vms = json.loads(done.stdout)["vms"] if done.returncode == 0 else []
        return next((vm for vm in vms if vm["vm"] == alias), None)

    def forward(self, alias, text):
        vm = self.vm(alias)
        return next((f for f in vm["forwards"] if f["spec"] == text), None) if vm else None

    def wait_state(self, alias, *states, deadline=DEADLINE):
        def right():
            vm = self.vm(alias)
            return vm if vm and vm["state"] in states else None

        return wait_for(f"{alias} is {' or '.join(states)}", right, deadline)

    def logs(self):
        log = pathlib.Path(self.env.get("XDG_STATE_HOME", "/nonexistent")) / "adit" / "aditd.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def daemon_pid(self):
        done = self.adit("status", "--json", check=False)
        return json.loads(done.stdout)["daemon"]["pid"] if done.returncode == 0 else None


class WorldCase(unittest.TestCase):
    """A test case with one world for all of its tests."""

    world_yaml = None
    sandbox_args = ()  # of adit-sandbox run

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.world = cls.stack.enter_context(World(cls.world_yaml, cls.sandbox_args))

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def assertReadable(self, text, *parts):
        """A message names all that the user needs: each part, without regard to case."""
        for part in parts:
            self.assertIn(part.lower(), text.lower())
        self.assertNotIn("(null)", text)


# ---- the local side of a forward ----

RDP_REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")
RDP_CONFIRM_TYPE = 0xD0


def connect(address, timeout=DEADLINE):
    """Connects to ("127.0.0.1", port), a port, or the path of a Unix socket."""
    if isinstance(address, int):
        address = ("127.0.0.1", address)
    if isinstance(address, tuple):
        s = socket.create_connection(address, timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(str(address))
    return s


def recv_exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise AssertionError(f"the connection ended after {len(data)} of {n} bytes")
        data += part
    return data


def recv_all(s):
    parts = []
    while part := s.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def rdp_opens(address):
    """Whether an RDP connection request is confirmed at this address (MS-RDPBCGR 1.3.1.1), and bytes come back after it."""
    with connect(address) as s:
        s.sendall(RDP_REQUEST)
        confirm = recv_exactly(s, 19)
        if confirm[5] != RDP_CONFIRM_TYPE:
            return False
        s.sendall(b"ping")
        return recv_exactly(s, 4) == b"ping"


def ends_with_reset(s):
    """Whether the connection ends by a reset, not by an orderly end that would look like complete data."""
    try:
        while s.recv(1 << 16):
            pass
        return False
    except ConnectionResetError:
        return True


def refuses_with_reset(address):
    """Whether a connection is accepted and reset at once, be it before or after connect() returns."""
    try:
        with connect(address) as s:
            return ends_with_reset(s)
    except ConnectionResetError:
        return True


class UnixServer:
    """A server of the test's own behind a VM: its sshd reaches the Unix socket through the file system."""

    def __init__(self, path, serve):
        self.path, self.serve = str(path), serve
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(512)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(s,), daemon=True).start()

    def _one(self, s):
        with s, contextlib.suppress(OSError):
            self.serve(s)

    def close(self):
        self.listener.close()
