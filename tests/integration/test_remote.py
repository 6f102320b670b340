"""Remote forwards: a VM's port leads to a server on this machine."""
import json
import signal
import socket
import socketserver
import subprocess
import textwrap
import threading

from world import BIN, WorldCase, free_port, wait_for


class EchoServer(socketserver.ThreadingTCPServer):
    """On this machine: sends back what comes until the caller has ended, then ends."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.server.served += 1
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), self.Handler)
        self.served = 0
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


# Runs at the VM. argv: port or path, number of connections, bytes of each. Prints how many got back what they sent.
CALLERS = """
import hashlib, random, socket, sys, threading
where, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
good = []
def one(i):
    data = random.Random(i).randbytes(size + i)
    s = socket.socket(socket.AF_UNIX) if where.startswith("/") else socket.socket()
    s.settimeout(60)
    s.connect(where if where.startswith("/") else ("127.0.0.1", int(where)))
    threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
    digest, n = hashlib.sha256(), 0
    while part := s.recv(65536):
        digest.update(part)
        n += len(part)
    good.append(n == len(data) and digest.digest() == hashlib.sha256(data).digest())
threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
for t in threads: t.start()
for t in threads: t.join()
print(good.count(True))
"""

# Connects and says whether anything came back: "echo", "closed", "refused".
ONE = """
import socket, sys
try:
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
    s.sendall(b"hello")
    s.settimeout(20)
    print("echo" if s.recv(5) else "closed")
except ConnectionRefusedError:
    print("refused")
except ConnectionError:
    print("closed")
"""

# Listens at the VM until its input ends.
LISTENER = """
import socket, sys
a, b = socket.socket(), socket.socket(socket.AF_INET6)
for s, host in ((a, "127.0.0.1"), (b, "::1")):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if s is b: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((host, int(sys.argv[1])))
    s.listen(1)
print("listening", flush=True)
sys.stdin.read()
"""


class Remote(WorldCase):
    def setUp(self):
        self.there = free_port()  # at the VM; where VMs share this machine's loopback it must be free here, too
        self.echo = EchoServer()
        self.spec = f"{self.there}:localhost:{self.echo.port}"

    def tearDown(self):
        self.world.adit("stop", check=False)
        self.echo.__exit__()

    def configure(self, *remote, more=""):
        self.world.config(
            f"""
  - name: web1
    vm: rg-web/web1
    keepalive: 1s
    keepalive-count: 3
    remote: {json.dumps(list(remote))}
{textwrap.indent(more, "    ")}"""
        )

    def at_vm(self, script, *args, check=True, **kwargs):
        """Runs a Python script at the VM, in a session of its own."""
        words = " ".join(map(str, args))
        done = subprocess.run(
            [*self.ssh(), f"python3 -c '{script}' {words}"],
            env=self.world.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            **kwargs,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{done.stdout}{done.stderr}{self.world.logs()}")
        return done.stdout.strip()

    def ssh(self):
        return [str(BIN / "adit"), "ssh", "rg-web/web1", "--", "-o", "BatchMode=yes", "-o", "ControlPath=none"]

    def listening(self, spec=None):
        f = self.world.forward("web1", spec or self.spec)
        return f and f["listening"]

    def error(self, spec=None):
        f = self.world.forward("web1", spec or self.spec)
        return f and f["error"]

    def test_a_server_here_is_reached_from_there(self):
        self.configure(self.spec)
        self.world.adit("up", "web1")
        self.assertEqual(self.listening(), f"localhost:{self.there}")
        self.assertEqual(self.at_vm(ONE, self.there), "echo")
        f = wait_for("the flow is counted", lambda: (f := self.world.forward("web1", self.spec))["flows"] == 0 and f)
        self.assertEqual((f["kind"], f["flows_total"], f["flows_failed"], f["error"]), ("remote", 1, 0, None))
        self.assertEqual((f["bytes_in"], f["bytes_out"]), (5, 5))
        self.assertIn(f"localhost:{self.there}", self.world.adit("status").stdout)

    def test_64_at_once_each_whole(self):
        self.configure(self.spec)
        self.world.adit("up", "web1")
        self.assertEqual(self.at_vm(CALLERS, self.there, 64, 300000), "64")
        f = self.world.forward("web1", self.spec)
        self.assertEqual((f["flows_total"], f["flows_failed"]), (64, 0))
        self.assertEqual(f["bytes_in"], f["bytes_out"])

    def test_it_listens_again_when_sshd_was_killed(self):
        self.configure(self.spec)
        self.world.adit("up", "web1")
        for round in range(2):
            self.world.ctl("kill-ssh", "rg-web/web1")
            wait_for("the connection is noticed lost", lambda: self.world.vm("web1")["reconnects"] > round)
            wait_for("it listens again", self.listening, 60)
            self.assertEqual(self.at_vm(ONE, self.there), "echo")

    def test_it_listens_again_after_a_black_hole(self):
        """The sshd of the connection that was cut off may still hold the port."""
        self.configure(self.spec)
        self.world.adit("up", "web1")
        self.world.ctl("fault", "rg-web/web1", "blackhole", "on")
        wait_for("the connection is noticed lost", lambda: self.world.vm("web1")["state"] != "up")
        self.world.ctl("fault", "rg-web/web1", "clear")
        wait_for("it listens again", self.listening, 90)
        self.assertEqual(self.at_vm(ONE, self.there), "echo")

    def test_nobody_is_at_the_target(self):
        port = free_port()
        spec = f"{self.there}:localhost:{port}"
        self.configure(spec)
        self.world.adit("up", "web1")
        self.assertEqual(self.at_vm(ONE, self.there), "closed")
        error = wait_for("the failure shows", lambda: self.error(spec))
        self.assertReadable(error, f"connect to 127.0.0.1:{port}", "refused")
        self.assertEqual(self.world.forward("web1", spec)["flows_failed"], 1)
        self.assertReadable(self.world.logs(), f"forward {spec}", "web1", "refused")
        with EchoServer(port):
            self.assertEqual(self.at_vm(ONE, self.there), "echo")

    def test_the_port_is_in_use_there(self):
        self.configure()
        with subprocess.Popen(
            [*self.ssh(), f"python3 -c '{LISTENER}' {self.there}"],
            env=self.world.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as run:
            self.assertEqual(run.stdout.readline(), "listening\n")
            self.configure(self.spec)
            self.world.adit("reload", check=False)
            failed = self.world.adit("up", "web1", check=False)
            self.assertNotEqual(failed.returncode, 0)
            self.assertReadable(failed.stderr, "web1", self.spec, f"localhost:{self.there}", "in use there")
            self.assertReadable(self.error(), "in use there")
            self.assertEqual(self.world.vm("web1")["state"], "up")
            run.stdin.close()
        wait_for("it listens once the port is free", self.listening, 90)
        self.assertIsNone(self.error())
        self.assertEqual(self.at_vm(ONE, self.there), "echo")

    def test_removed_from_the_configuration_it_listens_no_more(self):
        self.configure(self.spec)
        self.world.adit("up", "web1")
        self.configure()
        self.world.adit("reload")
        self.assertEqual(self.at_vm(ONE, self.there), "refused")
        self.configure(self.spec)
        self.world.adit("reload")
        wait_for("it listens", self.listening)
        self.assertEqual(self.at_vm(ONE, self.there), "echo")
        self.world.adit("down", "web1")
        self.assertIsNone(self.listening())
        self.assertEqual(self.at_vm(ONE, self.there), "refused")

    def test_unix_sockets(self):
        path = f"{self.world.dir}/there.sock"
        here = f"{self.world.dir}/here.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(here)
        listener.listen(8)
        spec = f"{path}:{here}"
        self.configure(spec)
        self.world.adit("up", "web1")
        self.assertEqual(self.listening(spec), path)

        def serve():
            for _ in range(4):
                s, _ = listener.accept()
                with s:
                    while data := s.recv(1 << 16):
                        s.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        self.assertEqual(self.at_vm(CALLERS, path, 4, 100000), "4")
        listener.close()

    def test_commands_add_and_cancel_it(self):
        self.configure()
        done = self.world.adit("forward", "web1", "-R", self.spec, "--detach")
        self.assertEqual(done.stdout, f"forward {self.spec} → localhost:{self.echo.port} listening on web1 localhost:{self.there}\n")
        self.assertEqual(self.at_vm(ONE, self.there), "echo")
        self.world.adit("cancel", "web1", "-R", self.spec)
        self.assertEqual(self.at_vm(ONE, self.there), "refused")
        any_port = json.loads(
            self.world.adit("forward", "web1", "-R", f"0:localhost:{self.echo.port}", "--detach", "--json").stdout
        )["forwards"][0]["listening"]
        self.assertEqual(self.at_vm(ONE, any_port.removeprefix("localhost:")), "echo")

    def test_adit_ssh_with_nothing_but_forwards(self):
        self.configure()
        with self.world.start("ssh", "web1", "--", "-N", "-R", self.spec) as run:
            wait_for("it listens", self.listening)
            self.assertTrue(self.world.forward("web1", self.spec)["runtime"])
            self.assertEqual(self.at_vm(ONE, self.there), "echo")
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=20)
        wait_for("the forward is gone", lambda: not self.world.forward("web1", self.spec))
        self.assertEqual(self.at_vm(ONE, self.there), "refused")

    def test_one_that_is_refused_is_not_added(self):
        self.configure(self.spec)
        self.world.adit("up", "web1")
        spec = f"{self.there}:localhost:1"
        failed = self.world.adit("forward", "web1", "-R", spec, "--detach", check=False)
        self.assertNotEqual(failed.returncode, 0)
        self.assertReadable(failed.stderr, "web1", spec, "listens there")
        self.assertIsNone(self.world.forward("web1", spec))
        self.assertEqual(self.at_vm(ONE, self.there), "echo")
        failed = self.world.adit("forward", "web1", "-R", "1080", "--detach", check=False)
        self.assertReadable(failed.stderr, "1080", "SOCKS", "name a target")

    def test_the_other_engine_says_that_it_cannot(self):
        self.configure(self.spec, more="engine: libssh2\n")
        failed = self.world.adit("up", "web1", check=False)
        self.assertNotEqual(failed.returncode, 0)
        self.assertReadable(failed.stderr, "web1", self.spec, "remote forwards need the engine native", "libssh2")


class NotAllowed(WorldCase):
    world_yaml = """
tenant: 72f988bf-0000-4000-8000-2d7cd011db47
client: 5e2f1c1a-0000-4000-8000-9b1f0a6c7d01
secret: only-for-this-test
subscriptions:
  - {id: 11111111-2222-4333-8444-555555555555, name: remote}
vms:
  - {group: rg-web, name: web1, os: linux, sshd: [AllowTcpForwarding local]}
"""

    def test_sshd_says_no(self):
        self.world.config(
            """
  - name: web1
    vm: rg-web/web1
    remote: ["8080:localhost:80"]
"""
        )
        failed = self.world.adit("up", "web1", check=False)
        self.assertNotEqual(failed.returncode, 0)
        self.assertReadable(
            failed.stderr, "web1", "8080:localhost:80", "administratively prohibited", "AllowTcpForwarding", "GatewayPorts"
        )
        f = self.world.forward("web1", "8080:localhost:80")
        self.assertIsNone(f["listening"])
        self.assertReadable(f["error"], "Server has disabled port forwarding")
        self.assertReadable(self.world.adit("status").stdout, "(8080:localhost:80)", "administratively prohibited")
