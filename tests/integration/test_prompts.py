"""Questions of a login: on the terminal of the command that waits, by SSH_ASKPASS, or not at all."""
import base64
import contextlib
import importlib.util
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from terminal import Terminal
from world import BIN, WorldCase, free_port, wait_for

SECRET = "opén sesame 7f3a"
BASE64 = base64.b64encode(SECRET.encode()).decode()
LOGIN_SERVER = pathlib.Path(__file__).parents[1] / "flow" / "ssh" / "login_server.py"


class PromptCase(WorldCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.world.env
        for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "DISPLAY", "WAYLAND_DISPLAY"):
            env.pop(name, None)
        env["TERM"] = "dumb"
        cls.locked = cls.world.dir / "locked"
        shutil.copy(cls.world.dir / "id_ed25519", cls.locked)
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", SECRET, "-f", cls.locked], check=True)
        cls.prompt = f"Passphrase of {cls.locked}: "

    def setUp(self):
        self.config()

    def tearDown(self):
        self.world.adit("stop", check=False)
        for text in (self.world.logs(), (self.world.dir / "sandbox.log").read_text(errors="replace")):
            self.assertNotIn(SECRET, text)
            self.assertNotIn(BASE64, text)

    def config(self, vms=None):
        """The daemon logs all that it can, so that a secret that gets there is found."""
        self.world.config(vms or f'  - name: web1\n    vm: rg-web/web1\n    identity: ["{self.locked}"]\n')
        if "log-level" not in self.world.config_path.read_text():
            self.world.config_path.write_text("log-level: debug\n" + self.world.config_path.read_text())

    def at_terminal(self, *args, env=None, **kwargs):
        return Terminal([BIN / "adit", *args], {**self.world.env, **(env or {})}, **kwargs)

    def up(self):
        with self.at_terminal("up", "web1") as t:
            t.expect(self.prompt)
            t.type(SECRET + "\n")
            t.expect("status=0 echo=echo")
            t.end()

    def cut(self, vm="web1"):
        """Ends its connections; returns when the daemon has noticed and dealt with it."""
        before = self.world.vm(vm)["reconnects"]
        self.world.ctl("fault", vm, "reset")
        return before


class Passphrase(PromptCase):
    def test_asked_until_it_is_right_and_never_shown(self):
        with self.at_terminal("up", "web1") as t:
            t.expect(self.prompt)
            self.assertFalse(t.echoes)
            t.type("wrong one\n")
            t.expect("That was wrong. " + self.prompt)
            t.type(SECRET + "\n")
            t.expect("web1 up")
            t.expect("status=0 echo=echo")
            t.end()
            self.assertNotIn(SECRET, t.shown)
            self.assertNotIn("wrong one", t.shown)
        self.assertEqual(self.world.vm("web1")["auth"], f"publickey ({self.locked})")

    def test_three_wrong_ones_are_enough(self):
        with self.at_terminal("up", "web1") as t:
            for i in range(3):
                t.expect(self.prompt, i + 1)
                t.type(f"wrong {i}\n")
            t.expect("status=77 echo=echo")
            t.end()
            self.assertReadable(t.shown, "web1", str(self.locked), "a wrong passphrase was given 3 times")
            self.assertEqual(t.shown.count(self.prompt), 3)
        self.assertEqual(self.world.vm("web1")["state"], "failed")

    def test_nothing_of_it_stays_in_the_daemons_memory(self):
        with self.at_terminal("forward", "web1", "-L", free_port(), bare=True) as t:
            t.expect(self.prompt)
            t.type(SECRET + "\n")
            t.expect("listening on")
            self.assertEqual(self.in_memory(self.world.daemon_pid()), [])  # while the connection is open that it came by
            t.type("\x03")
            t.end()

    def in_memory(self, pid):
        """Where the secret lies in this process."""
        found, searched = [], 0
        try:
            memory = open(f"/proc/{pid}/mem", "rb", 0)
        except PermissionError:
            self.skipTest("this machine does not let a process be looked at")
        with memory:
            for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                if not line.split()[1].startswith("rw") or end - start > 1 << 30:  # a sanitizer's reserve
                    continue
                with contextlib.suppress(OSError, ValueError):
                    memory.seek(start)
                    data = memory.read(end - start)
                    searched += len(data)
                    found += [f"{what} in {line}" for what in (SECRET.encode(), BASE64.encode()[:16]) if what in data]
        self.assertGreater(searched, 1 << 16)
        return found

    def test_no_deadline_runs_while_a_person_thinks(self):
        with self.at_terminal("up", "--timeout", "1s", "web1") as t:
            t.expect(self.prompt)
            time.sleep(2)  # longer than the request would have had
            t.type(SECRET + "\n")
            t.expect("status=0")
            t.end()

    def test_no_answer_is_an_answer(self):
        for typed in ("\n", "\x04"):
            with self.at_terminal("up", "web1") as t:
                t.expect(self.prompt)
                t.type(typed)
                t.expect("status=77 echo=echo")
                t.end()
                self.assertReadable(t.shown, "its passphrase was not given")

    def test_an_answer_that_is_too_long_is_none(self):
        with self.at_terminal("up", "web1") as t:
            t.expect(self.prompt)
            t.type("x" * 1500 + "\n")
            t.expect("status=77 echo=echo")
            t.end()
            self.assertReadable(t.shown, "its passphrase was not given")

    def test_a_reconnect_does_not_ask_again(self):
        self.up()
        before = self.cut()
        wait_for("it is up again", lambda: (vm := self.world.vm("web1"))["state"] == "up" and vm["reconnects"] > before)
        with self.at_terminal("up", "web1") as t:
            t.expect("status=0")
            t.end()
            self.assertNotIn("Passphrase", t.shown)

    def test_down_and_reload_forget(self):
        self.up()
        self.world.adit("down", "web1")
        self.up()
        self.world.adit("reload")
        self.cut()
        self.world.wait_state("web1", "failed")
        self.up()

    def test_in_the_background_it_says_which_command_to_run(self):
        self.up()
        self.world.adit("reload")
        self.cut()
        vm = self.world.wait_state("web1", "failed")
        self.assertReadable(vm["error"], "there is nobody to ask: `adit up web1` on a terminal asks", str(self.locked))
        self.assertIn("`adit up web1` on a terminal asks", self.world.logs())
        tries = self.world.logs().count("`adit up web1` on a terminal asks")
        vm = self.world.vm("web1")
        self.assertEqual(vm["retry_in_ms"], 0)  # nothing is tried again
        self.assertEqual(self.world.logs().count("`adit up web1` on a terminal asks"), tries)

    def test_one_passphrase_opens_the_key_for_every_vm(self):
        self.config(f'  - name: web1\n    vm: rg-web/web1\n    identity: ["{self.locked}"]\n'
                    f'  - name: jump\n    vm: rg-desk/win11\n    identity: ["{self.locked}"]\n')
        with self.at_terminal("up") as t:
            t.expect(self.prompt)
            t.type(SECRET + "\n")
            t.expect("status=0")
            t.end()
            self.assertEqual(t.shown.count("Passphrase"), 1)

    def test_forward_asks_too(self):
        port = free_port()
        with self.at_terminal("forward", "web1", "-L", port, bare=True) as t:
            t.expect(self.prompt)
            t.type(SECRET + "\n")
            t.expect("listening on")
            self.assertTrue(t.echoes)
            t.type("\x03")
            self.assertEqual(t.end(), 0)


class Interrupted(PromptCase):
    def test_ctrl_c_leaves_the_terminal_as_it_was(self):
        with self.at_terminal("up", "web1") as t:
            t.expect(self.prompt)
            self.assertFalse(t.echoes)
            t.type("half\x03")
            t.expect("status=130 echo=echo")
            t.end()

    def test_so_does_sigterm(self):
        with self.at_terminal("forward", "web1", "-L", free_port()) as t:
            t.expect(self.prompt)
            children = pathlib.Path(f"/proc/{t.pid}/task/{t.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGTERM)
            t.expect("status=143 echo=echo")
            t.end()

    def test_who_leaves_hands_the_question_on(self):
        with self.at_terminal("up", "web1") as first:
            first.expect(self.prompt)
            with self.at_terminal("up", "web1") as second:
                wait_for("the second waits, too", lambda: self.requests() >= 2)
                self.assertNotIn("Passphrase", second.shown)
                first.type("\x03")
                second.expect(self.prompt)
                second.type(SECRET + "\n")
                second.expect("status=0")
                second.end()
            first.expect("status=130 echo=echo")
            first.end()

    def requests(self):
        """How many clients are connected, by the sockets of the daemon."""
        pid = self.world.daemon_pid()
        text = subprocess.run(["ss", "-xpH", "state", "connected"], capture_output=True, text=True).stdout
        return sum(f"pid={pid}," in line and "aditd.sock" in line for line in text.splitlines()) if pid else 0

    def test_the_last_one_to_leave_ends_the_login(self):
        with self.at_terminal("up", "web1") as t:
            t.expect(self.prompt)
            t.type("\x03")
            t.expect("status=130")
            t.end()
        vm = self.world.wait_state("web1", "failed")
        self.assertReadable(vm["error"], "the command that was asked has ended", "`adit up web1`")

    def test_a_client_that_hangs_holds_up_nobody(self):
        with self.at_terminal("up", "web1", bare=True) as t:
            t.expect(self.prompt)
            os.kill(t.pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                self.assertEqual(self.world.vm("web1")["state"], "connecting")
                self.world.adit("down", "web1")
                self.assertLess(time.monotonic() - began, 10)
            finally:
                os.kill(t.pid, signal.SIGCONT)
            t.type("\x03")
            t.end()


class NotAsked(PromptCase):
    def test_batch_asks_nobody(self):
        program = self.askpass(f"printf '%s\\n' '{SECRET}'")
        for args in (["up", "--batch", "web1"], ["forward", "--batch", "web1", "-L", free_port()]):
            for env in ({}, {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}):
                with self.at_terminal(*args, env=env) as t:
                    t.expect("status=77 echo=echo")
                    t.end()
                    self.assertNotIn("Passphrase of", t.shown)
                    self.assertReadable(t.shown, "nobody is asked in batch mode: `adit up web1` on a terminal asks")
                self.world.adit("stop")

    def test_without_a_terminal_nobody_is_there(self):
        done = self.world.adit("up", "web1", check=False, start_new_session=True)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertReadable(done.stderr, "there is nobody to ask: `adit up web1` on a terminal asks")

    def test_ssh_hands_batch_on(self):
        with self.fake_ssh() as (env, said):
            self.world.adit("ssh", "--batch", "web1", env=env)
            words = said.read_text()
            self.assertIn("BatchMode=yes", words)
            self.assertIn("--batch", words)

    @contextlib.contextmanager
    def fake_ssh(self):
        folder = self.world.dir / "fake-ssh"
        folder.mkdir(exist_ok=True)
        (folder / "ssh").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{folder}/said\n')
        (folder / "ssh").chmod(0o755)
        yield {"PATH": f"{folder}:{os.environ['PATH']}"}, folder / "said"

    def askpass(self, body):
        program = self.world.dir / "askpass"
        program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$1\" >>{self.world.dir}/asked\n{body}\n")
        program.chmod(0o700)
        with contextlib.suppress(FileNotFoundError):
            (self.world.dir / "asked").unlink()
        return program

    def asked(self):
        path = self.world.dir / "asked"
        return path.read_text() if path.exists() else ""

    def test_askpass_of_the_client(self):
        program = self.askpass(f"printf '%s\\n' '{SECRET}'")
        self.world.adit("status", check=False)
        env = {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}
        with self.at_terminal("up", "web1", env=env) as t:
            t.expect("status=0")
            t.end()
            self.assertNotIn("Passphrase", t.shown)
        self.assertEqual(self.asked(), self.prompt + "\n")

    def test_askpass_needs_a_display_and_no_terminal(self):
        program = self.askpass(f"printf '%s\\n' '{SECRET}'")
        self.world.adit("up", "--no-wait", "web1")  # the daemon's own environment has none
        self.world.wait_state("web1", "failed")
        env = {"SSH_ASKPASS": str(program)}
        done = self.world.adit("up", "web1", check=False, env=env, start_new_session=True)
        self.assertEqual(done.returncode, 77, done.stderr)
        env["DISPLAY"] = ":99"
        with self.at_terminal("up", "web1", env=env) as t:
            t.expect(self.prompt)  # there is one
            t.type("\n")
            t.expect("status=77")
            t.end()
        with self.at_terminal("up", "web1", env={**env, "SSH_ASKPASS_REQUIRE": "never"}) as t:
            t.expect(self.prompt)
            t.type("\n")
            t.expect("status=77")
            t.end()
        self.assertEqual(self.asked(), "")
        self.world.adit("up", "web1", env=env, start_new_session=True)
        self.assertEqual(self.asked(), self.prompt + "\n")
        self.world.adit("down", "web1")
        with self.at_terminal("up", "web1", env={**env, "SSH_ASKPASS_REQUIRE": "prefer"}) as t:
            t.expect("status=0")
            t.end()
        self.assertEqual(self.asked(), 2 * (self.prompt + "\n"))

    def test_askpass_that_says_no(self):
        program = self.askpass("exit 1")
        env = {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}
        done = self.world.adit("up", "web1", check=False, env=env, start_new_session=True)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertReadable(done.stderr, "its passphrase was not given")
        self.assertEqual(self.asked(), self.prompt + "\n")

    def test_askpass_of_the_daemon_serves_the_background(self):
        program = self.askpass(f"printf '%s\\n' '{SECRET}'")
        self.world.adit("up", "--no-wait", "web1", env={"SSH_ASKPASS": str(program)}, start_new_session=True)
        self.world.wait_state("web1", "up")
        self.assertIn(self.prompt, self.asked())


class HostKey(PromptCase):
    def setUp(self):
        self.config(f'  - name: web1\n    vm: rg-web/web1\n    host-key-check: ask\n    identity: ["{self.world.dir}/id_ed25519"]\n')
        self.known = pathlib.Path(self.world.env["XDG_STATE_HOME"]) / "adit" / "known_hosts"
        self.known.unlink(missing_ok=True)

    def fingerprint(self):
        keys = self.world.dir / "vms" / "rg-web.web1"
        public = next(keys.rglob("*ed25519*.pub"))
        return subprocess.run(["ssh-keygen", "-lf", public], check=True, capture_output=True, text=True).stdout.split()[1]

    def test_a_new_key_is_accepted_by_a_person_once(self):
        with self.at_terminal("up", "web1") as t:
            t.expect("The host key of vm web1 (rg-web/web1) is not known: it shows ")
            t.expect(". Accept it (yes/no)? ")
            self.assertIn(self.fingerprint(), t.shown)
            self.assertFalse(self.known.exists())
            t.type("perhaps\n")
            t.expect("Please answer yes or no: ")
            t.type("yes\n")
            t.expect("status=0 echo=echo")
            t.end()
        self.assertIn("ssh-ed25519", self.known.read_text())
        self.world.adit("stop")
        self.world.adit("up", "web1")

    def test_a_key_that_is_not_accepted(self):
        with self.at_terminal("up", "web1") as t:
            t.expect("Accept it (yes/no)? ")
            t.type("no\n")
            t.expect("status=77 echo=echo")
            t.end()
            self.assertReadable(t.shown, "it was not accepted")
        self.assertFalse(self.known.exists())
        self.assertEqual(self.world.vm("web1")["state"], "failed")

    def test_nobody_to_ask(self):
        done = self.world.adit("up", "--batch", "web1", check=False)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertReadable(done.stderr, "is not known", "SHA256:", "it was not accepted", "`adit up web1` on a terminal asks")
        self.assertFalse(self.known.exists())

    def test_another_key_is_refused_without_a_question(self):
        with self.at_terminal("up", "web1") as t:
            t.expect("Accept it (yes/no)? ")
            t.type("yes\n")
            t.expect("status=0")
            t.end()
        self.world.adit("stop")
        kind, key, rest = self.known.read_text().split(" ", 2)
        other = self.world.dir / "other"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
        words = (self.world.dir / "other.pub").read_text().split()
        self.known.write_text(" ".join([kind, words[0], words[1], *rest.split(" ")[1:]]))
        with self.at_terminal("up", "web1") as t:
            t.expect("status=77")
            t.end()
            self.assertReadable(t.shown, "has changed")
            self.assertNotIn("Accept it", t.shown)


class Proxy(PromptCase):
    def test_under_ssh_it_asks_on_the_terminal(self):
        self.config(f'  - name: jump\n    vm: rg-desk/win11\n    identity: ["{self.locked}"]\n    up: false\n'
                    "  - name: db1\n    vm: rg-data/db1\n    via: jump\n    up: false\n")
        for mode in (["-o", f"ProxyCommand={BIN}/adit proxy %h %p"],
                     ["-o", f"ProxyCommand={BIN}/adit proxy --fdpass %h %p", "-o", "ProxyUseFdpass=yes"]):
            ssh = ["ssh", "-F", "none", "-i", self.world.dir / "id_ed25519", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
                   "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", *mode, "db1", "echo over there; exit 7"]
            with Terminal(ssh, self.world.env) as t:
                t.expect(self.prompt)
                self.assertFalse(t.echoes)
                t.type(SECRET + "\n")
                t.expect("over there")
                t.expect("status=7 echo=echo")
                t.end()
                self.assertNotIn(SECRET, t.shown)
            self.world.adit("stop")

    def test_no_deadline_runs_while_a_person_thinks(self):
        self.config(f'  - name: jump\n    vm: rg-desk/win11\n    identity: ["{self.locked}"]\n    up: false\n'
                    "  - name: db1\n    vm: rg-data/db1\n    via: jump\n    up: false\n")
        with self.at_terminal("proxy", "--timeout", "1s", "db1", 22) as t:
            t.expect(self.prompt)
            time.sleep(4)  # longer than adit would wait for aditd, too
            t.type(SECRET + "\n")
            t.expect("SSH-2.0-")
            t.type("\x03")
            t.expect("status=130")
            t.end()

    def test_batch(self):
        self.config(f'  - name: jump\n    vm: rg-desk/win11\n    identity: ["{self.locked}"]\n    up: false\n'
                    "  - name: db1\n    vm: rg-data/db1\n    via: jump\n    up: false\n")
        with self.at_terminal("proxy", "--batch", "db1", 22) as t:
            t.expect("status=255 echo=echo")
            t.end()
            self.assertReadable(t.shown, "nobody is asked in batch mode: `adit up jump` on a terminal asks")


class Relay:
    """In front of a server, so that connections can be cut."""

    def __init__(self, port):
        self.target, self.pairs = port, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                a, _ = self.listener.accept()
                b = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.pairs += [a, b]
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self._copy, args=(x, y), daemon=True).start()

    @staticmethod
    def _copy(x, y):
        with contextlib.suppress(OSError):
            while part := x.recv(65536):
                y.sendall(part)
            y.shutdown(socket.SHUT_WR)

    def cut(self):
        for s in self.pairs:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()
        self.pairs = []

    def close(self):
        self.listener.close()
        self.cut()


class Password(PromptCase):
    """Against a server whose users log in by password and by its own questions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.world.dir / "login"
        cls.folder.mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.folder / "host_key"], check=True)
        public = subprocess.run(["ssh-keygen", "-y", "-f", cls.world.dir / "id_ed25519"], check=True, capture_output=True, text=True)
        (cls.folder / "authorized_keys").write_text(public.stdout)
        python = sys.executable if importlib.util.find_spec("paramiko") else "/usr/bin/python3"  # Debian's has the package
        cls.server = subprocess.Popen([python, "-B", LOGIN_SERVER, cls.folder], stderr=subprocess.DEVNULL)
        cls.stack.callback(cls.server.wait)
        cls.stack.callback(cls.server.kill)
        wait_for("the login server listens", lambda: cls.server.poll() is not None or (cls.folder / "port").exists())
        if cls.server.poll() is not None:
            cls.stack.close()
            raise unittest.SkipTest("no paramiko here")
        cls.relay = Relay(int((cls.folder / "port").read_text()))
        cls.stack.callback(cls.relay.close)

    def use(self, user):
        self.config(f"  - name: box\n    address: 127.0.0.1\n    port: {self.relay.port}\n    user: {user}\n")

    def test_password(self):
        self.use("pw")
        with self.at_terminal("up", "box") as t:
            t.expect("Password of pw for vm box (127.0.0.1): ")
            self.assertFalse(t.echoes)
            t.type("wrong\n")
            t.expect("Refused. Password of pw for vm box (127.0.0.1): ")
            t.type("sécret\n")
            t.expect("status=0 echo=echo")
            t.end()
            self.assertNotIn("cret", t.shown.replace("secret", ""))
        self.assertEqual(self.world.vm("box")["auth"], "password")
        self.assertNotIn("sécret", self.world.logs())

    def test_password_is_kept_while_the_vm_is_up(self):
        self.use("pw")
        with self.at_terminal("up", "box") as t:
            t.expect("Password of pw")
            t.type("sécret\n")
            t.expect("status=0")
            t.end()
        self.relay.cut()
        wait_for("it is up again", lambda: (vm := self.world.vm("box"))["state"] == "up" and vm["reconnects"] > 0)
        self.world.adit("reload")
        self.relay.cut()
        vm = self.world.wait_state("box", "failed")
        self.assertReadable(vm["error"], "no password: there is nobody to ask: `adit up box` on a terminal asks")

    def test_three_refused_passwords(self):
        self.use("never")
        with self.at_terminal("up", "box") as t:
            for i in range(3):
                t.expect("Password of never", i + 1)
                t.type(f"guess {i}\n")
            t.expect("status=77 echo=echo")
            t.end()
            self.assertReadable(t.shown, "server refused the password")
            self.assertNotIn("guess", t.shown)

    def test_questions_of_the_server(self):
        self.use("kbd")
        with self.at_terminal("up", "box") as t:
            t.expect("(box) Password: ")
            self.assertFalse(t.echoes)
            t.type("sesame\n")
            t.expect("(box) Code: ")
            self.assertTrue(t.echoes)
            t.type("42\n")
            t.expect("status=0 echo=echo")
            t.end()
            self.assertNotIn("sesame", t.shown)
        self.assertEqual(self.world.vm("box")["auth"], "keyboard-interactive")

    def test_an_open_forward_is_asked_when_it_reconnects(self):
        self.use("kbd")
        with self.at_terminal("forward", "box", "-L", free_port(), bare=True) as t:
            for i in range(2):
                t.expect("(box) Password: ", i + 1)
                t.type("sesame\n")
                t.expect("(box) Code: ", i + 1)
                t.type("42\n")
                t.expect("listening on")
                wait_for("it is up", lambda: self.world.vm("box")["state"] == "up" and self.world.vm("box")["reconnects"] == i)
                self.relay.cut()
            t.expect("(box) Password: ", 3)
            t.type("\x03")
            self.assertEqual(t.end(), 0)

    def test_no_control_characters_of_the_server_reach_the_terminal(self):
        self.use("odd")
        with self.at_terminal("up", "box") as t:
            t.expect("word:")
            self.assertNotIn("\x1b]0;", t.shown)
            self.assertNotIn("\x1b[2J", t.shown)
            t.type("x\n")
            t.expect("status=0")
            t.end()


if __name__ == "__main__":
    unittest.main()
