"""The gaps between two writes of a delivery; a door adds them to its own list: `GAPS = {**deliveries.GAPS, ...}`."""

from __future__ import annotations

GAPS = {
    "delivery-enqueued": "the rows are stored, nobody is woken: the next look for lanes that are due finds them",
    "delivery-intended": "in flight, and no call was made: looked up once the call would have ended, then sent",
    "delivery-answered": "the far side has done it, that is not stored: looked up, found, and done",
    "delivery-stored": "nothing repeats",
    "look-up-intended": "no look-up was made: it is looked up when the lease has run out",
    "look-up-answered": "nothing was changed over there: looked up again",
}
