"""Every route about deliveries asks for a key and for its scope, and stands in the document with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from chassis.access import Access
from chassis.access_matrix import undocumented, wrongly_answered
from chassis.app import create_app
from chassis.deliveries import Deliveries
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.testing import HouseKeys

NOWHERE: Any = cast("Any", None)


async def test_every_route_asks_for_a_key_and_for_its_scope(tmp_path: Path) -> None:
    keys = HouseKeys(tmp_path)
    app = create_app("door", health=Health(), access=Access(KeyFile(keys.file), metrics_open=False))
    app.include_router(Deliveries(NOWHERE, NOWHERE).router)

    assert await wrongly_answered(app, keys) == []
    assert undocumented(app) == {"GET /openapi.json"}  # as for every service
    scopes = {
        (method, path): operation["x-scope"]
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/v1/deliveries")
    }
    assert scopes == {
        ("get", "/v1/deliveries"): "read",
        ("get", "/v1/deliveries/{delivery_id}"): "read",
        ("post", "/v1/deliveries/{delivery_id}/drive-again"): "operate",
        ("post", "/v1/deliveries/{delivery_id}/cancel"): "operate",
    }
