"""The jobs of ``nmcsim measure``: read, reduce, write ``measured.toml`` and a diagnostic page."""
