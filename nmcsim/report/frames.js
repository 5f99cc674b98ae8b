// Runs once, when Bokeh has drawn the page: inflates the frames and keeps them on the map's source.
async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function nmcsimFrames(packed) {
  const mask = await inflate(packed.inside);
  const bytes = await inflate(packed.frames);
  const inside = [];
  for (let i = 0; i < mask.length; i++) if (mask[i]) inside.push(i);
  const half = bytes.length / 2;
  return function fill(image, frame) {
    // int16 arithmetic, as it was packed
    let value = 0, at = frame * inside.length;
    for (let p = 0; p < inside.length; p++, at++) {
      value = ((value + (bytes[at] | (bytes[half + at] << 8))) << 16) >> 16;
      image[inside[p]] = packed.low + packed.step * value;
    }
  };
}
