#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tests/bench/run has measured, as tables and as a picture. report.py: makes them again from results.json."""
import json
import os
import statistics
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "../..")
README, SPEED = os.path.join(TOP, "README.md"), os.path.join(TOP, "docs/speed.md")
END = "<!-- end -->\n"
PICTURE = "![Time of each tool for the same work, as multiples of ours](%stests/bench/%s)\n\n"
# What the README has of it: the work that people wait for most, and the programs that they would use instead.
SHORT_ROWS = [("source", "first"), ("source", "again"), ("source", "restored"), ("source", "check"), ("large", "first"), ("large", "restored"), ("history", "prune")]
SHORT_TOOLS = ["restic", "borg-lz4", "tar-zstd"]
SAY = {"first": "first snapshot", "again": "nothing changed", "edited": "100 files edited", "inserted": "1 MiB inserted in the middle",
       "restore": "restore to a tmpfs", "restored": "restore to the disk", "copied": "`cp -a` out of a mount", "check": "check of everything",
       "list": "list of 1,000 snapshots", "prune": "prune, 20 snapshots to 5"}
SETS = {"source": "small files", "large": "large files", "tiny": "tiny files", "history": "", "list": ""}
TOOLS = ["restic", "borg-lz4", "borg-zstd", "tar-zstd", "squashfs", "squashfuse", "find", "cp"]
STORED = TOOLS[:5]
COLOURS = {"ours": "#1b6ca8", "restic": "#d1495b", "borg-lz4": "#edae49", "borg-zstd": "#b98b2f", "tar-zstd": "#66a182", "squashfs": "#5b7fa6", "squashfuse": "#8fa9c4", "find": "#8d96a3", "cp": "#8d96a3"}


def groups(results):
    """(data, work) → tool → its runs, in the order of the run."""
    found = {}
    for run in results:
        found.setdefault((run["data"], run["work"]), {}).setdefault(run["tool"], []).append(run)
    return found


def middle(runs, what):
    return statistics.median(run[what] for run in runs)


def ratio(tools, tool, what="wall"):
    """Of a tool to us, within rounds; None without either."""
    if tool not in tools or "ours" not in tools:
        return None
    return statistics.median(b[what] / max(a[what], 1e-3) for a, b in zip(tools["ours"], tools[tool]))


def details(results):
    lines = []
    for (data, work), tools in groups(results).items():
        lines += ["", f"{data}, {work}", "", "| tool | wall s (min–max) | CPU s | peak MiB | stored MB | calls a file | wall to ours |", "|---|---|---|---|---|---|---|"]
        for tool, runs in tools.items():
            walls, to = [run["wall"] for run in runs], ratio(tools, tool)
            lines.append("| %s | %.2f (%.2f–%.2f) | %.2f | %.0f | %.2f | %s | %s |" % (
                tool, middle(runs, "wall"), min(walls), max(walls), middle(runs, "cpu"), max(run["peak"] for run in runs) / 2**20,
                middle(runs, "stored") / 1e6, "%.1f" % runs[0]["calls"] if "calls" in runs[0] else "", "%.2f" % to if to else "–"))
    return "\n".join(lines) + "\n"


def main_rows(found):
    return [(data, work, tools) for (data, work), tools in found.items() if data in SETS and "ours" in tools]


def times(found):
    lines = ["| | ours | peak | " + " | ".join(TOOLS) + " |", "|---|---|---|" + "---|" * len(TOOLS)]
    for data, work, tools in main_rows(found):
        mine = tools["ours"]
        walls = [run["wall"] for run in mine]
        cells = ["%.1f ×" % ratio(tools, tool) if ratio(tools, tool) else "–" for tool in TOOLS]
        lines.append("| %s | %.2f s (%.2f–%.2f) | %.0f MiB | %s |" % (
            ", ".join(filter(None, [SAY[work], SETS[data]])), middle(mine, "wall"), min(walls), max(walls), max(run["peak"] for run in mine) / 2**20, " | ".join(cells)))
    return lines


def sizes(found):
    lines = ["| stored | ours | " + " | ".join(STORED) + " |", "|---|---|" + "---|" * len(STORED)]
    for data, work, tools in main_rows(found):
        if work not in ("first", "edited", "inserted"):
            continue
        cells = ["%.2f ×" % ratio(tools, t, "stored") if ratio(tools, t, "stored") and t in tools else "–" for t in STORED]
        lines.append("| %s, %s | %.1f MB | %s |" % (SAY[work], SETS[data], middle(tools["ours"], "stored") / 1e6, " | ".join(cells)))
    return lines


def growth(found):
    lines = ["| files | first snapshot | nothing changed | peak | `find` |", "|---|---|---|---|---|"]
    for (data, work), tools in found.items():
        if data.startswith("files-") and work == "again" and "ours" in tools:
            first = found.get((data, "first"), {}).get("ours")
            to = ratio(tools, "find")
            lines.append("| %s | %s | %.2f s | %.0f MiB | %s |" % (
                f"{int(data[6:]):,}", "%.2f s" % middle(first, "wall") if first else "–", middle(tools["ours"], "wall"),
                max(run["peak"] for run in tools["ours"] + (first or [])) / 2**20, "%.2f ×" % to if to else "–"))
    return lines


def calls(found):
    works = {work: tools for (data, work), tools in found.items() if data == "calls"}
    names = [t for t in ["ours", *TOOLS] if any(t in tools for tools in works.values())]
    lines = ["| system calls for each file | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    return lines + ["| %s | %s |" % (SAY[work], " | ".join("%.1f" % tools[t][0]["calls"] if t in tools else "–" for t in names)) for work, tools in works.items()]


def short(results):
    return [run for run in results if (run["data"], run["work"]) in SHORT_ROWS and run["tool"] in ["ours", *SHORT_TOOLS]]


def short_table(results):
    """For the README: main rows, without what is in doubt within them."""
    lines = ["| | ours | " + " | ".join(SHORT_TOOLS) + " |", "|---|---|" + "---|" * len(SHORT_TOOLS)]
    for data, work, tools in main_rows(groups(short(results))):
        cells = ["%.1f ×" % ratio(tools, tool) if ratio(tools, tool) else "–" for tool in SHORT_TOOLS]
        lines.append("| %s | %.2f s | %s |" % (", ".join(filter(None, [SAY[work], SETS[data]])), middle(tools["ours"], "wall"), " | ".join(cells)))
    return "\n".join(lines) + "\n"


def summary(results):
    """All of it: our seconds, and how many times as long the others took in the same rounds."""
    found = groups(results)
    tables = [table for table in (times(found), sizes(found), growth(found), calls(found)) if len(table) > 2]
    return "\n\n".join("\n".join(table) for table in tables) + "\n"


def bar(x, y, width, colour, text):
    return '<rect x="%d" y="%d" width="%.1f" height="11" fill="%s"/><text x="%.1f" y="%d" class="v">%s</text>' % (x, y, width, colour, x + width + 5, y + 10, escape(text))


def picture(results):
    """Wall time of each tool, ours being 1; longer than ten times ours is cut off."""
    left, unit, y, body = 260, 42, 44, []
    for data, work, tools in main_rows(groups(results)):
        body.append('<text x="10" y="%d">%s</text>' % (y + 10, escape(", ".join(filter(None, [SAY[work].replace("`", ""), SETS[data]])))))
        for tool in ["ours", *TOOLS]:
            to = ratio(tools, tool)
            if to:
                body.append(bar(left, y, unit * min(to, 10), COLOURS[tool], "%s %s" % (tool, "%.2f s" % middle(tools["ours"], "wall") if tool == "ours" else "%.1f ×" % to)))
                y += 13
        y += 9
    style = "text{font:12px sans-serif;fill:#222}.v{font-size:10px;fill:#555}"
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="820" height="%d"><style>%s</style><rect width="100%%" height="100%%" fill="#fff"/>'
            '<text x="10" y="22">Time of each tool for the same work, as multiples of ours (left to right: longer)</text>\n%s\n</svg>\n') % (y, style, "\n".join(body))


def into_page(page, mark, section):
    """Replaces what stands between that mark and the next end."""
    with open(page) as file:
        text = file.read()
    begin = text.index("<!-- %s -->\n" % mark)
    begin = text.index("\n", begin) + 1
    with open(page, "w") as file:
        file.write(text[:begin] + section + text[text.index(END, begin):])


def keep(results):
    """Those of other data stay: each ratio is one of the same run."""
    path, fresh = os.path.join(HERE, "results.json"), {run["data"] for run in results}
    if os.path.exists(path):
        with open(path) as file:
            results = [run for run in json.load(file) if run["data"] not in fresh] + results
    order = list(dict.fromkeys([*SETS, "calls", *(run["data"] for run in results)]))
    results.sort(key=lambda run: order.index(run["data"]))
    with open(path, "w") as file:
        json.dump([{k: round(v, 4) if isinstance(v, float) else v for k, v in run.items()} for run in results], file, indent=0)
        file.write("\n")
    publish(results)


def publish(results):
    for name, shown in (("results.svg", results), ("results-short.svg", short(results))):
        with open(os.path.join(HERE, name), "w") as file:
            file.write(picture(shown))
    into_page(SPEED, "bench", PICTURE % ("../", "results.svg") + summary(results))
    into_page(README, "bench-short", PICTURE % ("", "results-short.svg") + short_table(results))


if __name__ == "__main__":
    with open(os.path.join(HERE, "results.json")) as results_file:
        publish(json.load(results_file))
