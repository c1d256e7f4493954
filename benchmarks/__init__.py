"""What factbook costs, beside other tools and beside the limit: decoding the same columns. Run `make bench ROWS=1e6`."""
