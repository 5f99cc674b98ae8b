"""A Slurm of one machine, for as long as a test needs it.

Debian's ``slurmctld slurmd slurm-client munge`` as root: three daemons that listen on the loopback
address only and keep all their files in one folder. They are ended by their pid files.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.mpirun import clean_environment

PACKAGES = "slurmctld slurmd slurm-client munge"
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "munged", "mungekey")
DAEMONS = ("slurmd", "slurmctld", "munged")
"""In the order in which they are ended."""
CPUS = 2
SETTINGS = """
ClusterName=nmcsim
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
KillWait={kill_wait}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there can be no Slurm here, in a sentence; empty if there can."""
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        said = f"there is no {absent[0]} on this machine"
        return f"{said}; on Debian: apt-get install --no-install-recommends {PACKAGES}"
    if os.geteuid() != 0:
        return "slurmd starts jobs for other users, and so only as root: run this test as root"
    host = socket.gethostname()
    with suppress(OSError):
        if socket.gethostbyname(host).startswith("127."):
            return ""
    said = f'"{host}", the name of this machine, does not mean a loopback address, and Slurm would'
    return f"{said} listen to the network; write the line 127.0.0.1 {host} into /etc/hosts"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Slurm:
    """Slurm, its settings and its files in one folder; a context that starts and ends it.

    Parameters
    ----------
    folder : Path
        Empty; munged wants a path that nobody else may write to.
    kill_wait : int
        Between SIGTERM and SIGKILL at a time limit [s]; Slurm's default.
    """

    def __init__(self, folder: Path, kill_wait: int = 30) -> None:
        self.folder, self._kill_wait = folder, kill_wait

    def __enter__(self) -> Slurm:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    @property
    def environment(self) -> dict[str, str]:
        """Of a user who has just logged in."""
        own = {
            k: v for k, v in clean_environment().items() if not k.startswith(("SLURM", "SBATCH"))
        }
        return own | {"SLURM_CONF": str(self.folder / "slurm.conf")}

    # -- daemons ----------------------------------------------------------------------------

    def _start(self) -> None:
        folder, host = self.folder, socket.gethostname().partition(".")[0]
        folder.chmod(0o755)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "slurm.conf").write_text(
            SETTINGS.format(
                folder=folder, host=host, ports=_free_ports(2), cpus=CPUS,
                kill_wait=self._kill_wait,
            )
        )  # fmt: skip
        key = folder / "munge.key"
        self._call("mungekey", "--create", f"--keyfile={key}")
        files = [
            f"--{kind}={folder / name}"
            for kind, name in (
                ("socket", "munge.socket"), ("key-file", "munge.key"), ("pid-file", "munged.pid"),
                ("log-file", "munged.log"), ("seed-file", "munge.seed"),
            )
        ]  # fmt: skip
        self._call("munged", "--force", "--num-threads=2", *files)
        self._call("slurmctld")
        self._call("slurmd")
        self.until(lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"), 60.0)

    def _call(self, name: str, *words: str) -> None:
        program = _program(name)
        assert program is not None
        done = subprocess.run(
            [program, *words], env=self.environment, cwd=self.folder, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{name} ends with {done.returncode}: {done.stderr}"

    def _end(self) -> None:
        """Jobs first: the daemons would leave them running."""
        with suppress(AssertionError, OSError, subprocess.SubprocessError):
            if self.queue():
                self.ask("scancel", "--signal=KILL", "--full", "--user=root")
                self.ask("scancel", "--user=root")
                self.until(lambda: not self.queue(), 60.0)
        for name in DAEMONS:
            with suppress(OSError, ValueError, psutil.NoSuchProcess):
                daemon = psutil.Process(int((self.folder / f"{name}.pid").read_text()))
                if daemon.name() == name:
                    daemon.terminate()
                    if not _ends(daemon, 20.0):
                        daemon.kill()

    # -- jobs -------------------------------------------------------------------------------

    def ask(self, *words: str) -> str:
        """What one of Slurm's commands prints."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    def submit(self, script: Path, *options: str, words: Sequence[str] = ()) -> str:
        """Submit a job, with words of its own, from the folder of its script; its number."""
        done = subprocess.run(
            ["sbatch", "--parsable", *options, script.name, *words], env=self.environment,
            cwd=script.parent, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def queue(self, job: str = "") -> list[str]:
        """The states of what is in the queue: of a job and the tasks of its array, or of all."""
        of = [f"--jobs={job}"] if job else []
        with suppress(AssertionError):  # a job that ended some minutes ago is not known any more
            listed = self.ask("squeue", "--noheader", "--array", "--format=%T", *of)
            return listed.split()
        return []

    def state(self, job: str) -> str:
        """How a job ended, or is: COMPLETED, TIMEOUT, CANCELLED, FAILED, RUNNING."""
        shown = self.ask("scontrol", "--oneliner", "show", "job", job)
        return shown.partition("JobState=")[2].split()[0]

    def finish(self, job: str, seconds: float = 240.0) -> None:
        """Wait for the end of a job."""
        self.until(lambda: not self.queue(job), seconds)

    def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for something.

        Raises
        ------
        TimeoutError
            With the last lines of the daemons' logs.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds:g} s\n{self._logs()}")
            time.sleep(0.2)

    def _logs(self) -> str:
        found = []
        for path in sorted(self.folder.glob("*.log")):
            found += [path.name, *path.read_text(errors="replace").splitlines()[-10:]]
        return "\n".join(found)


def _ends(process: psutil.Process, seconds: float) -> bool:
    """Whether a process ends in time; one that nobody has waited for yet has ended, too."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
