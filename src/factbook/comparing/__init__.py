"""Books, versions of books and published cards beside each other.

books.py    what a book says                 cards.py    what a card says, and where
signs.py    by what a card speaks of a thing take.py     reading them into the evidence
joined.py   which figures are of the same metric on the same data, and which are not
figures.py  the figures that a card reports
verdicts.py whether a difference is established
unsaid.py   what each leaves unsaid
page.py     all of it as Markdown

A figure of another book or a card is quoted: it is never a measured fact of this one.
"""
