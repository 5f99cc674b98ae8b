"""Battery Parameter eXchange files to materials.

`read_bpx` reads a file with the ``bpx`` package and maps its positive electrode and electrolyte to
what a case says in ``[material]`` and ``[electrolyte]``; what it returns writes these tables, two
cases to start from, and a report of everything in the file.
"""

from __future__ import annotations

from nmcsim.bpx.mapping import Imported, read_bpx
from nmcsim.bpx.report import report
from nmcsim.bpx.writing import write

__all__ = ["Imported", "read_bpx", "report", "write"]
