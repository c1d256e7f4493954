"""The formulas: estimates, intervals, tests and laws as pure functions of numbers and arrays, each with its source.

Nothing here knows of books, sources, tallies or facts with names: `measures/` puts these formulas to use.
"""
