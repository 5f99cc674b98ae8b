// What the slider does: swaps the map's pixels, moves the cursors, fills the cards.
const k = Math.min(slider.value, time.length - 1);
if (window.nmcsimFill) {
  window.nmcsimFill.theta(source.data.image[0], k);
  source.change.emit();
}
const axis = axes[choice.active];
for (const span of spans) span.location = axis.at[k];
for (const [id, values] of Object.entries(cards)) {
  const node = document.getElementById(id);
  if (node) node.textContent = values[k];
}
