"""What the tests of doctor and prepare share: worlds of VMs that lack this or that, and a person at a terminal."""
import contextlib
import json
import os
import pty

from world import BIN, WorldCase

HEAD = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: sandbox~secret
subscriptions: [{id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}]
operation-ms: 300
vms:
"""
STEPS = ["sign-in", "vm", "power", "address", "extension", "rule", "port", "host-key", "login", "forward", "rdp"]


def vm_yaml(name, lacks=(), os="windows", more=""):
    """A VM of group rg that lacks these of: power, address, extension, rule, key."""
    inside = [part for part in lacks if part in ("extension", "rule", "key")]
    return (
        f"  - {{name: {name}, group: rg, os: {os}, admin: root, services: [rdp], "
        f"public-ip: {'none' if 'address' in lacks else 'static'}, power: {'deallocated' if 'power' in lacks else 'running'}, "
        f"lacks: [{', '.join(inside)}]{more}}}\n"
    )


class PrepareCase(WorldCase):
    maxDiff = None

    def prepare(self, name, *args, check=True, timeout=240, **kwargs):
        return self.world.adit("prepare", name, *args, check=check, timeout=timeout, **kwargs)

    def doctor(self, name, *args):
        """(exit status, the steps by their name, the whole answer)"""
        done = self.world.adit("doctor", "--json", name, *args, check=False, timeout=120)
        answer = json.loads(done.stdout)
        return done.returncode, {step["step"]: step for step in answer["steps"]}, answer

    def assertReady(self, name):
        status, steps, answer = self.doctor(name)
        self.assertEqual((status, answer["ready"], answer["error"]), (0, True, None), answer)
        self.assertEqual(sorted(steps), sorted(STEPS))
        self.assertEqual({step["status"] for step in steps.values()} - {"skip"}, {"pass"})

    def writes(self):
        """What was sent to change something since the last call."""
        sent = json.loads(self.world.ctl("arm", "writes"))["writes"]
        self.world.ctl("arm", "clear")
        return [write["kind"] for write in sent]

    def snapshot(self):
        return self.world.ctl("world", "snapshot")

    def in_terminal(self, *args, answers=()):
        """Runs adit in a terminal; what it says is answered by turns: (what is waited for, what is typed or does something and gives that). → (status, text)"""
        pid, master = pty.fork()
        if pid == 0:
            os.execve(BIN / "adit", ["adit", *args], {**self.world.env, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        text, answers = "", list(answers)
        with contextlib.suppress(OSError):
            while part := os.read(master, 4096):
                text += part.decode(errors="replace")
                if answers and answers[0][0] in text:
                    answer = answers.pop(0)[1]
                    os.write(master, answer() if callable(answer) else answer)
        _, status = os.waitpid(pid, 0)
        os.close(master)
        self.assertEqual(answers, [], text)
        return os.waitstatus_to_exitcode(status), text
