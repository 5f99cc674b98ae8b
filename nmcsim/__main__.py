"""``python -m nmcsim`` is the command ``nmcsim``."""

from __future__ import annotations

import sys

from nmcsim.cli import main

sys.exit(main())
