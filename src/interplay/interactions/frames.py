"""Server-sent frames: an event's JSON as it goes over the wire, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.contracts.store import StoredInteraction
from interplay.interactions import replay
from interplay.interactions.ids import event_prefix
from interplay.wire.deltas import TextDelta
from interplay.wire.events import (
    Event,
    InteractionCreatedEvent,
    InteractionStatusUpdate,
    StepDelta,
    StepStop,
)
from interplay.wire.usage import Usage

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode
_HEADS: dict[type, bytes] = {
    kind: f"event: {kind.__struct_config__.tag}\ndata: ".encode() for kind in Event.__args__
}
_TAIL = b"\n\n"
_SLIGHT_KINDS = (InteractionCreatedEvent, InteractionStatusUpdate, StepStop)
_SLIGHT = 200
"""About the bytes of an event of those kinds, which carry nothing a model made."""
DONE = b"event: done\ndata: [DONE]\n\n"
"""The last frame of every stream."""


def frame_of(event: Event) -> bytes:
    """An event as a frame."""
    return _HEADS[type(event)] + _encode(event) + _TAIL


def framed(data: bytes, event: Event | None = None) -> bytes:
    """The frame of one event's stored JSON; `event` is the same decoded, where it is at hand."""
    return _HEADS[type(event if event is not None else _decode(data))] + data + _TAIL


def weight(event: Event) -> int:
    """About as many bytes as the event's frame has, without making it."""
    kind = event.__class__
    if kind is StepDelta and event.delta.__class__ is TextDelta:  # pyright: ignore
        return len(event.delta.text) + 120  # pyright: ignore
    return _SLIGHT if kind in _SLIGHT_KINDS else len(_encode(event)) + 60


def data_of(frame: bytes) -> bytes:
    """The JSON of the event inside a frame."""
    return frame[frame.index(b"\ndata: ") + 7 : -2]


def event_of(frame: bytes) -> Event:
    """The event inside a frame."""
    return _decode(data_of(frame))


def frames_of(stored: StoredInteraction, steps: list[Any], usage: Usage | None) -> list[bytes]:
    """The frames of an interaction that has ended, made again from its row."""
    prefix = event_prefix(stored.id)
    frames: list[bytes] = []
    for number, event in enumerate(replay.events(stored, steps, usage)):
        event.event_id = f"{prefix}{number}"
        frames.append(frame_of(event))
    return frames
