"""What measuring costs, beside other tools and beside the limit: decoding the same columns. Run `python -m benchmarks 1e6`."""
