"""What a conversation's and a record's row keep: their events in compact form beside the entries that they hold."""

from __future__ import annotations

import msgspec

from usage_rating.domain.entries import Held
from usage_rating.domain.signal import Report, Signal


class ConversationState(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """
    A conversation: its signals sorted, the contents that lost a conflict, the entries held, signals not kept.

    Fields are only ever added at the end, with a default: rows of any age stay readable.
    """

    signals: tuple[Signal, ...] = ()
    others: tuple[Signal, ...] = ()
    held: tuple[Held, ...] = ()
    left_out: int = 0


class RecordState(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A product's record: its reports sorted, the contents that lost a conflict, the entries held."""

    reports: tuple[Report, ...] = ()
    others: tuple[Report, ...] = ()
    held: tuple[Held, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_conversations = msgspec.msgpack.Decoder(ConversationState)
_records = msgspec.msgpack.Decoder(RecordState)

encode_state = _encoder.encode
decode_conversation = _conversations.decode
decode_record = _records.decode
