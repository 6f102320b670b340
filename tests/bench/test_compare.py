"""The comparison's arithmetic, tables and plots, and one small run of the whole command."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ADIT_BIN", ROOT / "build/dev/bin")).resolve()
sys.path.insert(0, str(ROOT / "bench/compare"))

import figures  # noqa: E402
import hotpath  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402
import stats  # noqa: E402

FIGURE = figures.Figure("down1", "down, 1 stream", "MB/s", "more")
GROUP = figures.Group("throughput", "Throughput", [FIGURE, figures.Figure("up1", "up", "MB/s", "more")], plot=("down1",))


def three_rounds():
    results = stats.Results()
    for n, (reference, ours) in enumerate([(100, 50), (10, 20), (200, 300)]):
        results.add("down1", "ssh-gcm", n, reference)
        results.add("down1", "adit-libssh2", n, ours)
    results.add("down1", "raw", 0, 5000)
    return results


class Arithmetic(unittest.TestCase):
    def test_medians_spread_and_ratios_within_a_round(self):
        rows = three_rounds().summary("down1", "ssh-gcm")
        ours = rows["adit-libssh2"]
        self.assertEqual((ours["median"], ours["low"], ours["high"]), (50, 20, 300))
        self.assertEqual(ours["ratio"], 1.5)  # the median of 0.5, 2, 1.5; not 50/100
        self.assertEqual(rows["ssh-gcm"]["ratio"], 1)
        self.assertEqual(rows["raw"]["ratio"], 50)

    def test_a_round_without_the_reference_has_no_ratio(self):
        results = stats.Results()
        results.add("down1", "adit-libssh2", 0, 50)
        results.add("down1", "plink", 1, None)
        rows = results.summary("down1", "ssh-gcm")
        self.assertIsNone(rows["adit-libssh2"]["ratio"])
        self.assertNotIn("plink", rows)

    def test_numbers_read_well(self):
        given = [2393.4, 61.52, 1.234, 0.0614, 0, None]
        self.assertEqual([stats.text(v) for v in given], ["2,393", "61.5", "1.23", "0.061", "0", "–"])


class Report(unittest.TestCase):
    def test_a_table_holds_what_was_measured_and_nothing_else(self):
        table = report.table(GROUP, three_rounds())
        self.assertIn("| adit, engine libssh2 | **×1.50** 50.0 (20.0–300) |", table)
        self.assertIn("| ssh -L, aes128-gcm | 100 (10.0–200) |", table)
        self.assertNotIn("plink", table)
        self.assertNotIn("up, MB/s", table)
        self.assertIsNone(report.table(GROUP, stats.Results()))

    def test_plots_are_well_formed_and_show_every_row(self):
        svg = report.plots([GROUP], three_rounds())["down1.svg"]
        ElementTree.fromstring(svg)
        for text in "adit, engine libssh2", "raw TCP, no tunnel", "×1.50", "longer is better":
            self.assertIn(text, svg)

    def test_a_bar_beyond_the_scale_is_cut(self):
        rows = three_rounds().summary("down1", "ssh-gcm")
        svg = ElementTree.fromstring(plot.bars("t", FIGURE, rows, report.TITLES))
        widths = [float(r.get("width")) for r in svg.iter("{http://www.w3.org/2000/svg}rect") if r.get("class") != "page"]
        self.assertLessEqual(max(widths), plot.WIDTH - plot.LABEL - plot.VALUE)

    def test_the_documentation_keeps_what_stands_around_the_newest_run(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            report.put_into_docs(page, {"link": "slow", "machine": "this"})
            report.put_into_docs(page, {"main": "new"})
            report.put_into_docs(page, {"main": "newer"})
            parts = "<!-- part machine -->\n\nthis\n\n<!-- part main -->\n\nnewer\n\n<!-- part link -->\n\nslow"
            self.assertEqual(page.read_text(), f"before\n{report.BEGIN}\n\n{parts}\n\n{report.END}\nafter\n")
        self.assertIn(report.BEGIN, (ROOT / "docs/benchmarks.md").read_text())


SAMPLES = """\
            7f00 [unknown] (/usr/lib/libcrypto.so.3)

            7f01 memcpy@plt (/usr/lib/libssh2.so.1.0.1)
            7f02 flow_update (/opt/bin/aditd)

        ffffffff _copy_to_iter ([kernel.kallsyms])
        ffffffff tcp_recvmsg ([kernel.kallsyms])
        ffffffff ksys_read ([kernel.kallsyms])
            7f03 __libc_read (/usr/lib/libc.so.6)

        ffffffff schedule ([kernel.kallsyms])
        ffffffff do_epoll_wait ([kernel.kallsyms])
"""


class HotPath(unittest.TestCase):
    def test_samples_go_to_whose_time_they_are(self):
        rows = [hotpath.place(frames, "down") for frames in hotpath.samples(SAMPLES)]
        self.assertEqual(
            rows,
            ["libcrypto: cipher and MAC", "libssh2: packets and their list", "kernel: taking from the SSH socket", hotpath.WAITING],
        )
        self.assertEqual(hotpath.place([("tcp_recvmsg", "[kernel.kallsyms]")], "up"), "kernel: taking from the local socket")

    def test_a_table_adds_up(self):
        rows = hotpath.table({"forwarder": "adit", "down": {"a": 1.5, "b": 0.5}, "up": {"a": 1.0}})
        self.assertIn("| a | 1.50 (75 %) | 1.00 (100 %) |", rows)
        self.assertIn("| b | 0.500 (25 %) | – |", rows)
        self.assertIn("| **all of it** | 2.00 | 1.00 |", rows)


class WholeCommand(unittest.TestCase):
    def test_a_small_run_writes_results_tables_and_plots(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, ROOT / "bench/compare", "--quick", "--rounds", "1", "--bin", BIN, "--out", folder]
            done = subprocess.run(
                [*command, "--peers", "raw,ssh-gcm,adit-libssh2", "--parts", "main,micro"], capture_output=True, text=True, timeout=100
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            (results,) = pathlib.Path(folder).glob("*.json")
            run = json.loads(results.read_text())
            # A busy machine may leave too few round trips in so short a window; anything else is a fault.
            self.assertEqual([note for note in run["notes"] if "within the window" not in note], [])
            by_id = {figure["id"]: figure["rows"] for figure in run["figures"]}
            for figure in "down1", "up8", "both1", "connect_p50":
                self.assertEqual(list(by_id[figure]), ["raw", "ssh-gcm", "adit-libssh2"])
                self.assertGreater(by_id[figure]["ssh-gcm"]["median"], 0)
            self.assertGreater(by_id["ping_p50"]["raw"]["median"], 0)
            self.assertGreater(by_id["beside_stopped_p50"]["raw"]["median"], 0)
            self.assertGreater(by_id["cpu_down1"]["ssh-gcm"]["median"], 0)
            self.assertIn("| ssh -L, aes128-gcm |", results.with_suffix(".md").read_text())
            self.assertIn("config-load", [piece["piece"] for piece in run["pieces"]])
            self.assertTrue((results.with_suffix("") / "down1.svg").exists())

    def test_the_long_link_is_long(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, ROOT / "bench/compare", "--quick", "--rounds", "1", "--bin", BIN, "--out", folder]
            done = subprocess.run(
                [*command, "--peers", "raw", "--parts", "link"], capture_output=True, text=True, timeout=100
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            (results,) = pathlib.Path(folder).glob("*.json")
            run = json.loads(results.read_text())
            rows = {figure["id"]: figure["rows"]["raw"]["median"] for figure in run["figures"]}
            self.assertGreaterEqual(rows["l50_ping_p50"], 50_000)
            self.assertGreaterEqual(rows["l50_connect_p50"], 100_000)
            self.assertIn("adit-link", run["link"])

    def test_a_missing_program_and_a_wrong_name_are_said(self):
        for args, said in (["--bin", "/nonexistent"], "adit-load is missing"), (["--peers", "telnet"], "telnet"):
            done = subprocess.run(
                [sys.executable, ROOT / "bench/compare", "--bin", BIN, *args], capture_output=True, text=True, timeout=60
            )
            self.assertEqual(done.returncode, 69)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
