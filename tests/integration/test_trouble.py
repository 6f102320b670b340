"""When the VM or the way to it fails: flows end with a reason, listeners stay bound, the next connection works."""
import pathlib
import subprocess
import time

from world import WorldCase, connect, ends_with_reset, free_port, recv_exactly, refuses_with_reset, wait_for


class Trouble(WorldCase):
    def setUp(self):
        self.port = free_port()
        self.spec = f"{self.port}:localhost:7"
        self.world.ctl("arm", "clear")
        self.world.config(
            f"""
  - name: web1
    vm: rg-web/web1
    keepalive: 1s
    keepalive-count: 3
    connect-timeout: 20s
    local: ["{self.spec}"]
"""
        )
        self.world.adit("up", "web1")

    def tearDown(self):
        self.world.ctl("fault", "rg-web/web1", "clear")
        self.world.ctl("start", "rg-web/web1", check=False)  # it may be running
        self.world.adit("stop", check=False)

    def open_flow(self):
        s = connect(self.port)
        s.sendall(b"hello")
        self.assertEqual(recv_exactly(s, 5), b"hello")
        return s

    def assertWorksAgain(self):
        def works():
            try:
                with self.open_flow():
                    return True
            except (OSError, AssertionError):
                return False

        wait_for("a new connection works", works, 60)

    def assertErrorNames(self, *parts):
        self.assertReadable(wait_for("the error is logged", lambda: self.error_lines(parts)), *parts)

    def error_lines(self, parts):
        lines = [line for line in self.world.logs().splitlines() if all(p.lower() in line.lower() for p in parts)]
        return "\n".join(lines)

    def test_killed_sshd(self):
        with self.open_flow() as s:
            self.world.ctl("kill-ssh", "rg-web/web1")
            self.assertTrue(ends_with_reset(s))
        self.assertErrorNames("web1", "connection")
        self.assertWorksAgain()

    def test_reset_on_the_way(self):
        with self.open_flow() as s:
            self.world.ctl("fault", "rg-web/web1", "reset")
            self.assertTrue(ends_with_reset(s))
        self.assertErrorNames("web1", "reset")
        self.assertWorksAgain()

    def test_black_hole_is_noticed_by_keepalive(self):
        with self.open_flow() as s:
            self.world.ctl("fault", "rg-web/web1", "blackhole", "on")
            self.assertTrue(ends_with_reset(s))
        self.assertErrorNames("web1", "did not answer", "dead")
        # The listener is still there: a client may wait while the VM is away.
        waiting = connect(self.port, 60)
        waiting.sendall(b"later")
        self.world.ctl("fault", "rg-web/web1", "blackhole", "off")
        try:
            self.assertEqual(recv_exactly(waiting, 5), b"later")
        except (AssertionError, OSError):
            pass  # it may have waited longer than connect-timeout; the next one must work
        waiting.close()
        self.assertWorksAgain()

    def test_deallocated_and_started_at_another_address(self):
        self.world.config(
            f"""
  - name: off1
    vm: rg-lab/off1
    connect-timeout: 20s
    local: ["{self.spec}"]
"""
        )
        self.world.ctl("start", "rg-lab/off1")
        self.world.adit("reload")
        self.world.adit("up", "off1")
        before = self.world.vm("off1")["address"]
        with self.open_flow() as s:
            self.world.ctl("deallocate", "rg-lab/off1")
            self.assertTrue(ends_with_reset(s))
        away = wait_for("the status says that it is deallocated",
                        lambda: (v := self.world.vm("off1"))["error"] and "deallocated" in v["error"] and v)
        self.assertEqual(away["state"], "waiting")
        connect(self.port).close()  # still bound
        self.world.ctl("start", "rg-lab/off1")
        self.assertWorksAgain()
        self.assertNotEqual(self.world.vm("off1")["address"], before)
        self.world.ctl("deallocate", "rg-lab/off1")

    def test_refused_destination_ends_that_flow_alone(self):
        nobody = free_port()
        self.world.adit("forward", "web1", "-L", f"{nobody}:localhost:4", "--detach")
        with self.open_flow() as good:
            try:
                with connect(nobody) as s:
                    self.assertTrue(ends_with_reset(s))
            except ConnectionResetError:
                pass  # the refusal was faster than connect()'s return
            good.sendall(b"still")
            self.assertEqual(recv_exactly(good, 5), b"still")
        self.assertErrorNames("web1", f"{nobody}:localhost:4", "refused")

    def test_client_that_comes_while_the_vm_is_away_waits_for_it(self):
        self.world.ctl("deallocate", "rg-web/web1")
        self.world.wait_state("web1", "waiting")
        s = connect(self.port, 60)
        s.sendall(b"patience")
        self.world.ctl("start", "rg-web/web1")
        self.assertEqual(recv_exactly(s, 8), b"patience")
        s.close()

    def test_recreated_vm_is_noticed(self):
        self.world.ctl("recreate", "rg-web/web1")
        self.assertWorksAgain()
        self.assertErrorNames("web1", "re-created")

    def test_changed_host_key_of_the_same_vm_is_refused_for_good(self):
        self.world.adit("stop")
        known = pathlib.Path(self.world.env["XDG_STATE_HOME"]) / "adit" / "known_hosts"
        good = known.read_text()
        # The same VM with another key of the same kind: take the one of web2.
        lines = good.splitlines()
        web1 = next(line for line in lines if "/web1 " in line.lower())
        host, kind, key, *rest = web1.split(" ")
        other = self.other_key(kind)
        known.write_text("\n".join([" ".join([host, kind, other, *rest])] + [line for line in lines if line != web1]) + "\n")
        self.addCleanup(known.write_text, good)
        done = self.world.adit("up", "web1", check=False)
        self.assertEqual(done.returncode, 77)
        self.assertReadable(done.stderr, "web1", "host key", "SHA256:", "known_hosts")
        self.assertEqual(self.world.vm("web1")["state"], "failed")
        self.assertTrue(refuses_with_reset(self.port))

    def other_key(self, kind):
        name = {"ssh-ed25519": "ed25519"}.get(kind, "ecdsa")
        path = self.world.dir / f"other_{name}_{time.monotonic_ns()}"
        subprocess.run(["ssh-keygen", "-q", "-t", name, "-N", "", "-f", path], check=True)
        return path.with_suffix(".pub").read_text().split()[1]
