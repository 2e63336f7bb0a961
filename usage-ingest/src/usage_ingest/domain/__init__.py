"""The rules of the door: what is let in, what waits in the quarantine, who may send what. Pure."""
