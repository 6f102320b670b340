"""An aditd that is none: it speaks docs/protocol.md as far as a test tells it to, or breaks it."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from world import BIN

HELLO = {"adit": 1, "version": "0.1.0", "pid": 4711}


class FakeDaemon:
    """A server at the control socket of a runtime directory. `answer(fake, connection, request)` gets each request; what it returns is
    sent: an object (as `ok`), an Error, bytes as they are, or None for silence. `hello` may be bytes, too; None says nothing."""

    def __init__(self, runtime, answer=None, hello=HELLO):
        self.path = pathlib.Path(runtime) / "adit" / "aditd.sock"
        self.answer, self.hello = answer, hello
        self.requests = []

    def __enter__(self):
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self.listener.close()
        self.thread.join()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        with s, contextlib.suppress(OSError):
            if self.hello is not None:
                s.sendall(self.hello if isinstance(self.hello, bytes) else line(self.hello))
            if isinstance(self.hello, bytes):
                s.recv(4096)
                return
            reader = s.makefile("rb")
            reader.readline()
            for text in reader:
                request = json.loads(text)
                if "cancel" in request:
                    s.sendall(line({"id": request["cancel"], "error": {"code": "canceled", "message": "canceled"}}))
                    continue
                self.requests.append(request)
                said = self.answer(self, s, request) if self.answer else None
                if said is not None:
                    s.sendall(said if isinstance(said, bytes) else reply(request, said))
                if said == b"":
                    return


class Error:
    def __init__(self, code, message):
        self.object = {"code": code, "message": message}


def line(value):
    return json.dumps(value).encode() + b"\n"


def reply(request, said):
    if isinstance(said, Error):
        return line({"id": request["id"], "error": said.object})
    return line({"id": request["id"], "ok": said})


class FakeCase(unittest.TestCase):
    """A test case with a home of its own, where no daemon runs but the one that a test plays."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="adit-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.env = {
            "PATH": os.environ["PATH"], "HOME": str(self.dir), "TERM": "dumb", "LANG": "C.UTF-8", "ADITD": "/nonexistent/aditd",
            "XDG_CONFIG_HOME": str(self.dir), "XDG_CACHE_HOME": str(self.dir / "cache"),
            "XDG_RUNTIME_DIR": str(self.dir / "run"), "XDG_STATE_HOME": str(self.dir / "state"),
        }
        self.run_dir, self.state = self.dir / "run", self.dir / "state"
        self.config = self.dir / "adit/adit.yaml"
        for folder in (self.config.parent, self.run_dir):
            folder.mkdir(mode=0o700)

    def start(self, *args, env=None, **kwargs):
        kwargs = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **kwargs}
        return subprocess.Popen([BIN / "adit", *map(str, args)], env={**self.env, **(env or {})}, cwd=self.dir, **kwargs)

    def adit(self, *args, **kwargs):
        run = self.start(*args, **kwargs)
        try:
            out, err = run.communicate(timeout=30)
        finally:
            run.kill()
        return subprocess.CompletedProcess(args, run.returncode, out, err)

    def fails(self, status, args, *parts, **kwargs):
        """The command ends with this status, and standard error has each part."""
        done = self.adit(*args, **kwargs)
        self.assertEqual(done.returncode, status, f"{args}: {done.stdout}{done.stderr}")
        self.assertSays(done.stderr, *parts)
        return done

    def assertSays(self, text, *parts):
        for part in parts:
            self.assertIn(part, text)
        self.assertNotIn("(null)", text)
