"""Dynamic forwards: what people point at a SOCKS or HTTP proxy reaches what the VM reaches, and hears why when it does not."""
import getpass
import json
import shutil
import signal
import socket
import struct
import subprocess
import time
import unittest

from world import WorldCase, connect, free_port, recv_all, recv_exactly, wait_for

GET = b"GET / HTTP/1.0\r\n\r\n"
SOCKS5_UNREACHABLE = 4
DEADLINE = 10  # seconds that a client has to say where to


def socks5(host, port):
    return b"\5\1\0" + b"\5\1\0\3" + bytes([len(host)]) + host.encode() + struct.pack(">H", port)


def socks4a(host, port):
    return b"\4\1" + struct.pack(">H", port) + b"\0\0\0\1me\0" + host.encode() + b"\0"


def http(host, port):
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()


ANSWERS = {  # to a request, when it is connected
    socks5: b"\5\0" + b"\5\0\0\1\0\0\0\0\0\0",
    socks4a: b"\0\x5a\0\0\0\0\0\0",
    http: b"HTTP/1.1 200 Connection established\r\n\r\n",
}


class DynamicCase(WorldCase):
    def setUp(self):
        self.port = free_port()
        self.world.config(
            f"""
  - name: web1
    vm: rg-web/web1
    dynamic: ["{self.port}"]
  - name: jump
    vm: rg-desk/win11
  - name: db1
    vm: rg-data/db1
    via: jump
    dynamic: ["0"]
"""
        )

    def tearDown(self):
        self.world.adit("stop", check=False)

    def forward(self, alias="web1"):
        return next(f for f in self.world.vm(alias)["forwards"] if f["kind"] == "dynamic")

    def through(self, request, host, port, proxy=None):
        s = connect(proxy or self.port)
        self.addCleanup(s.close)
        s.sendall(request(host, port))
        self.assertEqual(recv_exactly(s, len(ANSWERS[request])), ANSWERS[request])
        return s


class Programs(DynamicCase):
    """curl, nc and ssh."""

    def setUp(self):
        super().setUp()
        self.world.adit("up", "web1")

    def curl(self, *words, url="http://localhost:80/"):
        return subprocess.run(["curl", "-sS", "--max-time", "30", *words, url], capture_output=True, text=True, timeout=60)

    def ways(self):
        proxy = f"127.0.0.1:{self.port}"
        return {
            "SOCKS 5, name": ["--socks5-hostname", proxy], "SOCKS 5": ["--socks5", proxy], "SOCKS 4a": ["--socks4a", proxy],
            "SOCKS 4": ["--socks4", proxy], "HTTP": ["--proxytunnel", "-x", f"http://{proxy}"],
        }

    def test_curl_gets_the_page_each_way(self):
        for name, words in self.ways().items():
            with self.subTest(name):
                url = "http://127.0.0.1/" if name in ("SOCKS 4", "SOCKS 5") else "http://localhost/"
                done = self.curl(*words, url=url)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("web1", done.stdout)
        self.assertEqual(self.forward()["flows_failed"], 0)

    def test_curl_tells_that_the_target_refused(self):
        heard = {"SOCKS 5, name": "(5)", "SOCKS 5": "(5)", "SOCKS 4a": "(91)", "SOCKS 4": "(91)", "HTTP": "502"}
        for name, words in self.ways().items():
            with self.subTest(name):
                done = self.curl(*words, url=f"http://127.0.0.1:{free_port()}/")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(heard[name], done.stderr)

    def test_curl_tells_that_nobody_knows_the_name(self):
        done = self.curl(*self.ways()["SOCKS 5, name"], url="http://no-such-name.invalid/")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"({SOCKS5_UNREACHABLE})", done.stderr)

    def test_plain_http_is_told_what_to_do(self):
        done = self.curl("-x", f"http://127.0.0.1:{self.port}")
        self.assertIn("--proxytunnel", done.stdout)

    @unittest.skipUnless(shutil.which("nc"), "nc is not installed")
    def test_nc_each_way(self):
        for version in ("5", "4", "connect"):
            with self.subTest(version):
                words = ["nc", "-X", version, "-x", f"127.0.0.1:{self.port}", "127.0.0.1", "80"]
                done = subprocess.run(words, input=GET, capture_output=True, timeout=30)
                self.assertIn(b"web1", done.stdout, done.stderr)

    @unittest.skipUnless(shutil.which("nc"), "nc is not installed")
    def test_ssh_through_nc(self):
        options = [
            f"ProxyCommand=nc -X 5 -x 127.0.0.1:{self.port} %h %p", "IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes",
            "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
        ]
        address, _, port = self.world.vm("web1")["address"].rpartition(":")
        words = ["ssh", "-F", "none", "-i", self.world.dir / "id_ed25519", "-p", port, *(w for o in options for w in ("-o", o))]
        size = 3000000
        done = subprocess.run([*words, f"{self.user()}@{address}", f"head -c {size} /dev/zero; exit 7"], env=self.world.env,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual((len(done.stdout), done.returncode), (size, 7), done.stderr)

    def user(self):
        return self.world.vm("web1")["user"] or getpass.getuser()


class Requests(DynamicCase):
    """Byte by byte."""

    def setUp(self):
        super().setUp()
        self.world.adit("up", "web1")

    def test_a_thousand_one_after_the_other(self):
        requests = list(ANSWERS)
        for i in range(1000):
            with self.through(requests[i % 3], "localhost", 80) as s:
                s.sendall(GET)
                self.assertIn(b"web1", recv_all(s))
        f = wait_for("no flow is left", lambda: (f := self.forward())["flows"] == 0 and f)
        self.assertEqual((f["flows_total"], f["flows_failed"]), (1000, 0))

    def test_what_follows_in_the_same_breath_arrives_and_half_close_goes_across(self):
        payload = bytes(range(256)) * 40
        for request, answer in ANSWERS.items():
            with self.subTest(request.__name__), connect(self.port) as s:
                s.sendall(request("localhost", 7) + payload)
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(recv_all(s), answer + payload)

    def test_a_refused_port_is_an_answer_and_an_end(self):
        refusals = {socks5: b"\5\0" + b"\5\5\0\1\0\0\0\0\0\0", socks4a: b"\0\x5b\0\0\0\0\0\0"}
        for request, refusal in refusals.items():
            with self.subTest(request.__name__), connect(self.port) as s:
                s.sendall(request("localhost", free_port()) + GET)
                self.assertEqual(recv_all(s), refusal)
        with connect(self.port) as s:
            s.sendall(http("localhost", free_port()) + GET)
            said = recv_all(s)
            self.assertTrue(said.startswith(b"HTTP/1.1 502 "), said)
            self.assertIn(b"refused", said)
        self.assertEqual(self.world.vm("web1")["state"], "up")
        self.assertIsNone(self.forward()["error"])

    def test_half_a_request_is_closed_at_the_deadline(self):
        began = time.monotonic()
        sockets = {what: connect(self.port, DEADLINE * 3) for what in (b"\5\1\0\5\1", b"CONNECT web1:80 HTTP/1.1\r\nHost", b"\4\1", b"")}
        for what, s in sockets.items():
            s.sendall(what)
        with self.through(socks5, "localhost", 7) as busy:
            for what, s in sockets.items():
                with self.subTest(what), s:
                    self.assertEqual(recv_all(s), b"\5\0" if what[:1] == b"\5" else b"")
                    self.assertGreater(time.monotonic() - began, DEADLINE - 1)
            self.assertLess(time.monotonic() - began, DEADLINE + 15)
            busy.sendall(b"still")
            self.assertEqual(recv_exactly(busy, 5), b"still")

    def test_status_shows_the_proxy_and_nothing_shows_where_its_clients_go(self):
        secret = "very-private-name.invalid"
        with self.through(socks5, "localhost", 7):
            with connect(self.port) as s:
                s.sendall(socks5(secret, 80))
                recv_all(s)
            with connect(self.port) as s:
                s.sendall(b"CONNECT localhost:7 HTTP/1.1\r\nProxy-Authorization: Basic very-private\r\n\r\n")
                recv_exactly(s, len(ANSWERS[http]))
            f = wait_for("the others are gone", lambda: (f := self.forward())["flows"] == 1 and f)
            self.assertEqual((f["spec"], f["target"], f["flows_total"], f["flows_failed"]), (str(self.port), None, 3, 1))
            self.assertEqual(f["listening"], f"127.0.0.1:{self.port}")
            page = self.world.adit("status").stdout
            self.assertRegex(page, rf"127\.0\.0\.1:{self.port} +SOCKS, HTTP +1 +3 ")
            self.assertNotIn("very-private", json.dumps(self.world.status()) + page + self.world.logs())

    def test_it_listens_on_loopback_only(self):
        with self.assertRaises(ConnectionRefusedError):
            connect(("127.0.0.2", self.port))

    def test_through_another_vm(self):
        self.world.adit("up", "db1")
        port = int(self.forward("db1")["listening"].rpartition(":")[2])
        with self.through(socks4a, "localhost", 5432, port) as s:
            s.sendall(b"select 1")
            self.assertEqual(recv_exactly(s, 8), b"select 1")


class Commands(DynamicCase):
    """forward, cancel and ssh with -D."""

    def echoes(self, port):
        with self.through(socks5, "localhost", 7, port) as s:
            s.sendall(b"four")
            return recv_exactly(s, 4) == b"four"

    def assertRefused(self, port):
        with self.assertRaises(ConnectionRefusedError):
            connect(port)

    def test_forward_and_cancel(self):
        port = free_port()
        done = self.world.adit("forward", "web1", "-D", port, "--detach")
        self.assertReadable(done.stdout, "SOCKS, HTTP", f"listening on 127.0.0.1:{port}")
        self.assertTrue(self.echoes(port))
        self.world.adit("cancel", "web1", "-D", port)
        self.assertRefused(port)
        self.assertEqual(self.world.adit("forward", "web1", "-D", "80:localhost:80", check=False).returncode, 64)

    def test_ssh_that_only_forwards(self):
        port, other = free_port(), free_port()
        run = self.world.start("ssh", "web1", "--", "-N", "-D", str(port), "-L", f"{other}:localhost:7")
        wait_for("the proxy listens", lambda: self.world.forward("web1", str(port)))
        self.world.wait_state("web1", "up")
        self.assertTrue(self.echoes(port))
        with connect(other) as s:
            s.sendall(b"four")
            self.assertEqual(recv_exactly(s, 4), b"four")
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
        wait_for("the proxy is gone", lambda: not self.world.forward("web1", str(port)))
        self.assertRefused(port)


if __name__ == "__main__":
    unittest.main()
