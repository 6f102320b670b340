"""Compares adit with its peers in one interleaved run: python3 bench/compare [--quick]. See docs/benchmarks.md."""
import argparse
import datetime
import pathlib
import signal
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]

import figures  # noqa: E402
import hotpath  # noqa: E402
import longlink  # noqa: E402
import machine  # noqa: E402
import measure  # noqa: E402
import memory  # noqa: E402
import micro  # noqa: E402
import namespace  # noqa: E402
import peers  # noqa: E402
import proxy  # noqa: E402
import report  # noqa: E402
from stats import Results  # noqa: E402
from world import Trouble, World  # noqa: E402

def arguments():
    parser = argparse.ArgumentParser(prog="bench/compare", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, fewer counts: shows that all works, not how fast")
    parser.add_argument("--bin", default=ROOT / "build/release/bin", type=pathlib.Path, help="where the built programs are")
    parser.add_argument("--out", type=pathlib.Path, help="where to write; else bench/results, or build/bench for a quick run")
    parser.add_argument("--rounds", type=int, choices=range(1, 101), metavar="N", help="another number of rounds")
    parser.add_argument("--peers", help="only these, as a comma-separated list")
    parser.add_argument("--parts", default=",".join(report.PARTS), help=f"only these of {','.join(report.PARTS)}")
    parser.add_argument("--publish", action="store_true", help="show each part taken in docs/benchmarks.md, in place of its former run")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    if unknown := set(options.parts) - set(report.PARTS):
        parser.error(f"no part is called {', '.join(unknown)}")
    return options


class Notes(list):
    """What could not be measured, each said once."""

    def __call__(self, note):
        if note not in self:
            self.append(note)
            print(f"  note: {note}", file=sys.stderr)


def progress(line):
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr)


class Part:
    """What one part of a run brought."""

    def __init__(self, name):
        self.name, self.groups, self.profiles, self.pieces, self.notes = name, [], [], [], Notes()


def take_main(part, world, turn, classes):
    running = peers.start_all(world, classes, part.notes)
    part.groups += figures.MAIN
    try:
        measure.rounds(turn, running, turn.settings.rounds, measure.Turn.main, progress)
    finally:
        for peer in running:
            peer.stop()


def take_link(part, world, turn, classes):
    for rtt in turn.settings.link_rtts:
        part.groups += figures.long_link(rtt, longlink.method())
    longlink.measure(world, turn, turn.settings, classes, part.notes, progress)


def take_memory(part, world, turn, classes):
    part.groups += figures.memory(turn.settings.idle_flows)
    memory.idle_flows(world, turn.results, turn.settings, classes, part.notes, progress)


def take_vms(part, world, turn, classes):
    part.groups += figures.vms(turn.settings.vms)
    memory.many_vms(world, turn.results, turn.settings, classes, part.notes, progress)


def take_proxy(part, world, turn, classes):
    part.groups += figures.proxy(turn.settings.proxies)
    proxy.measure(world, turn.results, turn.settings, part.notes, progress)


def take_profile(part, world, turn, classes):
    part.profiles = hotpath.measure(world, classes, part.notes, progress)


def take_micro(part, world, turn, classes):
    part.pieces = micro.measure(world.bin, progress)


TAKE = {
    "main": take_main,
    "link": take_link,
    "memory": take_memory,
    "vms": take_vms,
    "proxy": take_proxy,
    "profile": take_profile,
    "micro": take_micro,
}


def take_all(options, settings, results):
    """Every part that was asked for."""
    parts = []
    with World(options.bin) as world:
        for name in options.parts:
            part = Part(name)
            turn = measure.Turn(world, results, settings, part.notes)
            TAKE[name](part, world, turn, peers.named(options.peers))
            parts.append(part)
    return parts


def write(options, run, parts, results):
    out = options.out or ROOT / ("build/bench" if options.quick else "bench/results")
    name = run["date"].replace(":", "").replace(" ", "T")
    drawings = report.plots([group for part in parts for group in part.groups], results)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(report.as_json(run, parts, results))
    (out / f"{name}.md").write_text(report.markdown(run, parts, results, images=name))
    (out / name).mkdir(exist_ok=True)
    for file, svg in drawings.items():
        (out / name / file).write_text(svg)
    if options.publish:
        report.publish(ROOT / "docs", run, parts, results, drawings)
    print(f"results: {out / name}.json, .md, and plots in {out / name}/", file=sys.stderr)


def main():
    options = arguments()
    namespace.enter()
    settings = measure.Settings(options.quick)
    settings.rounds = options.rounds or settings.rounds
    results = Results()
    run = {"date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M")}
    run["settings"] = vars(settings)
    run["machine"] = machine.describe(ROOT, options.bin, peers.named(options.peers))
    run["link"] = longlink.method()
    parts = take_all(options, settings, results)
    if not results.series and not any(part.pieces or part.profiles for part in parts):
        raise Trouble("nothing could be measured")
    write(options, run, parts, results)
    for part in parts:
        print("\n" + "\n\n".join(report.body(part, results, heading="")))


if __name__ == "__main__":
    # Ended from outside, it still takes down what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Trouble as trouble:
        print(f"bench/compare: {trouble}", file=sys.stderr)
        sys.exit(69)
    except KeyboardInterrupt:
        sys.exit(130)
