"""Rules of deliveries: what follows from an answer, whose turn it is, how much may go out. No I/O, no clock."""
