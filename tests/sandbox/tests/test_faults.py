"""The relay in front of each VM: latency, rate, resets, black holes, and none of them: nothing is lost or changed."""

import socket
import struct
import subprocess
import threading
import time

from sandbox_fixture import Case, Tunnel, main, read_all, read_exactly


class Faults(Case):
    def tearDown(self):
        self.sb.ctl_ok("fault", "web1", "clear")

    def tunnel(self, *ports):
        host = self.sb.local_host("web1")
        return Tunnel(self.sb, "web1", *["%s:%d" % (host, p) for p in ports])

    def ping(self, s):
        began = time.monotonic()
        s.sendall(b"x")
        read_exactly(s, 1)
        return time.monotonic() - began

    def test_latency(self):
        with self.tunnel(20000) as t, t.dial() as s:
            read_exactly(s, 6)
            self.sb.ctl_ok("fault", "web1", "latency", "25ms")
            times = sorted(self.ping(s) for _ in range(9))
            self.assertGreater(times[0], 0.050)
            self.assertLess(times[4], 0.080)
            self.sb.ctl_ok("fault", "web1", "clear")
            self.assertLess(min(self.ping(s) for _ in range(9)), 0.025)

    def download(self, s, n):
        s.sendall(struct.pack(">Q", n))
        return read_all(s)

    def test_bytes_survive_latency_being_switched(self):
        n = 40 << 20
        with self.tunnel(19) as t:
            with t.dial() as s:
                plain = self.download(s, n)
            self.assertEqual(len(plain), n)
            got = []
            with t.dial() as s:
                reader = threading.Thread(target=lambda: got.append(self.download(s, n)))
                reader.start()
                for latency in ("5ms", "1ms", "0ms", "3ms"):
                    self.sb.ctl_ok("fault", "web1", "latency", latency)
                self.sb.ctl_ok("fault", "web1", "clear")
                reader.join(60)
            self.assertTrue(got and got[0] == plain)

    def test_rate(self):
        n = 4 << 20
        with self.tunnel(19) as t:
            self.sb.ctl_ok("fault", "web1", "rate", "80mbit")
            began = time.monotonic()
            with t.dial() as s:
                self.assertEqual(len(self.download(s, n)), n)
            took = time.monotonic() - began
        self.assertGreater(took, n * 8 / 80e6 * 0.9)
        self.assertLess(took, n * 8 / 80e6 * 2 + 1)

    def test_reset(self):
        vm = self.sb.vm("web1")
        with socket.create_connection((vm["address"], vm["port"]), timeout=20) as s:
            self.assertTrue(s.recv(100).startswith(b"SSH-2.0-"))
            self.sb.ctl_ok("fault", "web1", "reset")
            self.assertRaises(ConnectionResetError, s.recv, 10)
        with self.tunnel(20000) as t:
            self.sb.ctl_ok("fault", "web1", "reset")
            self.assertEqual(t.process.wait(20), 255)
        self.assertEqual(self.sb.ssh("web1", "echo ok").stdout, "ok\n")

    def test_blackhole(self):
        vm = self.sb.vm("web1")
        with self.tunnel(20000) as t, t.dial() as s:
            read_exactly(s, 6)
            self.sb.ctl_ok("fault", "web1", "blackhole", "on")
            s.settimeout(0.5)
            s.sendall(b"lost?")
            self.assertRaises(socket.timeout, s.recv, 5)
            with socket.socket() as knock:
                knock.settimeout(0.5)
                self.assertRaises(socket.timeout, knock.connect, (vm["address"], vm["port"]))
            self.sb.ctl_ok("fault", "web1", "blackhole", "off")
            s.settimeout(20)
            self.assertEqual(read_exactly(s, 5), b"lost?")
        self.assertEqual(self.sb.ssh("web1", "echo ok").stdout, "ok\n")

    def test_a_late_connection_gets_through_after_the_blackhole(self):
        self.sb.ctl_ok("fault", "web1", "blackhole", "on")
        p = subprocess.Popen(self.sb.ssh_args("web1") + ["echo late"], stdout=subprocess.PIPE)
        self.sb.ctl_ok("fault", "web1", "blackhole", "off")
        self.assertEqual(p.communicate(timeout=30)[0], b"late\n")

    def test_counters(self):
        before = self.sb.vm("web1")["relay"]
        self.sb.ssh("web1", "true")
        after = self.sb.vm("web1")["relay"]
        self.assertEqual(after["accepted"], before["accepted"] + 1)
        self.assertGreater(after["upBytes"], before["upBytes"] + 500)
        self.assertGreater(after["downBytes"], before["downBytes"] + 500)

    def test_stopped_vm_has_no_relay(self):
        code, _, said = self.sb.ctl("fault", "off1", "reset")
        self.assertEqual(code, 1)
        self.assertIn("deallocated", said)


if __name__ == "__main__":
    main()
