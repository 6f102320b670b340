"""--json: what is printed is JSON and nothing else, and every member of it is documented in adit(1)."""
import json
import pathlib
import re
import signal
import unittest

from world import WorldCase, free_port, wait_for

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs/adit.1"


def members(value):
    """The names of all members, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(members, value.values()))
    return set().union(*map(members, value)) if isinstance(value, list) else set()


def documented(command):
    """The words that adit(1) has of a command's JSON."""
    section = MANUAL.read_text().split(".Sh JSON\n")[1].split(".Sh ")[0]
    for item in re.split(r"^\.It ", section, flags=re.M)[1:]:
        head, _, text = item.partition("\n")
        if command in head.replace(",", " ").split("Ic ", 1)[1].split():
            return set(re.findall(r"[a-z_]+", text)) | set(re.findall(r"[a-z_]+", section.split(".It ")[0]))
    return set()


class Json(WorldCase):
    def setUp(self):
        self.port = free_port()
        self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    local: ["{self.port}:localhost:7"]\n')

    def tearDown(self):
        self.world.adit("stop", check=False)

    def assertDocumented(self, command, *args, status=0):
        done = self.world.adit(*command.split(), *args, "--json", check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        value = json.loads(done.stdout)
        self.assertGreater(len(members(value)), 0)
        self.assertLessEqual(members(value), documented(command.split()[0]), command)
        return value

    def test_each_command_that_prints_data(self):
        self.assertEqual(self.assertDocumented("version")["daemon"], None)
        self.assertDocumented("up", "web1")
        self.assertIn("error", self.assertDocumented("up", "rg-web/nosuch", status=69)["vms"][0])
        self.assertDocumented("forward", "web1", "-L", f"{free_port()}:localhost:7", "--detach")
        self.assertDocumented("status")
        self.assertDocumented("status", "web1")
        self.assertDocumented("resolve", "web1")
        self.assertDocumented("resolve", "--all")
        self.assertDocumented("version")
        self.assertDocumented("reload")
        self.world.config_path.write_text("vmz: []\n")
        self.assertDocumented("reload", status=78)
        self.assertDocumented("down", "web1")

    def test_configuration(self):
        """Its form is adit.yaml(5)'s own."""
        for args in (("config", "show", "--json"), ("config", "show", "--json", "--running")):
            self.world.adit("up", "web1")
            value = json.loads(self.world.adit(*args).stdout)
            self.assertEqual(value["vms"][0]["name"], "web1")

    def test_watching_is_one_object_a_line(self):
        self.world.adit("up", "web1")
        run = self.world.start("status", "--watch=100ms", "--json")
        for _ in range(3):
            self.assertLessEqual(members(json.loads(run.stdout.readline())), documented("status"))
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
        wait_for("the command has ended", lambda: run.poll() is not None)


if __name__ == "__main__":
    unittest.main()
