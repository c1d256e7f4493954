"""What is quoted from another book or a published card stands there, and says so.

Why: a figure that somebody else published is believed as if it were measured here, and one that they never published is a false witness.

Bad:  [91 %](quoted:bert/accuracy)      the card says 90%
Good: [90%](quoted:bert/accuracy)

A figure of another book may be written in any shape that a fact may have.
Fix: `factbook update` puts the quotation in; `factbook facts` lists facts of this book only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import quotes
from factbook.errors import FactbookError
from factbook.rules import Checked, Problem, at

CODE: Final = "FB115"
NAME: Final = "quotation-is-exact"


def check(checked: Checked) -> Iterator[Problem]:
    """Compare the text of every `quoted:` link with what was read."""
    for document in checked.documents:
        for link in document.bound("quoted"):
            try:
                why = quotes.fault(link.text, link.target, checked.catalog)
            except FactbookError as error:
                yield at(document, link.start, error.message, error.remedy)
                continue
            if why is not None:
                yield at(document, link.start, f"[{link.text}] is not what {link.target.partition('/')[0]} says: {why}", "factbook update")
