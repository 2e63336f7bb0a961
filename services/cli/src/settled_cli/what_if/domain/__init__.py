"""The rules: what a draft may say, how it lies over a contract, what both come to. No I/O."""
