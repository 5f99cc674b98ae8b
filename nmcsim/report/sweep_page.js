// Selectors, the panel of the picked case, downloads; then the page says that it is ready.
const node = (id) => document.getElementById(id);

function element(tag, text, more = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  return Object.assign(made, more);
}

function fill(select, groups, chosen) {
  select.replaceChildren();
  for (const [title, options] of groups.filter(([, some]) => some.length)) {
    const group = title ? select.appendChild(element("optgroup", undefined, {label: title})) : select;
    for (const [value, text] of options) group.append(element("option", text, {value}));
  }
  select.value = chosen;
}

const named = (some) => some.map((c) => [c.name, c.label]);
const all = [["Parameters", named(parameters)], ["Observables", named(observables)],
  ["", [["case", caseNumber.label]]]];

const map = new MapPanel();
const parallel = new ParallelPanel();
panels.push(map, parallel);
let curves = null;

function startMap() {
  const varied = parameters.filter((p) => p.distinct.length > 1);
  // what a seed does is scatter about the others
  const meant = varied.filter((p) => !/seed$/.test(p.name));
  const colour = data.first ? columnOf(data.first) : null;
  const x = meant[0] ?? varied[0] ?? parameters[0] ?? caseNumber;
  const y = meant[1] ?? colour ?? varied.find((p) => p !== x) ?? caseNumber;
  map.choice = {x, y, colour};
  fill(node("map-x"), all, x.name);
  fill(node("map-y"), all, y.name);
  const told = [["Observables", named(observables)], ["", [["", "status"]]]];
  fill(node("map-colour"), told, colour?.name ?? "");
  for (const axis of ["x", "y"]) {
    node(`map-${axis}`).addEventListener("change", (e) => {
      map.choice[axis] = columnOf(e.target.value);
      map.changed();
      slices();
    });
  }
  node("map-colour").addEventListener("change", (e) => {
    map.choice.colour = e.target.value ? columnOf(e.target.value) : null;
    map.changed();
    describe();
  });
  let sliced = "";
  state.listeners.filter.push(() => {
    const now = [...state.brushes].filter(([, r]) => r.slice).map(([n, r]) => `${n} ${r.low}`).join();
    if (now !== sliced) map.changed();
    sliced = now;
    slices();
  });
  slices();
}

// A selector for each parameter that is on no axis: one of its values, or all of them.
function slices() {
  const others = parameters.filter((p) => p !== map.choice.x && p !== map.choice.y
    && p.distinct.length > 1 && p.distinct.length <= 40);
  const names = others.map((p) => p.name).join();
  const box = node("slices");
  if (box.dataset.names !== names) {
    box.dataset.names = names;
    box.replaceChildren(...others.map((column) => {
      const label = element("label", column.unit ? `${column.label} / ${column.unit} ` : `${column.label} `);
      const select = label.appendChild(element("select"));
      select.dataset.name = column.name;
      const values = column.distinct.map((v) => [String(v), column.text ? column.say(v) : say(v)]);
      fill(select, [["", [["all", "all"], ...values]]], "all");
      select.addEventListener("change", () => {
        const v = Number(select.value);
        brush(column.name, select.value === "all" ? null : {low: v, high: v, slice: true});
      });
      return label;
    }));
  }
  for (const select of box.querySelectorAll("select")) {
    const range = state.brushes.get(select.dataset.name);
    select.value = range?.slice ? String(range.low) : "all";
  }
  describe();
}

function describe() {
  if (!map.fresh) map.arrange();
  node("map-caption").textContent = map.caption();
}

function startLines() {
  const colour = parameters.find((p) => p.distinct.length > 1) ?? parameters[0] ?? caseNumber;
  lines.by(colour);
  fill(node("line-colour"), all, colour.name);
  node("line-colour").addEventListener("change", (e) => lines.by(columnOf(e.target.value)));
  if (!quantities.length) {
    node("curves").classList.add("empty");
    return;
  }
  curves = new CurvesPanel();
  panels.push(curves);
  const first = (...names) => names.map(quantityOf).find(Boolean) ?? quantities[0];
  curves.choice = {x: first("capacity", "charge", "time"), y: first("voltage")};
  for (const axis of ["x", "y"]) {
    const select = node(`curves-${axis}`);
    fill(select, [["", named(quantities)]], curves.choice[axis].name);
    select.addEventListener("change", () => {
      curves.choice[axis] = quantityOf(select.value);
      curves.changed();
    });
  }
}

function startParallel() {
  const chosen = new Set(data.axes);
  const arrange = () => {
    parallel.shown = [...parameters, ...observables.filter((o) => chosen.has(o.name))];
    if (!parallel.shown.length) parallel.shown = [caseNumber];
    parallel.changed();
  };
  node("parallel-axes").append(...observables.map((column) => {
    const label = element("label");
    const box = label.appendChild(element("input", undefined, {type: "checkbox", value: column.name}));
    box.checked = chosen.has(column.name);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(column.name);
      else {
        chosen.delete(column.name);
        brush(column.name, null);  // what nobody sees filters nothing
      }
      arrange();
    });
    label.append(` ${column.label}`);
    return label;
  }));
  arrange();
}

// -- how many, and which one ------------------------------------------------------------------

function counted() {
  const text = state.passing === count ? `all ${count} case${count === 1 ? "" : "s"}`
    : `${state.passing} of ${count} cases`;
  node("passing").textContent = text;
  node("clear").disabled = state.brushes.size === 0;
  node("filters").textContent = [...state.brushes].map(([name, {low, high, slice}]) => {
    const column = columnOf(name);
    if (slice) return `${column.label} = ${column.say(low)}`;
    if (column.text) {
      const inside = column.levels.filter((_, k) => k >= low && k <= high);
      return `${column.label}: ${inside.join(", ") || "none"}`;
    }
    const [a, b] = [Math.max(low, column.span[0]), Math.min(high, column.span[1])];
    return `${column.label} ${say(a, 3)} … ${say(b, 3)}${column.unit && ` ${column.unit}`}`;
  }).join(" · ");
}

const note = (text) => element("p", text, {className: "note"});

function pairs(some, i) {
  const list = element("dl");
  for (const column of some) {
    list.append(element("dt", column.label, {title: column.name}));
    list.append(element("dd", column.say(column.values[i])));
  }
  return list;
}

function picked() {
  const i = state.selected, box = node("picked");
  node("case").value = i < 0 ? "" : data.number[i];
  for (const row of document.querySelectorAll("tr[data-case]")) {
    row.classList.toggle("picked", Number(row.dataset.case) === i);
  }
  if (i < 0) {
    box.replaceChildren(note("Click a point, a curve or a row to see its case."));
    return;
  }
  const status = data.statuses[data.status[i]];
  const badge = element("span", data.kind[i] ? `${status}: ${data.kind[i]}` : status,
    {className: `badge ${["", "early", "warn", "open"][data.status[i]]}`});
  const parts = [element("p"), link(i), element("h3", "Parameters"), pairs(parameters, i)];
  parts[0].append(badge);
  if (data.cause[i]) parts.splice(1, 0, element("p", data.cause[i], {className: "cause"}));
  if (!state.passes[i]) parts.splice(1, 0, note("The brushes leave this case out."));
  const there = observables.filter((o) => Number.isFinite(o.values[i]));
  if (there.length) parts.push(element("h3", "Observables"), pairs(there, i));
  const run = [`hash ${data.hash[i]}`];
  if (data.attempt[i]) run.unshift(`attempt ${data.attempt[i]}${data.host[i] && ` on ${data.host[i]}`}`);
  parts.push(note(run.join(" · ")));
  box.replaceChildren(...parts);
}

// As one word of a shell.
function quoted(path) {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}

// The case's own report; or the command that makes it from what was kept.
function link(i) {
  const place = element("p", undefined, {id: "own-report"});
  const directory = `${data.results}${data.hash[i]}`;
  const command = {2: `nmcsim report ${quoted(directory)}`,
    1: `nmcsim run ${quoted(`${directory}/case.toml`)} --out results/${data.hash[i]}`}[data.kept[i]];
  if (data.kept[i] === 3) {
    place.append(element("a", "Open the report of this case",
      {href: `${data.folder}${data.hash[i]}/report.html`, target: "_blank", rel: "noopener"}));
  } else if (command) {
    const why = data.keep === "summary" ? 'Its history was not kept (keep = "summary")' : "It has no history";
    place.append(data.kept[i] === 2 ? "Its own report is made by "
      : `${why}; solved again it has a report: `, element("code", command));
  } else if (data.status[i] !== OPEN) {
    place.append(element("span", "No files of this case are there.", {className: "note"}));
  }
  return place;
}

function tip(event) {
  const box = node("tip"), i = state.hovered;
  box.hidden = i < 0;
  if (i < 0) return;
  const {colour} = map.choice;
  const said = [...parameters, ...(colour && Number.isFinite(colour.values[i]) ? [colour] : [])];
  const status = data.status[i] === FINISHED ? "" : ` · ${data.statuses[data.status[i]]}`;
  box.replaceChildren(element("b", `Case ${data.number[i]}${status}`),
    ...said.map((column) => element("div", `${column.label} ${column.say(column.values[i])}`)));
  const wide = box.offsetWidth, high = box.offsetHeight;
  box.style.left = `${Math.min(event.clientX + 14, window.innerWidth - wide - 8)}px`;
  box.style.top = `${Math.min(event.clientY + 14, window.innerHeight - high - 8)}px`;
}

// -- downloads --------------------------------------------------------------------------------

function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  return /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const head = (of) => (of.unit ? `${of.name} [${of.unit}]` : of.name);
const kept = () => Array.from({length: count}, (_, i) => i).filter((i) => state.passes[i]);

function casesCsv() {
  const first = ["case", ...columns.map(head), "status", "kind", "cause", "hash"];
  const rows = kept().map((i) => [
    data.number[i], ...columns.map((c) => (c.text ? c.levels[c.values[i]] : c.values[i])),
    data.statuses[data.status[i]], data.kind[i] ?? "", data.cause[i] ?? "", data.hash[i],
  ]);
  return [first, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}

function curvesCsv() {
  const rows = [["case", ...quantities.map(head)]];
  for (const i of kept()) {
    for (let k = begins[i]; k < begins[i + 1]; k++) {
      rows.push([data.number[i], ...quantities.map((q) => Number(q.values[k].toPrecision(7)))]);
    }
  }
  return rows.map((row) => row.map(cell).join(",")).join("\r\n");
}

function offer(id, name, make) {
  node(id).addEventListener("click", (event) => {
    event.target.download = name;
    event.target.href = make();
  });
}

const csv = (make) => () => URL.createObjectURL(new Blob(["\ufeff", make(), "\r\n"], {type: "text/csv"}));

// -- start ------------------------------------------------------------------------------------

startLines();
startParallel();
startMap();
state.listeners.filter.push(counted, picked);
state.listeners.pick.push(picked);
counted();
picked();

node("clear").addEventListener("click", clearBrushes);
node("before").addEventListener("click", () => step(-1));
node("after").addEventListener("click", () => step(1));
node("case").max = Math.max(...data.number);
node("case").addEventListener("change", (e) => pick(data.number.indexOf(Number(e.target.value))));
document.addEventListener("pointermove", tip);
for (const row of document.querySelectorAll("tr[data-case]")) {
  row.addEventListener("click", () => pick(Number(row.dataset.case)));
}
offer("cases-csv", "cases.csv", csv(casesCsv));
offer("curves-csv", "curves.csv", csv(curvesCsv));
offer("map-png", "map.png", () => map.png());
offer("parallel-png", "parallel.png", () => parallel.png());
if (curves) offer("curves-png", "curves.png", () => curves.png());

// on paper three times as fine
for (const [when, printing] of [["beforeprint", true], ["afterprint", false]]) {
  window.addEventListener(when, () => {
    state.printing = printing;
    for (const panel of panels) panel.changed();
    flush();
  });
}
// for the console, and for tests
window.nmcsimSweep = {state, columns, quantities, map, curves, parallel, lines, brush, clearBrushes,
  pick, flush, casesCsv, curvesCsv};
flush();
document.body.dataset.ready = "yes";
