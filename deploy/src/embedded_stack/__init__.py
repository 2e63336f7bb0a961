"""PostgreSQL and Kafka as local processes, without Docker, Java or Maven on the machine."""

from embedded_stack.children import StackError
from embedded_stack.stack import Stack, StackUrls

__all__ = ["Stack", "StackError", "StackUrls"]
