// Redraws the page of an electrode for the chosen frame, field, curve, axis and particle.
const k = Math.min(slider.value, time.length - 1);
const shown = fields[field.active];
const curve = curves[which.active];
const axis = axes[choice.active];
const picked = particles.selected.indices;

const fill = window.nmcsimFill && window.nmcsimFill[shown.name];
if (fill) {
  const image = source.data.image[0];
  image.fill(NaN);  // the fields live in different regions
  fill(image, shown.frame[k]);
  mapper.setv({low: shown.low[k], high: shown.high[k], palette: shown.palette});
  title.text = shown.title;
  source.change.emit();
}

if (page.curve !== which.active || page.axis !== choice.active) {
  page.curve = which.active;
  page.axis = choice.active;
  const x = history.data[axis.column];
  history.data = {...history.data, x};
  particles.data = {
    ...particles.data,
    xs: particles.data[curve.column].map(() => x),
    ys: particles.data[curve.column],
  };
  bottom.axis_label = axis.label;
  left.axis_label = curve.label;
}
for (const span of spans) span.location = axis.at[k];
dots.data = {...dots.data, x: dots.data.x.map(() => axis.at[k]), y: curve.at[k]};

const say = (id, text) => {
  const node = document.getElementById(id);
  if (node) node.textContent = text;
};
for (const [id, values] of Object.entries(cards)) say(id, values[k]);
if (picked.length > 1) {
  particles.selected.indices = picked.slice(0, 1);  // which calls this again
} else if (picked.length === 1) {
  const p = picked[0];
  for (const [id, texts] of Object.entries(told)) say(id, texts[p]);
  for (const [id, values] of Object.entries(now)) say(id, values[k][p]);
} else {
  for (const id of [...Object.keys(told), ...Object.keys(now)]) say(id, "–");
  say("picked_name", "click one");
}
