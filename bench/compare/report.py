"""The results as JSON, as Markdown tables, as plots, and as the newest run in the documentation."""
import json
import re

import hotpath
import peers
import plot
import proxy
from stats import text

TITLES = {peer.name: peer.title for peer in peers.ALL} | proxy.TITLES
ORDER = list(TITLES)
BEGIN, END = "<!-- newest run: written by scripts/bench -->", "<!-- end of the newest run -->"


def ordered(rows):
    return {peer: rows[peer] for peer in ORDER if peer in rows}


def as_json(run, groups, results):
    figures = []
    for group in groups:
        for figure in group.figures:
            rows = ordered(results.summary(figure.key, figure.reference))
            if rows:
                figures.append(
                    {
                        "id": figure.key,
                        "group": group.key,
                        "title": f"{group.title}: {figure.title}",
                        "unit": figure.unit,
                        "better": figure.better,
                        "reference": figure.reference,
                        "rows": rows,
                    }
                )
    return json.dumps({**run, "figures": figures}, indent=1, ensure_ascii=False) + "\n"


def _cell(row, is_reference):
    if row is None:
        return "–"
    spread = f" ({text(row['low'])}–{text(row['high'])})" if len(row["rounds"]) > 1 else ""
    if is_reference or row["ratio"] is None:
        return f"{text(row['median'])}{spread}"
    return f"**×{text(row['ratio'])}** {text(row['median'])}{spread}"


def table(group, results):
    """One group as a Markdown table, or None when nothing of it was measured."""
    summaries = {figure.key: results.summary(figure.key, figure.reference) for figure in group.figures}
    figures = [figure for figure in group.figures if summaries[figure.key]]
    present = [peer for peer in ORDER if any(peer in rows for rows in summaries.values())]
    if not present:
        return None
    lines = ["| | " + " | ".join(f"{figure.title}, {figure.unit}" for figure in figures) + " |"]
    lines.append("|---" + "|---:" * len(figures) + "|")
    for peer in present:
        cells = [_cell(summaries[figure.key].get(peer), peer == figure.reference) for figure in figures]
        lines.append(f"| {TITLES[peer]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def pieces_table(pieces):
    lines = ["| piece | one operation | time | MB/s |", "|---|---|---:|---:|"]
    for piece in pieces:
        ns = piece["ns"]
        time = f"{text(ns)} ns" if ns < 1e3 else f"{text(ns / 1e3)} µs" if ns < 1e6 else f"{text(ns / 1e6)} ms"
        lines.append(f"| {piece['piece']} | {piece['what']} | {time} | {text(piece.get('mb_per_s'))} |")
    return "\n".join(lines)


def plots(groups, results):
    """file name → SVG."""
    out = {}
    for group in groups:
        for figure in group.figures:
            rows = ordered(results.summary(figure.key, figure.reference))
            if figure.key in group.plot and rows:
                title = group.title.replace("`", "")
                if len(group.figures) > 1:
                    title += f": {figure.title}"
                out[f"{figure.key}.svg"] = plot.bars(title, figure, rows, TITLES)
    return out


def markdown(run, groups, results, notes, images=None, heading="##"):
    """The whole run. images: the folder of the plots as the reader of this text sees it, or None."""
    machine, settings = run["machine"], run["settings"]
    versions = "; ".join(f"{name}: {version}" for name, version in machine["versions"].items() if version)
    out = [
        f"Run of {run['date']}, commit {machine['commit']}, {settings['rounds']} interleaved rounds of "
        f"{settings['time_ms']} ms" + (" (a quick run: too short for figures to quote)" if settings["quick"] else "") + ". "
        f"{machine['cpu']}, {machine['cores']} cores shared by the client, the forwarder, sshd and the far end; "
        f"{machine['system']}, Linux {machine['kernel']}. {versions}.",
        "Each cell: **the ratio to the reference** (the median of the ratios within each round), the median, and in "
        "brackets the lowest and highest round. The reference is `ssh -L` with aes128-gcm, for the ProxyCommand `nc`.",
    ]
    for group in groups:
        rows = table(group, results)
        if not rows:
            continue
        out.append(f"{heading} {group.title}")
        if group.text:
            out.append(group.text)
        out.append(rows)
        if images is not None:
            drawn = [f for f in group.figures if f.key in group.plot and results.summary(f.key, f.reference)]
            out += [f"![{group.title.replace('`', '')}: {f.title}]({images}/{f.key}.svg)" for f in drawn]
    if run["profiles"]:
        out.append(f"{heading} Where the time of a byte goes")
        out += [hotpath.table(profile) for profile in run["profiles"]]
    if run["pieces"]:
        out += [f"{heading} Pieces of adit on their own", pieces_table(run["pieces"])]
    if notes:
        out.append(f"{heading} What could not be measured, and why")
        out.append("\n".join(f"- {re.sub(chr(10) + '+', ' ', note)}" for note in notes))
    return "\n\n".join(out) + "\n"


def put_into_docs(path, content):
    """Replaces what stands between the two marks of the page."""
    page = path.read_text()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    path.write_text(page[:begin] + "\n\n" + content + "\n" + page[end:])
