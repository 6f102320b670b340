"""How long `ssh … true` takes through each kind of ProxyCommand: one, and many at once."""
import shutil
import statistics
import subprocess
import time

from peers import AditLibssh2
from world import Trouble

TITLES = {
    "proxy-none": "no ProxyCommand",
    "proxy-nc": "nc",
    "proxy-fdpass": "adit proxy --fdpass",
    "proxy-stdio": "adit proxy, stdio",
}


def commands(world, adit):
    """name → the options that make ssh go that way."""
    program = world.program("adit")
    port = world.ssh_port
    out = {"proxy-none": []}
    if shutil.which("nc"):
        out["proxy-nc"] = ["-o", f"ProxyCommand=nc 127.0.0.1 {port}"]
    if adit:
        out["proxy-fdpass"] = ["-o", f"ProxyCommand={program} proxy --fdpass vm0 {port}", "-o", "ProxyUseFdpass=yes"]
        out["proxy-stdio"] = ["-o", f"ProxyCommand={program} proxy vm0 {port}"]
    return out


def ssh_words(world, way):
    words = ["ssh", "-F", "none", "-T", "-p", str(world.ssh_port), "-i", str(world.dir / "user_key")]
    for option in (
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
        "ControlPath=none",
    ):
        words += ["-o", option]
    return words + way + [f"{world.user}@127.0.0.1", "true"]


def run_at_once(words, env, count):
    """Milliseconds until all of them have ended well."""
    began = time.monotonic()
    running = [
        subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(count)
    ]
    said = [process.communicate(timeout=120)[1].decode(errors="replace").strip() for process in running]
    took = (time.monotonic() - began) * 1000
    failed = [text for process, text in zip(running, said) if process.returncode != 0]
    if failed:
        raise Trouble(f"{len(failed)} of {count} failed: {failed[0][-300:]}")
    return took


def measure(world, results, settings, note, progress):
    adit = None
    try:
        adit = AditLibssh2(world).start()
    except Trouble as trouble:
        note(f"adit proxy: not measured: {trouble}")
    if not shutil.which("nc"):
        note("nc: not measured: nc is not installed")
    try:
        ways = commands(world, adit)
        env = adit.environment() if adit else AditLibssh2(world).clean_environment()
        names = list(ways)
        for at_once in settings.proxies:
            repeats = settings.proxy_repeats if at_once == 1 else 1
            for number in range(settings.rounds):
                progress(f"ProxyCommand, {at_once} at once: round {number + 1} of {settings.rounds}")
                for i in range(len(names)):
                    name = names[(number + i) % len(names)]
                    try:
                        words = ssh_words(world, ways[name])
                        took = statistics.median(run_at_once(words, env, at_once) for _ in range(repeats))
                        results.add(f"proxy_{at_once}", name, number, took)
                    except Trouble as trouble:
                        note(f"ProxyCommand {TITLES[name]}: {at_once} at once: {trouble}")
    finally:
        if adit:
            adit.stop()
