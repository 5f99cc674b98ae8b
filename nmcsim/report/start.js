// When the page stands, hand the frames to the slider; then the body says that it is ready.
(function start(tries) {
  const slider = window.Bokeh && Bokeh.documents.length
    && Bokeh.documents[0].get_model_by_name("frame");
  if (!slider) {
    if (tries > 0) setTimeout(() => start(tries - 1), 100);
    return;
  }
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("old-browser").hidden = false;
    return;
  }
  const names = Object.keys(nmcsimPacked);
  Promise.all(names.map((name) => nmcsimFrames(nmcsimPacked[name]))).then((fills) => {
    window.nmcsimFill = Object.fromEntries(names.map((name, i) => [name, fills[i]]));
    slider.properties.value.change.emit();
    document.body.dataset.ready = "yes";
  });
})(600);
