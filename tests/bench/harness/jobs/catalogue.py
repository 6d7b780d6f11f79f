# SPDX-License-Identifier: Apache-2.0
"""Jobs 10 and 11, and whether what is asked of a vault costs the same among few works and many."""

import json
import re
import time

from ..machine import CLIENT_CORE, SERVER_CORE
from ..measure import Comparison, Contender, Sample
from ..peers.sat import quiet
from ..place import MIB
from ..server import status_kib
from ..suite import Suite

FEW = 10_000
PAGE = 50
COMMON = "blue"
TWO = "blue harbour"
APART = "red green"  # each common, never together

# As long as a registration, and as incompressible; what is asked for is what artwork.list tells.
PAGES = """
CREATE UNLOGGED TABLE works(id int PRIMARY KEY, artwork text NOT NULL, owner bytea NOT NULL, head bytea NOT NULL,
                            seq int NOT NULL, registered_at bigint NOT NULL, held bool NOT NULL, registration text NOT NULL);
ALTER TABLE works ALTER registration SET STORAGE PLAIN;
INSERT INTO works SELECT n, upper(left(md5(n::text), 10)), sha256(n::text::bytea), sha256(n::text::bytea), 0, 1790000000,
                         false, r.text
FROM generate_series(1, {works}) n,
     LATERAL (SELECT string_agg(md5(n::text || i::text), '') AS text FROM generate_series(1, 53) i) r;
VACUUM ANALYZE works;
"""
PAGE_QUERY = """
SELECT id, artwork, owner, head, seq, registered_at, held, registration FROM works WHERE id < {before} ORDER BY id DESC LIMIT 50;
"""


def many(world):
    return FEW if world.options.short else 1_000_000


def few(world):
    return FEW // 2 if world.options.short else FEW


def named(number):
    return f"{number:,}".replace(",", " ")


def asks(world, store, count, what="page", text="", cursor=""):
    """How often a second, and what one takes, of one client that asks again and again."""
    argv = ["taskset", "-c", CLIENT_CORE, world.drivers / "bench-catalogue", store.home, store.vault.address, count, what, text,
            cursor]  # fmt: skip

    def action():
        done, took, middle, slow = map(float, quiet(argv).split())
        return Sample(took, 0.0, figures={"rate": done / took, "p50": middle, "p99": slow})

    return lambda: world.meter.around(store.vault, action, own_children=True)


def figure(name, scale=1.0):
    return lambda sample: sample.figures[name] * scale


def pages(world):
    works = many(world)
    store, postgres = world.store(works), world.postgres()
    postgres.sql(*filter(str.strip, PAGES.format(works=works).split(";")))
    far = works - min(10_000, works // PAGE // 2) * PAGE + PAGE
    seconds, count = (1, 500) if world.options.short else (3, 5_000)

    def pgbench(name, before):
        script = world.place.disk / f"page-{name}.sql"
        script.write_text(PAGE_QUERY.format(before=before))

        def action():
            out = quiet(["taskset", "-c", CLIENT_CORE, *postgres.pgbench(script, "-c", 1, "-T", seconds)])
            rate = float(re.search(r"tps = ([0-9.]+)", out).group(1))
            return Sample(float(seconds), 0.0, figures={"rate": rate})

        return lambda: world.meter.around(postgres, action, own_children=True)

    def bare(before):
        server = world.bare("pages", store.data / "catalog.sqlite")
        argv = ["taskset", "-c", CLIENT_CORE, *server.run(count, before)]

        def action():
            done, took = map(float, quiet(argv).split())
            return Sample(took, 0.0, figures={"rate": done / took})

        return lambda: world.meter.around(server, action, own_children=True)

    last = "the 10 000th" if works == 1_000_000 else "the middle one"
    contenders = [
        Contender("PostgreSQL, first page", pgbench("first", works + 1)),
        Contender("bare loop, first page", bare(works + 1)),
        Contender("SAT, first page", asks(world, store, count)),
        Contender("PostgreSQL, far page", pgbench("far", far)),
        Contender("bare loop, far page", bare(far)),
        Contender("SAT, far page", asks(world, store, count, cursor=store.cursor)),
    ]
    what = f"page of 50 of {named(works)} works, "
    lines = []
    for which, said in (("first", "the first"), ("far", last)):
        sat, peer, bound = (f"{who}, {which} page" for who in ("SAT", "PostgreSQL", "bare loop"))
        lines += [
            Comparison(10, what + said, sat, peer, "/s", figure("rate"), 1.0, 4.0),
            Comparison(10, f"the bound of a {what}{said}", bound, peer, "/s", figure("rate"), 1.0, 4.0, bound=True),
            Comparison(10, what + said, sat, bound, "/s", figure("rate")),
        ]
    return contenders, lines


def search(world):
    works = many(world)
    store = world.store(works)
    database = world.kept / f"words-{works}.sqlite"
    script = world.place.disk / "fts.py"
    script.write_text((world.harness / "fts.py").read_text())
    if not database.exists():
        world.place.require(world.kept, 4_000 * works)
        quiet(["python3", script, "build", database, works])
    count = 200 if world.options.short else 2_000

    def fts(text):
        argv = ["taskset", "-c", SERVER_CORE, "python3", script, "ask", database, count, text]

        def action():
            took = json.loads(quiet(argv))
            return Sample(took["seconds"], 0.0, figures=took)

        # In the asking process: there is no server.
        return lambda: world.meter.around(store.vault, action, own_children=True)

    contenders, lines = [], []
    for name, text in (("a common word", COMMON), ("two words", TWO)):
        sat, peer = f"SAT, {name}", f"SQLite FTS5, {name}"
        contenders += [Contender(peer, fts(text)), Contender(sat, asks(world, store, count, text=text))]
        what = f"newest 50 of {name}, {named(works)} works, "
        lines += [
            Comparison(11, what + "p50", sat, peer, "ms", figure("p50", 1e-3), 2.0, 1.5, more_is_better=False, must_of="value"),
            Comparison(11, what + "p99", sat, peer, "ms", figure("p99", 1e-3), 5.0, None, more_is_better=False, must_of="value"),
        ]  # fmt: skip
    return contenders, lines


def flat(world):
    small, large = world.store(few(world)), world.store(many(world))
    count = 200 if world.options.short else 2_000
    files = []
    for number in range(5 if world.options.short else 20):
        file = world.place.memory / f"flat-{number}.tif"
        if not file.exists():
            file.write_bytes(world.place.image(MIB).read_bytes()[:MIB // 4])
        files.append(file)

    def uploads(store):
        argv = [world.drivers / "bench-uploads", store.home, store.vault.address, store.vault.key, *files]

        def run():
            sample = world.meter.client(store.vault, argv)
            store.vault.drop_images()
            sample.figures["each"] = sample.seconds / len(files) * 1e6
            return sample

        return run

    kinds = [
        ("page of 50", "p50", lambda store: asks(world, store, count)),
        ("far page of 50", "p50", lambda store: asks(world, store, count, cursor=store.cursor)),
        ("search for a common word", "p50", lambda store: asks(world, store, count, text=COMMON)),
        ("search for two words", "p50", lambda store: asks(world, store, count, text=TWO)),
        ("ledger proof", "p50", lambda store: asks(world, store, count, what="proof")),
        ("durable upload of 256 KiB", "each", uploads),
    ]
    contenders, lines = [], []
    for what, name, make in kinds:
        sat, peer = f"{what}, {named(large.works)} works", f"{what}, {named(small.works)} works"
        contenders += [Contender(peer, make(small)), Contender(sat, make(large))]
        lines.append(Comparison(16, what, sat, peer, "µs", figure(name), 1.5, 1.2, more_is_better=False))
        if what == "ledger proof":
            lines.append(Comparison(16, what + ", at most", sat, "", "ms", figure("p99", 1e-3), 1.0, 1.0, more_is_better=False,
                                    must_of="value", aim_of="value"))  # fmt: skip
    words_apart = f"search for words that never meet, {named(large.works)} works"
    contenders.append(Contender(words_apart, asks_nothing_found(world, large)))
    lines.append(Comparison(16, "search for words that never meet", words_apart, "", "ms", figure("each"), more_is_better=False))
    return contenders, lines


def asks_nothing_found(world, store):
    """By the client's own program: nothing is on the page, so that bench-catalogue would have nothing to verify."""
    collector = world.collector()
    argv = collector.command(store.vault, "browse", APART, "--json")

    def run():
        sample = world.meter.client(store.vault, argv)
        sample.figures["each"] = sample.seconds * 1e3
        return sample

    return run


def start_up(world):
    store = world.store(many(world))

    def start():
        store.stop()
        begin = time.monotonic()
        vault = store.vault
        sample = Sample(vault.started - begin)
        sample.figures["mebibytes"] = status_kib(vault.pid, "VmHWM") / 1024
        return sample

    name = f"SAT, {named(store.works)} works"
    what = f"start with {named(store.works)} works"
    return [Contender(name, start)], [
        Comparison(17, what, name, "", "s", lambda sample: sample.seconds, 2.0, 2.0, more_is_better=False, must_of="value",
                   aim_of="value"),  # fmt: skip
        Comparison(17, what + ", peak memory", name, "", "MiB", figure("mebibytes"), 256, 256, more_is_better=False,
                   must_of="value", aim_of="value"),  # fmt: skip
    ]


SUITES = [
    Suite("page", (10,), pages),
    Suite("search", (11,), search),
    Suite("few works and many", (16,), flat),
    Suite("start", (17,), start_up),
]
