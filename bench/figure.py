# SPDX-License-Identifier: MIT
"""Figures: SVG, written by hand, since three kinds of them need no library.

In:     a title and numbers.
Out:    the text of an SVG file.
Always: small, and the same numbers give the same text; black on white, whatever page it stands on.
"""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 700, 56, 290
COLOURS = ["#1f5fa8", "#c2571a", "#3a8a3f", "#7a4fa3"]


def text(x, y, words, anchor="middle", size=12, colour="#222"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}"'
            f' fill="{colour}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour="#ccc", width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
            f' stroke-width="{width}"/>')


def path(points, colour):
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="2"/>'


def whole(title, parts):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            f' width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">')
    return "\n".join([head, f"<title>{escape(title)}</title>",
                      f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
                      text(LEFT, 26, title, "start", 16), *parts, "</svg>"]) + "\n"


def across(part):
    return LEFT + part * (RIGHT - LEFT)


def up(part):
    return BOTTOM - part * (BOTTOM - TOP)


def scale_left(most, what, unit=""):
    """Horizontal lines from 0 to most, in five steps."""
    parts = [text(LEFT, 46, what, "start", 12, "#555")]
    for i in range(6):
        y = up(i / 5)
        parts += [line(LEFT, y, RIGHT, y), text(LEFT - 6, y + 4, f"{most * i / 5:g}{unit}", "end")]
    return parts


def legend(names):
    return [text(across(0.02 + 0.33 * (i % 3)), BOTTOM + 38 + 18 * (i // 3), f"\u25a0 {name}",
                 "start", 12, COLOURS[i]) for i, name in enumerate(names)]


def bars(title, what, groups):
    """Groups of bars, each (had, wanted), from 0 to 0.6; a line across each is what was wanted."""
    most, step = 0.6, (RIGHT - LEFT) / len(groups)
    parts = scale_left(100 * most, what, " %")
    for g, (name, pairs) in enumerate(groups):
        width = step * 0.8 / len(pairs)
        for i, (had, wanted) in enumerate(pairs):
            x, y = LEFT + g * step + step * 0.1 + i * width, up(had / most)
            parts += [f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 3:.1f}"'
                      f' height="{BOTTOM - y:.1f}" fill="{COLOURS[i]}"/>',
                      line(x - 2, up(wanted / most), x + width - 1, up(wanted / most), "#000", 2),
                      text(x + width / 2, y - 6, f"{100 * had:.1f}", size=10)]
        parts.append(text(LEFT + (g + 0.5) * step, BOTTOM + 18, name, size=10))
    return whole(title, parts)


def decades(least, most):
    return range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)


def steps(samples, place):
    """The share of the samples that are at most so much, as points of a curve; at most 100."""
    last = len(samples) - 1
    parts = sorted({round(i * last / 100) for i in range(101)})
    return [(place(max(samples[i], 1)), up((i + 1) / len(samples))) for i in parts]


def distribution(title, what, series):
    """For each (name, sorted samples): how many of them are at most so much, on a scale of powers."""
    powers = decades(min(max(s[0], 1) for _, s in series), max(s[-1] for _, s in series))
    span = powers[-1] - powers[0] or 1

    def place(value):
        return across((math.log10(value) - powers[0]) / span)

    parts = scale_left(100, f"% of samples that are at most so late; {what}")
    for power in powers:
        parts += [line(place(10 ** power), TOP, place(10 ** power), BOTTOM),
                  text(place(10 ** power), BOTTOM + 18, f"{10 ** power:,}")]
    for i, (_, samples) in enumerate(series):
        start = (place(max(samples[0], 1)), up(0))
        parts.append(path([start] + steps(samples, place), COLOURS[i]))
    return whole(title, parts + legend([name for name, _ in series]))


def lines(title, below, what, series):
    """For each (name, points): a line through them; both scales begin at 0."""
    most_x = max(x for _, points in series for x, _ in points)
    most_y = max(1, math.ceil(max(y for _, points in series for _, y in points) / 5) * 5)
    parts = scale_left(most_y, what)
    for x in sorted({x for _, points in series for x, _ in points}):
        parts.append(text(across(x / most_x), BOTTOM + 18, str(x)))
    parts.append(text(RIGHT, BOTTOM + 38, below, "end", 12, "#555"))
    for i, (_, points) in enumerate(series):
        places = [(across(x / most_x), up(max(y, 0) / most_y)) for x, y in [(0, 0), *points]]
        parts.append(path(places, COLOURS[i]))
        for (x, y), (_, value) in zip(places[1:], points):
            parts.append(text(x, y - 8, f"{value:.2g}", size=11, colour=COLOURS[i]))
    return whole(title, parts + legend([name for name, _ in series]))
