# SPDX-License-Identifier: Apache-2.0
"""Job 8: the smallest whole command."""

from statistics import median

from ..machine import CLIENT_CORE
from ..measure import Comparison, Contender, Sample
from ..place import MIB
from ..suite import Suite


def smallest(world):
    vault = world.vault("disk", world.place.disk)
    nginx, sshd = world.nginx(), world.sshd()
    collector = world.collector()
    identifier = world.artist().upload(vault, world.place.image(MIB))
    (nginx.files / "small.json").write_text("{}\n")
    runs = 10 if world.options.short else 30

    def each(server, argv, count):
        def action():
            lines = world.meter.timed_lines(CLIENT_CORE, count, argv)
            cpu = sum(line[2] + line[3] for line in lines) / 1e6
            figures = {"each": median(line[1] for line in lines) / 1e6}
            return Sample(sum(line[1] for line in lines) / 1e9, cpu, client_kib=max(line[4] for line in lines), figures=figures)

        return lambda: world.meter.around(server, action)

    contenders = [
        Contender("curl, client certificate", each(nginx, nginx.curl(name="small.json"), runs)),
        Contender("ssh true", each(sshd, sshd.ssh("true"), max(3, runs // 5))),
        Contender("sat-collector show", each(vault, collector.command(vault, "show", identifier, "--json"), runs)),
    ]
    milliseconds = lambda sample: sample.figures["each"]
    return contenders, [
        Comparison(8, "smallest command", "sat-collector show", peer, "ms", milliseconds, 1.0, 0.75, more_is_better=False)
        for peer in ("curl, client certificate", "ssh true")
    ]


SUITES = [Suite("smallest command", (8,), smallest)]
