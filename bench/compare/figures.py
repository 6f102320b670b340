"""The figures: what each is called, its unit, and which way is better."""


class Figure:
    def __init__(self, key, title, unit, better, reference="ssh-gcm"):
        self.key, self.title, self.unit, self.better, self.reference = key, title, unit, better, reference


class Group:
    """Figures that stand in one table and, where `plot` says so, each in one plot."""

    def __init__(self, key, title, figures, plot=(), text=""):
        self.key, self.title, self.figures, self.plot, self.text = key, title, figures, plot, text


def throughput(prefix="", streams=(1, 8, 64), both=True):
    out = []
    for n in streams:
        what = "1 stream" if n == 1 else f"{n} streams"
        out.append(Figure(f"{prefix}down{n}", f"down, {what}", "MB/s", "more"))
        out.append(Figure(f"{prefix}up{n}", f"up, {what}", "MB/s", "more"))
        if both and n == 1:
            out.append(Figure(f"{prefix}both{n}", f"both ways, {what}", "MB/s", "more"))
    return out


def cpu(prefix=""):
    return [
        Figure(f"{prefix}cpu_down1", "client CPU, down", "s/GB", "less"),
        Figure(f"{prefix}cpu_up1", "client CPU, up", "s/GB", "less"),
    ]


def ping(prefix, parts=("p50", "p99", "p999")):
    names = {"p50": "p50", "p99": "p99", "p999": "p99.9"}
    return [Figure(f"{prefix}_{part}", names[part], "µs", "less") for part in parts]


def beside(prefix, kind, parts=("p50", "p99", "p999")):
    out = ping(f"{prefix}beside_{kind}", parts)
    if kind != "stopped":
        out.append(Figure(f"{prefix}beside_{kind}_mb", "bulk meanwhile", "MB/s", "more"))
    return out


CONNECT = [
    Figure("connect_p50", "connect to first byte, p50", "µs", "less"),
    Figure("connect_p99", "p99", "µs", "less"),
    Figure("connect_per_s", "16 at a time", "1/s", "more"),
]

MAIN = [
    Group("throughput", "Throughput", throughput(), plot=("down1", "up1", "down8")),
    Group("cpu", "CPU time of the client", cpu(), plot=("cpu_down1", "cpu_up1")),
    Group("ping", "Ping-pong of 64 bytes, nothing else going on", ping("ping"), plot=("ping_p50",)),
    Group("beside_down", "Ping-pong beside a bulk download of the same VM", beside("", "down"), plot=("beside_down_p99",)),
    Group("beside_up", "Ping-pong beside a bulk upload of the same VM", beside("", "up"), plot=("beside_up_p99",)),
    Group("beside_stopped", "Ping-pong beside a download whose reader has stopped", beside("", "stopped")),
    Group("connect", "New forwarded connections", CONNECT, plot=("connect_p50",)),
]


def long_link(ms, method):
    prefix = f"l{ms}_"
    figures = throughput(prefix) + cpu(prefix)
    latency = ping(f"{prefix}ping", ("p50",))
    busy = beside(prefix, "down", ("p50",)) + beside(prefix, "up", ("p50",)) + beside(prefix, "stopped", ("p50",))
    fresh = [Figure(f"{prefix}connect_p50", "connect to first byte, p50", "µs", "less")]
    return [
        Group(f"l{ms}_throughput", f"{ms} ms round trip: throughput and CPU", figures, plot=(f"{prefix}down1", f"{prefix}up1"),
              text=f"The link: {method}; 1 Gbit/s."),
        Group(f"l{ms}_ping", f"{ms} ms round trip: ping-pong alone, and new connections", latency + fresh),
        Group(f"l{ms}_beside", f"{ms} ms round trip: ping-pong beside a download, an upload, and a download whose reader has stopped", busy),
    ]


def memory(flows):
    figures = [Figure(f"rss_{n}", f"{n:,} flow{'s' if n > 1 else ''}", "MB", "less") for n in flows]
    figures.append(Figure("rss_each", "each further flow", "KB", "less"))
    return [Group("memory", "Resident memory with idle flows", figures, plot=(f"rss_{flows[-1]}",))]


def vms(count):
    return [
        Group(
            "vms",
            f"Resident memory with {count} VMs connected",
            [Figure("rss_vms", f"{count} VMs", "MB", "less")],
            text="For `ssh -L` this is one process a VM, their resident memory added up.",
        )
    ]


def proxy(at_once):
    figures = []
    for n in at_once:
        title = "one" if n == 1 else f"{n} at once, all done"
        figures.append(Figure(f"proxy_{n}", title, "ms", "less", reference="proxy-nc"))
    return [Group("proxy", "`ssh … true` through a ProxyCommand", figures, plot=("proxy_1",))]
