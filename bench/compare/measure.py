"""One forwarder's turn in a round: runs the load generator through it and notes the figures."""
from world import Trouble


# A percentile of fewer round trips than these would only be the slowest one; it is left out.
ENOUGH = {"p50": 5, "p99": 100, "p999": 1000}


class Settings:
    """How long and how often; quick runs are for looking whether all works, not for figures."""

    def __init__(self, quick):
        self.quick = quick
        self.rounds = 3 if quick else 5
        self.warmup_ms = 80 if quick else 300
        self.time_ms = 250 if quick else 1500
        self.ping_ms = 400 if quick else 2500
        self.connects = 100 if quick else 1000
        self.connect_ms = 1000 if quick else 8000
        self.streams = (1, 8) if quick else (1, 8, 64)
        self.idle_flows = (1, 100, 1000) if quick else (1, 100, 1000, 10000)
        self.memory_rounds = 1 if quick else 3
        self.vms = 10 if quick else 100
        self.proxies = (1, 10) if quick else (1, 10, 100)
        self.proxy_repeats = 3 if quick else 20
        self.link_rtts = (50,) if quick else (50, 150)
        self.link_mbit = 1000

    def link_warmup_ms(self, rtt):
        return rtt * (8 if self.quick else 20)

    def link_time_ms(self, rtt):
        return rtt * (12 if self.quick else 10)


class Turn:
    def __init__(self, world, results, settings, note):
        self.world, self.results, self.settings, self.note = world, results, settings, note

    def _run(self, peer, what, mode, *args, **kwargs):
        """A result, or None when it failed: noted, and the figure has one round less."""
        pids = [word for pid in peer.pids for word in ("--pid", pid)]
        try:
            return self.world.load(mode, peer.port, "--address", peer.host, *args, *pids, **kwargs)
        except Trouble as trouble:
            self.note(f"{peer.title}: {what}: {trouble}")
            return None

    def throughput(self, peer, number, streams, prefix, warmup_ms, time_ms, both=True):
        for n in streams:
            directions = ("down", "up", "both") if both and n == 1 else ("down", "up")
            for direction in directions:
                args = ["--direction", direction, "--streams", n, "--warmup", warmup_ms, "--time", time_ms]
                got = self._run(peer, f"{direction}, {n} streams", "throughput", *args)
                if not got:
                    continue
                if got["mb_per_s"] == 0:
                    self.note(f"{peer.title}: {direction}, {n} streams: nothing arrived within the window")
                    continue
                self.results.add(f"{prefix}{direction}{n}", peer.name, number, got["mb_per_s"])
                if n == 1 and direction != "both" and peer.pids:
                    self.results.add(f"{prefix}cpu_{direction}1", peer.name, number, got["cpu_s_per_gb"])

    def ping(self, peer, number, prefix, warmup_ms, time_ms, besides, parts):
        for beside in (None, *besides):
            args = ["--warmup", warmup_ms, "--time", time_ms]
            key = f"{prefix}ping"
            if beside:
                args += ["--beside", beside, "--beside-port", peer.beside_port]
                key = f"{prefix}beside_{beside}"
            got = self._run(peer, f"ping beside {beside or 'nothing'}", "ping", *args)
            if not got:
                continue
            if got["count"] == 0:
                self.note(f"{peer.title}: ping beside {beside or 'nothing'}: no answer within the window")
                continue
            for part in parts:
                if got["count"] >= ENOUGH[part]:
                    self.results.add(f"{key}_{part}", peer.name, number, got[f"{part}_us"])
            if beside in ("down", "up"):
                self.results.add(f"{key}_mb", peer.name, number, got["beside_mb_per_s"])

    def connect(self, peer, number, prefix="", count=None, limit_ms=None, parallel=True):
        s = self.settings
        args = ["--count", count or s.connects, "--time", limit_ms or s.connect_ms]
        if got := self._run(peer, "new connections", "connect", *args):
            self.results.add(f"{prefix}connect_p50", peer.name, number, got["p50_us"])
            self.results.add(f"{prefix}connect_p99", peer.name, number, got["p99_us"])
        if parallel and (got := self._run(peer, "16 new connections at a time", "connect", *args, "--parallel", 16)):
            self.results.add(f"{prefix}connect_per_s", peer.name, number, got["per_s"])

    def main(self, peer, number):
        """Everything of a short link."""
        s = self.settings
        if not peer.pings_only:
            self.throughput(peer, number, s.streams, "", s.warmup_ms, s.time_ms)
        self.ping(peer, number, "", s.warmup_ms, s.ping_ms, ("down", "up", "stopped"), ("p50", "p99", "p999"))
        if not peer.pings_only:
            self.connect(peer, number)

    def long(self, peer, number, rtt):
        """The same on a long link, where windows have to grow first."""
        s, prefix = self.settings, f"l{rtt}_"
        warmup, time = s.link_warmup_ms(rtt), s.link_time_ms(rtt)
        if not peer.pings_only:
            self.throughput(peer, number, s.streams, prefix, warmup, time)
        self.ping(peer, number, prefix, warmup, time, ("down", "up", "stopped"), ("p50",))
        if not peer.pings_only:
            self.connect(peer, number, prefix, count=10 if s.quick else 30, limit_ms=time * 2, parallel=False)


def rounds(turn, peers, count, take, progress):
    """Every forwarder takes its turn in each round; who begins moves on, so that nobody always runs first."""
    for number in range(count):
        for i in range(len(peers)):
            peer = peers[(number + i) % len(peers)]
            progress(f"round {number + 1} of {count}: {peer.title}")
            take(turn, peer, number)
