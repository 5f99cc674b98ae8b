// The cases and what is chosen among them: one state, which every panel draws.
const data = JSON.parse(document.getElementById("data").textContent);
const count = data.number.length;
const [FINISHED, EARLY, FAILED, OPEN] = [0, 1, 2, 3];
const INK = "#1b2430", SOFT = "#5b6675", GHOST = "#e3e7ec", BAD = "#b23b00";
// Okabe and Ito: told apart by colour-blind eyes
const CATEGORIES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
const DASHES = [[], [9, 3], [9, 3, 2, 3], [4, 3]];
const DOTTED = [1.5, 3];
const FEW = 8;  // so many values have a colour and a line of the legend each

function superscript(number) {
  return String(number).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");
}

// A number for people, as in the tables of the page.
function say(value, digits = 5) {
  if (!Number.isFinite(value)) return "–";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const text = value === 0 || (power >= -4 && power < Math.max(digits, 5))
    ? String(Number(value.toPrecision(digits)))
    : `${Number(mantissa)} × 10${superscript(power)}`;
  return text.replace("-", "−");
}

// The same on an axis: short.
function brief(value) {
  return say(value, 3).replace(/^1 × /, "").replace(" × ", "×");
}

class Column {
  constructor(of) {
    Object.assign(this, of);
    this.values = Float64Array.from(of.values, (v) => v ?? NaN);
    const there = this.values.filter(Number.isFinite);
    this.distinct = [...new Set(there)].sort((a, b) => a - b);
    this.span = there.length ? [this.distinct[0], this.distinct.at(-1)] : [0, 1];
  }
  get text() { return this.levels.length > 0; }
  get title() { return this.unit ? `${this.label} / ${this.unit}` : this.label; }
  // What a value of it is called, with its unit.
  say(value) {
    if (this.text) return this.levels[value] ?? "–";
    return Number.isFinite(value) && this.unit ? `${say(value)} ${this.unit}` : say(value);
  }
}

const columns = data.columns.map((of) => new Column(of));
const parameters = columns.filter((column) => column.parameter);
const observables = columns.filter((column) => !column.parameter);
const caseNumber = new Column({
  name: "case", label: "Case number", unit: "", parameter: false, levels: [], log: false,
  values: data.number,
});
const columnOf = (name) => columns.find((c) => c.name === name) ?? caseNumber;

// Curves: quantity.values[begins[i] .. begins[i + 1]] is what case i did.
const begins = data.curves.begins;
const quantities = data.curves.quantities.map(({data: packed, ...of}) => {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  return {...of, values: new Float32Array(bytes.buffer), levels: [], log: false, distinct: [],
    title: of.unit ? `${of.label} / ${of.unit}` : of.label};
});
const quantityOf = (name) => quantities.find((q) => q.name === name);

const state = {
  brushes: new Map(),  // name of a column -> {low, high, slice}
  passes: new Uint8Array(count).fill(1),
  passing: count,
  selected: -1,
  hovered: -1,
  listeners: {filter: [], pick: [], hover: []},
};

function tell(what) {
  for (const listener of state.listeners[what]) listener();
}

// Keep the cases between low and high; null takes the brush away. A slice is one value.
function brush(name, range) {
  if (range) state.brushes.set(name, range);
  else state.brushes.delete(name);
  filter();
}

function clearBrushes() {
  state.brushes.clear();
  filter();
}

function filter() {
  const brushes = [...state.brushes].map(([name, range]) => [columnOf(name).values, range]);
  state.passing = 0;
  for (let i = 0; i < count; i++) {
    // a case without the number does not lie between two numbers
    const inside = brushes.every(([values, r]) => values[i] >= r.low && values[i] <= r.high);
    state.passes[i] = inside ? 1 : 0;
    state.passing += state.passes[i];
  }
  tell("filter");
}

function pick(i) {
  state.selected = i;
  tell("pick");
}

function hover(i) {
  if (i === state.hovered) return;
  state.hovered = i;
  tell("hover");
}

// The next case that the brushes leave, forwards or backwards, from the picked one.
function step(by) {
  for (let k = 1; k <= count; k++) {
    const from = state.selected < 0 ? (by > 0 ? -1 : 0) : state.selected;
    const i = (((from + by * k) % count) + count) % count;
    if (state.passes[i]) return pick(i);
  }
}
