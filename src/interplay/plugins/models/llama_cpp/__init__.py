"""Models that run beside the server on this machine, by llama.cpp."""

from interplay.plugins.models.llama_cpp.model import Config, LlamaCpp

__all__ = ["Config", "LlamaCpp"]
