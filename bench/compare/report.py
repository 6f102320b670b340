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
PARTS = ("main", "link", "memory", "vms", "proxy", "profile", "micro")  # of a run, in this order
BEGIN, END = "<!-- newest run: written by scripts/bench -->", "<!-- end of the newest run -->"


def ordered(rows):
    return {peer: rows[peer] for peer in ORDER if peer in rows}


def as_json(run, parts, results):
    figures = []
    for part in parts:
        for group in part.groups:
            for figure in group.figures:
                rows = ordered(results.summary(figure.key, figure.reference))
                if rows:
                    figures.append(
                        {
                            "id": figure.key,
                            "part": part.name,
                            "group": group.key,
                            "title": f"{group.title}: {figure.title}",
                            "unit": figure.unit,
                            "better": figure.better,
                            "reference": figure.reference,
                            "rows": rows,
                        }
                    )
    more = {
        "profiles": [profile for part in parts for profile in part.profiles],
        "pieces": [piece for part in parts for piece in part.pieces],
        "notes": [note for part in parts for note in part.notes],
    }
    return json.dumps({**run, **more, "figures": figures}, indent=1, ensure_ascii=False) + "\n"


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


def body(part, results, images=None, heading="##"):
    """One part's tables, plots and notes, as paragraphs. images: the folder of the plots as the reader sees it, or None."""
    out = []
    for group in part.groups:
        rows = table(group, results)
        if not rows:
            continue
        out.append(f"{heading} {group.title}".strip())
        if group.text:
            out.append(group.text)
        out.append(rows)
        if images is not None:
            drawn = [f for f in group.figures if f.key in group.plot and results.summary(f.key, f.reference)]
            out += [f"![{group.title.replace('`', '')}: {f.title}]({images}/{f.key}.svg)" for f in drawn]
    if part.profiles:
        out.append(f"{heading} Where the CPU time of a byte goes".strip())
        out += [hotpath.table(profile) for profile in part.profiles]
    if part.pieces:
        out += [f"{heading} Pieces of adit on their own".strip(), pieces_table(part.pieces)]
    if part.notes:
        notes = "\n".join(f"- {re.sub(chr(10) + '+', ' ', note)}" for note in part.notes)
        out.append(f"Not measured, or not whole:\n\n{notes}")
    return out


def _when(run):
    settings = run["settings"]
    quick = " (a quick run: too short for figures to quote)" if settings["quick"] else ""
    return (
        f"Run of {run['date']}, commit {run['machine']['commit']}, {settings['rounds']} interleaved rounds{quick}, "
        f"load average {run['machine']['load_at_start']:.1f} before it."
    )


def _where(run):
    machine = run["machine"]
    versions = "; ".join(f"{name}: {version}" for name, version in machine["versions"].items() if version)
    return (
        f"{machine['cpu']}, {machine['cores']} cores shared by the client, the forwarder, sshd and the far end; "
        f"{machine['system']}, Linux {machine['kernel']}. {versions}."
    )


HOW_TO_READ = (
    "Each cell: **the ratio to the reference** (the median of the ratios within each round), the median, and in "
    "brackets the lowest and highest round. The reference is `ssh -L` with aes128-gcm, for the ProxyCommand `nc`."
)


def markdown(run, parts, results, images=None, heading="##"):
    """The whole run."""
    out = [_when(run), _where(run), HOW_TO_READ]
    for part in parts:
        out += body(part, results, images, heading)
    return "\n\n".join(out) + "\n"


def _sections(region):
    """part → its text, of what stands between the two marks of the page."""
    pieces = re.split(r"^<!-- part (\w+) -->$", region, flags=re.M)
    return {name: text.strip() for name, text in zip(pieces[1::2], pieces[2::2])}


def put_into_docs(path, sections):
    """Replaces those parts of the page; the others stay as they were taken."""
    page = path.read_text()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    known = _sections(page[begin:end]) | sections
    text = "\n\n".join(f"<!-- part {name} -->\n\n{known[name]}" for name in ("machine", *PARTS) if name in known)
    path.write_text(f"{page[:begin]}\n\n{text}\n\n{page[end:]}")


def publish(docs, run, parts, results, drawings):
    """Shows the parts in docs/benchmarks.md, with their plots."""
    folder = docs / "benchmarks"
    folder.mkdir(exist_ok=True)
    sections = {"machine": f"{_where(run)}\n\n{HOW_TO_READ}"}
    for part in parts:
        sections[part.name] = "\n\n".join([_when(run), *body(part, results, images="benchmarks", heading="###")])
    put_into_docs(docs / "benchmarks.md", sections)
    for file, svg in drawings.items():
        (folder / file).write_text(svg)
    page = (docs / "benchmarks.md").read_text()
    for svg in folder.glob("*.svg"):
        if f"benchmarks/{svg.name}" not in page:
            svg.unlink()
