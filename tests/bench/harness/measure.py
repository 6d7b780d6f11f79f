# SPDX-License-Identifier: Apache-2.0
"""One run of a client against a server, and rounds in which contenders take turns."""

import subprocess
import sys
import time
from dataclasses import dataclass, field, replace

from . import machine
from .machine import CLIENT_CORE, SERVER_CORE
from .server import Watch

MOST_DISCARDED = 3  # times the rounds that are wanted


class Disturbed(Exception):
    """Something else used the cores all the time."""


@dataclass
class Sample:
    seconds: float
    client_cpu: float = 0.0
    server_cpu: float = 0.0
    client_kib: int = 0
    server_kib: int = 0
    foreign: float = 0.0  # CPU seconds of others on our cores
    span: float = 0.0  # in which they were counted
    figures: dict = field(default_factory=dict)

    @property
    def cpu(self):
        return self.client_cpu + self.server_cpu

    @property
    def disturbed(self):
        return machine.is_disturbed(self.foreign, self.span)

    def then(self, other):
        """Both, one after the other."""
        return Sample(
            self.seconds + other.seconds,
            self.client_cpu + other.client_cpu,
            self.server_cpu + other.server_cpu,
            max(self.client_kib, other.client_kib),
            max(self.server_kib, other.server_kib),
            self.foreign + other.foreign,
            self.span + other.span,
            {**self.figures, **other.figures},
        )


@dataclass
class Contender:
    name: str
    run: object  # -> Sample
    warm: bool = True


@dataclass
class Comparison:
    """A line of the table: SAT's figure beside a peer's, and what it has to be."""

    job: int
    what: str
    sat: str  # a contender
    peer: str  # a contender; empty: the target is absolute
    unit: str
    figure: object  # Sample -> float
    must: object = None  # a number; None: nothing is asked of it
    aim: object = None
    more_is_better: bool = True
    peer_figure: object = None  # where it is another one than SAT's
    # What a ratio is held to: of "ratio" to the peer, or the "value" itself.
    must_of: str = "ratio"
    aim_of: str = "ratio"
    # `sat` is no program of SAT's but the bound: the verdict says whether the target is within reach at all.
    bound: bool = False


class Meter:
    """Runs clients by bench-timed, which costs nothing that would be measured."""

    def __init__(self, timed, verbose=False):
        self.timed = timed
        self.verbose = verbose

    def timed_lines(self, core, runs, argv, cwd=None, env=None):
        """What each run cost: [code, ns, user µs, system µs, KiB], …"""
        words = [str(word) for word in [self.timed, core, runs, *argv]]
        done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        lines = [list(map(int, line.split())) for line in done.stdout.splitlines()]
        if done.returncode != 0 or len(lines) != runs or any(line[0] != 0 for line in lines):
            raise RuntimeError(f"failed: {' '.join(words)}\n{done.stderr[-2000:]}")
        return lines

    def around(self, server, action, own_children=False):
        """The Sample that `action` gives, with what it cost the server.

        `own_children`: the client is what `action` starts and waits for by itself, its preparations included."""
        server.settle()
        children = machine.children_seconds()
        busy, own, start = machine.busy_seconds(), machine.own_seconds(), time.monotonic()
        with Watch(server) as watch:
            sample = action()
        sample.span = time.monotonic() - start
        own = machine.own_seconds() - own
        busy = machine.busy_seconds() - busy
        if own_children:
            sample.client_cpu += machine.children_seconds() - children
        sample.server_cpu += watch.cpu
        sample.server_kib = max(sample.server_kib, watch.kib)
        sample.foreign = max(0.0, busy - own - sample.client_cpu - sample.server_cpu)
        return sample

    def client(self, server, argv, cwd=None, env=None):
        def action():
            [line] = self.timed_lines(CLIENT_CORE, 1, argv, cwd, env)
            return Sample(line[1] / 1e9, (line[2] + line[3]) / 1e6, client_kib=line[4])

        return self.around(server, action)

    def on_server_core(self, argv):
        """Work that the server's side does after the transfer."""
        done = self.alone(argv, SERVER_CORE)
        return replace(done, client_cpu=0.0, server_cpu=done.client_cpu, client_kib=0, server_kib=done.client_kib)

    def alone(self, argv, core=CLIENT_CORE):
        """A client that needs no server."""
        busy, own = machine.busy_seconds(), machine.own_seconds()
        [line] = self.timed_lines(core, 1, argv)
        seconds, cpu = line[1] / 1e9, (line[2] + line[3]) / 1e6
        foreign = machine.busy_seconds() - busy - (machine.own_seconds() - own) - cpu
        return Sample(seconds, cpu, client_kib=line[4], foreign=max(0.0, foreign), span=seconds)

    def rounds(self, contenders, wanted, keep_disturbed, warm=True):
        """Samples by contender, all of equally many rounds, and how many rounds were thrown away.

        A round in which anything was disturbed is thrown away whole: what is compared was measured side by side."""
        for contender in contenders:
            if warm and contender.warm:
                contender.run()
        kept = {contender.name: [] for contender in contenders}
        discarded = disturbed_kept = 0
        done = 0
        while done < wanted:
            samples = []
            for contender in contenders:
                sample = contender.run()
                samples.append(sample)
                if self.verbose:
                    print(f"    {contender.name}: {sample.seconds:.3f} s, foreign {sample.foreign:.2f} s", file=sys.stderr)
                if sample.disturbed and not keep_disturbed:
                    break
            if any(sample.disturbed for sample in samples):
                if not keep_disturbed:
                    discarded += 1
                    if discarded > MOST_DISCARDED * wanted:
                        raise Disturbed(
                            f"{discarded} of {discarded + done} rounds were disturbed by other processes: "
                            "measure on a quiet machine, or see with --keep-disturbed what a busy one gives"
                        )
                    continue
                disturbed_kept += 1
            for contender, sample in zip(contenders, samples):
                kept[contender.name].append(sample)
            done += 1
        return kept, discarded, disturbed_kept
