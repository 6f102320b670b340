"""The load generator against its own far end, directly and through relays that harm what they carry."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import threading
import unittest

BIN = pathlib.Path(os.environ.get("ADIT_BIN", "build/dev/bin")).resolve()
LOAD = str(BIN / "adit-load")


class Relay:
    """Passes bytes on between a port of its own and `target`; `harm` may change what comes from the target."""

    def __init__(self, target, harm):
        self.target, self.harm = target, harm
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(target=self._pass, args=(near, far, None), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, self.harm), daemon=True).start()

    @staticmethod
    def _pass(source, sink, harm):
        seen = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(harm(data, seen) if harm else data)
                seen += len(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


class FarEnd(unittest.TestCase):
    """A far end, and the load generator run against it."""

    def setUp(self):
        self.server = subprocess.Popen([LOAD, "serve"], stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.server.stdout.readline())["port"]

    def tearDown(self):
        self.server.terminate()
        self.assertEqual(self.server.wait(20), 0)
        self.server.stdout.close()

    def run_load(self, mode, *args, port=None):
        command = [LOAD, mode, "--port", str(port or self.port), *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, timeout=90)

    def load(self, mode, *args, **kwargs):
        done = self.run_load(mode, *args, **kwargs)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


class LoadTest(FarEnd):
    def test_throughput_counts_each_direction(self):
        for direction in "down", "up", "both":
            for streams in 1, 8:
                with self.subTest(direction=direction, streams=streams):
                    got = self.load("throughput", "--direction", direction, "--streams", streams, "--warmup", 20, "--time", 150)
                    self.assertEqual(got["down_mb_per_s"] > 0, direction != "up")
                    self.assertEqual(got["up_mb_per_s"] > 0, direction != "down")
                    self.assertGreaterEqual(got["verified_bytes"], got["mb_per_s"] * 1e6 * got["seconds"] * 0.99)

    def test_a_process_is_charged_with_what_it_uses(self):
        got = self.load("throughput", "--warmup", 20, "--time", 200, "--pid", self.server.pid)
        self.assertGreater(got["cpu_s"], 0)
        self.assertLess(got["cpu_s"], 10)
        self.assertGreater(got["rss_kib"], 100)

    def test_pings_alone_and_beside_bulk(self):
        for beside in None, "down", "up", "stopped":
            with self.subTest(beside=beside):
                more = ["--beside", beside, "--beside-port", self.port] if beside else []
                got = self.load("ping", "--warmup", 20, "--time", 200, *more)
                self.assertGreater(got["count"], 10)
                self.assertLessEqual(got["p50_us"], got["p99_us"])
                self.assertLessEqual(got["p99_us"], got["max_us"])
                self.assertEqual(got["beside_mb_per_s"] > 0, beside in ("down", "up"))

    def test_regression_a_window_that_ends_in_five_seconds_is_not_refused(self):
        done = self.run_load("throughput", "--direction", "up", "--warmup", 5000, "--time", 50)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_connects_as_often_as_asked(self):
        for parallel in 1, 8:
            got = self.load("connect", "--count", 100, "--parallel", parallel, "--time", 20000)
            self.assertEqual(got["count"], 100)
            self.assertGreater(got["per_s"], 0)

    def test_idle_flows_stay_alive(self):
        got = self.load("idle", "--flows", 200, "--hold", 20, "--pid", self.server.pid)
        self.assertEqual((got["flows"], got["alive"], got["short_of"]), (200, 200, ""))

    def refused(self, harm, mode, *args):
        relay = Relay(self.port, harm)
        self.addCleanup(relay.close)
        done = self.run_load(mode, *args, "--warmup", 20, "--time", 300, port=relay.port)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_changed_byte_fails_the_run(self):
        def flip(data, seen):
            at = 1_000_000 - seen
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if 0 <= at < len(data) else data

        self.assertIn("wrong byte at offset 1000000", self.refused(flip, "throughput"))

    def test_a_lost_byte_fails_the_run(self):
        def lose(data, seen):
            return data[1:] if seen == 0 else data

        self.assertIn("wrong byte", self.refused(lose, "throughput"))
        self.assertIn("ping", self.refused(lambda data, _: data[::-1], "ping"))

    def test_a_cut_stream_fails_the_run(self):
        def cut(data, seen):
            if seen > 1_000_000:
                raise OSError("cut")
            return data

        relay = Relay(self.port, cut)
        self.addCleanup(relay.close)
        original = Relay._pass

        def closing(source, sink, harm):
            original(source, sink, harm)
            for end in source, sink:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        relay._pass = closing
        done = self.run_load("throughput", "--warmup", 20, "--time", 300, port=relay.port)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("without its trailer", done.stderr)

    def test_numbers_out_of_range_are_refused(self):
        for args in (["--streams", 0], ["--streams", 100000], ["--time", "x"], ["--pid", -1]):
            self.assertEqual(self.run_load("throughput", *args).returncode, 64)
        self.assertEqual(subprocess.run([LOAD, "ping"], capture_output=True).returncode, 64)

    def test_it_never_leaves_the_machine(self):
        for address in "192.0.2.1", "198.20.0.1", "::1", "0.0.0.0":
            done = self.run_load("connect", "--address", address)
            self.assertEqual(done.returncode, 64)
            self.assertIn(address, done.stderr)
        self.assertGreater(self.load("connect", "--address", "127.0.0.1", "--count", 1)["count"], 0)


class LinkTest(FarEnd):
    """The modelled long link: slower, never different."""

    def setUp(self):
        super().setUp()
        command = [str(BIN / "adit-link"), "--to", str(self.port), "--delay", "20", "--rate", "100"]
        self.link = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.far, self.port = self.port, json.loads(self.link.stdout.readline())["port"]

    def tearDown(self):
        self.link.terminate()
        self.link.wait(20)
        self.link.stdout.close()
        super().tearDown()

    def test_it_delays_and_limits(self):
        self.assertGreaterEqual(self.load("ping", "--warmup", 0, "--time", 400)["p50_us"], 40_000)
        self.assertGreaterEqual(self.load("connect", "--count", 3, "--time", 5000)["p50_us"], 80_000)
        for direction in "down", "up":
            got = self.load("throughput", "--direction", direction, "--warmup", 200, "--time", 400)
            self.assertLessEqual(got["mb_per_s"], 12.5 * 1.1)

    def test_pings_beside_bulk(self):
        for beside in "down", "stopped":
            got = self.load("ping", "--warmup", 0, "--time", 600, "--beside", beside, "--beside-port", self.port)
            self.assertGreater(got["count"], 2)

    def test_streams_at_once_stay_apart(self):
        got = self.load("throughput", "--direction", "both", "--streams", 8, "--warmup", 100, "--time", 300)
        self.assertGreater(got["up_mb_per_s"], 0)
        self.assertGreater(got["down_mb_per_s"], 0)

    def test_connections_at_once(self):
        self.assertEqual(self.load("connect", "--count", 20, "--parallel", 8, "--time", 20000)["count"], 20)


if __name__ == "__main__":
    unittest.main()
