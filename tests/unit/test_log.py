"""Messages: nothing unless asked for, lines for people, JSON lines on disk."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import numpy as np

from nmcsim import log


def test_lines_are_shown_as_they_are_and_only_while_asked_for():
    stream = io.StringIO()
    with log.to_stream(stream):
        log.logger.info("step %d", 1)
        log.logger.debug("too much")
    log.logger.info("later")
    assert stream.getvalue() == "step 1\n"


def test_json_lines_hold_the_numbers_beside_the_line(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    data = {"t": np.float64(1.5), "V": float("nan"), "n": np.int64(3), "where": Path("a")}
    with log.to_json_lines(path):
        log.logger.info("step", extra={"data": data})
        log.logger.warning("slow")
    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["t"], first["V"], first["n"], first["where"]) == (1.5, None, 3, "a")
    assert (first["level"], second["level"]) == ("info", "warning")
    assert first["time"].endswith("+00:00")


def test_a_replaced_root_logger_does_not_hear_us():
    # a failed JIT compilation puts handlers on the root logger
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        with log.to_stream(io.StringIO()):
            log.logger.info("ours")
    finally:
        logging.getLogger().removeHandler(handler)
    assert stream.getvalue() == ""
