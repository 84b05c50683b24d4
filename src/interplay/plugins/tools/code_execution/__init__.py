"""code_execution: what a model writes is run in a sandbox."""

from interplay.plugins.tools.code_execution.tool import CodeExecution

__all__ = ["CodeExecution"]
