"""Sentences that wrap where their language does, and in which a command or a path stays whole, to be copied.

rich parts words at blanks alone and cuts what is longer than a line: a sentence in Chinese is one word for it, and a
command in that sentence is cut anywhere.
"""

from __future__ import annotations

import re
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.containers import Lines
from rich.text import Text

OPENING, CLOSING = "\uff08\u300a\u201c\u2018", "\uff0c\u3002\uff1b\uff1a\u3001\uff09\u300b\u201d\u2019\uff01\uff1f"
WIDE = "\u3000-\u9fff\uff00-\uffef"
"""Brackets and marks of Chinese; its characters and these, beside each of which a line may end."""
UNIT = re.compile(rf"[{OPENING}]*(?:(?:`[^`\n]+`|[^\s{WIDE}])+|[{WIDE}])?[{CLOSING}]*\s*")
"""What stays on one line: a command in backticks, a word or a Chinese character, with the punctuation beside it."""


class Prose(Text):
    """A sentence, within a group or a table: what is printed by itself becomes a plain text of rich.

    In the cell of a table, which has no room beside it, what is longer than a line is cut all the same.
    """

    def wrap(self, console: Console, width: int, *, justify: Any = None, overflow: Any = None, **_: Any) -> Lines:
        """As that of rich, for text at the left."""
        lines = Lines()
        for line in self.split(allow_blank=True):
            for part in line.divide(_ends(line.plain, width)):
                part.rstrip_end(width)
                lines.extend(part.wrap(console, width, overflow="fold") if overflow == "ellipsis" else [part])
        return lines


def _ends(text: str, width: int) -> list[int]:
    """Where lines of so many columns end."""
    ends, used = list[int](), 0
    for unit in UNIT.finditer(text):
        if used and used + cell_len(unit[0].rstrip()) > width:
            ends.append(unit.start())
            used = 0
        used += cell_len(unit[0])
    return ends
