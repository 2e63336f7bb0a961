"""Records: what they are made of, how they are read, kept, checked and shown."""
