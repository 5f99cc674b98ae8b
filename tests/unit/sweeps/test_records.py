"""Claims: one process wins, the dead are followed, nobody waits for a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nmcsim.results import WriteFailure
from nmcsim.sweeps import claims
from nmcsim.sweeps import records as module
from nmcsim.sweeps.claims import LAPSE, Attempt, Claims
from nmcsim.sweeps.host import Worker, here
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.records import Records, Superseded

HASHES = tuple(f"{n:016x}" for n in range(1, 41))
ELSEWHERE = Worker("far", "another machine", 7, 0.0, "x/1")


@pytest.fixture
def records(tmp_path: Path) -> Records:
    made = Records(tmp_path, "1")
    made.prepare()
    return made


@pytest.fixture
def dead() -> Worker:
    """A process of this machine that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return replace(here("y/1"), process=ended.pid)


def take(records: Records, worker: Worker, *hashes: str, retry: bool = False) -> Attempt | None:
    def wanted(hash: str, record: Record | None) -> bool:
        return record is None or (retry and record.failed)

    return records.take(hashes, worker, wanted, time.time)


def finish(records: Records, attempt: Attempt, status: str = "finished") -> None:
    records.finish(attempt, Record(attempt.hash, status, attempt=attempt.number, version="1"))


def silence(records: Records, attempt: Attempt, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(records.claims.folder / attempt.name, (then, then))


def test_cases_are_taken_in_order_and_once(records: Records):
    me = here("a/1")
    found = [take(records, me, *HASHES[:3]) for _ in range(4)]
    assert [a.hash if a else None for a in found] == [*HASHES[:3], None]


def test_what_is_finished_is_not_taken_again(records: Records):
    first = take(records, here("a/1"), HASHES[0])
    finish(records, first)
    assert take(records, here("a/1"), HASHES[0]) is None
    assert not records.running()


def test_a_case_has_one_winner_among_processes_that_start_together(records: Records):
    program = f"""
import sys, time
from pathlib import Path
from nmcsim.sweeps.host import here
from nmcsim.sweeps.records import Records
records, me = Records(Path({str(records.directory)!r}), "1"), here(sys.argv[1])
hashes = {HASHES!r}
sys.stdin.readline()
while (a := records.take(hashes, me, lambda h, r: r is None, time.time)) is not None:
    print(a.name, flush=True)
"""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, f"p/{n}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(3)
    ]  # fmt: skip
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    # each lives until all have taken what they could: a dead one's cases would be free
    lines = []
    while len(lines) < len(HASHES):
        for process in started:
            if process.poll() is None and (line := process.stdout.readline()):
                lines.append(line.strip())
            if process.poll() is not None:
                lines += process.stdout.read().split()
    for process in started:
        process.communicate()
    firsts = [line for line in lines if line.endswith(".1")]
    assert sorted(firsts) == sorted(f"{h}.1" for h in HASHES)
    assert len(set(lines)) == len(lines)


def test_who_follows_a_dead_process_is_the_second_attempt(records: Records, dead: Worker):
    assert take(records, dead, HASHES[0]).number == 1
    assert not records.running()
    assert take(records, here("a/1"), HASHES[0]).number == 2
    assert take(records, here("a/2"), HASHES[0]) is None


def test_a_number_used_again_is_not_the_process_that_died(records: Records):
    other = replace(here("a/1"), born=here("a/1").born - 100.0)
    assert take(records, other, HASHES[0]).number == 1
    assert take(records, here("b/1"), HASHES[0]).number == 2


def test_a_claim_of_another_machine_lapses_with_its_heartbeat(records: Records):
    first = take(records, ELSEWHERE, HASHES[0])
    silence(records, first, LAPSE - 5.0)
    assert take(records, here("a/1"), HASHES[0]) is None
    assert HASHES[0] in records.running()
    records.beat(first)
    assert records.silent(first) < 2.0
    silence(records, first, LAPSE + 1.0)
    assert take(records, here("a/1"), HASHES[0]).number == 2


def test_who_was_taken_for_dead_writes_nothing(records: Records):
    first = take(records, ELSEWHERE, HASHES[0])
    silence(records, first, LAPSE + 1.0)
    second = take(records, here("a/1"), HASHES[0])
    with pytest.raises(Superseded, match=HASHES[0]):
        finish(records, first)
    finish(records, second)
    assert records.record(HASHES[0]).attempt == 2


def test_a_released_case_is_free_at_once(records: Records):
    first = take(records, ELSEWHERE, HASHES[0])
    records.release(first)
    assert take(records, here("a/1"), HASHES[0]).number == 2


def test_a_worker_that_died_is_known_by_its_launch(records: Records, dead: Worker):
    first = take(records, dead, HASHES[0])
    assert records.held_by("y/1") == first
    assert records.held_by("y/2") is None
    assert records.died(first) == 1
    assert records.held_by("y/1") is None
    second = take(records, dead, HASHES[0])
    assert (second.number, records.died(second)) == (2, 2)
    records.mark(second, "killed", "its process was killed", time.time())
    assert records.record(HASHES[0]).kind == "killed"
    third = take(records, dead, HASHES[0], retry=True)
    assert (third.number, records.died(third)) == (3, 1), "counted anew since the record"


def test_what_has_ended_launches_without_a_word_comes_last(records: Records, dead: Worker):
    take(records, dead, HASHES[0])
    assert take(records, here("a/1"), *HASHES[:3]).hash == HASHES[1]
    assert take(records, here("a/1"), *HASHES[:3]).hash == HASHES[2]
    assert take(records, here("a/1"), *HASHES[:3]).hash == HASHES[0]


def test_a_failed_case_is_taken_again_only_where_that_is_wanted(records: Records):
    finish(records, take(records, here("a/1"), HASHES[0]), "failed")
    assert take(records, here("a/1"), HASHES[0]) is None
    again = take(records, here("a/1"), HASHES[0], retry=True)
    assert again.number == 2
    finish(records, again)
    assert records.record(HASHES[0]).status == "finished"


def test_a_record_of_another_version_does_not_count(records: Records):
    finish(records, take(records, here("a/1"), HASHES[0]))
    later = Records(records.directory, "2")
    assert later.records() == {}
    assert take(later, here("a/1"), HASHES[0]).number == 2


def test_a_record_that_is_replaced_is_read_again(records: Records):
    finish(records, take(records, here("a/1"), HASHES[0]), "failed")
    assert records.records()[HASHES[0]].failed
    finish(records, take(records, here("a/1"), HASHES[0], retry=True))
    assert not records.records()[HASHES[0]].failed


def test_half_a_record_and_foreign_files_are_no_records(records: Records):
    (records.folder / f"{HASHES[0]}.json").write_text('{"hash": ')
    (records.folder / "notes.txt").write_text("mine")
    (records.claims.folder / "notes.txt").write_text("mine")
    assert records.records() == {}
    assert take(records, here("a/1"), HASHES[0]).number == 1


def test_a_file_system_without_links_claims_all_the_same(
    records: Records, monkeypatch: pytest.MonkeyPatch
):
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(claims.os, "link", refuse)
    assert take(records, here("a/1"), HASHES[0]).number == 1
    assert take(records, here("a/2"), HASHES[0]) is None


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "claims").write_text("a file")
    with pytest.raises(WriteFailure, match=r"claims: could not be written"):
        Records(tmp_path, "1").prepare()


def test_nothing_is_left_beside_the_claims(records: Records, dead: Worker):
    take(records, dead, HASHES[0])
    first = take(records, ELSEWHERE, HASHES[1])
    records.silent(first)
    names = {path.name for path in records.claims.folder.iterdir()}
    assert names == {f"{HASHES[0]}.1", f"{HASHES[1]}.1"}


def test_a_claim_that_cannot_be_read_lapses(records: Records):
    """As a cut of the power, or a kill on a file system without links, may leave one."""
    first = take(records, ELSEWHERE, HASHES[0])
    (records.claims.folder / first.name).write_text('{"hash": ')
    later = Records(records.directory, "1")
    assert take(later, here("a/1"), HASHES[0]) is None
    assert later.running()[HASHES[0]].worker.host == "unknown", "else a pool would start workers"
    silence(records, first, LAPSE + 1.0)
    assert not later.running()
    assert take(later, here("a/1"), HASHES[0]).number == 2


def test_what_could_be_recorded_before_a_kill_stands(records: Records, dead: Worker):
    first = take(records, dead, HASHES[0])
    finish(records, first)
    records.mark(first, "time limit", "took longer than its limit", time.time())
    assert records.record(HASHES[0]).status == "finished"


def test_the_folders_are_listed_once_for_many_cases(
    records: Records, monkeypatch: pytest.MonkeyPatch
):
    """Else each case of a large sweep costs as much as there are cases."""
    listings = []
    listed = Claims.listed
    monkeypatch.setattr(Claims, "listed", lambda self: listings.append(0) or listed(self))
    other = Records(records.directory, "1")

    def one(records: Records) -> str | None:
        attempt = records.take(HASHES, here("a/1"), lambda h, r: r is None, time.time)
        if attempt is not None:
            finish(records, attempt)
        return attempt.hash if attempt else None

    taken = [one(who) for _ in range(20) for who in (records, other)]
    assert sorted(taken) == sorted(HASHES)
    assert len(listings) == 2
    assert one(records) is None and one(other) is None


def test_a_case_that_is_given_up_is_taken_when_the_others_are(records: Records):
    """Not seen in the list that a worker works through, but when that is done."""
    three, wanted = HASHES[:3], lambda h, r: r is None
    other = Records(records.directory, "1")
    first = other.take(three, ELSEWHERE, wanted, time.time)
    assert records.take(three, here("a/1"), wanted, time.time).hash == HASHES[1]
    other.release(first)
    assert records.take(three, here("a/1"), wanted, time.time).hash == HASHES[2]
    assert records.take(three, here("a/1"), wanted, time.time).name == f"{HASHES[0]}.2"


def test_what_a_worker_holds_is_found_among_many(records: Records):
    held = [take(records, here(f"a/{n}"), hash) for n, hash in enumerate(HASHES[:4])]
    finish(records, held[0])
    records.release(held[1])
    parent = Records(records.directory, "1")
    launches = [f"a/{n}" for n in range(5)]
    assert parent.held(launches) == {"a/2": held[2], "a/3": held[3]}
    assert [parent.has_taken(launch) for launch in launches] == [True] * 4 + [False]
    finish(records, held[2])
    assert parent.held(launches) == {"a/3": held[3]}


def test_who_may_only_look_sees_that_a_job_has_died(
    records: Records, monkeypatch: pytest.MonkeyPatch
):
    first = take(records, ELSEWHERE, HASHES[0])
    silence(records, first, LAPSE + 5.0)

    def refuse(self: Path) -> None:
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(Path, "touch", refuse)
    assert not Records(records.directory, "1").running()


def test_of_other_cases_no_record_is_read(records: Records, monkeypatch: pytest.MonkeyPatch):
    """A thousand ranks that resume a sweep would read each ten thousand files."""
    for hash in HASHES[:3]:
        finish(records, take(records, here("a/1"), hash))
    read = []
    whole = module._read
    monkeypatch.setattr(module, "_read", lambda path: read.append(path.stem) or whole(path))
    assert take(Records(records.directory, "1"), here("a/1"), *HASHES[2:5]).hash == HASHES[3]
    later = Records(records.directory, "1")
    assert take(later, here("a/1"), *HASHES[2:5]).hash == HASHES[4]
    assert set(later.running(HASHES[2:5])) == {HASHES[3], HASHES[4]}
    assert set(read) <= set(HASHES[2:5])
