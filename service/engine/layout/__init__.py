"""Lay out a diagram: lanes over the full width, work from left to right, flows at right angles around the nodes.

:func:`layout` replaces the picture (BPMN DI) of a file and leaves every other byte as it was. :func:`problems` and
:func:`crossings` measure a picture, drawn by this or by hand.
"""

from __future__ import annotations

from ..xml import parse
from .drawing import draw_pools
from .quality import Problem, crossings, problems
from .reading import read
from .writing import write


def layout(xml: bytes) -> bytes:
    """``xml`` with a new picture. The same diagram always gets the same picture."""
    root = parse(xml)
    picture = read(root)
    return write(xml, root, picture, draw_pools(picture.pools, picture.messages))


__all__ = ["Problem", "crossings", "layout", "problems"]
