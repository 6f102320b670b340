"""Names: what a look-up costs, at 500 VMs too, what is remembered, and what holds when addresses change or Azure is away."""
import json
import pathlib
import re
import time
import unittest
import unittest.mock

from world import WorldCase, connect, free_port, recv_exactly, wait_for

FLEET = 500
SUBSCRIPTIONS = 5


class Counting(WorldCase):
    """A test case that counts what reaches Azure."""

    def requests(self):
        return json.loads(self.world.ctl("status"))["requests"]

    def resolve(self, *args, **kwargs):
        return json.loads(self.world.adit("resolve", "--json", *args, **kwargs).stdout)

    def forget(self):
        """Ends the daemon and removes what it kept on disk."""
        self.world.adit("stop", check=False)
        for file in self.cache_files():
            file.unlink()

    def cache_files(self):
        return list((pathlib.Path(self.world.env["XDG_CACHE_HOME"]) / "adit").glob("vms-*.json"))

    def costs(self, do):
        """What `do` returns, and the requests to ARM that it made, by kind."""
        before = self.requests()
        result = do()
        after = self.requests()
        counts = {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)}
        return result, {k: n for k, n in counts.items() if k not in ("total", "login", "token")}


class Fleet(Counting):
    sandbox_args = ("--scale", str(FLEET), "--subscriptions", str(SUBSCRIPTIONS))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vms = json.loads(cls.world.ctl("status"))["vms"]
        cls.subscriptions = sorted({vm["subscription"] for vm in cls.vms})
        text = cls.world.config_path.read_text()
        head = re.sub(r"  subscription: .*\n", f"  subscriptions: [{', '.join(cls.subscriptions)}]\n", text[: text.index("\nvms:")])
        cls.head = head + "\n"

    def setUp(self):
        self.forget()
        self.world.ctl("arm", "clear")
        self.world.config(head=self.head)

    def tearDown(self):
        self.world.adit("stop", check=False)

    def test_a_bare_name_costs_one_request_cold_and_none_warm(self):
        self.assertEqual(len(self.subscriptions), SUBSCRIPTIONS)
        vm = self.vms[321]
        facts, cost = self.costs(lambda: self.resolve(vm["name"]))
        self.assertEqual(cost, {"graph": 1})
        self.assertEqual(facts["addresses"][0]["ip"], vm["address"])
        self.assertEqual(facts["vm_id"], vm["vmId"])
        for name in (vm["name"].upper(), f"{vm['subscription']}/{vm['group']}/{vm['name']}"):
            facts, cost = self.costs(lambda: self.resolve(name))
            self.assertEqual(cost, {})
            self.assertEqual(facts["source"], "cache")

    def test_a_restarted_daemon_remembers(self):
        vm = self.vms[7]
        self.resolve(vm["name"])
        self.world.adit("stop")
        self.assertEqual([oct(file.stat().st_mode & 0o777) for file in self.cache_files()], ["0o600"])
        facts, cost = self.costs(lambda: self.resolve(vm["name"]))
        self.assertEqual((facts["source"], facts["addresses"][0]["ip"], cost), ("cache", vm["address"], {}))

    def test_no_cache_asks(self):
        vm = self.vms[8]
        self.resolve(vm["name"])
        facts, cost = self.costs(lambda: self.resolve("--no-cache", vm["name"]))
        self.assertEqual((facts["source"], cost), ("resource-graph", {"graph": 1}))

    def test_all_is_one_query(self):
        answer, cost = self.costs(lambda: self.resolve("--all"))
        self.assertEqual(cost, {"graph": 1})
        self.assertEqual({vm["id"].lower().split("/")[-1] for vm in answer["vms"]}, {vm["name"] for vm in self.vms})
        lines = self.world.adit("resolve", "--all").stdout.splitlines()
        self.assertEqual(len(lines), FLEET + 1)
        self.assertIn(self.vms[0]["address"], "\n".join(lines))
        vm = self.vms[42]
        facts, cost = self.costs(lambda: self.resolve(f"{vm['subscription']}/{vm['group']}/{vm['name']}"))
        self.assertEqual((facts["source"], cost), ("cache", {}))

    def test_a_mistyped_name_is_told_the_nearest(self):
        vm = self.vms[123]
        done, cost = self.costs(lambda: self.world.adit("resolve", vm["name"] + "x", check=False))
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stderr, "did you mean", f"{vm['group']}/{vm['name']}")
        self.assertEqual(cost, {"graph": 2})
        done, cost = self.costs(lambda: self.world.adit("resolve", vm["name"] + "x", check=False))
        self.assertEqual((done.returncode, cost), (69, {}))

    def test_tunnels_to_all_cost_few_queries_and_no_429(self):
        lines = [
            f"  - name: t{i}\n    vm: {vm['subscription']}/{vm['group']}/{vm['name']}\n    up: false\n" if i % 2 else f"  - name: t{i}\n    vm: {vm['name']}\n    up: false\n"
            for i, vm in enumerate(self.vms)
        ]
        self.world.config("".join(lines), head=self.head)
        self.world.adit("version")

        def bring_up():
            self.world.adit("up", "--all", "--no-wait")

            def all_were_looked_up():
                vms = self.world.status()["vms"]
                return len([vm for vm in vms if vm["id"]]) == FLEET

            wait_for("every VM has been looked up", all_were_looked_up)

        _, cost = self.costs(bring_up)
        self.assertLessEqual(cost["graph"], 5)
        self.assertGreaterEqual(cost["graph"], 1)
        # Nobody listens at these addresses: each failed connect asks ARM directly, again and again, and may not be a storm.
        until = time.monotonic() + 12
        wait_for("a while has passed", lambda: time.monotonic() > until)
        status = self.world.status()
        self.assertEqual(status["daemon"]["azure"]["throttled"], 0)
        self.assertEqual(self.requests().get("throttled", 0), 0)
        ids = {vm["id"].lower().rsplit("/", 1)[-1] for vm in status["vms"]}
        self.assertEqual(ids, {vm["name"] for vm in self.vms})


class Changes(Counting):
    """One VM whose address changes with every start, and one of a Uniform scale set."""

    def setUp(self):
        self.forget()
        self.world.ctl("arm", "clear")
        self.world.ctl("start", "rg-web/web1", check=False)  # it may run already
        self.world.ctl("wait", "rg-web/web1", "running")
        self.port = free_port()
        self.world.config(f'  - name: web1\n    vm: rg-web/web1\n    local: ["{self.port}:localhost:7"]\n')

    def tearDown(self):
        self.world.ctl("arm", "clear")
        self.world.adit("stop", check=False)

    def address(self):
        return next(vm["address"] for vm in json.loads(self.world.ctl("status"))["vms"] if vm["name"] == "web1")

    def move(self):
        """Has the VM come back at another address."""
        before = self.address()
        self.world.ctl("deallocate", "rg-web/web1")
        self.world.ctl("wait", "rg-web/web1", "deallocated")
        self.world.ctl("start", "rg-web/web1")
        self.world.ctl("wait", "rg-web/web1", "running")
        self.assertNotEqual(self.address(), before)

    def assertEchoes(self):
        with connect(self.port) as s:
            s.sendall(b"here")
            self.assertEqual(recv_exactly(s, 4), b"here")

    def test_a_tunnel_follows_its_vm_to_another_address(self):
        self.world.adit("up", "web1")
        self.assertEchoes()
        self.move()
        self.assertEchoes()
        self.assertIn(self.address(), self.world.wait_state("web1", "up")["address"])

    def test_a_proxied_connection_follows_its_vm_too(self):
        for _ in range(2):
            facts = self.resolve("rg-web/web1")
            self.assertEqual(facts["addresses"][0]["ip"], self.address())
            self.move()
            done = self.world.adit("proxy", "rg-web/web1", "22", "--timeout", "20s", timeout=30, check=False)
            self.assertTrue(done.stdout.startswith("SSH-2.0-"), done.stdout + done.stderr)

    def test_what_was_remembered_of_a_vm_that_moved_is_asked_anew(self):
        self.world.adit("up", "web1")
        self.world.adit("stop")
        self.move()
        self.world.adit("up", "web1")  # from the cache on disk at first, which leads nowhere
        self.assertEchoes()
        self.assertEqual(self.resolve("rg-web/web1")["addresses"][0]["ip"], self.address())

    def test_without_azure_what_is_remembered_works_and_says_so(self):
        self.world.adit("up", "web1")
        self.world.adit("stop")
        self.world.ctl("arm", "status", "503")
        self.world.adit("up", "web1")
        self.assertEchoes()
        facts = self.resolve("rg-web/web1")
        self.assertEqual((facts["source"], facts["unconfirmed"]), ("cache", None))
        # Nobody answers there any more: Azure must be asked, and cannot be.
        self.world.adit("down", "web1")
        self.world.ctl("deallocate", "rg-web/web1")
        self.world.ctl("wait", "rg-web/web1", "deallocated")
        done = self.world.adit("up", "web1", "--timeout", "20s", check=False)
        self.assertIn(done.returncode, (69, 75))
        was = ("127.66.", "azure could not be asked", "503")
        self.assertReadable(done.stderr, "web1", *was)
        self.assertReadable(self.world.adit("status").stdout, *was)
        done = self.world.adit("proxy", "rg-web/web1", "22", check=False)
        self.assertReadable(done.stderr, "web1", *was)
        page = self.world.adit("resolve", "rg-web/web1").stdout
        self.assertReadable(page, "cache", "ago", "unconfirmed", "azure")
        self.assertReadable(self.world.logs(), "azure cannot be asked", "ago")
        done = self.world.adit("resolve", "--no-cache", "rg-web/web1", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stderr, "rg-web/web1", "503")
        # What was never asked for cannot be known.
        done = self.world.adit("resolve", "rg-web/web2", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stderr, "rg-web/web2", "503")
        done = self.world.adit("proxy", "rg-web/web2", "22", check=False)
        self.assertReadable(done.stderr, "rg-web/web2", "503")
        done = self.world.adit("resolve", "win-new", check=False)
        self.assertReadable(done.stderr, "win-new", "503")

    def test_an_instance_of_a_uniform_scale_set(self):
        facts = self.resolve("RG-web/web-uni/0")
        public = next(vm["address"] for vm in json.loads(self.world.ctl("status"))["vms"] if vm["name"] == "web-uni_0")
        self.assertEqual((facts["name"], facts["power"], facts["addresses"][0]["ip"]), ("web-uni/0", "running", public))
        self.assertEqual(self.costs(lambda: self.resolve("rg-web/web-uni/0"))[1], {})
        facts = self.resolve("rg-web/web-uni/2")
        self.assertEqual((facts["power"], facts["addresses"][0]["public"]), ("deallocated", False))
        done = self.world.adit("resolve", "rg-web/web-uni/7", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertReadable(done.stderr, "rg-web/web-uni/7")
        done = self.world.adit("proxy", "rg-web/web-uni/0", "22", "--timeout", "10s", timeout=30, check=False)
        self.assertTrue(done.stdout.startswith("SSH-2.0-"), done.stdout + done.stderr)

    def test_subscriptions_by_their_display_names(self):
        self.assertEqual(self.resolve("sandbox/RG-WEB/web1")["name"], "web1")
        done = self.world.adit("resolve", "no such/rg-web/web1", check=False)
        self.assertReadable(done.stderr, "no such", "it sees", "sandbox")

    def test_secret_and_token_are_in_nothing_that_is_kept(self):
        self.world.adit("up", "web1")
        self.world.adit("logs", "--level", "debug", "-n", "1")
        self.resolve("--no-cache", "web1")
        self.world.ctl("arm", "expire-tokens")
        self.resolve("--no-cache", "web2")
        self.world.adit("resolve", "--no-cache", "nosuch", check=False)
        self.world.ctl("arm", "status", "401")
        said = self.world.adit("resolve", "--no-cache", "web2", check=False)
        self.assertNotEqual(said.returncode, 0)
        pid = self.world.daemon_pid()
        argv = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
        self.assertRegex(pathlib.Path(f"/proc/{pid}/limits").read_text(), r"Max core file size\s+0\s+0")
        self.world.adit("stop")
        kept = [self.world.logs(), argv, said.stdout + said.stderr, *(file.read_text() for file in self.cache_files())]
        self.assertIn("client-request-id", kept[0])
        self.assertEqual(len(kept), 4)
        for text in kept:
            self.assertNotIn(self.world.env["AZURE_CLIENT_SECRET"], text)
            self.assertNotRegex(text, r"(?i)bearer [a-z0-9._~+/-]{8}")
            self.assertNotRegex(text, r"eyJ[A-Za-z0-9_-]{8,}")


class Addresses(Counting):
    """Which of a VM's addresses is used: by family, public or private."""

    world_yaml = """
tenant: 72f988bf-0000-4000-8000-5a5b0c0ffee0
client: 1fec8e78-0000-4000-8000-5a5b0c0ffee1
secret: sandbox~secret~not~for~Azure
subscriptions:
  - {id: 5ab00000-0000-4000-8000-000000000001, name: Sandbox}
vms:
  - {name: dual, group: rg, public-ip: static, ipv6: true, secondary-ip: true, decoy-nic: true}
  - {name: hidden, group: rg, public-ip: none, load-balanced: true}
"""

    @classmethod
    def setUpClass(cls):
        # Without namespaces, private addresses can be reached from here.
        with unittest.mock.patch.dict("os.environ", ADIT_SANDBOX_NETNS="none"):
            super().setUpClass()

    def tearDown(self):
        self.world.adit("stop", check=False)

    def up(self, vm, *settings, statuses=(0,), names=()):
        self.world.adit("stop", check=False)
        self.world.config(f"  - name: {vm}\n    vm: rg/{vm}\n    connect-timeout: 2s\n" + "".join(f"    {s}\n" for s in settings))
        done = self.world.adit("up", vm, "--timeout", "4s", check=False)
        self.assertIn(done.returncode, statuses, done.stdout + done.stderr + self.world.logs())
        self.assertReadable(done.stderr, *names)

    def private(self, vm):
        return next(a["ip"] for a in self.resolve(f"rg/{vm}")["addresses"] if not a["public"])

    def public(self, vm, family):
        return next(a["ip"] for a in self.resolve(f"rg/{vm}")["addresses"] if a["public"] and a["family"] == family)

    def test_address_family(self):
        self.up("dual", "address-family: ipv4")
        self.assertIn(self.public("dual", "ipv4"), self.world.vm("dual")["address"])
        v6 = self.public("dual", "ipv6")  # nothing on this machine has that one
        self.up("dual", "address-family: ipv6", statuses=(69, 75), names=(f"[{v6}]:",))
        self.up("hidden", "prefer-private-ip: true", "address-family: ipv6", statuses=(69,), names=("hidden", "no IPv6 address", "address-family"))

    def test_prefer_private_ip(self):
        self.up("dual", "prefer-private-ip: true")
        self.assertIn(self.private("dual"), self.world.vm("dual")["address"])

    def test_no_public_address(self):
        private = self.private("hidden")
        self.up("hidden", statuses=(69,), names=("hidden", "no public IP address", private, "via:", "prefer-private-ip"))
        done = self.world.adit("proxy", "rg/hidden", "22", "--timeout", "4s", check=False)
        self.assertReadable(done.stderr, "hidden", "no public IP address", private, "via:", "prefer-private-ip")
        self.up("hidden", "prefer-private-ip: true")
        self.assertIn(private, self.world.vm("hidden")["address"])


if __name__ == "__main__":
    unittest.main()
