"""A person at a terminal: a command on a pseudo-terminal of its own, and what is shown there."""
import os
import pty
import select
import signal
import sys
import termios
import time

DEADLINE = float(os.environ.get("ADIT_TEST_DEADLINE", "30"))

# The shell outlives the command, whatever the terminal did to it, and tells what the terminal is like then.
AFTERWARDS = 'trap : INT; "$@"; printf "\\nstatus=%s echo=%s\\n" $? "$(stty -a | tr -s " ;" "\\n\\n" | grep -x -e "-\\{0,1\\}echo")"'


class Terminal:
    def __init__(self, words, env, bare=False):
        """bare: the command is all there is; otherwise a shell tells its status and how it left the terminal."""
        words = [str(word) for word in words]
        if not bare:
            words = ["sh", "-c", AFTERWARDS, "sh", *words]
        self.shown = ""
        self.status = None
        sys.stdout.flush()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(words[0], words, env)
            finally:
                os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def _read(self, deadline):
        """False at the end of the terminal."""
        ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"not in time; shown:\n{self.shown}")
        try:
            part = os.read(self.fd, 65536)
        except OSError:
            part = b""
        self.shown += part.decode(errors="replace")
        return bool(part)

    def expect(self, text, times=1, deadline=DEADLINE):
        """Waits until the text has been shown so many times."""
        end = time.monotonic() + deadline
        while self.shown.count(text) < times:
            if not self._read(end):
                raise AssertionError(f"it ended without {text!r}:\n{self.shown}")

    def type(self, text):
        os.write(self.fd, text.encode())

    @property
    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self, deadline=DEADLINE):
        """Reads to the end of the command; its status."""
        until = time.monotonic() + deadline
        while self._read(until):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status
