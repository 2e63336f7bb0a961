"""`settled bench`: load through HTTP in real time, with the correctness check on."""
