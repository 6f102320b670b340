"""The main job: a VM's name goes in, a working RDP port comes out."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import unittest

from world import BIN, WorldCase, connect, free_port, rdp_opens, recv_all, recv_exactly, wait_for


class Tunnel(WorldCase):
    def setUp(self):
        self.port = free_port()
        self.world.config(
            f"""
  - name: win11
    vm: rg-desk/win11
    local: ["{self.port}:localhost:3389"]
  - name: web1
    vm: rg-web/web1
    local: []
"""
        )

    def tearDown(self):
        self.world.adit("stop", check=False)

    def test_up_answers_an_rdp_request_and_counts_its_bytes(self):
        self.world.adit("up", "win11")
        self.assertTrue(rdp_opens(self.port))
        spec = f"{self.port}:localhost:3389"
        counted = wait_for("bytes are counted", lambda: (f := self.world.forward("win11", spec))["bytes_in"] and f)
        self.assertEqual((counted["bytes_in"], counted["bytes_out"]), (23, 23))
        vm = self.world.vm("win11")
        self.assertEqual(vm["state"], "up")
        self.assertRegex(vm["address"], r"^127\.66\.\d+\.\d+(:\d+)?$")
        self.assertRegex(vm["vm_id"], r"^[0-9a-fA-F-]{36}$")
        page = self.world.adit("status").stdout
        for part in ("win11", "up", vm["address"].split(":")[0], str(self.port)):
            self.assertIn(part, page)

    def test_round_trip_time_is_measured(self):
        self.world.adit("up", "win11")
        vm = wait_for("a round-trip time", lambda: (v := self.world.vm("win11"))["rtt_us"] and v)
        self.assertGreater(vm["rtt_us"], 0)

    def test_forward_is_attached_until_interrupted(self):
        port = free_port()
        spec = f"{port}:localhost:7"
        run = self.world.start("forward", "web1", "-L", spec)
        wait_for("the forward listens", lambda: self.world.forward("web1", spec))
        with wait_for("it accepts", lambda: connect_quietly(port)) as s:
            s.sendall(b"hello")
            self.assertEqual(recv_exactly(s, 5), b"hello")
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
        wait_for("the forward is gone", lambda: not self.world.forward("web1", spec))
        self.assertIsNone(connect_quietly(port))

    def test_forward_of_a_killed_command_is_cancelled(self):
        port = free_port()
        spec = f"{port}:localhost:7"
        run = self.world.start("forward", "web1", "-L", spec)
        wait_for("the forward listens", lambda: self.world.forward("web1", spec))
        run.kill()
        run.communicate()
        wait_for("the forward is gone", lambda: not self.world.forward("web1", spec))

    def test_detached_forward_is_up_when_the_command_returns_and_cancel_ends_it(self):
        port = free_port()
        spec = f"{port}:localhost:7"
        self.world.adit("forward", "web1", "-L", spec, "--detach")
        with connect(port) as s:
            s.sendall(b"x")
            self.assertEqual(recv_exactly(s, 1), b"x")
        self.world.adit("cancel", "web1", "-L", spec)
        self.assertIsNone(connect_quietly(port))

    def test_forward_to_a_vm_the_configuration_does_not_name(self):
        port = free_port()
        self.world.adit("forward", "rg-web/web2", "-L", f"{port}:localhost:80", "--detach")
        with connect(port) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(b"web2", recv_all(s))

    def test_unix_sockets_on_both_sides(self):
        here = self.world.dir / "here.sock"
        there = self.world.dir / "there.sock"
        from world import UnixServer

        server = UnixServer(there, lambda s: s.sendall(b"through " + recv_exactly(s, 4)))
        self.addCleanup(server.close)
        self.world.adit("forward", "web1", "-L", f"{here}:{there}", "--detach")
        self.assertEqual(os.stat(here).st_mode & 0o777, 0o600)
        with connect(here) as s:
            s.sendall(b"four")
            self.assertEqual(recv_all(s), b"through four")
        self.world.adit("cancel", "web1", "-L", f"{here}:{there}")
        self.assertFalse(here.exists())

    def test_private_vm_through_another_vm(self):
        port = free_port()
        self.world.config(
            f"""
  - name: win11
    vm: rg-desk/win11
  - name: db1
    vm: rg-data/db1
    via: win11
    local: ["{port}:localhost:5432"]
"""
        )
        self.world.adit("up", "db1")
        with connect(port) as s:
            s.sendall(b"select 1")
            self.assertEqual(recv_exactly(s, 8), b"select 1")

    def test_many_forwards_share_one_connection(self):
        ports = [free_port() for _ in range(20)]
        self.world.config("  - name: web1\n    vm: rg-web/web1\n    local: [" + ",".join(f'"{p}:localhost:{20000 + i}"' for i, p in enumerate(ports)) + "]\n")
        self.world.adit("up", "web1")
        for i, port in enumerate(ports):
            with connect(port) as s:
                self.assertEqual(recv_exactly(s, 5), str(20000 + i).encode())
        self.assertEqual(self.world.vm("web1")["connections"], 1)

    def test_resolve_says_what_arm_says(self):
        facts = json.loads(self.world.adit("resolve", "rg-desk/win11", "--json").stdout)
        self.assertEqual(facts["name"], "win11")
        self.assertEqual(facts["power"], "running")
        self.assertEqual(facts["os"], "windows")
        self.assertTrue(any(a["public"] and a["ip"].startswith("127.66.") for a in facts["addresses"]))
        text = self.world.adit("resolve", "win11").stdout
        self.assertIn(facts["vm_id"], text)

    def test_proxy_splices_stdio_to_the_vms_sshd(self):
        key = self.world.dir / "id_ed25519"
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", f"ProxyCommand={BIN}/adit proxy %h %p",
             "rg-web/web1", "echo through; exit 7"],
            env=self.world.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        self.assertEqual((done.stdout, done.returncode), ("through\n", 7), done.stderr)

    def test_proxy_hands_the_descriptor_over(self):
        key = self.world.dir / "id_ed25519"
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "ProxyUseFdpass=yes",
             "-o", f"ProxyCommand={BIN}/adit proxy --fdpass %h %p", "rg-web/web1", "echo through; exit 7"],
            env=self.world.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        self.assertEqual((done.stdout, done.returncode), ("through\n", 7), done.stderr)


def connect_quietly(port):
    try:
        return connect(port, 5)
    except OSError:
        return None


if __name__ == "__main__":
    unittest.main()
