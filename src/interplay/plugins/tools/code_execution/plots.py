"""What makes `plt.show()` save figures: the module matplotlib is told to draw with, inside."""

MODULE = "interplay_figures"
SOURCE = b"""\
import itertools
import os

from matplotlib import pyplot
from matplotlib.backend_bases import FigureManagerBase as FigureManager
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

_numbers = itertools.count(1)


def show(*args, **kwargs):
    for number in pyplot.get_fignums():
        free = (f"figure-{n}.png" for n in _numbers)
        pyplot.figure(number).savefig(next(name for name in free if not os.path.exists(name)))
    pyplot.close("all")
"""
"""Saves every open figure as a PNG in the folder the code runs in."""
