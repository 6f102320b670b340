"""Signing in to Azure: each kind of credential against the sandbox's endpoints, what goes wrong with it, and that no secret
leaves aditd but towards the sign-in endpoint: not into a log, an argv, an error, nor a file that others can read."""
import json
import pathlib
import re
import secrets
import signal
import subprocess
import threading

from world import WorldCase

SECRET = "Q8~" + secrets.token_urlsafe(24)
JWT = "eyJ"  # how the sandbox's tokens and every assertion begin: base64 of {"


class CommandLines:
    """Watches the command lines of all processes until it is closed."""

    def __init__(self):
        self.seen, self.over = set(), threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.over.is_set():
            for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(entry.read_bytes())
                except OSError:
                    pass  # it has ended
            self.over.wait(0.02)

    def close(self):
        self.over.set()
        self.thread.join()


class Signin(WorldCase):
    world_yaml = f"""
tenant: 72f988bf-0000-4000-8000-2d7cd011db47
client: 5e2f1c1a-0000-4000-8000-9b1f0a6c7d01
secret: {SECRET}
device-seconds: 1
subscriptions:
  - {{id: 11111111-2222-4333-8444-555555555555, name: signin}}
vms:
  - {{group: rg-web, name: web1, os: linux}}
"""

    def setUp(self):
        self.plain_env, self.said = self.world.env, []
        self.lines = CommandLines()
        self.secrets = {SECRET}
        self.world.ctl("arm", "clear")
        self.be("secret")

    def tearDown(self):
        self.world.adit("stop", check=False)
        self.world.env = self.plain_env
        self.lines.close()
        self.assertNoSecretIsOut()

    def be(self, kind):
        """From now on adit has this credential in its environment and no other, and no daemon runs."""
        self.world.adit("stop", check=False)
        name = "env" if kind == "secret" else f"env.{kind}"
        script = f"unset {' '.join(n for n in self.plain_env if n.startswith('AZURE_'))}; . {self.world.dir}/{name}; env -0"
        done = subprocess.run(["sh", "-c", script], env=self.plain_env, capture_output=True, text=True, check=True, timeout=30)
        self.world.env = dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
        self.configure("auto")

    def configure(self, credential):
        text = (self.world.dir / "adit.yaml").read_text()
        text = re.sub(r"(?m)^  credential:.*$", f"  credential: {credential}", text)
        path = self.world.dir / "signin.yaml"
        path.write_text("log-level: debug\n" + text)
        self.world.env["ADIT_CONFIG"] = str(path)

    def adit(self, *args, status=0, names=(), env=None):
        done = self.world.adit(*args, check=False, env=env)
        self.said.append(done.stdout + done.stderr)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr + self.world.logs())
        self.assertReadable(done.stdout + done.stderr, *names)
        return done

    def assertSignsIn(self):
        facts = json.loads(self.adit("resolve", "--no-cache", "--json", "rg-web/web1").stdout)
        self.assertEqual(facts["name"], "web1")

    def login_file(self):
        return pathlib.Path(self.world.env["XDG_STATE_HOME"]) / "adit" / "login.json"

    def log_in(self, settle="approve"):
        """`adit login --json` with somebody at the browser; its exit status, the first object, the rest of its output."""
        run = self.world.start("login", "--json")
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.stderr.close)
        prompt = json.loads(run.stdout.readline())
        self.world.ctl("device", settle, prompt["user_code"])
        out, err = run.communicate(timeout=30)
        self.said.append(out + err)
        if self.login_file().exists():
            self.secrets.add(json.loads(self.login_file().read_text())["refresh_token"])
        return run.returncode, prompt, out, err

    def assertNoSecretIsOut(self):
        for kind in ("client.pem", "federated-token"):
            if (self.world.dir / kind).exists():
                self.secrets.update(re.findall(r"[\w+/~.-]{40,}", (self.world.dir / kind).read_text()))
        for what, text in [("the output", "".join(self.said)), ("aditd.log", self.world.logs()),
                           *(("a command line", line.decode(errors="replace")) for line in self.lines.seen)]:
            self.assertNotIn(JWT, text, f"a token in {what}")
            for secret in self.secrets:
                self.assertNotIn(secret, text, f"a secret in {what}")
        for place in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
            for path in pathlib.Path(self.plain_env[place]).rglob("*"):
                if not path.is_file():
                    continue
                text = path.read_text(errors="replace")
                self.assertNotIn(JWT, text, f"a token in {path}")
                if any(secret in text for secret in self.secrets):
                    self.assertEqual(path.name, "login.json")
                    self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    # ---- an application ----

    def test_secret(self):
        self.assertSignsIn()

    def test_tokens_that_end_too_early(self):
        self.assertSignsIn()
        self.world.ctl("arm", "expire-tokens")
        self.assertSignsIn()
        self.assertGreaterEqual(self.world.status()["daemon"]["azure"]["token_requests"], 2)

    def test_wrong_secret_and_a_shell_that_knows_better_than_the_daemon(self):
        wrong = {"AZURE_CLIENT_SECRET": "wrong-" + secrets.token_hex(16)}
        self.secrets.add(wrong["AZURE_CLIENT_SECRET"])
        done = self.adit("resolve", "--no-cache", "rg-web/web1", status=77, names=("AZURE_CLIENT_SECRET", "AADSTS7000215"), env=wrong)
        self.assertNotIn("adit stop", done.stderr)
        pid = self.world.daemon_pid()
        self.adit("resolve", "--no-cache", "rg-web/web1", status=77, names=("AZURE_CLIENT_SECRET: not the same here", str(pid), "adit stop"))
        self.adit("stop")
        self.assertSignsIn()

    def test_certificate(self):
        for kind in ("certificate", "pfx"):
            with self.subTest(kind):
                self.be(kind)
                self.assertSignsIn()

    def test_certificate_that_is_not_there(self):
        self.be("certificate")
        self.adit("resolve", "--no-cache", "rg-web/web1", status=64, names=("AZURE_CLIENT_CERTIFICATE_PATH", "nosuch.pem"),
                  env={"AZURE_CLIENT_CERTIFICATE_PATH": str(self.world.dir / "nosuch.pem")})

    # ---- what the place provides ----

    def test_federated_token(self):
        self.be("federated")
        self.assertSignsIn()

    def test_identity_of_a_vm(self):
        self.be("imds")
        self.assertSignsIn()

    def test_identity_of_an_app_service(self):
        self.be("app-service")
        self.secrets.add(self.world.env["IDENTITY_HEADER"])
        self.assertSignsIn()

    # ---- a person ----

    def test_login_and_logout(self):
        self.be("device")
        self.adit("resolve", "--no-cache", "rg-web/web1", status=77, names=("adit login",))
        status, prompt, out, err = self.log_in()
        self.assertEqual(status, 0, err + self.world.logs())
        self.assertTrue(prompt["verification_uri"].startswith("https://"))
        self.assertGreater(prompt["expires_in_ms"], 0)
        self.assertEqual(json.loads(out), {"user": "someone@sandbox.example"})
        self.assertEqual(self.login_file().stat().st_mode & 0o777, 0o600)
        self.assertSignsIn()

        self.adit("stop")  # another daemon finds it
        self.assertSignsIn()
        self.world.ctl("arm", "expire-tokens")
        self.assertSignsIn()
        self.secrets.add(json.loads(self.login_file().read_text())["refresh_token"])

        self.adit("logout", names=("signed out",))
        self.assertFalse(self.login_file().exists())
        self.adit("resolve", "--no-cache", "rg-web/web1", status=77, names=("adit login",))
        self.adit("logout", names=("nobody",))

    def test_login_that_was_revoked(self):
        self.be("device")
        self.assertEqual(self.log_in()[0], 0)
        self.assertSignsIn()
        self.world.ctl("device", "revoke")
        self.adit("resolve", "--no-cache", "rg-web/web1", status=77, names=("adit login",))
        self.adit("logout")

    def test_login_that_is_declined(self):
        self.be("device")
        status, _, _, err = self.log_in("deny")
        self.assertEqual(status, 77)
        self.assertReadable(err, "declined")
        self.assertFalse(self.login_file().exists())

    def test_login_is_given_up_with_its_client(self):
        self.be("device")
        for number, ends_with in ((signal.SIGINT, 128 + signal.SIGINT), (signal.SIGKILL, -signal.SIGKILL)):
            run = self.world.start("login", "--json")
            prompt = json.loads(run.stdout.readline())
            run.send_signal(number)
            run.communicate(timeout=20)
            self.assertEqual(run.returncode, ends_with)
            self.world.ctl("device", "approve", prompt["user_code"])
        self.assertEqual(self.log_in("deny")[0], 77)  # its polls would have come after those of the others
        self.assertFalse(self.login_file().exists())

    def test_login_that_nothing_would_use(self):
        self.configure("environment")
        self.adit("login", status=78, names=("credential", "device-code"))

    def test_login_that_others_can_read_is_not_used(self):
        self.be("device")
        self.assertEqual(self.log_in()[0], 0)
        self.adit("stop")
        self.login_file().chmod(0o644)
        self.adit("resolve", "--no-cache", "rg-web/web1", status=77, names=("login.json", "only you can read"))
        self.adit("logout")
