// Plays the frames once; pressed again it stops where it is.
if (play.active) {
  if (slider.value >= slider.end) slider.value = slider.start;
  play.label = "Pause";
  window.nmcsimTimer = setInterval(() => {
    if (slider.value >= slider.end) play.active = false;
    else slider.value = slider.value + 1;
  }, 120);
} else {
  clearInterval(window.nmcsimTimer);
  play.label = "Play";
}
