"""Any server that speaks Anthropic's Messages API: their own, a proxy of it, llama.cpp, vLLM."""

from interplay.plugins.models.anthropic.config import AnthropicConfig
from interplay.plugins.models.anthropic.dialect import Dialect
from interplay.plugins.models.anthropic.model import Anthropic

__all__ = ["Anthropic", "AnthropicConfig", "Dialect"]
