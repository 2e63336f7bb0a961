"""Where rating can be made to die: every gap between two writes, with what repeats after dying there."""

from __future__ import annotations

from chassis.failpoints import Failpoints

GAPS = {
    "after-epoch": "the next owner raises the epoch again; an epoch is only compared, so a skipped one is harmless",
    "after-quarantine-publish": "the batch is read again; its unreadable records are published again under the same id",
    "before-commit": "nothing is written yet; the batch is read again from the row's next_offset",
    "after-commit": "nothing of the batch repeats; the next owner publishes from published_seq",
    "tick-before-commit": "nothing is written yet; the next owner finds the partition read to its end and ticks again",
    "tick-after-commit": "nothing repeats; the next owner finds the timers that are due by the row's read_up_to",
    "timers-before-commit": "nothing is written yet; the timers are still due and are decided again",
    "timers-after-commit": "nothing of these timers repeats; the next owner goes on with those that are left",
    "contract-kept": "the contract is in force nowhere yet; its record is read again and is known",
    "contracts-before-commit": "nothing is written yet; contracts_applied is unmoved, the same walks are begun again",
    "contracts-after-commit": "nothing repeats; the next owner finds the walks and takes them up",
    "redecide-before-commit": "nothing is written yet; the walk goes on behind the same row and decides the same again",
    "redecide-after-commit": "nothing of these rows repeats; the next owner goes on behind the last one",
    "before-publish": "the next owner publishes from published_seq",
    "after-publish": "the same entries are published again; every reader knows an entry by its id",
    "after-published-seq": "the next owner publishes the progress that was left out",
    "after-progress": "the next owner publishes the same progress again; readers keep the furthest",
    "alerts-before-commit": "nothing is written yet; the cursors are unmoved, the same entries are counted again",
    "alerts-after-commit": "nothing is counted twice; whoever takes the next turn publishes the crossings",
    "alerts-after-publish": "the same crossings are published again; every reader knows a crossing by its id",
}

failpoints = Failpoints("rating", GAPS)
