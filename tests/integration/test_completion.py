"""Completion in each shell, as somebody at a terminal gets it: names from the files, nothing started, nothing said."""
import contextlib
import json
import os
import pathlib
import pty
import shutil
import subprocess
import time
import unittest

from fake_daemon import FakeCase, FakeDaemon
from world import BIN, wait_for

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "docs/completion"
CONFIG = """
vms:
  - name: win11
    vm: rg-desk/win11
    local: ["3389:localhost:3389", "5000:localhost:80"]
  - name: jump
    address: 10.0.0.4
"""
CACHE = {
    "format": "adit-vms",
    "version": 1,
    "vms": [{"name": name, "group": group, "location": "westeurope"} for name, group in (("frontend", "rg-web"), ("twin", "a"), ("twin", "b"))],
}
STATUS = {"daemon": {}, "vms": [{"vm": "win11", "name": "rg-desk/win11", "forwards": [{"kind": "local", "spec": "7000:localhost:7"},
                                                                            {"kind": "dynamic", "spec": "7080"},
                                                                            {"kind": "remote", "spec": "80:localhost:8000"}]}]}


class CompletionCase(FakeCase):
    def setUp(self):
        super().setUp()
        self.env["PATH"] = f"{BIN}:{os.environ['PATH']}"
        self.cache = self.dir / "cache/adit/vms-0123456789abcdef.json"
        self.cache.parent.mkdir(parents=True, mode=0o700)
        self.config.write_text(CONFIG)
        self.cache.write_text(json.dumps(CACHE))
        (self.dir / "notes.txt").touch()

    def assertNothingStarted(self):
        self.assertEqual(list(self.run_dir.iterdir()), [])
        self.assertFalse(self.state.exists())

    def candidates(self, *words):
        """What adit tells the shells' scripts."""
        done = self.adit("completion", "--", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [line.split("\t")[0] for line in done.stdout.splitlines()]


class Candidates(CompletionCase):
    def test_names_of_the_configuration_and_of_the_cache(self):
        self.assertEqual(self.candidates("up", ""), ["a/twin", "b/twin", "frontend", "jump", "win11"])
        self.assertEqual(self.candidates("up", "win11", "f"), ["frontend"])
        self.assertEqual(self.candidates("down", "rg-web/"), ["rg-web/frontend"])
        self.assertEqual(self.candidates("ssh", "me@w"), ["me@win11"])
        self.assertEqual(self.candidates("ssh", "-g", "x", "--name", "j"), ["jump"])
        self.assertEqual(self.candidates("forward", "-L", "80", "j"), ["jump"])
        self.assertEqual(self.candidates("proxy", "win11", ""), [])
        self.assertEqual(self.candidates("ssh", "win11", "--", ""), [])
        self.assertNothingStarted()

    def test_commands_options_and_values(self):
        self.assertEqual(self.candidates("comp"), ["completion"])
        self.assertEqual(self.candidates("help", "ssh-"), ["ssh-config"])
        self.assertEqual(self.candidates("up", "--no"), ["--no-wait"])
        self.assertEqual(self.candidates("logs", "--level", ""), ["debug", "info", "warn", "error"])
        self.assertEqual(self.candidates("logs", "--level=d"), ["--level=debug"])
        self.assertEqual(self.candidates("config", ""), ["check", "show", "path"])
        self.assertEqual(self.candidates("config", "check", ""), [":files"])
        self.assertEqual(self.candidates("--config", ""), [":files"])
        self.assertEqual(self.candidates("ssh", "--ssh-client-folder", ""), [":folders"])
        self.assertEqual(self.candidates("forwrad", ""), [])

    def test_another_configuration_on_the_line(self):
        other = self.dir / "other.yaml"
        other.write_text("vms:\n  - name: elsewhere\n    address: 10.0.0.5\n")
        self.assertEqual(self.candidates("--config", str(other), "up", "e"), ["elsewhere"])
        self.assertEqual(self.candidates(f"--config={other}", "up", "w"), [])

    def test_forwards_of_the_configuration_or_of_the_daemon_that_runs(self):
        self.assertEqual(self.candidates("cancel", "win11", "-L", ""), ["3389:localhost:3389", "5000:localhost:80"])
        with FakeDaemon(self.run_dir, lambda *_: STATUS):
            self.assertEqual(self.candidates("cancel", "me@win11", "-L", ""), ["7000:localhost:7"])
            self.assertEqual(self.candidates("cancel", "win11", "-D", ""), ["7080"])
            self.assertEqual(self.candidates("cancel", "win11", "--dynamic="), ["--dynamic=7080"])
            self.assertEqual(self.candidates("cancel", "win11", "-R", ""), ["80:localhost:8000"])

    def test_a_daemon_that_does_not_answer_is_not_waited_for(self):
        for fake in (FakeDaemon(self.run_dir), FakeDaemon(self.run_dir, hello=None), FakeDaemon(self.run_dir, hello=b"what?\n")):
            with self.subTest(hello=fake.hello), fake:
                began = time.monotonic()
                self.assertEqual(self.candidates("up", "w"), ["win11"])
                self.assertLess(time.monotonic() - began, 2)

    def test_a_cache_that_is_damaged_or_unreadable_adds_nothing(self):
        good = self.cache.read_text()
        for text in ("", good[: len(good) // 2], "[]", '{"vms": 3}', '{"vms": [1, {"name": 2, "group": "a"}, {"name": "x"}]}', "\0\1\2" * 99):
            with self.subTest(text=text[:20]):
                self.cache.write_text(text)
                self.assertEqual(self.candidates("up", ""), ["jump", "win11"])
        self.cache.unlink()
        os.mkfifo(self.cache)
        self.assertEqual(self.candidates("up", ""), ["jump", "win11"])
        self.cache.unlink()
        self.cache.symlink_to("/dev/zero")
        self.assertEqual(self.candidates("up", ""), ["jump", "win11"])
        shutil.rmtree(self.cache.parent)
        self.assertEqual(self.candidates("up", ""), ["jump", "win11"])

    def test_a_configuration_that_is_wrong_adds_nothing(self):
        self.config.write_text("vmz: [\n")
        self.assertEqual(self.candidates("up", ""), ["a/twin", "b/twin", "frontend"])
        self.assertEqual(self.candidates("cancel", "win11", "-L", ""), [])

    def test_no_name_can_play_with_the_shell(self):
        names = ("$(touch x)", "`touch x`", "a b", "a;b", "a\nb", "a\tb", "\x1b[2J", "-rf", ":files", "'q'", "\\", "good")
        self.cache.write_text(json.dumps({"vms": [{"name": name, "group": "g"} for name in names]}))
        self.assertEqual(self.candidates("up", ""), ["good", "jump", "win11"])

    def test_the_script_of_each_shell_is_in_the_program(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertEqual(self.adit("completion", shell).stdout, (SCRIPTS / f"adit.{shell}").read_text())


CASES = {  # what is typed before the tabulator → what the line is afterwards
    "adit comple": "adit completion ",
    "adit up wi": "adit up win11 ",
    "adit up fr": "adit up frontend ",
    "adit up rg-w": "adit up rg-web/frontend ",
    "adit down jump me@wi": "adit down jump me@win11 ",
    "adit status --wa": "adit status --watch ",
    "adit cancel win11 -L 33": "adit cancel win11 -L 3389:localhost:3389 ",
    "adit cancel win11 -L 5000:lo": "adit cancel win11 -L 5000:localhost:80 ",
    "adit logs --level de": "adit logs --level debug ",
    "adit config check no": "adit config check notes.txt ",
    "adit --config no": "adit --config notes.txt ",
    "adit --config adit/adit.yaml up ju": "adit --config adit/adit.yaml up jump ",
    "adit up nosuch": "adit up nosuch",
}


class Terminal(CompletionCase):
    """Types into a shell on a terminal; Ctrl-T writes the line as it stands into a file."""

    @contextlib.contextmanager
    def shell(self, words, setup):
        ours, its = pty.openpty()
        run = subprocess.Popen(words, env=self.env, cwd=self.dir, stdin=its, stdout=its, stderr=its, start_new_session=True)
        os.close(its)
        os.set_blocking(ours, False)
        try:
            os.write(ours, setup.encode() + b"\n")
            self.wait(ours, "the shell is ready", (self.dir / "ready").exists)
            yield ours
        finally:
            run.kill()
            run.wait()
            os.close(ours)

    def wait(self, terminal, what, condition):
        """Reads what the terminal shows meanwhile, as one that is full would stop the shell."""
        def read():
            with contextlib.suppress(BlockingIOError):
                os.read(terminal, 65536)
            return condition()

        wait_for(what, read)

    def assertCompletes(self, words, setup):
        said = self.dir / "said"
        with self.shell(words, setup) as terminal:
            for typed, wanted in CASES.items():
                with self.subTest(typed=typed):
                    said.unlink(missing_ok=True)
                    os.write(terminal, b"\x15" + typed.encode() + b"\t\x14")
                    self.wait(terminal, f"{words[0]} answers to {typed!r}", lambda: said.exists() and said.read_text().endswith(">\n"))
                    self.assertEqual(said.read_text()[1:-2].rstrip(" "), wanted.rstrip(" "))
        self.assertNothingStarted()

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash(self):
        self.assertCompletes(
            ["bash", "--norc", "--noprofile", "-i"],
            f"PS1=; source {SCRIPTS}/adit.bash; bind -x '\"\\C-t\": printf \"<%s>\\n\" \"$READLINE_LINE\" >said'; touch ready",
        )

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_with_a_function_of_fpath(self):
        (self.dir / "functions").mkdir()
        shutil.copy(SCRIPTS / "adit.zsh", self.dir / "functions/_adit")
        self.assertCompletes(["zsh", "-f", "-i"], f"fpath=({self.dir}/functions $fpath); " + self.zsh_setup(""))

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_with_the_script_read_in(self):
        self.assertCompletes(["zsh", "-f", "-i"], self.zsh_setup(f"source {SCRIPTS}/adit.zsh;"))

    def zsh_setup(self, then):
        return (f"PS1=; autoload -U compinit; compinit -u -D; {then} show() {{ print -r -- \"<$BUFFER>\" >said }}; "
                "zle -N show; bindkey '^T' show; touch ready")

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        for typed, wanted in CASES.items():
            with self.subTest(typed=typed):
                done = subprocess.run(["fish", "--no-config", "-c", f"source {SCRIPTS}/adit.fish; complete -C '{typed}'"], env=self.env,
                                      cwd=self.dir, capture_output=True, text=True, timeout=30)
                self.assertEqual(done.stderr, "")
                said = [line.split("\t")[0] for line in done.stdout.splitlines()]
                self.assertEqual(said, [wanted.split()[-1]] if typed != wanted else [])
        self.assertNothingStarted()


if __name__ == "__main__":
    unittest.main()
