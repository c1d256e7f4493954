"""What a check found, for other programs. Each module here is one form: it defines `write(report, root)` and says `ABOUT`."""
