# SPDX-License-Identifier: Apache-2.0
"""Job 9: ownership transfers, each of three durable writes, from statements that were signed beforehand."""

import itertools
import re

from ..machine import CLIENT_CORE
from ..measure import Comparison, Contender, Sample
from ..peers.sat import quiet
from ..suite import Suite
from .transfers import BARE

PROVED = BARE + ", proved"

TABLES = """
CREATE TABLE transfer_works(id int PRIMARY KEY, owner int NOT NULL, seq int NOT NULL);
CREATE TABLE claims(id bigserial PRIMARY KEY, work int NOT NULL, state int NOT NULL, claim text, answer text, accept text);
CREATE INDEX ON claims(work);
CREATE TABLE ledger(id bigserial PRIMARY KEY, work int NOT NULL, entry text NOT NULL);
INSERT INTO transfer_works SELECT n, 0, 0 FROM generate_series(1, 100000) n;
"""
# As long as SAT's: three statements of some 1,100 bytes, a leaf that holds all of them.
TRANSFER = """
\\set work random(1, 100000)
INSERT INTO claims(work, state, claim) VALUES(:work, 1, repeat('c', 1100)) RETURNING id AS claim \\gset
UPDATE claims SET state = 2, answer = repeat('a', 1100) WHERE id = :claim;
BEGIN;
UPDATE claims SET state = 3, accept = repeat('x', 1100) WHERE id = :claim;
UPDATE transfer_works SET owner = owner + 1, seq = seq + 1 WHERE id = :work;
INSERT INTO ledger(work, entry) VALUES(:work, repeat('l', 3300));
END;
"""


def works_needed(world):
    """Of all rounds, discarded ones too: each transfer is another work's."""
    if not world.options.short:
        return 40_000
    return 800 * (world.options.rounds or 1)


def make(clients):
    def ownership(world):
        postgres = world.postgres()
        script = world.place.disk / "transfer.sql"
        if not script.exists():
            postgres.sql(TABLES)
            script.write_text(TRANSFER)
            script.chmod(0o644)
        store = world.own_store("transfers", works_needed(world))
        runs = itertools.count(100 * clients)
        each = (50 if world.options.short else 300) if clients == 1 else (4 if world.options.short else 25)
        seconds = 1 if world.options.short else 5

        def pgbench():
            words = ["-c", clients, "-j", 1, "-T", seconds]

            def action():
                out = quiet(["taskset", "-c", CLIENT_CORE, *postgres.pgbench(script, *words)])
                rate = float(re.search(r"tps = ([0-9.]+)", out).group(1))
                return Sample(float(seconds), 0.0, figures={"rate": rate})

            return world.meter.around(postgres, action, own_children=True)

        def transfers():
            # A wallet opens so many claims in a day and no more: each run has a collector of its own.
            collector = world.collector(next(runs))
            argv = ["taskset", "-c", CLIENT_CORE, world.drivers / "bench-transfers", store.home, collector.home,
                    store.vault.address, clients, each]  # fmt: skip

            def action():
                count, took, _ = quiet(argv).split()
                return Sample(float(took), 0.0, figures={"rate": float(count) / float(took)})

            return world.meter.around(store.vault, action, own_children=True)

        def statements(bare):
            def run():
                argv = ["taskset", "-c", CLIENT_CORE, *bare.run(clients, 4 * each)]

                def action():
                    count, took = quiet(argv).split()
                    return Sample(float(took), 0.0, figures={"rate": float(count) / float(took)})

                return world.meter.around(bare, action, own_children=True)

            return run

        written = world.bare("statements", world.place.disk / "bare-log")
        proved = world.bare("statements", world.place.disk / "bare-proved", "proved", name="proved-statements")
        contenders = [
            Contender("PostgreSQL", pgbench),
            Contender(BARE, statements(written)),
            Contender(PROVED, statements(proved)),
            Contender("SAT", transfers),
        ]
        must, aim = (1.0, 1.3) if clients == 1 else (1.5, 2.5)
        what = f"transfers, {clients} client{'' if clients == 1 else 's'}"
        rate = lambda sample: sample.figures["rate"]
        return contenders, [
            Comparison(9, what, "SAT", "PostgreSQL", "/s", rate, must, aim),
            Comparison(9, f"the bound of {what}", BARE, "PostgreSQL", "/s", rate, must, aim, bound=True),
            Comparison(9, f"the bound of {what}, proved", PROVED, "PostgreSQL", "/s", rate, must, aim, bound=True),
            Comparison(9, what, "SAT", BARE, "/s", rate),
            Comparison(9, what, "SAT", PROVED, "/s", rate),
        ]

    return ownership


SUITES = [Suite(f"ownership, {clients} client{'' if clients == 1 else 's'}", (9,), make(clients)) for clients in (1, 32)]
