#!/usr/bin/env python3
"""Draws the panels of a Grafana dashboard as one SVG, with what a Prometheus scraped lately.

draw-dashboard.py DASHBOARD.json PROMETHEUS-URL SECONDS
"""
import json
import sys
import time
import urllib.parse
import urllib.request
from xml.sax.saxutils import escape

WIDTH, UNIT, GAP, STEPS = 1200, 26, 8, 90
COLOURS = ["#2f7ed8", "#d9534f", "#3c9d4e", "#e0912f", "#7b4fb5", "#1fa3a3", "#8a6d3b", "#c2478f"]
RATE_INTERVAL = "15s"


def ask(url, expression, begin, end):
    """Every series of an expression: its labels, and (seconds since begin, value) of each step."""
    expression = expression.replace("$node", ".*").replace("$__rate_interval", RATE_INTERVAL)
    query = urllib.parse.urlencode({"query": expression, "start": begin, "end": end, "step": max(1, (end - begin) / STEPS)})
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{query}", timeout=30) as answer:
        for series in json.load(answer)["data"]["result"]:
            points = [(at - begin, float(value)) for at, value in series["values"] if value != "NaN"]
            if points:
                yield series["metric"], points


def legend(pattern, labels):
    for name, value in labels.items():
        pattern = pattern.replace("{{%s}}" % name, value)
    return pattern


def format_value(value, unit):
    if unit == "bytes":
        return f"{value / 1048576:.1f} MiB"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    if unit == "percentunit":
        return f"{value * 100:.3g}%"
    return f"{value:.3g}" + ("/s" if unit == "ops" else "")


def text(x, y, words, size=11, colour="#444", anchor="start", weight="normal"):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def runs(points, longest):
    """Cut where nothing was measured for longer than that."""
    run = points[:1]
    for before, point in zip(points, points[1:]):
        if point[0] - before[0] > longest:
            yield run
            run = []
        run.append(point)
    yield run


def chart(panel, series, box, span):
    x, y, width, height = box
    unit = panel["fieldConfig"]["defaults"]["unit"]
    rows = min(len(series), 6)
    left, top, right, bottom = x + 62, y + 28, x + width - 12, y + height - 24 - 14 * rows
    most = max((value for _, points in series for _, value in points), default=0) * 1.1 or 1
    for part in range(5):
        level = bottom - (bottom - top) * part / 4
        yield f'<line x1="{left:.0f}" y1="{level:.0f}" x2="{right:.0f}" y2="{level:.0f}" stroke="#e4e4e4"/>'
        yield text(left - 5, level + 4, format_value(most * part / 4, unit), 9, anchor="end")
    for part in range(4):
        at = left + (right - left) * part / 3
        yield text(at, bottom + 13, f"{span * part / 3:.0f} s", 9, anchor="middle")
    for place, (_, points) in enumerate(series):
        for run in runs(points, 1.5 * max(1, span / STEPS)):
            path = " ".join(f"{left + (right - left) * at / span:.1f},{bottom - (bottom - top) * value / most:.1f}" for at, value in run)
            yield f'<polyline points="{path}" fill="none" stroke="{COLOURS[place % len(COLOURS)]}" stroke-width="1.5" stroke-linecap="round"/>'
    for place, (name, points) in enumerate(series[:rows]):
        level = bottom + 29 + 14 * place
        yield f'<rect x="{x + 12:.0f}" y="{level - 7:.0f}" width="10" height="4" fill="{COLOURS[place % len(COLOURS)]}"/>'
        more = f" (and {len(series) - rows} more)" if place == rows - 1 and len(series) > rows else ""
        yield text(x + 27, level, f"{name}{more}", 9)
        yield text(right, level, "max " + format_value(max(value for _, value in points), unit), 9, anchor="end")
    if not series:
        yield text((left + right) / 2, (top + bottom) / 2, "nothing", 11, "#999", "middle")


def stat(panel, series, box):
    x, y, width, height = box
    defaults = panel["fieldConfig"]["defaults"]
    words = {value: shown["text"] for mapping in defaults["mappings"] for value, shown in mapping["options"].items()}
    for place, (_, points) in enumerate(series):
        value = points[-1][1]
        colour = [step["color"] for step in defaults["thresholds"]["steps"] if step["value"] is None or value >= step["value"]][-1]
        level = y + 24 + place * 30
        yield f'<rect x="{x + 10:.0f}" y="{level + 6:.0f}" width="{width - 20:.0f}" height="{height - 40:.0f}" rx="3" fill="{"#3c9d4e" if colour == "green" else "#d9534f"}"/>'
        yield text(x + width / 2, level + height / 2 - 6, words.get(f"{value:g}", f"{value:g}"), 22, "#fff", "middle", "bold")


def draw(dashboard, url, seconds):
    end = time.time()
    begin = end - seconds
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"]) * UNIT + GAP
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">'
    yield f'<rect width="{WIDTH}" height="{height}" fill="#f4f5f5"/>'
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        x, y, width, tall = place["x"] * WIDTH / 24 + GAP / 2, place["y"] * UNIT + GAP / 2, place["w"] * WIDTH / 24 - GAP, place["h"] * UNIT - GAP
        if panel["type"] == "row":
            yield text(x + 4, y + 15, panel["title"], 14, "#222", weight="bold")
            continue
        series = [(legend(target["legendFormat"], labels), points) for target in panel["targets"] for labels, points in ask(url, target["expr"], begin, end)]
        yield f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{tall:.0f}" rx="3" fill="#fff" stroke="#ddd"/>'
        yield text(x + 10, y + 18, panel["title"], 12, "#222", weight="bold")
        yield from stat(panel, series, (x, y, width, tall)) if panel["type"] == "stat" else chart(panel, series, (x, y, width, tall), seconds)
    yield "</svg>"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print("\n".join(draw(json.load(file), sys.argv[2].rstrip("/"), int(sys.argv[3]))))
