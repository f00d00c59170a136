"""Curves over one axis as an SVG text; nothing but what a browser has."""

COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#555555")
WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 76, 150, 40, 48


def nice_ceiling(value):
    scale = 1.0
    while scale * 10 <= value:
        scale *= 10
    while scale > value:
        scale /= 10
    return next(step * scale for step in (1, 2, 2.5, 5, 10) if step * scale >= value)


def short(value):
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def escape(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;")


def lines(title, x_title, y_title, x_labels, curves):
    """`curves`: name -> one value a label, None where nothing was measured."""
    values = [v for curve in curves.values() for v in curve if v is not None]
    top = nice_ceiling(max(values)) if values and max(values) > 0 else 1
    inner_w, inner_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x_at(index):
        return LEFT + inner_w * (index + 0.5) / max(1, len(x_labels))

    def y_at(value):
        return TOP + inner_h * (1 - value / top)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>']
    for part in range(5):
        value = top * part / 4
        out.append(f'<path d="M{LEFT} {y_at(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 6}" y="{y_at(value) + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for index, label in enumerate(x_labels):
        out.append(f'<text x="{x_at(index):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                   f'{escape(label)}</text>')
    out.append(f'<text x="{LEFT + inner_w / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_title)}</text>')
    out.append(f'<text transform="translate(16 {TOP + inner_h / 2}) rotate(-90)" text-anchor="middle">'
               f'{escape(y_title)}</text>')
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(x_at(i), y_at(v)) for i, v in enumerate(curve) if v is not None]
        if points:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        y = TOP + 14 + 18 * number
        out.append(f'<path d="M{WIDTH - RIGHT + 10} {y - 4}h16" stroke="{colour}" stroke-width="3"/>'
                   f'<text x="{WIDTH - RIGHT + 32}" y="{y}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>", ""])
