"""Pieces of adit on their own, as adit-micro times them."""
import json
import pathlib
import subprocess

from world import Trouble


def measure(bin_dir, progress):
    program = pathlib.Path(bin_dir) / "adit-micro"
    if not program.exists():
        raise Trouble(f"{program} is missing: build the release preset, or name another folder with --bin")
    progress("pieces of adit on their own")
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise Trouble(f"adit-micro: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]
