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

PARTS = ("main", "link", "memory", "vms", "proxy", "profile", "micro")


def arguments():
    parser = argparse.ArgumentParser(prog="bench/compare", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, fewer counts: shows that all works, not how fast")
    parser.add_argument("--bin", default=ROOT / "build/release/bin", type=pathlib.Path, help="where the built programs are")
    parser.add_argument("--out", type=pathlib.Path, help="where to write; else bench/results, or build/bench for a quick run")
    parser.add_argument("--rounds", type=int, choices=range(1, 101), metavar="N", help="another number of rounds")
    parser.add_argument("--peers", help="only these, as a comma-separated list")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"only these of {','.join(PARTS)}")
    parser.add_argument("--publish", action="store_true", help="show this run in docs/benchmarks.md")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    if unknown := set(options.parts) - set(PARTS):
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


def take_all(options, settings, results, notes):
    """Everything with a far side that was asked for; returns the groups of figures and the profiles."""
    groups, profiles = [], []
    if options.parts == ["micro"]:
        return groups, profiles
    with World(options.bin) as world:
        turn = measure.Turn(world, results, settings, notes)
        running = peers.start_all(world, peers.named(options.peers), notes)
        classes = [type(peer) for peer in running]
        try:
            if "main" in options.parts:
                groups += figures.MAIN
                measure.rounds(turn, running, settings.rounds, measure.Turn.main, progress)
        finally:
            for peer in running:
                peer.stop()
        if "link" in options.parts:
            for rtt in settings.link_rtts:
                groups += figures.long_link(rtt, longlink.method())
            longlink.measure(world, turn, settings, classes, notes, progress)
        if "memory" in options.parts:
            groups += figures.memory(settings.idle_flows)
            memory.idle_flows(world, results, settings, classes, notes, progress)
        if "vms" in options.parts:
            groups += figures.vms(settings.vms)
            memory.many_vms(world, results, settings, classes, notes, progress)
        if "proxy" in options.parts:
            groups += figures.proxy(settings.proxies)
            proxy.measure(world, results, settings, notes, progress)
        if "profile" in options.parts:
            profiles = hotpath.measure(world, classes, notes, progress)
    return groups, profiles


def write(options, run, groups, results, notes):
    out = options.out or ROOT / ("build/bench" if options.quick else "bench/results")
    name = run["date"].replace(":", "").replace(" ", "T")
    drawings = report.plots(groups, results)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(report.as_json(run, groups, results))
    (out / f"{name}.md").write_text(report.markdown(run, groups, results, notes, images=name))
    (out / name).mkdir(exist_ok=True)
    for file, svg in drawings.items():
        (out / name / file).write_text(svg)
    if options.publish:
        folder = ROOT / "docs/benchmarks"
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.svg"):
            old.unlink()
        for file, svg in drawings.items():
            (folder / file).write_text(svg)
        text = report.markdown(run, groups, results, notes, images="benchmarks", heading="###")
        report.put_into_docs(ROOT / "docs/benchmarks.md", text)
    print(f"results: {out / name}.json, .md, and plots in {out / name}/", file=sys.stderr)


def main():
    options = arguments()
    namespace.enter()
    settings = measure.Settings(options.quick)
    settings.rounds = options.rounds or settings.rounds
    results, notes = Results(), Notes()
    run = {"date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M")}
    run["settings"] = vars(settings)
    run["machine"] = machine.describe(ROOT, options.bin, peers.named(options.peers))
    groups, run["profiles"] = take_all(options, settings, results, notes)
    run["pieces"] = micro.measure(options.bin, progress) if "micro" in options.parts else []
    run["link"] = longlink.method()
    run["notes"] = notes
    if not results.series and not run["pieces"] and not run["profiles"]:
        raise Trouble("nothing could be measured")
    write(options, run, groups, results, notes)
    for group in groups:
        if rows := report.table(group, results):
            print(f"\n{group.title}\n\n{rows}")
    for profile in run["profiles"]:
        print(f"\n{hotpath.table(profile)}")
    if run["pieces"]:
        print(f"\n{report.pieces_table(run['pieces'])}")


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
