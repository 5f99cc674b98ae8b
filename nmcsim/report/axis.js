// Draws the curves over another quantity.
const axis = axes[choice.active];
curves.data = {...curves.data, x: curves.data[axis.column]};
bottom.axis_label = axis.label;
for (const span of spans) span.location = axis.at[Math.min(slider.value, axis.at.length - 1)];
