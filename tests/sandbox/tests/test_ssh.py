"""The sandbox's VMs through the stock ssh client: services, private network, power, and how it starts and ends."""

import hashlib
import os
import signal
import socket
import struct
import subprocess

from sandbox_fixture import BINARY, Case, Sandbox, Tunnel, main, read_all, read_exactly, text_of, wait_for

RDP_REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")
RDP_CONFIRM = bytes.fromhex("030000130ed00000123400021f080002000000")


def stream(n):
    out = bytearray()
    mask = (1 << 64) - 1
    k = 0
    while len(out) < n:
        z = (k + 1) * 0x9E3779B97F4A7C15 & mask
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        out += struct.pack("<Q", z ^ z >> 31)
        k += 1
    return bytes(out[:n])


class Services(Case):
    def test_session(self):
        r = self.sb.ssh("web1", "echo $ADIT_SANDBOX_VM")
        self.assertEqual(r.stdout, "web1\n", r.stderr)

    def test_rdp(self):
        with Tunnel(self.sb, "win11", self.sb.local_host("win11") + ":3389") as t, t.dial() as s:
            s.sendall(RDP_REQUEST)
            self.assertEqual(read_exactly(s, 19), RDP_CONFIRM)
            s.sendall(b"after the opening, an echo")
            self.assertEqual(read_exactly(s, 26), b"after the opening, an echo")

    def test_every_port_is_its_own(self):
        host = self.sb.local_host("web1")
        ports = list(range(20000, 20064))
        with Tunnel(self.sb, "web1", *["%s:%d" % (host, p) for p in ports]) as t:
            socks = [t.dial(i) for i in range(len(ports))]
            said = [s.makefile("rb").readline() for s in socks]
            for s in socks:
                s.close()
        self.assertEqual(said, [b"%d\n" % p for p in ports])

    def test_source_and_digest(self):
        host = self.sb.local_host("web1")
        if os.geteuid() != 0 and self.sb.status()["namespaces"] == "none":
            self.skipTest("ports below 1024 need root or namespaces")
        n = 3000001
        with Tunnel(self.sb, "web1", host + ":19", host + ":29") as t:
            with t.dial(0) as s:
                s.sendall(struct.pack(">Q", n))
                data = read_all(s)
            with t.dial(1) as s:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                answer = read_all(s)
        self.assertEqual(data, stream(n))
        self.assertEqual(answer.decode(), "%d %s\n" % (n, hashlib.sha256(data).hexdigest()))

    def test_http_names_the_vm(self):
        if os.geteuid() != 0 and self.sb.status()["namespaces"] == "none":
            self.skipTest("ports below 1024 need root or namespaces")
        for vm in ("web1", "web2"):
            with Tunnel(self.sb, vm, self.sb.local_host(vm) + ":80") as t, t.dial() as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(read_all(s).endswith(b"\r\n\r\n%s\n" % vm.encode()))

    def test_unix_echo(self):
        with Tunnel(self.sb, "web1", os.path.join(self.sb.vm("web1")["dir"], "echo.sock")) as t, t.dial() as s:
            s.sendall(b"unix")
            self.assertEqual(read_exactly(s, 4), b"unix")

    def test_private_vm_through_another(self):
        db = self.sb.vm("db1")
        self.assertEqual(db["address"], "")
        port = "22" if self.sb.status()["namespaces"] != "none" else str(db["port"])
        with Tunnel(self.sb, "win11", db["privateAddress"] + ":" + port) as outer:
            inner = dict(self.sb.vm("win11"), address="127.0.0.1", port=outer.ports[0])
            with Tunnel(self.sb, inner, self.sb.local_host("db1") + ":5432") as t, t.dial() as s:
                s.sendall(b"select 1")
                self.assertEqual(read_exactly(s, 8), b"select 1")


class Power(Case):
    def test_deallocate_refuses_and_start_moves(self):
        before = self.sb.vm("web1")
        with Tunnel(self.sb, "web1", self.sb.local_host("web1") + ":20000") as t, t.dial() as s:
            read_exactly(s, 6)
            self.sb.ctl_ok("deallocate", "web1")
            self.assertEqual(s.recv(10), b"")
            self.assertEqual(t.process.wait(20), 255)
        self.assertIn("refused", self.sb.ssh(before, "true").stderr)
        self.sb.ctl_ok("start", "web1")
        after = self.sb.vm("web1")
        self.assertNotEqual(after["address"], before["address"])
        self.assertEqual(self.sb.ssh("web1", "echo back").stdout, "back\n")

    def test_static_address_stays(self):
        before = self.sb.vm("web2")["address"]
        self.sb.ctl_ok("deallocate", "web2")
        self.sb.ctl_ok("start", "web2")
        self.assertEqual(self.sb.vm("web2")["address"], before)

    def test_recreate(self):
        before = self.sb.vm("db1"), self.host_key("web2")
        vm = self.sb.vm("web2")
        self.sb.ctl_ok("recreate", "web2")
        after = self.sb.vm("web2")
        self.assertNotEqual(after["vmId"], vm["vmId"])
        self.assertEqual(after["address"], vm["address"])
        self.assertNotEqual(self.host_key("web2"), before[1])
        self.assertEqual(self.sb.vm("db1")["vmId"], before[0]["vmId"])

    def host_key(self, vm):
        v = self.sb.vm(vm)
        r = subprocess.run(["ssh-keyscan", "-t", "ed25519", "-p", str(v["port"]), v["address"]], capture_output=True,
                           text=True, timeout=20)
        return r.stdout.split()[-1]

    def test_kill_ssh(self):
        with Tunnel(self.sb, "win11", self.sb.local_host("win11") + ":20000") as t, t.dial() as s:
            read_exactly(s, 6)
            self.sb.ctl_ok("kill-ssh", "win11")
            self.assertEqual(s.recv(10), b"")
            self.assertEqual(t.process.wait(20), 255)
        self.assertEqual(self.sb.ssh("win11", "echo again").stdout, "again\n")


def processes(needle):
    """Commands with needle in them that run in the whole machine."""
    found = []
    for pid in os.listdir("/proc"):
        try:
            if pid.isdigit() and needle in text_of("/proc/%s/cmdline" % pid):
                found.append(pid)
        except OSError:
            pass
    return found


class Lifetime(Case):
    def test_kill_takes_everything_along(self):
        sb = Sandbox(BINARY)
        tunnel = Tunnel(sb, "web1", "localhost:7")
        with tunnel:
            self.assertGreater(len(processes(sb.path("vms"))), 5)
            sb.stop(signal.SIGKILL)
            self.assertTrue(wait_for(lambda: not processes(sb.path("vms"))), processes(sb.path("vms")))
        again = subprocess.Popen([BINARY, "run", "--dir", sb.dir], stderr=subprocess.PIPE)
        self.assertTrue(wait_for(lambda: os.path.exists(sb.path("ctl.sock")) and sb.ctl("status")[0] == 0))
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=30)
        self.assertEqual(again.returncode, 0)
        self.assertFalse(os.path.exists(sb.path("ready")))
        self.assertFalse(processes(sb.path("vms")))
        sb.remove()

    def run_said(self, *args, **env):
        r = subprocess.run([BINARY, "run", *args], capture_output=True, text=True, timeout=60, env={**os.environ, **env})
        return r.returncode, r.stderr

    def test_one_sandbox_a_directory(self):
        code, said = self.run_said("--dir", self.sb.dir)
        self.assertEqual(code, 1)
        self.assertIn("another sandbox runs in this directory", said)
        self.assertTrue(os.path.exists(self.sb.path("ready")))

    def test_port_in_use(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            code, said = self.run_said("--dir", self.sb.path("second"), "--arm-port", str(s.getsockname()[1]))
        self.assertEqual(code, 1)
        self.assertIn("cannot listen", said)

    def test_bad_world(self):
        path = self.sb.path("bad.yaml")
        for text, reason in (("vms: [{name: x, group: y}]\n", "tenant"), (WORLD % "colour: red", "colour"), (WORLD % "sshd: [Nonsense yes]", "Nonsense")):
            with open(path, "w") as f:
                f.write(text)
            code, said = self.run_said("--dir", self.sb.path("third"), "--file", path)
            self.assertEqual(code, 1)
            self.assertIn(reason.lower(), said.lower())


WORLD = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: s
subscriptions: [{id: 5ab00000-0000-4000-8000-000000000001, name: S}]
vms:
  - name: only
    group: rg
    alias: only
    public-ip: static
    %s
"""


class OwnWorld(Case):
    world = WORLD % "sshd: ['RekeyLimit 16M', 'MaxSessions 3']"

    def test_sshd_lines(self):
        config = text_of(os.path.join(self.sb.vm("only")["dir"], "sshd_config"))
        self.assertTrue(config.startswith("RekeyLimit 16M\nMaxSessions 3\n"))
        self.assertEqual(self.sb.ssh("only", "echo ok").stdout, "ok\n")


class WithoutNamespaces(Case):
    env = {"ADIT_SANDBOX_NETNS": "none"}

    def test_services_at_the_private_address(self):
        self.assertIn("no network namespaces", self.sb.said())
        self.assertIn(":%s:3389" % self.sb.vm("win11")["privateAddress"], text_of(self.sb.path("adit.yaml")))
        with Tunnel(self.sb, "win11", self.sb.local_host("win11") + ":3389") as t, t.dial() as s:
            s.sendall(RDP_REQUEST)
            self.assertEqual(read_exactly(s, 19), RDP_CONFIRM)
            self.sb.ctl_ok("kill-ssh", "win11")
            self.assertEqual(s.recv(10), b"")
        self.assertEqual(self.sb.ssh("win11", "echo again").stdout, "again\n")
        self.sb.ctl_ok("deallocate", "win11")
        self.assertIn("refused", self.sb.ssh(dict(self.sb.vm("win11"), address=self.sb.vm("web1")["privateAddress"][:-1] + "9"),
                                             "true").stderr)


if __name__ == "__main__":
    main()
