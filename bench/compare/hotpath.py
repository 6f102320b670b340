"""Where a forwarder's processor time goes for each byte: perf's samples of aditd while it carries one bulk stream.

The share of the samples times the measured CPU seconds per GB (which is the same number as nanoseconds per byte).
"""
import collections
import shutil
import subprocess

import peers
from stats import text
from world import Trouble

SECONDS = 5
RATE = 1999  # samples a second; no multiple of the kernel's tick

# The first that fits a sample's innermost frame; within the kernel, what it was called for decides.
LIBRARIES = (
    ("libcrypto", "libcrypto: cipher and MAC"),
    ("libssh2", "libssh2: packets and their list"),
    ("libc.so", "libc: copies, allocation"),
    ("libuv", "libuv: the event loop"),
    ("aditd", "adit itself"),
)
READS = {"ksys_read", "sock_read_iter", "tcp_recvmsg", "unix_stream_recvmsg"}
WRITES = {"ksys_write", "sock_write_iter", "tcp_sendmsg", "unix_stream_sendmsg"}
KERNEL = {
    "down": {"read": "kernel: taking from the SSH socket", "write": "kernel: giving to the local socket"},
    "up": {"read": "kernel: taking from the local socket", "write": "kernel: giving to the SSH socket"},
}
WAITING = "kernel: waiting for events, the rest"


def missing():
    """Why there can be no profile here, or None."""
    if not shutil.which("perf"):
        return "perf is not installed"
    done = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"perf cannot sample here: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}"


def place(frames, direction):
    """The row that a sample belongs to. frames: (symbol, object), innermost first."""
    if not frames:
        return WAITING
    symbol, where = frames[0]
    if not where.startswith("[kernel") and where != "[unknown]":
        return next((row for part, row in LIBRARIES if part in where), f"other: {where.rpartition('/')[2]}")
    names = {name for name, _ in frames}
    for kind, functions in (("read", READS), ("write", WRITES)):
        if names & functions:
            return KERNEL[direction][kind]
    return WAITING


def samples(script):
    """Each sample of `perf script -F ip,sym,dso` as a list of (symbol, object)."""
    frames = []
    for line in script.splitlines():
        if not line.strip():
            if frames:
                yield frames
            frames = []
            continue
        _, _, rest = line.strip().partition(" ")
        symbol, _, where = rest.rpartition(" (")
        frames.append((symbol, where.rstrip(")")))
    if frames:
        yield frames


def one(world, peer, direction):
    """Nanoseconds per byte of each row."""
    data = world.dir / f"perf.{direction}"
    options = ["-q", "-e", "cpu-clock", "-F", RATE, "-g", "-o", data, "-p", peer.pids[0]]
    perf = world.spawn(f"perf-{direction}", ["perf", "record", *options, "--", "sleep", SECONDS])
    got = world.load("throughput", peer.port, "--direction", direction, "--time", SECONDS * 1000, "--pid", peer.pids[0])
    perf.wait(60)
    script = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym,dso"], capture_output=True, text=True)
    counts = collections.Counter(place(frames, direction) for frames in samples(script.stdout))
    total = sum(counts.values())
    if total < RATE // 4:
        raise Trouble(f"profile: only {total} samples: {(world.log(f'perf-{direction}') or script.stderr)[-300:]}")
    return {row: got["cpu_s_per_gb"] * n / total for row, n in counts.items()}


def measure(world, classes, notes, progress):
    """[{forwarder, down: {row: ns}, up: {row: ns}}] of each of adit's engines that runs."""
    if why := missing():
        notes(f"profile: {why}")
        return []
    out = []
    engines = [peer for peer in classes if issubclass(peer, peers.Adit) and not peer.pings_only]
    for peer in peers.start_all(world, engines, notes):
        progress(f"profile: {peer.title}")
        try:
            out.append({"forwarder": peer.title, **{direction: one(world, peer, direction) for direction in ("down", "up")}})
        except Trouble as trouble:
            notes(f"{peer.title}: {trouble}")
        finally:
            peer.stop()
    return out


def table(profile):
    """One engine's profile as Markdown, the dearest first."""
    down, up = profile["down"], profile["up"]
    cell = lambda rows, row: f"{text(rows[row])} ({100 * rows[row] / sum(rows.values()):.0f} %)" if row in rows else "–"  # noqa: E731
    lines = [f"| {profile['forwarder']} | down, ns a byte | up, ns a byte |", "|---|---:|---:|"]
    both = sorted(down.keys() | up.keys(), key=lambda row: -(down.get(row, 0) + up.get(row, 0)))
    lines += [f"| {row} | {cell(down, row)} | {cell(up, row)} |" for row in both]
    lines.append(f"| **all of it** | {text(sum(down.values()))} | {text(sum(up.values()))} |")
    return "\n".join(lines)
