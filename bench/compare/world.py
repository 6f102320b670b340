"""What every forwarder is measured against: one sshd, one far end (adit-load serve), keys, and a folder for all of it."""
import json
import os
import pathlib
import pwd
import resource
import shutil
import socket
import subprocess
import tempfile
import time

import namespace


class Trouble(Exception):
    """Something that the benchmarks need is not there or does not work; the text says what."""


def free_port():
    """A loopback port that nobody listens on at the moment."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=15.0):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise Trouble(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)
    return value


def listening(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def stop(process, seconds=10):
    """Ends a process that was started here, gently first."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def lift_descriptor_limit():
    """Ten thousand flows need as many descriptors, twice in some; everything started from here inherits the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in (max(hard, DESCRIPTORS), hard):  # only root may go beyond the hard limit
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            return
        except (ValueError, OSError):
            continue


DESCRIPTORS = 65536

SSHD_CONFIG = """\
{listen}
HostKey {dir}/host_key
PidFile {dir}/sshd.pid
AuthorizedKeysFile {dir}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AllowTcpForwarding yes
X11Forwarding no
PrintMotd no
UseDNS no
MaxStartups 1000
MaxSessions 1000
LoginGraceTime 60
# bash reads ~/.bashrc for a command over ssh: what stands in there is no part of the measurement.
SetEnv HOME={dir}
"""


class World:
    """The measured far side. A context manager; `dir` is removed at the end."""

    def __init__(self, bin_dir):
        self.bin = pathlib.Path(bin_dir).resolve()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="adit-bench-"))
        self.processes = []

    def __enter__(self):
        try:
            lift_descriptor_limit()
            self._make_keys()
            self._start_sshd()
            self.far_port = self.start_far_end()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            stop(process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def program(self, name):
        path = self.bin / name
        if not path.exists():
            raise Trouble(f"{path} is missing: build the release preset, or name another folder with --bin")
        return str(path)

    def run(self, *command, **kwargs):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **kwargs)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().partition("\n")[0][:300]
            raise Trouble(f"{pathlib.Path(command[0]).name} {command[1] if len(command) > 1 else ''}: exit {done.returncode}: {said}")
        return done.stdout

    def spawn(self, name, command, **kwargs):
        """Starts a process of the world; its output goes to NAME.log in the folder."""
        log = open(self.dir / f"{name}.log", "wb")
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **kwargs
        )
        log.close()
        self.processes.append(process)
        return process

    def log(self, name):
        return (self.dir / f"{name}.log").read_text(errors="replace").strip()

    def _make_keys(self):
        for name in "host_key", "user_key":
            self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "adit-bench", "-f", self.dir / name)
        shutil.copy(self.dir / "user_key.pub", self.dir / "authorized_keys")
        self.fingerprint = self.run("ssh-keygen", "-l", "-E", "sha256", "-f", self.dir / "host_key.pub").split()[1]

    def _start_sshd(self):
        self.ssh_port = free_port()
        addresses = ["127.0.0.1"] + ([namespace.NEAR] if namespace.inside() else [])
        listen = "\n".join(f"ListenAddress {address}:{self.ssh_port}" for address in addresses)
        (self.dir / "sshd_config").write_text(SSHD_CONFIG.format(listen=listen, dir=self.dir))
        sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
        if not sshd:
            raise Trouble("sshd is missing: install openssh-server")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.sshd = self.spawn("sshd", [sshd, "-D", "-e", "-f", self.dir / "sshd_config"])
        try:
            wait_for("sshd listens", lambda: self.sshd.poll() is not None or listening(self.ssh_port))
        except Trouble as trouble:
            raise Trouble(f"{trouble}: {self.log('sshd')}") from None
        if self.sshd.poll() is not None:
            raise Trouble(f"sshd ended: {self.log('sshd')}")

    def start_far_end(self, address="127.0.0.1"):
        """Its port."""
        command = [self.program("adit-load"), "serve", "--address", address]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return json.loads(process.stdout.readline())["port"]

    def load(self, mode, port, *args, seconds=120):
        """One run of the load generator; its JSON line as a dict. Trouble when a byte was wrong or the run failed."""
        command = [self.program("adit-load"), mode, "--port", str(port), *map(str, args)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{mode}: not over within {seconds} s") from None
        if done.returncode != 0:
            raise Trouble(f"{mode}: {done.stderr.strip()}")
        return json.loads(done.stdout)
