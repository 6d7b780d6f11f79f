# SPDX-License-Identifier: Apache-2.0
"""A server process and its children: pinned to the server's core, its CPU time and memory told by /proc."""

import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from .machine import SERVER_CORE, TICK

START_LIMIT = 60  # seconds until it has to listen
SETTLE_LIMIT = 2  # seconds until the children of a connection that has ended have to be gone
SAMPLE_EVERY = 0.025


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def tree(pid):
    """`pid` and all that came of it."""
    found = [pid]
    for parent in found:
        found.extend(children(parent))
    return found


def cpu_seconds(pid, waited_for=True):
    """Of a process and, where that is wanted, of every child that it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11 : 15 if waited_for else 13])) * TICK


def status_kib(pid, name):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


class Server:
    """Started by __init__, ended by stop()."""

    def __init__(self, name, argv, directory, port=None, env=None):
        self.name = name
        self.port = port
        self.log = Path(directory) / f"{name}.log"
        self._quiet = None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in argv],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
            )
        if port is not None:
            self.wait_for(lambda: self._accepts())

    @property
    def pid(self):
        return self.process.pid

    def _accepts(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_for(self, ready):
        end = time.monotonic() + START_LIMIT
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.005)

    def settle(self):
        """Waits until what a connection brought to life is gone again, so that its CPU time is in its parent's."""
        if self._quiet is None:
            time.sleep(0.2)
            self._quiet = len(tree(self.pid))
        end = time.monotonic() + SETTLE_LIMIT
        while len(tree(self.pid)) > self._quiet and time.monotonic() < end:
            time.sleep(0.005)

    def cpu(self):
        return sum(cpu_seconds(pid) for pid in tree(self.pid))

    def memory(self, name="VmRSS"):
        return sum(status_kib(pid, name) for pid in tree(self.pid))

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Watch:
    """While it stands (`with`): the CPU time of a server's processes, and the largest sum of their high-water marks.

    sshd's sessions end without being waited for, so that nobody is told their CPU time: what each process was last seen
    with is added up beside what parents are told, and the larger sum counts."""

    def __init__(self, server):
        self.server = server
        self.kib = 0
        self.cpu = 0.0
        self._seen = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _look(self):
        kib = 0
        for pid in tree(self.server.pid):
            kib += status_kib(pid, "VmHWM")
            self._seen[pid] = max(self._seen.get(pid, 0.0), cpu_seconds(pid, waited_for=False))
        self.kib = max(self.kib, kib)

    def _run(self):
        while not self._done.wait(SAMPLE_EVERY):
            self._look()

    def __enter__(self):
        self.server.settle()
        for pid in tree(self.server.pid):
            try:
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # the mark starts again at what is resident now
            except OSError:
                pass
        self._look()
        self._before = sum(self._seen.values())
        self._told_before = self.server.cpu()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
        self._look()
        self.server.settle()
        self.cpu = max(sum(self._seen.values()) - self._before, self.server.cpu() - self._told_before)
