"""Starting and deallocating VMs from the command line."""
import contextlib
import json
import os
import pty
import signal

from world import BIN, WorldCase, wait_for

WORLD = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: sandbox~secret
subscriptions: [{id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}]
operation-ms: 700
vms:
  - {name: one, group: rg, public-ip: dynamic, power: deallocated, services: [http]}
  - {name: two, group: rg, public-ip: static, power: deallocated}
  - {name: three, group: rg, public-ip: dynamic}
  - {name: four, group: rg, public-ip: dynamic}
  - {name: five, group: rg, public-ip: static}
  - {name: six, group: rg, public-ip: static, power: deallocated}
"""


class Power(WorldCase):
    world_yaml = WORLD

    def power(self, name):
        status = json.loads(self.world.ctl("status"))
        return next(vm["power"] for vm in status["vms"] if vm["name"] == name)

    def test_several_at_once_and_those_that_run_are_left_alone(self):
        done = self.world.adit("start", "rg/one", "rg/two", "rg/three")
        self.assertEqual(done.stdout, "rg/one started\nrg/two started\nrg/three runs already\n")
        self.assertEqual((self.power("one"), self.power("two")), ("running", "running"))
        again = json.loads(self.world.adit("start", "--json", "one").stdout)
        self.assertEqual(again, {"vms": [{"vm": "one", "changed": False}]})

    def test_what_is_off_says_how_to_start_it_and_that_works(self):
        self.world.adit("deallocate", "--yes", "rg/four")
        done = self.world.adit("proxy", "rg/four", 22, check=False)
        self.assertReadable(done.stderr, "deallocated", "start it: adit start ")
        name = done.stderr.strip().rsplit("adit start ", 1)[1]
        self.assertEqual(self.world.adit("start", name).stdout, f"{name} started\n")
        # Its address is another one, and what was remembered of it is forgotten.
        run = self.world.start("proxy", "--wait", "rg/four", 22)
        try:
            self.assertEqual(os.read(run.stdout.fileno(), 4), b"SSH-")
        finally:
            run.kill()
            run.communicate()

    def test_deallocating_asks_first(self):
        done = self.world.adit("deallocate", "rg/five", check=False)
        self.assertEqual(done.returncode, 64)
        self.assertReadable(done.stderr, "nobody can be asked", "--yes")
        self.assertEqual(self.power("five"), "running")
        status, said = self.answer("n\n")
        self.assertEqual(status, 69)
        self.assertReadable(said, "nothing was done")
        self.assertEqual(self.power("five"), "running")
        self.assertEqual(self.answer("y\n")[0], 0)
        self.assertEqual(self.power("five"), "deallocated")
        again = self.world.adit("deallocate", "-y", "rg/five")
        self.assertEqual(again.stdout, "rg/five was deallocated already\n")

    def answer(self, text):
        """What it ends with, and what it says then, when somebody at a terminal types this."""
        pid, master = pty.fork()
        if pid == 0:
            os.execve(BIN / "adit", ["adit", "deallocate", "rg/five"], self.world.env)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(master, 4096)
        self.assertIn(b"Deallocate rg/five?", said)
        os.write(master, text.encode())
        said = b""
        with contextlib.suppress(OSError):
            while more := os.read(master, 4096):
                said += more
        _, status = os.waitpid(pid, 0)
        os.close(master)
        return os.waitstatus_to_exitcode(status), said.decode()

    def test_mistakes(self):
        self.assertEqual(self.world.adit("start", check=False).returncode, 64)
        done = self.world.adit("start", *["rg/one"] * 65, check=False)
        self.assertEqual(done.returncode, 64)
        self.assertReadable(done.stderr, "more than 64 VMs at once")
        done = self.world.adit("start", "rg/nobody", "rg/four", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stderr, "start rg/nobody", "nobody")
        self.assertIn("rg/four ", done.stdout)
        done = self.world.adit("start", "127.0.0.9", check=False)
        self.assertReadable(done.stderr, "address", "group/name")
        self.assertEqual(done.returncode, 64)

    def test_interrupted_it_says_what_goes_on(self):
        run = self.world.start("start", "rg/six")
        wait_for("it is starting", lambda: self.power("six") == "starting")
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 130)
        self.assertReadable(err, "what Azure has begun goes on")
        wait_for("it runs all the same", lambda: self.power("six") == "running")
