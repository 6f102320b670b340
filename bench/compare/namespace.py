"""A network namespace of its own for the whole run: nothing in it leads anywhere, and a link can be modelled under TCP."""
import os
import pathlib
import shutil
import subprocess
import sys

NEAR, FAR = "198.18.0.1", "198.18.0.2"  # of adit-link's device
MARK = "ADIT_BENCH_NAMESPACE"
SETTINGS = {
    "ip_nonlocal_bind": "1",  # sshd listens on NEAR before the device is there
    "tcp_rmem": "4096 131072 67108864",  # a long link needs windows that large
    "tcp_wmem": "4096 65536 67108864",
}


def inside():
    return os.environ.get(MARK) == str(os.getpid())


def enter():
    """Starts this program again in a new namespace where that is possible; else it goes on where it is."""
    if inside():
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for name, value in SETTINGS.items():
            pathlib.Path(f"/proc/sys/net/ipv4/{name}").write_text(value)
        return
    if os.getuid() != 0 or not os.path.exists("/dev/net/tun") or not shutil.which("unshare") or not shutil.which("ip"):
        return
    test = ["unshare", "--net", "ip", "link", "set", "lo", "up"]
    if subprocess.run(test, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        sys.stdout.flush()
        # unshare(1) becomes this program again, under the same process id.
        os.execvpe("unshare", ["unshare", "--net", sys.executable, *sys.argv], {**os.environ, MARK: str(os.getpid())})
