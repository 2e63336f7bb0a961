"""The command settled."""
