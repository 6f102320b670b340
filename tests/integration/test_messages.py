"""What adit says when something is wrong: usage, files, a daemon that is not as it should be. No Azure and no VM is needed for it."""
import fcntl
import os
import pty
import signal
import socket
import time
import unittest

from fake_daemon import Error, FakeCase, FakeDaemon, line
from world import BIN

SOON = 2.5  # seconds: what must be said within two, and starting a process on a busy machine
# Every command that talks to aditd, and how its failures end.
TALKING = {
    ("up",): None, ("up", "web1", "--no-wait"): None, ("down", "web1"): None, ("status",): None, ("status", "--json"): None,
    ("forward", "web1", "-L", "3389"): None, ("cancel", "web1", "-L", "3389"): None, ("rdp", "web1", "--print"): None,
    ("proxy", "web1", "22"): 255, ("resolve", "web1"): None, ("login",): None, ("logout",): None, ("reload",): None, ("stop",): None,
    ("logs", "--level", "debug"): None, ("config", "show", "--running"): None, ("ssh", "web1", "--prefer-private-ip"): 255,
    ("ssh", "web1", "--", "-N", "-L", "3389"): 255,
}
# Wrong command lines and a part of what is said; each is 64 (255 where the command stands for ssh) and says how it goes.
USAGE = [
    (("up", "--all", "web1"), "either --all or names, not both"),
    (("down", "--all", "web1"), "either --all or names, not both"),
    (("down",), "which VM? (--all for every one)"),
    (("forward",), "which VM?"),
    (("forward", "a", "b", "-L", "80"), "one VM at a time"),
    (("forward", "a"), "no forward given: -L 3389, say"),
    (("cancel",), "which VM?"),
    (("cancel", "a", "b", "-L", "80"), "one VM at a time"),
    (("cancel", "a"), "no forward given: `adit status` shows them"),
    (("rdp",), "which VM?"),
    (("rdp", "a", "b"), "one VM at a time"),
    (("rdp", "a", "--", *["x"] * 65), "more than 64 words for the client"),
    (("resolve",), "one name must be given, or --all"),
    (("resolve", "--all", "a"), "--all takes no name"),
    (("known-hosts",), "one host must be given"),
    (("ssh-config", "--uninstall", "a"), "--uninstall stands alone"),
    (("config", "show", "a"), "show takes no argument"),
    (("config", "shwo"), "check, show or path?"),
    (("login", "a"), "it takes no argument: the tenant goes after --tenant"),
    (("login", "--tenant", ""), "--tenant needs a tenant's GUID or domain"),
    *(((command, "a"), "it takes no argument") for command in ("logout", "logs", "reload", "stop", "version")),
    (("help", "a", "b"), "one command at a time"),
    (("help", "a"), 'there is no command "a"'),
    (("up", "--timeout", "soon"), '"soon" is no time above 0, such as 90, 500ms or 2m'),
    (("up", "--timeout", "-1"), '"-1" is no time above 0'),
    (("proxy", "a"), "a host and a port must be given"),
    (("ssh", "a", "uptime"), "what ssh is to do stands behind --, as in: adit ssh a -- uptime"),
    (("ssh", "a", "--local-user", ""), "an option's value is empty"),
    (("ssh", "-g", "a"), "-g needs -n: which VM of the group?"),
    (("ssh",), "which VM?"),
    (("ssh", "a", "--ip", "b"), "either a VM's name, or -g and -n, or --ip"),
    (("ssh", "-n", "-x"), '"-x" is no VM\'s name'),
]


class Usage(FakeCase):
    def test_each_wrong_line_is_told_and_how_it_is_right(self):
        for args, part in USAGE:
            with self.subTest(args=args[:4]):
                done = self.fails(255 if args[0] in ("ssh", "proxy") else 64, args, f"adit: {args[0]}: {part}", f"usage: adit {args[0]} ")
                self.assertEqual(done.stdout, "")

    def test_without_a_command(self):
        self.fails(64, (), "adit: no command given: `adit help` lists them")
        self.fails(64, ("--confg", "x", "up"), 'adit: no option "--confg" here: `adit help` shows what there is')
        self.fails(64, ("nonsense",), 'adit: no command "nonsense": `adit help` lists them')
        self.fails(64, ("stauts",), 'adit: no command "stauts": did you mean `adit status`?')


class Surroundings(FakeCase):
    """Files, variables and directories that are not as they should be."""

    def test_nothing_says_where_files_are(self):
        env = {"HOME": "", "XDG_STATE_HOME": "", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "XDG_RUNTIME_DIR": ""}
        self.fails(64, ("status",), "neither $XDG_STATE_HOME nor $HOME says where adit's files are; set one of them", env=env)
        self.fails(64, ("config", "path"), "neither $XDG_CONFIG_HOME nor $HOME says", env=env)
        self.fails(64, ("ssh-config", "--uninstall"), "$HOME is not set, so ~ means nothing", env=env)
        self.fails(64, ("status",), "$XDG_RUNTIME_DIR is not an absolute path; set it to one or unset it", env={"XDG_RUNTIME_DIR": "run"})

    def test_the_working_directory_is_gone(self):
        gone = self.dir / "gone"
        gone.mkdir()
        for args, env, part in ((("--config", "x.yaml", "status"), {}, '"x.yaml" is not an absolute path'),
                                (("config", "check"), {"ADIT_CONFIG": "x.yaml"}, "working directory: ")):
            run = os.fork()
            if run == 0:  # a shell in a directory that somebody has removed meanwhile
                os.chdir(gone)
                gone.rmdir()
                out = os.open(self.dir / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                os.dup2(out, 2)
                os.execve(BIN / "adit", ["adit", *args], {**self.env, **env})
            self.assertNotEqual(os.waitpid(run, 0)[1], 0)
            self.assertSays((self.dir / "said").read_text(), part)
            gone.mkdir()

    def test_standard_output_is_full(self):
        with open("/dev/full", "w") as full:
            self.fails(74, ("help",), "adit: cannot write to standard output", stdout=full)

    def test_the_log(self):
        log = self.state / "adit/aditd.log"
        self.fails(69, ("logs",), f"there is no {log}: aditd writes it in the background; under systemd see `journalctl --user -u aditd`")
        log.parent.mkdir(parents=True)
        log.mkdir()
        self.fails(71, ("logs",), f"cannot read {log}")
        log.rmdir()
        log.symlink_to(log)
        self.fails(71, ("logs",), f"cannot open {log}")

    def test_the_socket_is_a_loop_of_links(self):
        (self.run_dir / "adit").mkdir(mode=0o700)
        path = self.run_dir / "adit/aditd.sock"
        path.symlink_to(path)
        self.fails(71, ("status",), f"cannot connect to aditd at {path}")

    def test_the_files_of_the_start(self):
        self.fails(69, ("up",), "aditd does not start: cannot run /nonexistent/aditd: ")
        lock = self.run_dir / "adit/aditd.sock.start"
        lock.unlink()
        lock.mkdir()
        self.fails(71, ("up",), f"cannot open {lock}")
        lock.rmdir()
        with open(lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.fails(75, ("up",), "another adit has been starting aditd for 10 s")

    def test_a_daemon_that_says_why_it_does_not_start(self):
        aditd = self.dir / "aditd"
        for script, status, *parts in (("exit 1", 69, "aditd does not start and says nothing; `aditd -f` may show more"),
                                       ("echo 'aditd: no room' >&2; exit 69", 69, "adit: up: aditd does not start: no room"),
                                       ("echo 'a.yaml:1:1: wrong' >&2; exit 78", 78, "a.yaml:1:1: wrong\n", "its configuration is wrong")):
            aditd.write_text(f"#!/bin/sh\n{script}\n")
            aditd.chmod(0o700)
            self.fails(status, ("up",), *parts, env={"ADITD": str(aditd)})

    def test_a_home_that_is_not_the_users(self):
        done = self.adit("ssh-config", "--install")
        self.assertEqual(done.stderr, f"adit: HOME is not your home directory: ssh reads this file with  ssh -F {self.dir}/.ssh/config\n")
        self.assertEqual(done.returncode, 0)

    def test_names_for_ssh_config(self):
        self.fails(64, ("ssh-config", "rg/a b"), 'adit: ssh-config rg/a b: ', 'the VM "a b" holds a character')
        self.fails(64, ("ssh-config", "fe80::1%eth0"), '"fe80::1%eth0" cannot stand behind Host in ssh_config')


class WrongDaemon(FakeCase):
    """Each command that talks to aditd says within two seconds what is wrong with it."""

    def assertEachSays(self, parts, status, env=None, but=()):
        self.config.write_text("vms:\n  - name: web1\n    address: 127.0.0.1\n")
        began = time.monotonic()
        runs = {args: self.start(*args, env=env) for args in TALKING if args[0] not in but}
        for args, run in runs.items():
            with self.subTest(args=args):
                out, err = run.communicate(timeout=30)
                self.assertSays(err, *parts)
                self.assertEqual(run.returncode, TALKING[args] or status, err)
                self.assertEqual((out, err.count("\n")), ("", 1))
        self.assertLess(time.monotonic() - began, SOON + len(runs) / 4)  # all of them at once, on a few processors
        began = time.monotonic()
        self.adit("status", env=env)
        self.assertLess(time.monotonic() - began, SOON)

    def test_none_runs_and_none_can_be_started(self):
        runs, stays = [], {("stop",): 0, ("logout",): 0}
        for args, status in TALKING.items():
            run = self.start(*args)
            runs.append((args, stays.get(args, status or 69), run))
        for args, status, run in runs:
            with self.subTest(args=args):
                _, err = run.communicate(timeout=30)
                self.assertEqual(run.returncode, status, err)
                self.assertRegex(err, "aditd is not running|cannot run /nonexistent/aditd: No such file|nobody is signed in")

    def test_a_stale_socket_counts_as_none(self):
        with FakeDaemon(self.run_dir) as fake:
            os.link(fake.path, self.dir / "kept")
        os.rename(self.dir / "kept", fake.path)
        self.fails(69, ("status",), "aditd is not running: `adit up` starts it")
        self.fails(69, ("up",), "cannot run /nonexistent/aditd")

    def test_hung(self):
        with FakeDaemon(self.run_dir, hello=None):
            self.assertEachSays((f"aditd (pid {os.getpid()}) hangs: it does not answer; `kill -9 {os.getpid()}` ends it, and the next command",), 75)

    def test_another_version(self):
        with FakeDaemon(self.run_dir, hello={"adit": 9, "version": "9.9.9", "pid": 4711}):
            self.assertEachSays(("aditd 9.9.9 (pid 4711) speaks protocol 9, this adit ", "`adit stop` ends it, and the next command starts the right one"),
                                76, but=("stop",))

    def test_what_speaks_something_else(self):
        with FakeDaemon(self.run_dir, hello=b"220 mail.example.com ESMTP\r\n"):
            path = self.run_dir / "adit/aditd.sock"
            self.assertEachSays((f"no aditd listens there: its first line is no hello: move {path} away, and the next command",), 76)
        with FakeDaemon(self.run_dir, hello=b"\0" * 4096):
            self.assertEachSays(("aditd",), 75)

    def test_one_that_refuses_everybody(self):
        hello = {"adit": 1, "version": "0.1.0", "pid": 4711, "error": {"code": "limit", "message": "256 clients are enough"}}
        with FakeDaemon(self.run_dir, hello=line(hello)):
            self.assertEachSays(("256 clients are enough",), 75)

    @unittest.skipUnless(os.geteuid() == 0, "only root can make another user's socket")
    def test_another_users(self):
        path = self.run_dir / "adit/aditd.sock"
        path.parent.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(path))
            ready, tell = os.pipe()
            child = os.fork()
            if child == 0:
                os.setuid(1)
                s.listen(64)  # whoever listens is whom the other side sees
                os.write(tell, b"x")
                while True:
                    signal.pause()
            try:
                os.read(ready, 1)
                self.assertEachSays((f"the daemon at {path} is another user's (uid 1): set XDG_RUNTIME_DIR to a directory of yours",), 77)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    def test_a_path_that_is_too_long(self):
        env = {"XDG_RUNTIME_DIR": f"{self.dir}/{'x' * 120}"}
        self.assertEachSays(("is longer than the 107 bytes that a Unix socket allows; set XDG_RUNTIME_DIR to a shorter directory",), 64, env=env)

    def test_one_with_another_configuration(self):
        version = {"version": "0.1.0", "protocol": 1, "pid": 4711, "started_ms": 1, "config": "/etc/other.yaml"}
        with FakeDaemon(self.run_dir, lambda *_: version):
            self.fails(78, ("--config", "/x.yaml", "status"), "aditd (pid 4711) runs with /etc/other.yaml, not with /x.yaml: `adit stop` first")


class WrongAnswers(FakeCase):
    """A daemon that begins well and then breaks off, or answers what makes no sense."""

    def fake(self, answer):
        return FakeDaemon(self.run_dir, answer)

    def test_it_hangs_behind_its_hello(self):
        with self.fake(None):
            self.fails(75, ("logs", "--level", "info"), "aditd (pid 4711) does not answer in time")

    def test_it_goes_away(self):
        for args, status in TALKING.items():
            with self.subTest(args=args), self.fake(lambda *_: b""):
                if args != ("stop",):  # it may end before it can answer
                    self.fails(status or 75, args, "aditd (pid 4711) went away")
        with self.fake(lambda fake, s, request: b'{"id": 1, "ok": {"vms"'):
            pass
        for half in (b'{"id": 1, "o', b'{"id": 1, "progress": "wait"}\n'):
            def cut(fake, s, request, half=half):
                s.sendall(half)
                return b""
            with self.subTest(half=half), self.fake(cut):
                self.fails(75, ("up", "web1"), "aditd (pid 4711) went away")

    def test_it_went_away_while_a_forward_was_open(self):
        def answer(fake, s, request):
            s.sendall(line({"id": request["id"], "event": {"vm": "web1", "forwards": []}}))
            return b""
        with self.fake(answer):
            self.fails(75, ("forward", "web1", "-L", "3389"), "went away: the forwards are gone; the same command starts aditd anew")

    def test_it_answers_garbage(self):
        for garbage in (b"{]\n", b"[]\n", b'"hello"\n', b'{"id": "x", "ok": 1}\n', b'{"id": 1}\n', b"\xff\xfe\n"):
            with self.subTest(garbage=garbage), self.fake(lambda *_, garbage=garbage: garbage):
                self.fails(76, ("status",), "adit: status: ")
        for nonsense in (1, [], "text", {"vms": 3}, {"vms": [1, {"vm": 2, "forwards": "x"}]}, {}):
            with self.subTest(nonsense=nonsense), self.fake(lambda *_, nonsense=nonsense: nonsense):
                for args in TALKING:
                    if args not in (("stop",), ("login",)) and args[0] not in ("rdp", "ssh", "forward"):
                        done = self.adit(*args)
                        self.assertGreaterEqual(done.returncode, 0, f"{args}: {done.stderr}")  # no signal has ended it
                        self.assertNotIn("(null)", done.stdout + done.stderr)

    def test_an_error_reaches_the_user_once_and_escaped(self):
        with self.fake(lambda *_: Error("refused", "vm web1: no \x1b[2Jentry")):
            for args, status in TALKING.items():
                with self.subTest(args=args):
                    done = self.fails(status or 69, args, "no \\x1B[2Jentry")
                    self.assertEqual(done.stderr.count("entry"), 1)
                    self.assertLessEqual(done.stderr.count("web1"), 1)

    def test_descriptors(self):
        with self.fake(lambda *_: {"vm": "web1"}):
            self.fails(255, ("proxy", "web1", "22"), "adit: web1: aditd gave no connection")
        with self.fake(lambda fake, s, request: line({"id": request["id"], "ok": {}, "fd": True})):
            self.fails(255, ("proxy", "web1", "22"), "aditd's answer came without its descriptor")

        def many(fake, s, request):
            for _ in range(64):
                socket.send_fds(s, [line({"id": request["id"], "progress": "more"})], [0])
        with self.fake(many):
            self.fails(255, ("proxy", "web1", "22"), "aditd sent descriptors that nobody asked for")

    def test_the_connection_to_the_vm_is_reset(self):
        def answer(fake, s, request):
            with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
                its, _ = server.accept()
                socket.send_fds(s, [line({"id": request["id"], "ok": {"vm": "web1"}, "fd": True})], [ours.fileno()])
                ours.close()
                its.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                its.close()
        with self.fake(answer):
            self.fails(255, ("proxy", "web1", "22"), "adit: web1: connection lost: ", stdin=-1)

    def test_stop_that_takes_too_long(self):
        with self.fake(lambda *_: {"pid": 4711}):
            self.fails(75, ("stop", "--timeout", "300ms"), "aditd (pid 4711) has not ended yet: `adit stop --now`, or kill it")

    def test_a_reload_that_changes_nothing(self):
        problems = {"applied": False, "path": "/x.yaml", "problems": [{"line": 3, "column": 5, "text": "what?"}, {"line": 0, "text": "that too"}]}
        with self.fake(lambda *_: problems):
            self.fails(78, ("reload",), "/x.yaml:3:5: what?\n/x.yaml: that too\nadit: reload: nothing was changed\n")
        with self.fake(lambda *_: {"applied": True, "path": None, "added": 1, "removed": 0, "changed": 0, "warning": "port 80 is taken"}):
            self.fails(69, ("reload",), "adit: reload: port 80 is taken")

    def test_no_private_address(self):
        with self.fake(lambda *_: {"id": "/x", "addresses": [{"ip": "20.0.0.1", "public": True}]}):
            self.fails(255, ("ssh", "web1", "--prefer-private-ip"), "adit: ssh web1: Azure knows no private address of it")

    def test_login_shows_where_and_what_and_can_be_given_up(self):
        def answer(fake, s, request):
            s.sendall(line({"id": request["id"], "event": {"user_code": "ABCD", "verification_uri": "https://microsoft.com/devicelogin", "message": ""}}))
        with self.fake(answer):
            run = self.start("login")
            self.assertEqual(run.stderr.readline(), "Open https://microsoft.com/devicelogin in a browser and enter the code ABCD\n")
            run.send_signal(signal.SIGINT)
            self.assertEqual((run.communicate(timeout=20), run.returncode), (("", ""), 130))

    def test_rdp_says_where_its_tunnel_is(self):
        def answer(fake, s, request):
            return {"vm": "web1", "forwards": []}
        with self.fake(answer):
            file = self.dir / "web1.rdp"
            done = self.adit("rdp", "web1", "--keep", "--write", file)
            self.assertRegex(done.stderr, f"^adit: {file} leads to 127.0.0.1:[0-9]+\nadit: 127.0.0.1:[0-9]+ stays: `adit cancel web1 -L ")

    def test_an_id_that_cannot_be_asked_for_is_said_once(self):
        self.config.write_text("vms:\n  - name: web1\n    vm: rg/web1\n  - name: web2\n    vm: rg/web2\n")
        with self.fake(lambda *_: Error("unavailable", "Azure is down")):
            done = self.adit("ssh-config")
        self.assertEqual(done.stderr, "adit: ssh-config: web1: no HostKeyAlias in its block: Azure is down\n")
        self.assertEqual(done.returncode, 0)


class Progress(FakeCase):
    """What takes over half a second is told on a terminal, and goes when it is over; elsewhere nothing is."""

    def slowly(self, fake, s, request):
        for i in range(8):
            s.sendall(line({"id": request["id"], "progress": f"web1: step {i} of 8"}))
            time.sleep(0.1)
        return {"vms": [{"vm": "web1"}], "id": "/x", "vm": "web1", "forwards": [], "addresses": []}

    def on_terminal(self, *args, env=None):
        ours, its = pty.openpty()
        run = self.start(*args, env={"TERM": "xterm", **(env or {})}, stderr=its)
        os.close(its)
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side has closed
                break
            said += part
        os.close(ours)
        out, _ = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 0, said)
        return out, said.decode()

    COMMANDS = (("up", "web1"), ("resolve", "web1"), ("forward", "web1", "-L", "3389", "--detach"), ("rdp", "web1", "--print", "--keep"),
                ("ssh-config", "rg/web1"))

    def test_on_a_terminal_after_half_a_second(self):
        for args in self.COMMANDS:
            with self.subTest(args=args), FakeDaemon(self.run_dir, self.slowly):
                _, said = self.on_terminal(*args)
                self.assertIn("web1: step 6 of 8", said)
                self.assertNotIn("step 1 of 8", said)
                self.assertIn("\r\x1b[K", said[said.rindex("step"):])  # nothing of it stays

    def test_nothing_where_no_terminal_is(self):
        for args in self.COMMANDS:
            with self.subTest(args=args), FakeDaemon(self.run_dir, self.slowly):
                self.assertNotIn("step", self.adit(*args).stderr)

    def test_nothing_for_what_is_quick(self):
        def quickly(fake, s, request):
            s.sendall(line({"id": request["id"], "progress": "web1: step 0 of 1"}))
            return {"vms": [{"vm": "web1"}]}
        with FakeDaemon(self.run_dir, quickly):
            self.assertEqual(self.on_terminal("up", "web1"), ("web1 up\n", ""))


class Colours(FakeCase):
    STATUS = {"daemon": {"azure": {"ready": False, "error": "off"}}, "vms": [{"vm": "web1", "state": "up", "forwards": []}]}

    def status(self, **env):
        ours, its = pty.openpty()
        with FakeDaemon(self.run_dir, lambda *_: self.STATUS):
            run = self.start("status", env=env, stdout=its)
            os.close(its)
            said = b""
            while True:
                try:
                    said += os.read(ours, 4096)
                except OSError:
                    break
        os.close(ours)
        run.communicate(timeout=20)
        return said

    def test_only_on_a_terminal_that_has_them_and_where_they_are_wanted(self):
        self.assertIn(b"\x1b[", self.status(TERM="xterm"))
        self.assertIn(b"\x1b[", self.status(TERM="xterm", NO_COLOR=""))
        self.assertNotIn(b"\x1b", self.status(TERM="xterm", NO_COLOR="1"))
        self.assertNotIn(b"\x1b", self.status(TERM="dumb"))
        with FakeDaemon(self.run_dir, lambda *_: self.STATUS):
            self.assertNotIn("\x1b", self.adit("status", env={"TERM": "xterm"}).stdout)


if __name__ == "__main__":
    unittest.main()
