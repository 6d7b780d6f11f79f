# SPDX-License-Identifier: Apache-2.0
"""A suite: contenders that take turns at one thing, and the lines of the table that come of it."""

from dataclasses import dataclass


@dataclass
class Suite:
    name: str
    jobs: tuple  # the numbers that it measures
    # World -> (contenders, comparisons)
    make: object
    # Of the whole form, the short one has a single round; 1 where a second would find what the first has left.
    rounds: int = 5
    # Whether each contender runs once before anything counts in the short form too: a client's first run is of a wallet
    # that the vault does not know yet.
    warm_short: bool = False
