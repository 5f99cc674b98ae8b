// The map: every case at its place in two parameters, coloured by an observable.
class MapPanel extends Panel {
  constructor() {
    super("map-figure", 430);
    this.choice = {x: caseNumber, y: caseNumber, colour: null};
  }
  // The cases on the map: those that no slice of a parameter off the axes takes out.
  shown() {
    const {x, y} = this.choice;
    const slices = [...state.brushes].filter(
      ([name, range]) => range.slice && name !== x.name && name !== y.name,
    );
    const found = [];
    for (let i = 0; i < count; i++) {
      const inside = ([name, range]) => columnOf(name).values[i] === range.low;
      if (slices.every(inside)) found.push(i);
    }
    return found;
  }
  layout(width, height) {
    const {x, y, colour} = this.choice;
    const bar = colour && colour !== y && colour.distinct.length;
    this.frame = [leftOf(y), 14, width - (bar ? 118 : 16), height - footOf(x)];
    this.cases = this.shown();
    this.spots = new Map();  // case -> where it is drawn
    const [left, top, right, bottom] = this.frame;
    this.tiled = this.isGrid(x, y);
    const scale = this.tiled ? tiledScale : Scale.of;
    this.x = scale(x, [left, right], 0.06);
    this.y = scale(y, [bottom, top], 0.06);
    const places = this.places();
    this.most = Math.max(1, ...[...places.values()].map((cases) => cases.length));
    this.together = this.ranks();
    for (const cases of places.values()) {
      if (this.tiled) this.divide(cases);
      else this.scatter(cases);
    }
    ruler.font = FONT;
    this.written = this.tiled && colour && [...this.spots].every(([i, s]) =>
      s.h > 18 && s.w > ruler.measureText(this.number(i)).width + 8);
  }
  // Whether two parameters make tiles: few values each, and most pairs of values taken.
  isGrid(x, y) {
    const listed = (c) => c.text || (c.parameter && c.distinct.length <= 60);
    if (!listed(x) || !listed(y) || x === y) return false;
    const pairs = new Set(this.cases.map((i) => `${x.values[i]} ${y.values[i]}`));
    return pairs.size >= 0.5 * x.distinct.length * y.distinct.length;
  }
  // Cases by the place that they share.
  places() {
    const {x, y} = this.choice, found = new Map();
    for (const i of this.cases) {
      const key = `${x.values[i]} ${y.values[i]}`;
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(i);
    }
    return found;
  }
  // Cases at one place stand in the order of their other parameters: the same in every tile.
  ranks() {
    const others = parameters.filter((p) => p !== this.choice.x && p !== this.choice.y);
    const key = (i) => others.map((p) => p.values[i]);
    const sorted = this.cases.map((i) => [i, key(i)]).sort(([i, a], [j, b]) => {
      const k = a.findIndex((v, n) => v !== b[n]);
      return k < 0 ? i - j : a[k] - b[k];
    });
    const rank = new Map();
    let place = -1, before = null;
    for (const [i, values] of sorted) {
      const text = values.join(" ");
      if (text !== before) place += 1;
      before = text;
      rank.set(i, place);
    }
    this.others = others;
    return {rank, places: place + 1};
  }
  divide(cases) {
    const {x, y} = this.choice, first = cases[0];
    const [x0, x1] = this.x.edges(x.values[first]);
    const [y1, y0] = this.y.edges(y.values[first]);
    // as many parts as other parameters have combinations, where a tile does not hold too few of them
    const aligned = this.together.places <= 2 * this.most;
    const parts = aligned ? this.together.places : this.most;
    const [wide, high] = division(parts, (x1 - x0) / (y1 - y0));
    const gap = parts > 1 ? Math.min(3, 0.08 * Math.min(x1 - x0, y1 - y0)) : 1;
    const w = (x1 - x0 - 2 * gap) / wide, h = (y1 - y0 - 2 * gap) / high;
    const rank = (i) => this.together.rank.get(i);
    [...cases].sort((i, j) => rank(i) - rank(j)).forEach((i, n) => {
      const k = aligned ? rank(i) : n;
      const rest = w > 4 && h > 4 ? 0.5 : 0;
      this.spots.set(i, {x: x0 + gap + (k % wide) * w + rest, w: w - 2 * rest, h: h - 2 * rest,
        y: y0 + gap + Math.floor(k / wide) * h + rest});
    });
  }
  scatter(cases) {
    const {x, y} = this.choice;
    const r = count <= 60 ? 7 : count <= 300 ? 5 : 3.5;
    // those without the number of the vertical axis stand at its foot; equal ones side by side
    const measured = [...parameters, caseNumber];
    const beside = measured.includes(x) && measured.includes(y) ? cases.length : 1;
    const wide = Math.ceil(Math.sqrt(beside)), high = Math.ceil(beside / wide);
    cases.forEach((i, k) => {
      if (!Number.isFinite(x.values[i])) return;
      const there = Number.isFinite(y.values[i]);
      const column = beside > 1 ? k % wide - 0.5 * (wide - 1) : 0;
      const row = beside > 1 ? Math.floor(k / wide) - 0.5 * (high - 1) : 0;
      const cx = this.x.at(x.values[i]) + 2 * r * column;
      const cy = there ? this.y.at(y.values[i]) + 2 * r * row : this.frame[3] - 8;
      this.spots.set(i, {x: cx - r, y: cy - r, w: 2 * r, h: 2 * r, foot: !there});
    });
  }
  // The observable in a tile, as fine as the whole map needs it: nothing is told below its hundredth.
  number(i) {
    const {colour} = this.choice, value = colour.values[i];
    const largest = Math.max(...colour.span.map(Math.abs));
    const decimals = 2 - Math.floor(Math.log10(largest || 1));
    return colour.log || decimals > 5 || decimals < 0 ? brief(value)
      : String(Number(value.toFixed(decimals))).replace("-", "−");
  }
  near(x, y) {
    let found = -1, best = this.tiled ? 1 : 144;
    for (const [i, s] of this.spots) {
      const dx = Math.max(s.x - x, 0, x - s.x - s.w), dy = Math.max(s.y - y, 0, y - s.y - s.h);
      const middle = this.tiled ? 0 : 1e-3 * Math.hypot(s.x + s.w / 2 - x, s.y + s.h / 2 - y);
      const off = dx * dx + dy * dy + middle;
      if (off < best && (state.passes[i] || !this.tiled)) [found, best] = [i, off];
    }
    return found;
  }
  paint(ctx) {
    axes(ctx, this.frame, this.x, this.y, !this.tiled);
    const {y, colour} = this.choice;
    this.joined(ctx);
    for (const [i, s] of this.spots) {
      ctx.globalAlpha = state.passes[i] ? 1 : 0.13;
      this.spot(ctx, i, s);
    }
    ctx.globalAlpha = 1;
    if (colour && colour !== y && colour.distinct.length) colourBar(ctx, colour, this.frame);
  }
  // Over an observable, cases that differ in the horizontal axis alone lie on one line.
  joined(ctx) {
    const {x, y} = this.choice;
    if (parameters.includes(y) || x.text || this.tiled || this.together.places >= count) return;
    const groups = new Map();
    for (const i of this.cases) {
      const rank = this.together.rank.get(i);
      if (!groups.has(rank)) groups.set(rank, []);
      if (state.passes[i] && Number.isFinite(y.values[i])) groups.get(rank).push(i);
    }
    ctx.strokeStyle = "#aeb8c4";
    ctx.lineWidth = 1.3;
    for (const cases of groups.values()) {
      ctx.beginPath();
      for (const i of cases.sort((a, b) => x.values[a] - x.values[b])) {
        ctx.lineTo(this.x.at(x.values[i]), this.y.at(y.values[i]));
      }
      ctx.stroke();
    }
  }
  spot(ctx, i, s) {
    const {y, colour} = this.choice, status = data.status[i];
    const value = colour ? colour.values[i] : NaN;
    const plain = colour === y || !colour;
    let fill = "#eef1f4";
    if (plain && status <= EARLY) fill = CATEGORIES[0];
    else if (Number.isFinite(value)) fill = shade(between(colour, value));
    else if (status === FAILED) fill = "#f7e6dc";
    if (s.foot && status <= EARLY) fill = "#eef1f4";
    const outline = () => {
      ctx.beginPath();
      if (this.tiled) ctx.rect(s.x, s.y, s.w, s.h);
      else ctx.arc(s.x + s.w / 2, s.y + s.h / 2, s.w / 2 - 0.5, 0, 7);
    };
    outline();
    ctx.fillStyle = status === OPEN ? "#fff" : fill;
    ctx.fill();
    const small = Math.min(s.w, s.h);
    if (status === OPEN) {
      ctx.setLineDash([2, 2]);
      ctx.strokeStyle = "#8d98a6";
      ctx.lineWidth = 1;
      ctx.stroke();
      ctx.setLineDash([]);
    } else if (!this.tiled) {
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 1;
      ctx.stroke();
    }
    if (status === FAILED) cross(ctx, s, Math.min(0.3 * small, 9));
    if (status === EARLY && small > 5) corner(ctx, s, Math.min(0.4 * small, 10));
    if (this.written && status !== FAILED && Number.isFinite(value)) {
      ctx.fillStyle = between(colour, value) > 0.55 ? "#111" : "#fff";
      ctx.font = FONT;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(this.number(i), s.x + s.w / 2, s.y + s.h / 2 + 0.5);
    }
  }
  mark(ctx) {
    for (const [i, width] of [[state.hovered, 2], [state.selected, 3]]) {
      const s = this.spots.get(i);
      if (!s) continue;
      for (const [colour, more] of [["#fff", 3], [INK, 0]]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = width + more;
        ctx.beginPath();
        if (this.tiled) ctx.rect(s.x, s.y, s.w, s.h);
        else ctx.arc(s.x + s.w / 2, s.y + s.h / 2, s.w / 2 + 2, 0, 7);
        ctx.stroke();
      }
    }
  }
  // What the parts of a tile stand for.
  division() {
    const free = this.others.filter(
      (p) => p.distinct.length > 1 && !state.brushes.get(p.name)?.slice,
    );
    const [one] = free;
    if (free.length !== 1 || one.distinct.length > FEW) return free.map((p) => p.label).join(", ");
    const values = one.distinct.map((v) => one.levels[v] ?? brief(v)).join(", ");
    return `${one.title}, in reading order: ${values}`;
  }
  // In a sentence what is seen, under the map and for those who do not see it.
  caption() {
    const {x, y, colour} = this.choice;
    const what = colour ? colour.title : "status";
    const said = [this.tiled ? `Colour: ${what}.` : colour === y ? "" : `Colour: ${what}.`];
    if (this.most > 1 && this.tiled) said.push(`A tile is divided by ${this.division() || "number"}.`);
    if (this.most > 1 && !this.tiled && parameters.includes(y)) {
      said.push("Cases at one place stand side by side.");
    }
    if ([...this.spots.values()].some((s) => s.foot)) said.push(`At the foot: no ${y.label}.`);
    return said.join(" ");
  }
}

// How a tile of that aspect is divided: little left over, parts not far from squares.
function division(parts, aspect) {
  let best = [1, parts], least = Infinity;
  for (let wide = 1; wide <= parts; wide++) {
    const high = Math.ceil(parts / wide);
    const off = Math.abs(Math.log(aspect * high / wide)) + 4 * (wide * high / parts - 1);
    if (off < least) [best, least] = [[wide, high], off];
  }
  return best;
}

function cross(ctx, s, r) {
  const [x, y] = [s.x + s.w / 2, s.y + s.h / 2], width = Math.max(1.3, r / 3.5);
  for (const [colour, more] of [["#fff", 1.6], [BAD, 0]]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width + more;
    segment(ctx, x - r, y - r, x + r, y + r);
    segment(ctx, x - r, y + r, x + r, y - r);
  }
}

// A turned-down corner: the run ended before its protocol did.
function corner(ctx, s, r) {
  ctx.beginPath();
  ctx.moveTo(s.x + s.w, s.y);
  ctx.lineTo(s.x + s.w - r, s.y);
  ctx.lineTo(s.x + s.w, s.y + r);
  ctx.closePath();
  ctx.fillStyle = "#fff";
  ctx.fill();
  ctx.strokeStyle = INK;
  ctx.lineWidth = 0.8;
  ctx.stroke();
}

// A scale on which every value owns the space half-way to its neighbours.
function tiledScale(column, pixels) {
  const f = column.log ? Math.log10 : Number;
  const u = column.text ? column.levels.map((_, k) => k) : column.distinct.map(f);
  const middle = u.slice(1).map((v, k) => 0.5 * (v + u[k]));
  const [first, last] = u.length > 1 ? [u[0] - middle[0], u.at(-1) - middle.at(-1)] : [-0.5, 0.5];
  const edges = [u[0] - Math.abs(first), ...middle, u.at(-1) + Math.abs(last)];
  const scale = new Scale(column, [edges[0], edges.at(-1)], pixels);
  const span = (pixels[1] - pixels[0]) / (edges.at(-1) - edges[0]);
  scale.edges = (value) => {
    const k = column.text ? value : column.distinct.indexOf(value);
    return [edges[k], edges[k + 1]].map((e) => pixels[0] + span * (e - edges[0]));
  };
  return scale;
}
