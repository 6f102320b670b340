"""One running sandbox for a test program: started once, asked over HTTPS, SSH and ctl, taken down at the end."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

API = "2024-11-01"
SUB = "5ab00000-0000-4000-8000-000000000001"


def text_of(path):
    with open(path) as f:
        return f.read()


def wait_for(what, deadline=20.0, step=0.01):
    """Calls what() until it is true; its last value."""
    end = time.monotonic() + deadline
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


class Sandbox:
    def __init__(self, binary, world=None, env=None, args=()):
        self.binary = binary
        self.dir = tempfile.mkdtemp(prefix="sbx")
        args = [binary, "run", "--dir", self.dir, *args]
        if world:
            path = os.path.join(self.dir, "world.yaml")
            with open(path, "w") as f:
                f.write(world)
            args += ["--file", path]
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.process = subprocess.Popen(args, stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})})
        wait_for(lambda: os.path.exists(self.path("ready")) or self.process.poll() is not None, 60)
        if not os.path.exists(self.path("ready")):
            raise RuntimeError("the sandbox did not start: " + self.said())
        self.env = dict(
            line[len("export "):].replace("'", "").split("=", 1)
            for line in text_of(self.path("env")).splitlines())
        self.base = text_of(self.path("ready")).strip()
        self.tls = ssl.create_default_context(cafile=self.path("ca.pem"))
        self.token = None

    def said(self):
        return text_of(self.path("log"))

    def path(self, name):
        return os.path.join(self.dir, name)

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        status = self.process.wait(30)
        self.log.close()
        return status

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def ctl(self, *words):
        r = subprocess.run([self.binary, "ctl", "--dir", self.dir, *words], capture_output=True, text=True, timeout=90)
        return r.returncode, r.stdout, r.stderr

    def ctl_ok(self, *words):
        code, out, err = self.ctl(*words)
        assert code == 0, (words, err)
        return out

    def status(self):
        return json.loads(self.ctl_ok("status"))

    def vm(self, name):
        return next(v for v in self.status()["vms"] if v["name"] == name)

    def requests(self, kind):
        return self.status()["requests"].get(kind, 0)

    def http(self, method, url, body=None, headers=None, form=False):
        """(status, headers, parsed body)."""
        if url.startswith("/"):
            url = self.base + url
        data = None
        if body is not None:
            data = urllib.parse.urlencode(body).encode() if form else json.dumps(body).encode()
        rq = urllib.request.Request(url, data=data, method=method, headers=headers or {})
        if not form and data:
            rq.add_header("Content-Type", "application/json")
        try:
            r = urllib.request.urlopen(rq, context=self.tls, timeout=20)
        except urllib.error.HTTPError as e:
            r = e
        text = r.read()
        return r.status, r.headers, json.loads(text) if text else None

    def sign_in(self, **changes):
        form = {
            "grant_type": "client_credentials", "client_id": self.env["AZURE_CLIENT_ID"],
            "client_secret": self.env["AZURE_CLIENT_SECRET"], "scope": self.base + "/.default"
        }
        form.update(changes)
        return self.http("POST", "/%s/oauth2/v2.0/token" % self.env["AZURE_TENANT_ID"], form, form=True)

    def arm(self, method, path, body=None, headers=None, api=API):
        """path: below the subscription unless absolute; the token is fetched once."""
        if not self.token:
            self.token = self.sign_in()[2]["access_token"]
        if not path.startswith("https:"):
            path = (path if path.startswith("//") else "/subscriptions/" + SUB + path).replace("//", "/", 1)
            if api:
                path += ("&" if "?" in path else "?") + "api-version=" + api
        return self.http(method, path, body, {"Authorization": "Bearer " + self.token, **(headers or {})})

    def graph(self, query, subscriptions=None, headers=None, **options):
        """One page of Resource Graph: (status, headers, body)."""
        body = {"query": query, "options": {"resultFormat": "objectArray", **options}}
        if subscriptions:
            body["subscriptions"] = subscriptions
        return self.arm("POST", "//providers/Microsoft.ResourceGraph/resources", body, headers, api="2024-04-01")

    def vm_path(self, vm, tail=""):
        return "/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/%s%s" % (*vm.split("/"), tail)

    def net_path(self, group, tail):
        return "/resourceGroups/%s/providers/Microsoft.Network/%s" % (group, tail)

    def finish(self, headers):
        """Polls an operation to its end; the final status body."""
        def poll():
            body = self.arm("GET", headers["Azure-AsyncOperation"])[2]
            return body if body["status"] != "InProgress" else None
        return wait_for(poll, step=0.1)  # slower than the bucket of reads is refilled

    def ssh_args(self, vm, *args, address=None):
        v = self.vm(vm) if isinstance(vm, str) else vm
        return ["ssh", "-F", "none", *args, "-i", self.path("id_ed25519"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "ConnectTimeout=10", "-o", "ExitOnForwardFailure=yes", "-p", str(v["port"]),
                "%s@%s" % (self.status()["user"], address or v["address"])]

    def ssh(self, vm, command, *args):
        return subprocess.run(self.ssh_args(vm, *args) + [command], capture_output=True, text=True, timeout=30)

    def local_host(self, vm):
        """What a forward must name to reach the VM's own services."""
        v = self.vm(vm)
        return v["privateAddress"] if self.status()["namespaces"] == "none" else "localhost"


class Tunnel:
    """ssh -N -L of the stock client, up when entered."""

    def __init__(self, sandbox, vm, *targets):
        self.ports = []
        args = ["-N"]
        for target in targets:
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            self.ports.append(s.getsockname()[1])
            s.close()
            args += ["-L", "127.0.0.1:%d:%s" % (self.ports[-1], target)]
        self.process = subprocess.Popen(sandbox.ssh_args(vm, *args), stderr=subprocess.PIPE)

    def __enter__(self):
        for port in self.ports:
            assert wait_for(lambda: self.listening(port)), self.process.stderr.read()
        return self

    def listening(self, port):
        if self.process.poll() is not None:
            return False
        with open("/proc/net/tcp") as f:
            return any(line.split()[1].endswith(":%04X" % port) and line.split()[3] == "0A" for line in f.readlines()[1:])

    def dial(self, n=0):
        s = socket.create_connection(("127.0.0.1", self.ports[n]), timeout=20)
        return s

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def read_all(s):
    parts = []
    while True:
        data = s.recv(1 << 20)
        if not data:
            return b"".join(parts)
        parts.append(data)


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            break
        data += more
    return data


class Case(unittest.TestCase):
    world = None
    env = None
    args = ()

    @classmethod
    def setUpClass(cls):
        cls.sb = Sandbox(BINARY, cls.world, cls.env, cls.args)

    @classmethod
    def tearDownClass(cls):
        status = cls.sb.stop()
        said = cls.sb.said()
        cls.sb.remove()
        assert status == 0, said
        assert "Sanitizer" not in said, said


BINARY = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "adit-sandbox"


def main():
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)
