"""Numbers of several rounds: medians, spread, and ratios taken within a round."""
import statistics


class Series:
    """What one forwarder gave for one figure, by round; a round that failed is missing."""

    def __init__(self):
        self.rounds = {}

    def add(self, round_number, value):
        self.rounds[round_number] = value

    def values(self):
        return [self.rounds[n] for n in sorted(self.rounds)]


class Results:
    """All figures of one run: figure id → forwarder → Series."""

    def __init__(self):
        self.series = {}

    def add(self, figure, peer, round_number, value):
        if value is not None:
            self.series.setdefault(figure, {}).setdefault(peer, Series()).add(round_number, value)

    def summary(self, figure, reference):
        """forwarder → {median, low, high, ratio, rounds}. The ratio is the median of the ratios of each round: what
        slowed the machine down in one round slowed the reference down too."""
        rows = {}
        by_peer = self.series.get(figure, {})
        base = by_peer.get(reference)
        for peer, series in by_peer.items():
            values = series.values()
            ratios = [
                value / base.rounds[n] for n, value in series.rounds.items() if base and base.rounds.get(n, 0) > 0
            ]
            rows[peer] = {
                "median": statistics.median(values),
                "low": min(values),
                "high": max(values),
                "ratio": statistics.median(ratios) if ratios else None,
                "rounds": values,
            }
        return rows


def text(value):
    """Three significant digits, thousands separated, no exponent."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}"
