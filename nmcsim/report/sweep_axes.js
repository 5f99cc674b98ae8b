// What the panels share: colours, scales and their ticks, two canvases one above the other.
function shade(fraction) {
  const at = Math.max(0, Math.min(1, fraction)) * (data.palette.length - 1);
  return data.palette[Math.round(at)];
}

function between(column, value) {
  const f = column.log ? Math.log : Number;
  const [low, high] = column.span.map(f);
  return high - low > 1e-9 * Math.abs(high) ? (f(value) - low) / (high - low) : 0.5;
}

// Colours of lines: few values get one each, far apart, in grey too; the palette's pale end is left
// out. Many texts get colours that differ most, with dashes from the eighth on.
function lineColours(column) {
  const listed = column.text ? column.levels.map((_, k) => k) : column.distinct;
  const last = Math.max(listed.length - 1, 1), many = CATEGORIES.length;
  if (column.text && listed.length > FEW) {
    return {listed, of: (v) => CATEGORIES[v % many], dash: (v) => DASHES[Math.floor(v / many) % 4]};
  }
  const few = listed.length <= FEW;
  const place = (v) => 0.86 * (few ? listed.indexOf(v) / last : between(column, v));
  return {listed: few ? listed : null, of: (v) => Number.isFinite(v) ? shade(place(v)) : "#9aa4b1",
    dash: () => []};
}

// From values to pixels and back; texts stand at 0, 1, 2, ...
class Scale {
  constructor(column, ends, pixels) {
    this.column = column;
    this.log = column.log;
    [this.low, this.high] = ends;  // of the logarithm where it is logarithmic
    [this.from, this.to] = pixels;
  }
  static of(column, pixels, margin = 0.05) {
    const f = column.log ? Math.log10 : Number;
    let [low, high] = column.span.map(f);
    if (column.levels.length) [low, high] = [0, column.levels.length - 1];
    if (!(high - low > 1e-9 * Math.abs(high))) {  // equal but for rounding
      const half = 0.05 * Math.abs(low) || 0.5;
      [low, high] = [low - half, high + half];
    }
    const extra = margin * (high - low);
    return new Scale(column, [low - extra, high + extra], pixels);
  }
  at(value) {
    const v = this.log ? Math.log10(value) : value;
    return this.from + (this.to - this.from) * (v - this.low) / (this.high - this.low);
  }
  back(pixel) {
    const v = this.low + (this.high - this.low) * (pixel - this.from) / (this.to - this.from);
    return this.log ? 10 ** v : v;
  }
  // [value, text] in order, no closer together than `room` pixels.
  ticks(room) {
    const {column} = this;
    const inside = (v) => {
      const p = (this.at(v) - this.from) / (this.to - this.from);
      return p > -1e-6 && p < 1 + 1e-6;
    };
    let values;
    if (column.levels.length) values = column.levels.map((_, k) => k);
    else if (this.named()) values = column.distinct;
    else if (this.log) values = this.decades();
    else values = this.even(Math.abs(this.to - this.from) / room);
    const kept = [];
    for (const v of values.filter(inside)) {
      const before = kept.at(-1);
      if (before === undefined || Math.abs(this.at(v) - this.at(before)) >= 0.6 * room) kept.push(v);
    }
    const word = this.named() ? brief : (v) => say(v, 4).replace(/^1 × /, "").replace(" × ", "×");
    return kept.map((v) => [v, column.levels[v] ?? word(v)]);
  }
  // Whether the few values of a parameter are its ticks: those that three digits say in full.
  named() {
    const {parameter, distinct} = this.column;
    const exact = (v) => Math.abs(v - Number(v.toPrecision(3))) <= 1e-6 * Math.abs(v);
    return parameter && distinct.length <= FEW
      && distinct.every((v) => brief(v).length <= 5 && exact(v));
  }
  even(most) {
    const rough = (this.high - this.low) / Math.max(most, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 2.5, 5].find((s) => s * power >= rough) ?? 10);
    const first = Math.ceil(this.low / step - 1e-9);
    const many = Math.floor(this.high / step + 1e-9) - first + 1;
    return Array.from({length: Math.max(many, 0)}, (_, k) => Number(((first + k) * step).toPrecision(12)));
  }
  decades() {
    const wide = this.high - this.low > 2.5;
    const found = [];
    for (let p = Math.floor(this.low); p <= Math.ceil(this.high); p++) {
      for (const m of wide ? [1] : [1, 2, 5]) found.push(Number(`${m}e${p}`));
    }
    return found;
  }
}

const FONT = "12.5px system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

const ruler = document.createElement("canvas").getContext("2d");

// Room to the left of an axis: a title, and texts where it has some.
function leftOf(column) {
  ruler.font = FONT;
  return Math.min(170, Math.max(66, ...column.levels.map((text) => ruler.measureText(text).width + 32)));
}

function footOf(column) {
  return column.levels.length ? 78 : 50;
}

// Text that is cut to a width.
function fitted(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let short = text;
  while (short.length > 1 && ctx.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return `${short}…`;
}

// A text on so many lines of a width at most.
function wrapped(ctx, text, width, most) {
  const found = [];
  for (const word of text.split(" ")) {
    const longer = found.length ? `${found.at(-1)} ${word}` : word;
    if (found.length && (ctx.measureText(longer).width <= width || found.length === most)) {
      found[found.length - 1] = longer;
    } else found.push(word);
  }
  return found.map((line) => fitted(ctx, line, width));
}

// Lines of text about y: the first there (0), their middle (0.5) or the last (1).
function lettered(ctx, written, x, y, anchor) {
  written.forEach((line, k) => ctx.fillText(line, x, y + 14 * (k - anchor * (written.length - 1))));
}

function upright(ctx, text, x, y, length) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = "center";
  ctx.fillText(fitted(ctx, text, length), 0, 0);
  ctx.restore();
}

// Both axes of a frame [left, top, right, bottom], with a grid where lines are read off.
function axes(ctx, [left, top, right, bottom], x, y, grid) {
  ctx.font = FONT;
  ctx.lineWidth = 1;
  ctx.textBaseline = "middle";
  for (const [v, text] of y.ticks(36)) {
    const p = Math.round(y.at(v)) + 0.5;
    ctx.strokeStyle = grid ? "#eceff2" : SOFT;
    segment(ctx, grid ? left : left - 4, p, grid ? right : left, p);
    ctx.fillStyle = SOFT;
    ctx.textAlign = "right";
    lettered(ctx, wrapped(ctx, text, left - 30, 3), left - 7, p, 0.5);
  }
  const categories = x.column.levels.length;
  const room = categories ? (right - left) / categories - 8 : 120;
  const widest = Math.max(24, ...x.ticks(40).map(([, text]) => ctx.measureText(text).width));
  for (const [v, text] of x.ticks(categories ? 30 : Math.min(widest + 12, 130) / 0.6)) {
    const p = Math.round(x.at(v)) + 0.5;
    ctx.strokeStyle = grid ? "#eceff2" : SOFT;
    segment(ctx, p, grid ? top : bottom, p, grid ? bottom : bottom + 4);
    ctx.fillStyle = SOFT;
    ctx.textAlign = "center";
    lettered(ctx, wrapped(ctx, text, Math.max(room, 24), 3), p, bottom + 14, 0);
  }
  ctx.strokeStyle = SOFT;
  segment(ctx, left + 0.5, top, left + 0.5, bottom);
  segment(ctx, left, bottom + 0.5, right, bottom + 0.5);
  ctx.fillStyle = INK;
  ctx.textAlign = "center";
  ctx.fillText(fitted(ctx, x.column.title, right - left), (left + right) / 2, bottom + footOf(x.column) - 15);
  upright(ctx, y.column.title, 11, (top + bottom) / 2, bottom - top + 30);
}

function segment(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

// The bar of a colour scale, to the right of a frame; `reach` leaves out the palette's pale end.
function colourBar(ctx, column, [, top, right, bottom], reach = 1) {
  const x = right + 16, wide = 13;
  for (let p = top; p < bottom; p++) {
    ctx.fillStyle = shade(reach * (bottom - p) / (bottom - top));
    ctx.fillRect(x, p, wide, 1.5);
  }
  const scale = Scale.of(column, [bottom, top], 0);
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.strokeStyle = ctx.fillStyle = SOFT;
  for (const [v, text] of scale.ticks(36)) {
    const p = Math.round(scale.at(v)) + 0.5;
    segment(ctx, x + wide, p, x + wide + 4, p);
    ctx.fillText(text, x + wide + 7, p);
  }
  const widest = Math.max(0, ...scale.ticks(36).map(([, text]) => ctx.measureText(text).width));
  ctx.fillStyle = INK;
  upright(ctx, column.title, x + wide + 20 + widest, (top + bottom) / 2, bottom - top + 40);
}

// A figure: what rarely changes on the lower canvas, what is picked on the upper one.
class Panel {
  constructor(id, height) {
    this.root = document.getElementById(id);
    this.height = height;
    this.lower = document.createElement("canvas");
    this.upper = document.createElement("canvas");
    this.root.append(this.lower, this.upper);
    this.dirty = {lower: true, upper: true};
    this.root.addEventListener("pointermove", (e) => this.moved(...this.place(e)));
    this.root.addEventListener("pointerleave", () => hover(-1));
    this.root.addEventListener("click", (e) => this.clicked(...this.place(e)));
    this.root.addEventListener("keydown", (e) => {
      const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[e.key];
      if (by) step(by);
      if (e.key === "Escape") pick(-1);
      if (by || e.key === "Escape") e.preventDefault();
    });
    state.listeners.filter.push(() => this.stale());
    for (const what of ["pick", "hover"]) state.listeners[what].push(() => this.stale("upper"));
    new ResizeObserver(() => {
      if (this.root.clientWidth !== this.width) this.changed();
    }).observe(this.root);
  }
  place(event) {
    const box = this.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  moved(x, y) {
    hover(this.near(x, y));
    this.root.style.cursor = state.hovered < 0 ? "default" : "pointer";
  }
  clicked(x, y) { pick(this.near(x, y)); }
  // What lies where has to be found anew: another size, other axes.
  changed() {
    this.fresh = false;
    this.stale();
  }
  stale(layer) {
    this.dirty.upper = true;
    if (layer !== "upper") this.dirty.lower = true;
    schedule();
  }
  arrange() {
    this.width = this.root.clientWidth;
    this.root.style.height = `${this.height}px`;
    this.fresh = true;
    this.layout(this.width, this.height);
  }
  flush() {
    if (!this.fresh) this.arrange();
    if (this.dirty.lower) this.paint(this.sized(this.lower));
    if (this.dirty.upper) this.mark(this.sized(this.upper));
    this.dirty = {lower: false, upper: false};
  }
  // An empty canvas of the panel's size, in device pixels.
  sized(canvas, ratio = Math.max(window.devicePixelRatio || 1, state.printing ? 3 : 1)) {
    const [wide, high] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, this.width, this.height);
    return ctx;
  }
  png() {
    const canvas = document.createElement("canvas");
    const ctx = this.sized(canvas, 3);
    ctx.fillStyle = "#fff";
    ctx.fillRect(0, 0, this.width, this.height);
    this.paint(ctx);
    this.mark(ctx);
    return canvas.toDataURL("image/png");
  }
}

const panels = [];
let scheduled = false;

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(flush);
}

function flush() {
  scheduled = false;
  for (const panel of panels) panel.flush();
}

// Squared distance of (x, y) from the segment between two points.
function offSegment(x, y, x0, y0, x1, y1) {
  const dx = x1 - x0, dy = y1 - y0;
  const length = dx * dx + dy * dy;
  const t = length > 0 ? Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length)) : 0;
  return (x - x0 - t * dx) ** 2 + (y - y0 - t * dy) ** 2;
}
