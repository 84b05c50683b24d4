"""Any server that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama, a hosted one."""

from interplay.plugins.models.openai_compatible.config import Dialect, OpenAICompatibleConfig
from interplay.plugins.models.openai_compatible.model import OpenAICompatible

__all__ = ["Dialect", "OpenAICompatible", "OpenAICompatibleConfig"]
