"""The way to Azure: through a proxy and past it, to each cloud's endpoints, and whose certificates are believed."""
import base64
import contextlib
import re
import socket
import threading

from world import WorldCase, free_port

PASSWORD = "pr0xy-Pa55word"


class ConnectProxy:
    """An HTTP proxy that knows CONNECT, and remembers who was asked for. reach=False: it refuses everyone. The first `fails` get a 502."""

    def __init__(self, password=None, reach=True, fails=0):
        self.reach, self.fails, self.asked = reach, fails, []
        self.wanted = "Basic " + base64.b64encode(f"ann:{password}".encode()).decode() if password else None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(4096)
                if not part:
                    return
                head += part
            text = head.decode(errors="replace")
            method, target = text.split(" ", 2)[:2]
            self.asked.append(f"{method} {target}")
            if len(self.asked) <= self.fails:
                client.sendall(b"HTTP/1.1 502 Not now\r\nContent-Length: 0\r\n\r\n")
            elif self.wanted and f"Proxy-Authorization: {self.wanted}\r\n" not in text:
                client.sendall(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
            elif method != "CONNECT" or not self.reach:
                client.sendall(b"HTTP/1.1 403 Not here\r\nContent-Length: 0\r\n\r\n")
            else:
                host, _, port = target.rpartition(":")
                with socket.create_connection((host, int(port)), 10) as server:
                    client.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
                    back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                    back.start()
                    self._pump(client, server)
                    back.join()

    @staticmethod
    def _pump(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_WR)


class Outbound(WorldCase):
    def setUp(self):
        self.world.adit("stop", check=False)
        self.world.ctl("arm", "clear")
        self.world.config()
        self.text = self.world.config_path.read_text()
        self.endpoint = re.search(r"arm-endpoint: *\"?https://([^\s\"]+)", self.text).group(1)

    def tearDown(self):
        self.world.adit("stop", check=False)
        self.world.config_path.write_text(self.text)

    def asks(self, status=0, names=(), **env):
        """Has a new daemon with these variables ask for a VM; what was said and logged."""
        self.world.adit("stop", check=False)
        log = len(self.world.logs())
        env = {"HTTPS_PROXY": "", "https_proxy": "", "NO_PROXY": "", "no_proxy": "", "ALL_PROXY": "", **env}
        done = self.world.adit("resolve", "--no-cache", "rg-web/web1", "--timeout", "10s", check=False, env=env)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr + self.world.logs()[log:])
        self.assertReadable(done.stdout + done.stderr, *names)
        self.world.adit("logs", "-n", "1")
        return done.stdout + done.stderr + self.world.logs()[log:]

    def test_a_proxy_is_used_for_signing_in_and_for_arm(self):
        for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            with self.subTest(variable), ConnectProxy() as proxy:
                self.asks(**{variable: f"http://127.0.0.1:{proxy.port}"})
                self.assertIn(f"CONNECT {self.endpoint}", proxy.asked)
                self.assertEqual(set(proxy.asked), {f"CONNECT {self.endpoint}"})

    def test_no_proxy_goes_past_it(self):
        host = self.endpoint.split(":")[0]
        for past in (host, f"example.com,{host}", "*"):
            with self.subTest(past), ConnectProxy() as proxy:
                self.asks(HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", NO_PROXY=past)
                self.assertEqual(proxy.asked, [])

    def test_a_proxy_with_a_password(self):
        with ConnectProxy(PASSWORD) as proxy:
            said = self.asks(HTTPS_PROXY=f"http://ann:{PASSWORD}@127.0.0.1:{proxy.port}")
            said += self.asks(69, names=("407", "HTTPS_PROXY"), HTTPS_PROXY=f"http://ann:not-{PASSWORD}@127.0.0.1:{proxy.port}")
            said += self.asks(69, names=("407", "HTTPS_PROXY"), HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")
        self.assertNotIn(PASSWORD, said)

    def test_a_proxy_that_refuses_or_is_not_there(self):
        with ConnectProxy(reach=False) as proxy:
            self.asks(69, names=("403", "HTTPS_PROXY"), HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")
        said = self.asks(69, names=("HTTPS_PROXY",), HTTPS_PROXY=f"http://ann:{PASSWORD}@127.0.0.1:{free_port()}")
        self.assertNotIn(PASSWORD, said)

    def test_a_proxy_that_is_out_of_order_is_asked_again(self):
        with ConnectProxy(fails=2) as proxy:
            self.asks(HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")
            self.assertGreaterEqual(len(proxy.asked), 3)

    def test_a_metadata_service_is_asked_past_every_proxy(self):
        env = dict(re.findall(r"(?m)^export (\w+)='?([^'\n]*)'?$", (self.world.dir / "env.imds").read_text()))
        without = {name: "" for name in self.world.env if name.startswith("AZURE_")}
        with ConnectProxy() as proxy:
            there = f"http://127.0.0.1:{proxy.port}"
            self.asks(**{**without, **env}, http_proxy=there, HTTPS_PROXY=there)
            self.assertEqual(set(proxy.asked), {f"CONNECT {self.endpoint}"})  # ARM itself

    def test_each_cloud_is_asked_at_its_own_endpoints(self):
        clouds = {
            "public": ("login.microsoftonline.com", "management.azure.com"),
            "usgov": ("login.microsoftonline.us", "management.usgovcloudapi.net"),
            "china": ("login.chinacloudapi.cn", "management.chinacloudapi.cn"),
        }
        for cloud, (login, arm) in clouds.items():
            text = re.sub(r"(?m)^  (cloud|arm-endpoint|login-endpoint):.*\n", "", self.text)
            self.world.config_path.write_text(text.replace("azure:\n", f"azure:\n  cloud: {cloud}\n"))
            with self.subTest(cloud), ConnectProxy(reach=False) as proxy:
                there = f"http://127.0.0.1:{proxy.port}"
                self.asks(69, names=(login,), HTTPS_PROXY=there)
                self.assertEqual(set(proxy.asked), {f"CONNECT {login}:443"})

    def test_a_certificate_that_nobody_vouches_for(self):
        text = re.sub(r"(?m)^  ca-file:.*\n", "", self.text)
        self.world.config_path.write_text(text)
        self.asks(69, names=("certificate", "ca-file"))
        nosuch = self.world.dir / "nosuch.pem"
        self.world.config_path.write_text(text.replace("azure:\n", f"azure:\n  ca-file: {nosuch}\n"))
        self.asks(69, names=("ca-file",))
