"""Doctor and prepare: the how-to as two commands, on VMs that lack one thing, two, or a key."""
import concurrent.futures
import itertools
import json
import shutil
import threading
import unittest

from prepare_case import HEAD, PrepareCase, vm_yaml
from world import free_port, rdp_opens

FORMS = {"az": "az network nsg rule create", "powershell": "Add-AzNetworkSecurityRuleConfig", "arm": "securityRules", "bicep": "securityRules@"}


class HowTo(PrepareCase):
    """One VM as Azure makes it, in the order of the pages."""

    def test_from_nothing_to_a_desktop_and_back(self):
        before = self.snapshot()
        self.together(self.says_what_is_missing, self.says_it_to_scripts, self.shows_a_plan, self.asks_first,
                      *(lambda form=form, part=part: self.prints_it(form, part) for form, part in FORMS.items()))
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.snapshot(), before)
        self.does_it()
        self.carries_a_desktop()
        self.has_nothing_more_to_do()
        done = self.prepare("rg-desk/win-new", "--undo", "--yes")
        self.assertIn("removed the rule allow-SSH", done.stdout)
        self.assertEqual(self.snapshot(), before)
        self.assertIn("nothing to undo", self.prepare("rg-desk/win-new", "--undo", "--yes").stdout)

    def together(self, *parts):
        """All at the same time: a port that says nothing takes its time."""
        with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
            for part in [pool.submit(part) for part in parts]:
                part.result()

    def says_what_is_missing(self):
        done = self.world.adit("doctor", "rg-desk/win-new", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stdout, "extension WindowsOpenSSH is missing", "203.0.113.7/32 from port 22", "skip    login")
        self.assertReadable(done.stderr, "OpenSSH, security rule, SSH port", "`adit prepare rg-desk/win-new` can mend 2 of them")

    def says_it_to_scripts(self):
        _, steps, answer = self.doctor("rg-desk/win-new")
        failed = {name for name, step in steps.items() if step["status"] == "fail"}
        self.assertEqual(failed, {"extension", "rule", "port"})
        self.assertEqual((steps["login"]["status"], steps["login"]["because"]), ("skip", "port"))
        self.assertEqual(answer["error"]["code"], "unavailable")

    def shows_a_plan(self):
        done = self.prepare("rg-desk/win-new", "--dry-run", check=False)
        self.assertReadable(done.stderr, "adit prepare would do this", "adds the rule allow-SSH (priority 1000) for 203.0.113.7/32",
                            "adds your public key if the server does not take it yet")

    def asks_first(self):
        status, said = self.in_terminal("prepare", "rg-desk/win-new", answers=[("Do it? [y/N]", b"n\n")])
        self.assertEqual(status, 69)
        self.assertReadable(said, "would do this", "nothing was done", "\x1b[31m✗")

    def prints_it(self, form, part):
        done = self.prepare("rg-desk/win-new", "--print", form)
        self.assertReadable(done.stdout, part, "WindowsOpenSSH")
        self.assertEqual(done.stderr, "")
        if form == "arm":
            self.assertIn("resources", json.loads(done.stdout))

    def does_it(self):
        done = self.prepare("rg-desk/win-new", "--yes")
        self.assertReadable(done.stdout, "installed the extension", "added the rule", "added the public key for", "is ready: adit up rg-desk/win-new, adit rdp")
        self.assertEqual(self.writes(), ["extension.put", "rule.put", "vm.runCommand"])
        self.assertReady("rg-desk/win-new")

    def carries_a_desktop(self):
        port = free_port()
        self.world.adit("forward", "rg-desk/win-new", "-L", f"{port}:localhost:3389", "--detach")
        self.assertTrue(rdp_opens(port))
        self.world.adit("down", "rg-desk/win-new")

    def has_nothing_more_to_do(self):
        self.writes()
        self.assertIn("nothing to do", self.prepare("rg-desk/win-new", "--yes").stdout)
        again = json.loads(self.prepare("rg-desk/win-new", "--yes", "--json").stdout)
        self.assertEqual((again["ready"], again["changed"], again["error"]), (True, [], None))
        self.assertEqual(self.writes(), [])


ALONE_AND_IN_PAIRS = [c for n in (1, 2) for c in itertools.combinations(("power", "address", "extension", "rule", "key"), n)]


class Missing(PrepareCase):
    """Each thing that can be missing, alone and with each other one: all of them at the same time."""

    names = {"-".join(lacks): lacks for lacks in ALONE_AND_IN_PAIRS}
    world_yaml = HEAD + "".join(vm_yaml(name, lacks) for name, lacks in names.items()) + vm_yaml("tux", ["rule", "key"], os="linux")

    def at_once(self, *args):
        """Runs adit with these arguments for each VM, all together. → {name: CompletedProcess}"""
        done = {}

        def one(name):
            done[name] = self.world.adit(*args[:1], f"rg/{name}", *args[1:], check=False, timeout=400)

        threads = [threading.Thread(target=one, args=(name,)) for name in (*self.names, "tux")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done

    def test_each_is_found_mended_and_taken_back(self):
        before = self.snapshot()
        for name, done in self.at_once("doctor", "--json").items():
            with self.subTest("doctor", vm=name):
                failed = {step["step"] for step in json.loads(done.stdout)["steps"] if step["status"] == "fail"}
                self.assertEqual(done.returncode, 69)
                wrong = {"login" if part == "key" else part for part in self.names.get(name, ["rule", "key"])}
                # What stands behind a closed door is not known, but never taken for well.
                self.assertTrue(failed & (wrong | {"port"}), failed)
                self.assertLessEqual(failed, wrong | {"port"})
        self.assertEqual(self.writes(), [])
        for name, done in self.at_once("prepare", "--yes", "--create-public-ip").items():
            with self.subTest("prepare", vm=name):
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.writes()
        for name, done in self.at_once("doctor").items():
            with self.subTest("doctor after it", vm=name):
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for name, done in self.at_once("prepare", "--yes", "--create-public-ip").items():
            with self.subTest("prepare again", vm=name):
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("nothing to do", done.stdout)
        self.assertEqual(self.writes(), [])
        for name, done in self.at_once("prepare", "--undo", "--yes").items():
            with self.subTest("undo", vm=name):
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # What was started may be in use by now.
        off = [f"rg/{name}" for name, lacks in self.names.items() if "power" in lacks]
        self.assertIn("deallocated", self.world.adit("deallocate", "--yes", *off).stdout)
        self.assertEqual(self.snapshot(), before)


class NewKey(PrepareCase):
    """Nobody here has a key yet."""

    world_yaml = HEAD + vm_yaml("fresh", ["key"])

    def setUp(self):
        home = self.world.dir / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        head = self.world.config_path.read_text()
        self.world.config_path.write_text("".join(line + "\n" for line in head.splitlines() if "identity" not in line))
        self.world.adit("stop", check=False)
        self.world.env["HOME"] = str(home)
        self.key = home / ".ssh/id_ed25519"

    def test_one_is_made_when_it_is_wanted(self):
        done = self.prepare("rg/fresh", "--yes", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stdout, "no key", "ssh-keygen")
        self.assertFalse(self.key.exists())
        done = self.prepare("rg/fresh", "--yes", "--make-key")
        self.assertTrue(self.key.exists())
        self.assertIn("added the public key", done.stdout)
        self.assertReady("rg/fresh")
        self.prepare("rg/fresh", "--undo", "--yes")

    def test_somebody_at_a_terminal_is_asked(self):
        status, said = self.in_terminal("prepare", "rg/fresh", answers=[
            ("no SSH key to log in with. Make one", b"y\n"), ("Enter passphrase", b"\n"), ("Enter same passphrase", b"\n"), ("Do it? [y/N]", b"y\n")])
        self.assertEqual(status, 0, said)
        self.assertTrue(self.key.exists())
        self.prepare("rg/fresh", "--undo", "--yes")

    def test_no_key_can_be_made(self):
        self.key.parent.mkdir(mode=0o700)
        self.key.write_text("this is no key\n")
        done = self.prepare("rg/fresh", "--yes", "--make-key", check=False)
        self.assertReadable(done.stderr, "is there already, but no login can use it")
        self.key.unlink()
        empty = self.world.dir / "empty"
        empty.mkdir(exist_ok=True)
        done = self.prepare("rg/fresh", "--yes", "--make-key", check=False, env={"PATH": str(empty)})
        self.assertReadable(done.stderr, "there is no ssh-keygen here: install OpenSSH's client")
        (empty / "ssh-keygen").write_text("#!/bin/sh\nexit 1\n")
        (empty / "ssh-keygen").chmod(0o755)
        done = self.prepare("rg/fresh", "--yes", "--make-key", check=False, env={"PATH": str(empty)})
        self.assertReadable(done.stderr, "ssh-keygen made no key")


if __name__ == "__main__":
    unittest.main()
