"""computer_use: predefined functions that operate a screen, carried out by the caller."""

from interplay.plugins.tools.computer_use.tool import ComputerUse, ComputerUseConfig

__all__ = ["ComputerUse", "ComputerUseConfig"]
