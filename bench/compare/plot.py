"""Bar charts as SVG, light and dark: one bar a forwarder, the spread as a thin line, the value at its end."""
from xml.sax.saxutils import escape

from stats import text

WIDTH = 760
LABEL = 190  # room for the names
VALUE = 130  # room for the values
ROW = 30
TOP = 64
BAR = 16

STYLE = """
  .page { fill: #ffffff } .title { font-weight: 600; font-size: 16px } .small { font-size: 12px; opacity: .7 }
  text { fill: #1f2430; font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif }
  .value { font-variant-numeric: tabular-nums; paint-order: stroke; stroke: #ffffff; stroke-width: 4px } .strong { font-weight: 600 }
  .bar { fill: #b8bec9 } .limit { fill: #e2e5ea } .reference { fill: #7a8394 } .ours { fill: #1668b8 }
  .spread { stroke: #1f2430; stroke-width: 1.25; opacity: .75 } .axis { stroke: #1f2430; opacity: .25 }
  .guide { stroke: #7a8394; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #12161d } text { fill: #e6e9ef } .bar { fill: #4b5362 } .limit { fill: #2a303a }
    .reference { fill: #8791a3 } .ours { fill: #56a6ee } .value { stroke: #12161d } .spread, .axis { stroke: #e6e9ef } .guide { stroke: #8791a3 }
  }
"""


def _class(peer, reference):
    if peer.startswith("adit") or peer in ("proxy-fdpass", "proxy-stdio"):
        return "ours"
    if peer == reference:
        return "reference"
    return "limit" if peer in ("raw", "proxy-none") else "bar"


def bars(title, figure, rows, titles):
    """The chart as text. rows: forwarder → summary as stats.Results gives it, in the order to draw."""
    measured = [row["high"] for peer, row in rows.items() if peer != "raw"] or [row["high"] for row in rows.values()]
    top = max(measured) * 1.04 or 1
    span = WIDTH - LABEL - VALUE
    height = TOP + ROW * len(rows) + 14

    def x(value):
        return LABEL + span * min(value, top) / top

    hint = "longer is better" if figure.better == "more" else "shorter is better"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
        f'<text class="title" x="20" y="28">{escape(title)}</text>',
        f'<text class="small" x="20" y="47">{escape(figure.unit)}, median and range of the rounds; {hint}</text>',
    ]
    base = rows.get(figure.reference)
    if base:
        at = x(base["median"])
        out.append(f'<line class="guide" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 6}" y2="{height - 10}"/>')
    for i, (peer, row) in enumerate(rows.items()):
        y = TOP + ROW * i
        middle = y + BAR / 2
        kind = _class(peer, figure.reference)
        strong = " strong" if kind == "ours" else ""
        end = x(row["median"])
        out.append(f'<text class="{strong.strip()}" x="{LABEL - 10}" y="{middle + 4.5}" text-anchor="end">{escape(titles[peer])}</text>')
        out.append(f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{max(end - LABEL, 1):.1f}" height="{BAR}" rx="2"/>')
        if row["median"] > top:  # beyond the scale: two slits say that the bar is cut
            for slit in (22, 14):
                out.append(f'<path class="page" d="M{end - slit:.1f} {y - 1}l4 0l-4 {BAR + 2}l-4 0z"/>')
        elif row["high"] > row["low"]:
            low, high = x(row["low"]), x(row["high"])
            out.append(f'<path class="spread" fill="none" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 3}v6M{high:.1f} {middle - 3}v6"/>')
        ratio = f"  ×{text(row['ratio'])}" if row["ratio"] is not None and peer != figure.reference else ""
        place = max(end, x(row["high"])) + 8
        out.append(f'<text class="value{strong}" x="{place:.1f}" y="{middle + 4.5}" xml:space="preserve">{text(row["median"])}{ratio}</text>')
    out.append(f'<line class="axis" x1="{LABEL}" x2="{LABEL}" y1="{TOP - 6}" y2="{height - 10}"/>')
    out.append("</svg>\n")
    return "\n".join(out)
