// A picture is in the page once; its download link takes the picture's own source.
for (const link of document.querySelectorAll("a[data-of]")) {
  link.href = document.getElementById(link.dataset.of).src;
}
