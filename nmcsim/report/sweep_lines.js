// Lines, one for each case: the family of curves, and parallel coordinates with brushes.
class LinePanel extends Panel {
  // Points of case i in pixels: [x0, y0, x1, y1, ...], NaN where the line is broken.
  points(i) { return this.lines[i]; }
  trace(ctx, i) {
    const p = this.points(i);
    let down = false;
    ctx.beginPath();
    for (let k = 0; k < p.length; k += 2) {
      const there = p[k] === p[k] && p[k + 1] === p[k + 1];
      if (there && down) ctx.lineTo(p[k], p[k + 1]);
      else if (there) ctx.moveTo(p[k], p[k + 1]);
      down = there;
    }
    ctx.stroke();
  }
  // All cases in grey, once for each arrangement: what the brushes leave out stays as a shadow.
  shadow(ratio) {
    if (this.ghost?.width === Math.round(this.width * ratio)) return this.ghost;
    this.ghost = document.createElement("canvas");
    const ctx = this.sized(this.ghost, ratio);
    ctx.strokeStyle = GHOST;
    ctx.lineWidth = 1;
    for (let i = 0; i < count; i++) this.trace(ctx, i);
    return this.ghost;
  }
  arrange() {
    this.ghost = null;
    super.arrange();
  }
  drawLines(ctx) {
    const [left, top, right, bottom] = this.clip;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, right - left, bottom - top);
    ctx.clip();
    if (state.passing < count) {
      const ratio = ctx.getTransform().a;
      ctx.drawImage(this.shadow(ratio), 0, 0, this.width, this.height);
    }
    ctx.lineJoin = "round";
    ctx.lineWidth = state.passing <= 60 ? 1.8 : state.passing <= 250 ? 1.2 : 0.8;
    for (let i = 0; i < count; i++) {
      if (!state.passes[i]) continue;
      this.style(ctx, i);
      this.trace(ctx, i);
    }
    ctx.setLineDash([]);
    ctx.restore();
  }
  style(ctx, i) {
    const value = lines.colour.values[i];
    ctx.strokeStyle = lines.colours.of(value);
    // dashes of hundreds of lines nobody sees, and they are slow
    const dash = state.passing <= 250 ? lines.colours.dash(value) : [];
    ctx.setLineDash(data.status[i] === FAILED ? DOTTED : dash);
  }
  mark(ctx) {
    for (const [i, width] of [[state.hovered, 2.5], [state.selected, 3.2]]) {
      if (i < 0) continue;
      ctx.lineJoin = "round";
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = width + 4;
      ctx.setLineDash([]);
      this.trace(ctx, i);
      this.style(ctx, i);
      if (i === state.selected) ctx.strokeStyle = INK;
      ctx.lineWidth = width;
      this.trace(ctx, i);
    }
    ctx.setLineDash([]);
  }
  near(x, y) {
    let found = -1, best = 64;
    for (let i = 0; i < count; i++) {
      if (!state.passes[i]) continue;
      const p = this.points(i);
      for (let k = 0; k + 3 < p.length; k += 2) {
        const off = offSegment(x, y, p[k], p[k + 1], p[k + 2], p[k + 3]);
        if (off < best) [found, best] = [i, off];
      }
    }
    return found;
  }
}

// What both panels colour their lines by.
const lines = {
  colour: caseNumber,
  colours: lineColours(caseNumber),
  by(column) {
    this.colour = column;
    this.colours = lineColours(column);
    for (const panel of panels) if (panel instanceof LinePanel) panel.stale();
  },
};

class CurvesPanel extends LinePanel {
  constructor() {
    super("curves-figure", 430);
    this.choice = {x: quantities[0], y: quantities[0]};
  }
  layout(width, height) {
    this.frame = this.clip = [66, 14, width - 118, height - 50];
    const [left, top, right, bottom] = this.frame;
    const {x, y} = this.choice;
    const [across, up] = this.together();
    this.x = Scale.of({...x, span: across}, [left, right], 0.02);
    this.y = Scale.of({...y, span: up}, [bottom, top], 0.04);
    this.lines = Array.from({length: count}, (_, i) => {
      const points = new Float32Array(2 * (begins[i + 1] - begins[i]));
      for (let k = begins[i], n = 0; k < begins[i + 1]; k++) {
        points[n++] = this.x.at(x.values[k]);
        points[n++] = this.y.at(y.values[k]);
      }
      return points;
    });
  }
  // The spans of both quantities where both have a value: a distance may exist in a part of a run.
  together() {
    const {x, y} = this.choice;
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let k = 0; k < x.values.length; k++) {
      const u = x.values[k], v = y.values[k];
      if (!Number.isFinite(u) || !Number.isFinite(v)) continue;
      [x0, x1, y0, y1] = [Math.min(x0, u), Math.max(x1, u), Math.min(y0, v), Math.max(y1, v)];
    }
    return x0 <= x1 ? [[x0, x1], [y0, y1]] : [[0, 1], [0, 1]];
  }
  paint(ctx) {
    axes(ctx, this.frame, this.x, this.y, true);
    this.drawLines(ctx);
    this.legend(ctx);
  }
  legend(ctx) {
    const {colour, colours} = lines, [, top, right] = this.frame;
    if (!colours.listed) return colourBar(ctx, colour, this.frame, 0.86);
    ctx.font = FONT;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.fillStyle = INK;
    lettered(ctx, wrapped(ctx, colour.title, 104, 2), right + 14, top + 8, 0);
    const room = Math.floor((this.frame[3] - top) / 20) - 2;
    colours.listed.slice(0, room).forEach((value, k) => {
      const y = top + 44 + 20 * k;
      ctx.strokeStyle = colours.of(value);
      ctx.lineWidth = 2.6;
      ctx.setLineDash(colours.dash(value));
      segment(ctx, right + 14, y, right + 36, y);
      ctx.fillStyle = SOFT;
      ctx.fillText(fitted(ctx, colour.levels[value] ?? brief(value), 74), right + 42, y);
    });
    ctx.setLineDash([]);
  }
}

class ParallelPanel extends LinePanel {
  constructor() {
    super("parallel-figure", 330);
    this.axes = [];
    this.drag = null;
    this.root.addEventListener("pointerdown", (e) => this.pressed(e));
    this.root.addEventListener("pointerup", (e) => this.released(e));
    this.root.addEventListener("pointercancel", () => { this.drag = null; });
    this.root.addEventListener("dblclick", (e) => {
      const axis = this.axisAt(this.place(e)[0]);
      if (axis && state.brushes.has(axis.column.name)) brush(axis.column.name, null);
      else clearBrushes();
    });
  }
  layout(width, height) {
    const shown = this.shown, [top, bottom] = [58, height - 18];
    const first = leftOf(shown[0]) + 9;
    this.apart = (width - first - 75) / Math.max(shown.length - 1, 1);
    this.axes = shown.map((column, k) => ({
      column, x: first + k * this.apart, scale: Scale.of(column, [bottom, top], 0),
    }));
    this.clip = [0, top - 4, width, bottom + 4];
    this.lines = Array.from({length: count}, (_, i) =>
      Float32Array.from(this.axes.flatMap(({column, x, scale}) => [x, scale.at(column.values[i])])));
  }
  style(ctx, i) {
    super.style(ctx, i);
    if (data.status[i] === FAILED) ctx.strokeStyle = BAD;
    if (data.status[i] === OPEN) ctx.strokeStyle = "#aeb8c4";
  }
  paint(ctx) {
    this.drawLines(ctx);
    for (const axis of this.axes) this.drawAxis(ctx, axis);
  }
  drawAxis(ctx, {column, x, scale}) {
    const p = Math.round(x) + 0.5;
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1.2;
    segment(ctx, p, scale.from, p, scale.to);
    ctx.font = FONT;
    ctx.textBaseline = "middle";
    for (const [v, text] of scale.ticks(34)) {
      const y = Math.round(scale.at(v)) + 0.5;
      segment(ctx, p - 4, y, p, y);
      ctx.textAlign = "right";
      const written = wrapped(ctx, text, Math.min(this.apart, x === this.axes[0].x ? x : 170) - 26, 3);
      const wide = Math.max(...written.map((line) => ctx.measureText(line).width));
      const high = 14 * written.length;
      ctx.fillStyle = "rgba(255, 255, 255, 0.82)";  // the numbers stand before the lines
      ctx.fillRect(p - 8 - wide, y - high / 2, wide + 2, high);
      ctx.fillStyle = INK;
      lettered(ctx, written, p - 7, y, 0.5);
    }
    ctx.textAlign = "center";
    ctx.fillStyle = INK;
    lettered(ctx, wrapped(ctx, column.title, Math.min(this.apart - 12, 148), 2), p, 34, 1);
    const range = state.brushes.get(column.name);
    if (!range) return;
    const [y0, y1] = this.extent(range, scale);
    ctx.fillStyle = "rgba(0, 114, 178, 0.20)";
    ctx.strokeStyle = CATEGORIES[0];
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.rect(p - 9, y0, 18, y1 - y0);
    ctx.fill();
    ctx.stroke();
  }
  extent(range, scale) {
    const low = Number.isFinite(range.low) ? scale.at(range.low) : scale.from;
    const high = Number.isFinite(range.high) ? scale.at(range.high) : scale.to;
    const [a, b] = [Math.max(high, scale.to), Math.min(low, scale.from)];
    return b - a < 8 ? [a - 4, b + 4] : [a, b];
  }
  axisAt(x) { return this.axes.find((axis) => Math.abs(axis.x - x) <= 16); }
  pressed(event) {
    const [x, y] = this.place(event);
    const axis = this.axisAt(x);
    if (!axis || event.button !== 0) return;
    this.drag = {axis, from: y, far: false};
    this.root.setPointerCapture(event.pointerId);
  }
  moved(x, y) {
    const {drag} = this;
    if (!drag) {
      super.moved(x, y);
      if (this.axisAt(x)) this.root.style.cursor = "ns-resize";
      return;
    }
    drag.far ||= Math.abs(y - drag.from) > 4;
    if (!drag.far) return;
    hover(-1);
    const {scale, column} = drag.axis;
    // beyond an end of the axis means its end, which back() would miss by a rounding
    const value = (p) => p <= scale.to ? Infinity : p >= scale.from ? -Infinity : scale.back(p);
    const ends = [value(drag.from), value(y)];
    brush(column.name, {low: Math.min(...ends), high: Math.max(...ends), slice: false});
  }
  released() {
    this.brushed = this.drag?.far;  // the click that follows is the end of a brush
    this.drag = null;
  }
  clicked(x, y) {
    if (!this.brushed) super.clicked(x, y);
    this.brushed = false;
  }
}
