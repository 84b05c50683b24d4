"""LocalMessages: Anthropic's Messages API on a loopback port, as strict as the real one."""

from __future__ import annotations

import asyncio
import json
from hashlib import blake2b
from types import TracebackType
from typing import Any

import msgspec
from aiohttp import web

from interplay.testing.message_brain import Said, answered, counted
from interplay.testing.message_rules import (
    Object,
    Refusal,
    Signatures,
    blocks_of,
    check,
    kind_of,
    thinks,
)

_LOOK_BACK = 20
"""Blocks before a mark that are looked at for what is cached."""


class Received(msgspec.Struct):
    """A request that was taken."""

    body: Object
    headers: dict[str, str]
    """By lower-case names."""
    cached: int
    """Tokens that were read from the cache."""
    dropped: int
    """Thoughts that were left out because the words before them had changed."""


class LocalMessages:
    """`async with LocalMessages() as server:` serves at `server.url`, `/v1` included.

    It refuses with the API's own errors what the API refuses (interplay.testing.message_rules),
    signs thoughts and wants them back as they were, and counts what a cache would hold; a word is
    a token. `replies` are said in order; without one it echoes the last user (see
    interplay.testing.message_brain). `requests` holds what was taken, `refused` the words of what
    was not.
    """

    def __init__(self, *replies: Said, key: str = "") -> None:
        self.replies = list(replies)
        self.requests: list[Received] = []
        self.refused: list[str] = []
        self.left = asyncio.Event()
        """A client went away while it waited for the rest of an answer that stalls."""
        self.url = ""
        self._key = key
        self._signatures = Signatures()
        self._cache: set[str] = set()
        self._calls = 0
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> LocalMessages:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/messages", self._post)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=1.0, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        models = [{"type": "model", "id": name} for name in ("claude-opus-5-5", "claude-haiku-4-5")]
        return web.json_response({"data": models, "has_more": False})

    async def _post(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            bearer = headers.get("authorization", "").removeprefix("Bearer ")
            if self._key and self._key not in (headers.get("x-api-key"), bearer):
                raise Refusal("invalid x-api-key", "authentication_error", 401)
            body = _spelled_out(await request.json())
            check(body, headers, self._signatures)
            dropped = self._bound(body)
        except Refusal as refusal:
            self.refused.append(refusal.message)
            return _error(refusal.status, refusal.kind, refusal.message)
        said = self.replies.pop(0) if self.replies else answered(body)
        if said.status != 200:
            return _error(said.status, said.error, said.text, said.headers)
        read, written, fresh = self._cached(body)
        self.requests.append(Received(body, headers, read, dropped))
        usage = {
            "input_tokens": fresh,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "output_tokens": 1,
        }
        message = self._message(body, said, usage)
        if not body.get("stream"):
            return web.json_response(message)
        return await self._stream(request, said, message)

    def _bound(self, body: Object) -> int:
        """Leaves out thoughts that stand behind other words than they were thought after, where
        that is asked for. Raises Refusal where it is not."""
        if not kind_of(body["model"]).bound:
            return 0
        binding = body.get("thinking", {}).get("block_binding", {})
        drop = binding.get("prefix_mismatch_behavior") == "drop_block"
        dropped = 0
        for at, message in enumerate(body["messages"]):
            for block in [*message["content"]]:
                if block["type"] != "thinking":
                    continue
                if self._signatures.stands(block["signature"], _before(body, at)):
                    continue
                if not drop:
                    raise Refusal(
                        f"messages.{at}.content.0: Invalid `signature` in `thinking` block. The"
                        " block is bound to a different conversation. Remove the block, or set"
                        ' `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
                    )
                message["content"].remove(block)
                dropped += 1
        return dropped

    def _cached(self, body: Object) -> tuple[int, int, int]:
        """Tokens read from the cache, written to it, and neither."""
        digest = blake2b()
        keys: list[str] = []
        sizes: list[int] = []
        marks: list[int] = []
        for at, block in enumerate(blocks_of(body)):
            plain = {name: value for name, value in block.items() if name != "cache_control"}
            digest.update(json.dumps(plain, sort_keys=True).encode())
            keys.append(digest.copy().hexdigest())
            sizes.append(counted(plain) + (sizes[-1] if sizes else 0))
            if "cache_control" in block:
                marks.append(at)
        read = 0
        for mark in reversed(marks):
            near = range(mark, max(-1, mark - _LOOK_BACK), -1)
            read = next((sizes[at] for at in near if keys[at] in self._cache), 0)
            if read:
                break
        self._cache |= {keys[mark] for mark in marks}
        written = max(0, sizes[marks[-1]] - read) if marks else 0
        return read, written, sizes[-1] - read - written

    def _message(self, body: Object, said: Said, usage: Object) -> Object:
        content: list[Object] = []
        after = _before(body, len(body["messages"]))
        if said.thought is not None and thinks(body):
            shown = body["thinking"].get("display", "summarized") == "summarized"
            thought = said.thought if shown else ""
            signature = self._signatures.sign(body["model"], thought, after)
            content.append({"type": "thinking", "thinking": thought, "signature": signature})
            if said.redacted:
                content.append({"type": "redacted_thinking", "data": said.redacted})
        if said.text:
            content.append({"type": "text", "text": said.text})
        for name, arguments in said.calls:
            self._calls += 1
            id = f"toolu_{self._calls:06d}"
            content.append({"type": "tool_use", "id": id, "name": name, "input": arguments})
        thought_tokens = len((said.thought or "").split()) if thinks(body) else 0
        written = len(said.text.split()) + 4 * len(said.calls) + thought_tokens
        return {
            "id": f"msg_{len(self.requests):06d}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": content,
            "stop_reason": said.stop_reason,
            "stop_sequence": None,
            "stop_details": said.stop_details,
            "usage": {
                **usage,
                "output_tokens": written,
                "output_tokens_details": {"thinking_tokens": thought_tokens},
            },
        }

    async def _stream(
        self, request: web.Request, said: Said, message: Object
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        texts = 0
        for event in _events(message):
            if event.get("delta", {}).get("type") == "text_delta":
                if texts == said.breaks_after:
                    return await self._broken(request, response, said)
                texts += 1
            await response.write(_sse(event))
        await response.write_eof()
        return response

    async def _broken(
        self, request: web.Request, response: web.StreamResponse, said: Said
    ) -> web.StreamResponse:
        if said.breaks == "error":
            error = {"type": said.error, "message": "It broke in the middle."}
            await response.write(_sse({"type": "error", "error": error}))
        elif said.breaks == "stall":
            try:
                await self._closing.wait()
            except asyncio.CancelledError:
                self.left.set()
                raise
        if request.transport is not None:
            request.transport.close()
        return response


def _spelled_out(body: Object) -> Object:
    """A request with its texts as blocks: a bare text means the same."""
    if isinstance(body.get("system"), str):
        body["system"] = [{"type": "text", "text": body["system"]}]
    messages: list[Object] = body.get("messages") or []
    for message in messages:
        if isinstance(message.get("content"), str):
            message["content"] = [{"type": "text", "text": message["content"]}]
    return body


def _before(body: Object, at: int) -> str:
    """What a thought in message `at` stands behind."""
    held = [body.get("tools"), body.get("system"), body["messages"][:at]]
    return json.dumps(_unmarked(held), sort_keys=True)


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {
            name: _unmarked(inner)
            for name, inner in value.items()  # pyright: ignore[reportUnknownVariableType]
            if name != "cache_control"
        }
    return value


def _events(message: Object) -> list[Object]:
    """A message as the API streams it."""
    usage = {**message["usage"], "output_tokens": 1}
    del usage["output_tokens_details"]
    start: Object = {**message, "content": [], "stop_reason": None, "usage": usage}
    events: list[Object] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        begun, deltas = _streamed(block)
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    ends = ("stop_reason", "stop_sequence", "stop_details")
    spent = {name: message["usage"][name] for name in ("output_tokens", "output_tokens_details")}
    end = {name: message[name] for name in ends}
    events.append({"type": "message_delta", "delta": end, "usage": spent})
    events.append({"type": "message_stop"})
    return events


def _streamed(block: Object) -> tuple[Object, list[Object]]:
    """A block as it begins, and what is added to it."""
    kind = block["type"]
    if kind == "text":
        pieces = [block["text"][at : at + 7] for at in range(0, len(block["text"]), 7)]
        return {**block, "text": ""}, [{"type": "text_delta", "text": part} for part in pieces]
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": block["thinking"]}]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {**block, "thinking": "", "signature": ""}, deltas
    if kind == "tool_use":
        whole = json.dumps(block["input"]) if block["input"] else ""
        parts = ["", whole[: len(whole) // 2], whole[len(whole) // 2 :]]
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": part} for part in parts
        ]
    return block, []


def _sse(event: Object) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _error(
    status: int, kind: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return web.json_response(body, status=status, headers=headers)


__all__ = ["LocalMessages", "Received", "Said"]
