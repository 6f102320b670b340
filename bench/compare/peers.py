"""The forwarders that are compared, each started the way its users start it."""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile

from world import Trouble, free_port, listening, stop, wait_for


LOOPBACK = "127.0.0.1"


class Peer:
    """One forwarder. start() gives it two forwards to the far end: `port` and `beside_port`."""

    name = ""  # in results and on the command line
    title = ""  # in tables and plots
    program = None  # what has to be installed
    pings_only = False  # a variant that differs from another one only beside bulk

    def __init__(self, world, ssh_port=None, ssh_host=LOOPBACK):
        self.world = world
        self.ssh_port = ssh_port or world.ssh_port  # another one, or another host: sshd behind a long link
        self.ssh_host = ssh_host
        self.host, self.far_port = LOOPBACK, world.far_port
        self.process = None
        self.pids = []

    @classmethod
    def missing(cls):
        """Why it cannot be measured here, or None."""
        if cls.program and not shutil.which(cls.program):
            return f"{cls.program} is not installed"
        return None

    @classmethod
    def for_flows(cls, world, flows):
        """One that can hold so many flows at once."""
        return cls(world)

    def start(self):
        self.port, self.beside_port = free_port(), free_port()
        self.process = self.world.spawn(self.log_name(), self.command(), env=self.environment())
        self.wait_ready()
        self.pids = [self.process.pid]
        return self

    def wait_ready(self):
        def up():
            if self.process.poll() is not None:
                raise Trouble(f"{self.name} ended: {self.world.log(self.log_name())[-500:]}")
            return listening(self.port) and listening(self.beside_port)

        wait_for(f"{self.name} listens", up, 30)
        self.world.load("connect", self.port, "--count", 3)
        self.world.load("connect", self.beside_port, "--count", 3)

    def stop(self):
        stop(self.process)
        self.process = None

    def log_name(self):
        return f"{self.name}-{id(self):x}"

    def environment(self):
        return self.clean_environment()

    def clean_environment(self):
        """Nobody's own configuration, agent or known hosts take part."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SSH_", "XDG_", "ADIT_", "AZURE_"))}
        env["HOME"] = str(self.world.dir)
        return env

    def forwards(self):
        return [f"127.0.0.1:{port}:127.0.0.1:{self.far_port}" for port in (self.port, self.beside_port)]

    @classmethod
    def version(cls):
        return None


class Raw(Peer):
    name, title = "raw", "raw TCP, no tunnel"

    def __init__(self, world, host=LOOPBACK, port=None):
        super().__init__(world)
        self.host = host
        self.port = self.beside_port = port or world.far_port

    def start(self):
        return self


class Ssh(Peer):
    name, title, program = "ssh", "ssh -L, default cipher", "ssh"
    cipher = None

    def command(self):
        words = ["ssh", "-F", "none", "-N", "-T", "-p", self.ssh_port, "-i", self.world.dir / "user_key"]
        for option in (
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "ExitOnForwardFailure=yes",
            "ServerAliveInterval=30",
            "LogLevel=ERROR",
        ):
            words += ["-o", option]
        if self.cipher:
            words += ["-c", self.cipher]
        for forward in self.forwards():
            words += ["-L", forward]
        return words + [f"{self.world.user}@{self.ssh_host}"]

    @classmethod
    def version(cls):
        return subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.strip()


class SshGcm(Ssh):
    name, title = "ssh-gcm", "ssh -L, aes128-gcm"
    cipher = "aes128-gcm@openssh.com"


class Dbclient(Peer):
    name, title, program = "dbclient", "Dropbear dbclient", "dbclient"

    def command(self):
        key = self.world.dir / "user_key.dropbear"
        if not key.exists():
            self.world.run("dropbearconvert", "openssh", "dropbear", self.world.dir / "user_key", key)
        words = ["dbclient", "-y", "-y", "-N", "-T", "-K", "30", "-p", self.ssh_port, "-i", key]
        for forward in self.forwards():
            words += ["-L", forward]
        return words + [f"{self.world.user}@{self.ssh_host}"]

    @classmethod
    def missing(cls):
        return super().missing() or (None if shutil.which("dropbearconvert") else "dropbearconvert is not installed")

    @classmethod
    def version(cls):
        return subprocess.run(["dbclient", "-V"], capture_output=True, text=True).stderr.strip()


class Plink(Peer):
    name, title, program = "plink", "PuTTY plink", "plink"

    def command(self):
        key = self.world.dir / "user_key.ppk"
        if not key.exists():
            self.world.run("puttygen", self.world.dir / "user_key", "-O", "private", "-o", key, env=self.environment())
        words = ["plink", "-ssh", "-batch", "-N", "-T", "-noagent", "-P", self.ssh_port, "-l", self.world.user]
        words += ["-i", key, "-hostkey", self.world.fingerprint]
        for forward in self.forwards():
            words += ["-L", forward]
        return words + [self.ssh_host]

    @classmethod
    def version(cls):
        text = subprocess.run(["plink", "-V"], capture_output=True, text=True).stdout
        return text.splitlines()[0] if text else None


ADIT_CONFIG = """\
workers: {workers}
defaults:
  user: {user}
  identity: [{dir}/user_key]
  agent: false
  password: false
  engine: {engine}
vms:
"""
ADIT_VM = "  - {{name: {name}, address: {host}, port: {port}, local: [{local}], bulk: [{bulk}]}}\n"


class Adit(Peer):
    """aditd in the foreground with a folder of its own; one VM, or `vms` of them that are all the same sshd."""

    engine = None
    # A forward on such a port is taken for interactive, and the one beside it is then named as bulk. None: both are
    # on ports that say nothing.
    interactive_port = None

    def __init__(self, world, ssh_port=None, ssh_host=LOOPBACK, vms=1, workers=0):
        super().__init__(world, ssh_port, ssh_host)
        self.vms, self.workers = vms, workers

    @classmethod
    def for_flows(cls, world, flows):
        """aditd shares its descriptors out among its workers: where they are few, one worker gets them all."""
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return cls(world, workers=1 if descriptors < 2 * flows + 1024 else 0)

    def environment(self):
        env = self.clean_environment()
        for name in "RUNTIME_DIR", "STATE_HOME", "CACHE_HOME", "CONFIG_HOME":
            folder = self.home / name.lower()
            folder.mkdir(mode=0o700, exist_ok=True)
            env[f"XDG_{name}"] = str(folder)
        env["ADIT_CONFIG"] = str(self.home / "adit.yaml")
        return env

    def write_config(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=self.world.dir))
        text = ADIT_CONFIG.format(user=self.world.user, dir=self.world.dir, engine=self.engine, workers=self.workers)
        for i in range(self.vms):
            local = ", ".join(f'"{forward}"' for forward in self.forwards()) if i == 0 else ""
            bulk = self.beside_port if i == 0 and self.interactive_port else ""
            text += ADIT_VM.format(name=f"vm{i}", host=self.ssh_host, port=self.ssh_port, local=local, bulk=bulk)
        (self.home / "adit.yaml").write_text(text)

    def command(self):
        self.write_config()
        return [self.world.program("aditd"), "-f"]

    def start(self):
        self.port, self.beside_port = self.interactive_port or free_port(), free_port()
        if self.interactive_port and listening(self.port):
            raise Trouble(f"port {self.port} is in use here")
        command = self.command()
        self.process = self.world.spawn(self.log_name(), command, env=self.environment())
        try:
            self.adit("up", "--all", "--timeout", "60s")
            self.wait_ready()
        except (Trouble, subprocess.TimeoutExpired) as trouble:
            self.stop()
            raise Trouble(f"{self.name}: {trouble}") from None
        self.pids = [self.process.pid]
        return self

    def adit(self, *args):
        wait_for("aditd's socket", lambda: any((self.home / "runtime_dir").rglob("*.sock")) or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise Trouble(f"aditd ended: {self.world.log(self.log_name())[-500:]}")
        return self.world.run(self.world.program("adit"), *args, env=self.environment())


class AditLibssh2(Adit):
    name, title, engine = "adit-libssh2", "adit, engine libssh2", "libssh2"


class AditNative(Adit):
    name, title, engine = "adit-native", "adit, engine native", "native"


class AditLibssh2Rdp(AditLibssh2):
    name, title, pings_only = "adit-libssh2-rdp", "adit libssh2, on RDP's port", True
    interactive_port = 3389


class AditNativeVnc(AditNative):
    name, title, pings_only = "adit-native-vnc", "adit native, on VNC's port", True
    interactive_port = 5900


ALL = [Raw, SshGcm, Ssh, Dbclient, Plink, AditLibssh2, AditLibssh2Rdp, AditNative, AditNativeVnc]
REFERENCE = SshGcm.name


def named(names):
    """The classes of a comma-separated list, or all of them."""
    if not names:
        return ALL
    known = {peer.name: peer for peer in ALL}
    unknown = [name for name in re.split(r"[, ]+", names) if name not in known]
    if unknown:
        raise Trouble(f"no forwarder is called {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in re.split(r"[, ]+", names)]


def start_all(world, classes, note, **kwargs):
    """Starts those that can be; the others are noted with the reason."""
    running = []
    for peer in classes:
        try:
            why = peer.missing()
            if why:
                raise Trouble(why)
            running.append(peer(world, **kwargs).start())
        except Trouble as trouble:
            note(f"{peer.title}: not measured: {trouble}")
    return running
