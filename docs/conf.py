"""Sphinx settings; `make docs` builds strictly: a warning or a dead reference is an error."""

from __future__ import annotations

import tomllib
from pathlib import Path

project = "nmcsim"
author = "The nmcsim authors"
project_copyright = "the nmcsim authors; LGPL-3.0-or-later"
pyproject = Path(__file__).parents[1] / "pyproject.toml"
release = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["version"]
version = release

extensions = ["myst_parser", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_generated"]

html_theme = "furo"
html_title = f"nmcsim {release}"
html_show_sphinx = False
