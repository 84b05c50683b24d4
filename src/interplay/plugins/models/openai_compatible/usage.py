"""A server's count of tokens -> usage."""

from __future__ import annotations

from interplay.plugins.models.openai_compatible.chunks import CacheDetails, OutputDetails, Spent
from interplay.wire.usage import Modality, ModalityTokens, Usage


def usage_of(spent: Spent | None) -> Usage:
    """The usage of a turn; empty where the server did not count.

    Thought tokens are taken out of the output: most servers count them in, and a total that is
    only right otherwise shows those that do not.
    """
    if spent is None:
        return Usage()
    read = int(spent.prompt_tokens or 0)
    written = int(spent.completion_tokens or 0)
    out = spent.completion_tokens_details
    into = spent.prompt_tokens_details
    thought = int((out.reasoning_tokens if out else None) or spent.reasoning_tokens or 0)
    apart = thought > 0 and int(spent.total_tokens or 0) == read + written + thought
    if not apart:
        written = max(0, written - thought)
    cached = int((into.cached_tokens if into else None) or spent.prompt_cache_hit_tokens or 0)
    return Usage(
        total_input_tokens=read,
        total_output_tokens=written,
        total_thought_tokens=thought,
        total_cached_tokens=cached,
        total_tokens=read + written + thought,
        input_tokens_by_modality=_by_modality(into, read),
        output_tokens_by_modality=_by_modality(out, written),
    )


def _by_modality(
    details: CacheDetails | OutputDetails | None, total: int
) -> list[ModalityTokens] | None:
    if details is None:
        return None
    counts: list[tuple[Modality, int]] = [
        ("image", int(details.image_tokens or 0)),
        ("audio", int(details.audio_tokens or 0)),
    ]
    text = details.text_tokens
    media = sum(tokens for _, tokens in counts)
    if text is None and media == 0:
        return None
    counts.insert(0, ("text", int(total - media if text is None else text)))
    return [ModalityTokens(modality, tokens) for modality, tokens in counts if tokens]
