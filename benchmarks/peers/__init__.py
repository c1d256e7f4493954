"""The tools, a file each: dropping one in is all there is to it.

`JOBS` maps a case to the function that prepares its job: it gets the folder with the data, imports what it needs and returns what is timed. Its
docstring says what is done, and stands on the page. `REQUIRES` pins what goes into the tool's own environment (nothing: factbook's); `LARGEST` is the
largest number of rows that a case is given, because the answer would take minutes above it and is proportional; `PACKAGE` is whose version is told,
where that is not the file's name.
"""
