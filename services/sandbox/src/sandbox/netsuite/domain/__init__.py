"""Rules of amounts and postings: values in, values out."""
