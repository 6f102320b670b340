"""Where and with what the figures were taken."""
import os
import pathlib
import platform
import subprocess


def _line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout or done.stderr).strip().splitlines()[0] if (done.stdout or done.stderr).strip() else None


def _cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _system():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def describe(root, bin_dir, classes):
    versions = {peer.name: version for peer in classes if not peer.missing() and (version := peer.version())}
    versions["adit"] = _line([str(bin_dir / "adit"), "version"]) or _line([str(bin_dir / "aditd"), "--version"])
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "system": _system(),
        "versions": versions,
        "commit": _line(["git", "-C", str(root), "rev-parse", "--short", "HEAD"]),
        "load_at_start": os.getloadavg()[0],
    }
