"""Small models beside the server, run by ONNX Runtime: an embedder and a reranker."""

from interplay.plugins.embedders.onnx.embedder import OnnxEmbedder
from interplay.plugins.embedders.onnx.reranker import OnnxReranker

__all__ = ["OnnxEmbedder", "OnnxReranker"]
