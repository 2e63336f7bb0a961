"""The rules of contracts: a command, the contract so far and the catalogue in; the next revision or a refusal out."""
