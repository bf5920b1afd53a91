#!/usr/bin/env python3
"""Draws what sluice-bench has measured: docs/performance/*.svg, and the tables of docs/performance.md. Plots and tables
of what FIGURES.json does not have stay as they are.

Usage: bench/plot.py FIGURES.json     (from ./dev bench [--sfu] --json FIGURES.json)
Needs nothing but Python.
"""

import json
import math
import pathlib
import re
import sys
from html import escape

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"

COLOURS = {"Sluice": "#1b6ca8", "Sluice, DTLS 1.2": "#1b6ca8", "Sluice, DTLS 1.3": "#5aa9dd", "libssl": "#c8553d",
           "libssl, our timers": "#e39a87", "GnuTLS": "#e0a458", "floor": "#9a9a9a", "raw EVP": "#9a9a9a",
           "Janus": "#c8553d", "Pion": "#e0a458"}
PEERS = {"ours": "Sluice", "libssl": "libssl", "gnutls": "GnuTLS", "floor": "floor", "evp": "raw EVP",
         "libsrtp": "raw libsrtp", "libnice": "libnice", "libssl_rtt": "libssl, our timers",
         "send": "sendmmsg", "protect": "libsrtp", "protect_and_send": "libsrtp and sendmmsg",
         "protect_and_send_joined": "the same, joined",
         "pion_srtp": "pion/srtp", "janus": "Janus", "pion": "Pion",
         "ordinary": "ordinary ClientHello", "small": "20,000 sessions"}

# In pixels.
WIDTH, LABELS, FIGURES = 820, 210, 70
BAR, GAP, HEAD = 13, 9, 46


def text_of(value):
    """Three digits that mean something."""
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{decimals}f}"


class Chart:
    """Horizontal bars in groups. `groups` is [(label, {series: value})]."""

    def __init__(self, title, unit, groups, logarithmic=False):
        self.title, self.unit, self.groups, self.logarithmic = title, unit, groups, logarithmic
        values = [value for _, bars in groups for value in bars.values() if value > 0]
        self.most, self.least = max(values), min(values)
        self.series = list(dict.fromkeys(name for _, bars in groups for name in bars))

    def length(self, value):
        room = WIDTH - LABELS - FIGURES
        if not self.logarithmic:
            return room * value / self.most
        start = self.least / 2
        return room * max(0.0, math.log(value / start) / math.log(self.most / start))

    def legend(self):
        at = LABELS
        for name in self.series:
            yield f'<rect x="{at}" y="28" width="11" height="11" fill="{COLOURS[name]}"/>'
            yield f'<text x="{at + 16}" y="38">{escape(name)}</text>'
            at += 40 + 7 * len(name)

    def bars(self):
        y = HEAD
        for label, bars in self.groups:
            middle = y + BAR * len(bars) / 2 + 4
            yield f'<text x="{LABELS - 8}" y="{middle:.0f}" text-anchor="end">{escape(label)}</text>'
            for name, value in bars.items():
                length = self.length(value)
                yield f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[name]}"/>'
                yield f'<text x="{LABELS + length + 5:.1f}" y="{y + BAR - 3}" class="figure">{text_of(value)}</text>'
                y += BAR
            y += GAP

    def svg(self):
        height = HEAD + sum(BAR * len(bars) + GAP for _, bars in self.groups) + 4
        scale = ", logarithmic" if self.logarithmic else ""
        lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                 f'viewBox="0 0 {WIDTH} {height}">',
                 "<style>text{font:12px sans-serif;fill:#222}.title{font-weight:bold}.figure{font-size:11px}</style>",
                 f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
                 f'<text x="8" y="18" class="title">{escape(self.title)} ({escape(self.unit)}{scale})</text>',
                 *self.legend(), *self.bars(), "</svg>"]
        return "\n".join(lines) + "\n"


def bars_of(measure, peers):
    """Ours and those peers of a measure that it has."""
    bars = {"Sluice": measure["ours"]}
    bars.update({PEERS[peer]: measure["peers"][peer] for peer in peers if peer in measure["peers"]})
    return bars


def handshakes(measures):
    groups = [(name.removeprefix("handshake/"), bars_of(measure, ["libssl", "gnutls", "floor"]))
              for name, measure in measures.items() if name.startswith("handshake/")]
    return Chart("CPU time of a handshake, a side", "us", groups)


def records(measures):
    groups = [(re.sub(r"record/(\w+)/(\w+)/1200/", r"\1 \2 ", name), bars_of(measure, ["libssl", "gnutls", "evp"]))
              for name, measure in measures.items() if re.match(r"record/\w+/\w+/1200/", name)]
    return Chart("A record of 1200 bytes", "ns", groups)


def memory(measures):
    groups = [(name.removeprefix("memory/"), bars_of(measure, ["libssl", "gnutls"]))
              for name, measure in measures.items() if name.startswith("memory/")]
    return Chart("Heap of a session on a server", "bytes", groups, logarithmic=True)


def set_up_times(measures):
    groups = []
    for rtt in (50, 100, 300):
        for loss in (0, 5, 10, 25):
            name = f"set_up/{rtt}ms/{loss}%/p95/"
            if name + "1.2" not in measures:
                continue
            groups.append((f"RTT {rtt} ms, loss {loss} %", {
                "Sluice, DTLS 1.2": measures[name + "1.2"]["ours"],
                "Sluice, DTLS 1.3": measures[name + "1.3"]["ours"],
                "libssl": measures[name + "1.2"]["peers"]["libssl"],
                "libssl, our timers": measures[name + "1.2"]["peers"]["libssl_rtt"]}))
    return Chart("Set-up time of a call, 95th percentile", "ms", groups, logarithmic=True)


def media_servers(measures):
    groups = [(name.removeprefix("sfu/cpu/") + " viewers", bars_of(measure, ["janus", "pion"]))
              for name, measure in measures.items() if name.startswith("sfu/cpu/")]
    return Chart("CPU time of a media server", "% of a core", groups)


# By file, with the measures that they need.
CHARTS = {"handshakes": ("handshake/", handshakes), "records": ("record/", records), "memory": ("memory/", memory),
          "set_up_time": ("set_up/", set_up_times), "media_servers": ("sfu/cpu/", media_servers)}


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(measures, prefix):
    """One subject's measures as a table of Markdown: figures, and in brackets ours as a part of the peer's."""
    chosen = [m for name, m in measures.items() if re.match(prefix, name)]
    peers = [peer for peer in PEERS if any(peer in m["peers"] for m in chosen)]
    has_goals = any(m["goal"] for m in chosen)
    lines = [row(["measure", "unit", "Sluice", *(PEERS[peer] for peer in peers), *(["goal", "met"] if has_goals else [])])]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    for m in chosen:
        cells = [f"`{m['name']}`", m["unit"], text_of(m["ours"])]
        cells += [f"{text_of(m['peers'][peer])} ({text_of(m['ratios'][peer])})" if peer in m["peers"] else ""
                  for peer in peers]
        if has_goals:
            cells += [m["goal"] or "", {True: "yes", False: "**no**", None: ""}[m["met"]]]
        lines.append(row(cells))
    return "\n".join(lines)


def has_any(measures, prefix):
    return any(re.match(prefix, name) for name in measures)


def fill_tables(text, measures):
    """Writes each table between its marks, <!-- table: EXPRESSION --> and <!-- end -->, if it was measured."""
    def fill(match):
        if not has_any(measures, match[2]):
            return match[0]
        return f"{match[1]}\n{table(measures, match[2])}\n<!-- end -->"
    return re.sub(r"(<!-- table: (\S+) -->)\n.*?<!-- end -->", fill, text, flags=re.DOTALL)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    with open(sys.argv[1], encoding="utf-8") as file:
        measures = {measure["name"]: measure for measure in json.load(file)["measures"]}
    folder = DOCS / "performance"
    folder.mkdir(exist_ok=True)
    for name, (prefix, draw) in CHARTS.items():
        if has_any(measures, prefix):
            (folder / f"{name}.svg").write_text(draw(measures).svg(), encoding="utf-8")
    page = DOCS / "performance.md"
    page.write_text(fill_tables(page.read_text(encoding="utf-8"), measures), encoding="utf-8")


if __name__ == "__main__":
    main()
