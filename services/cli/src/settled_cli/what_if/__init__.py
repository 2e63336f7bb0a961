"""`settled what-if`: a draft tried on a past period, before it is sold. Nothing is written."""
