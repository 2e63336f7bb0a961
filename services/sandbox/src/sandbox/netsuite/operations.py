"""What every operation of the REST surface has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.netsuite.auth.access import Caller
from sandbox.netsuite.errors import NetSuiteError
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.saving import Order
from sandbox.netsuite.replies import Reply, Request

ROOT = "/services/rest"
RECORD, SUITEQL = f"{ROOT}/record/v1", f"{ROOT}/query/v1/suiteql"
LIMITS = f"{ROOT}/system/v1/governanceLimits"


@dataclass(frozen=True, slots=True)
class Work:
    """What an operation needs: the records, who asks, how to save, and the account's concurrency limit."""

    book: Book
    caller: Caller
    order: Order
    concurrency: int


def only(method: str, request: Request, run: Callable[[], Reply]) -> Reply:
    if request.method != method:
        raise wrong_method(request)
    return run()


def no_resource(request: Request) -> NetSuiteError:
    said = f"Record type or resource '{request.path.rpartition('/')[2]}' does not exist."
    return NetSuiteError(404, "INVALID_URL", said, where="o:errorUrl", place=request.path)


def wrong_method(request: Request) -> NetSuiteError:
    said = f"The method {request.method} is not allowed for this resource."
    return NetSuiteError(405, "INVALID_METHOD", said, where="o:errorUrl", place=request.path)
