"""Used by itself with files: a company and credentials of one's own, and what of a wrong one is said."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from chassis.testing import HouseKeys
from embedded_stack.children import StackError
from embedded_stack.processes import Services, ServiceSpec
from sandbox.netsuite.company import EXAMPLE

SECRETS = {"consumer_secret": "c" * 64, "token_secret": "t" * 64}


async def test_files_set_up_company_and_credentials_and_outlive_a_kill(
    standins: Services, house_keys: HouseKeys, tmp_path: Path
) -> None:
    """A signed request is let in from the start; e-mail addresses are mandatory; a secret stands in no log line."""
    company, credentials = tmp_path / "company.json", tmp_path / "credentials.json"
    company.write_text(json.dumps({**json.loads(EXAMPLE.read_text()), "mandatory": {"1": {"customer": ["email"]}}}))
    credentials.write_text(json.dumps({"tokens": [{"consumer_key": "key", "token": "token", **SECRETS}]}))
    env = {
        **house_keys.env,
        "NETSUITE_NAME": "alone",
        "NETSUITE_ACCOUNT": "1234567_SB1",
        "NETSUITE_COMPANY_FILE": str(company),
        "NETSUITE_CREDENTIALS_FILE": str(credentials),
    }
    standins.start(ServiceSpec("alone", "sandbox.netsuite", env=env))
    standins.wait_ready("alone")
    client = Client(
        "key",
        client_secret=SECRETS["consumer_secret"],
        resource_owner_key="token",
        resource_owner_secret=SECRETS["token_secret"],
        signature_method=SIGNATURE_HMAC_SHA256,
        realm="1234567_SB1",
    )

    async def put(external: str, **more: str) -> httpx.Response:
        url = f"{standins.url('alone')}/services/rest/record/v1/customer/eid:{external}"
        _, headers, _ = client.sign(url, "PUT")
        async with httpx.AsyncClient() as http:
            body = {"companyName": "Acme", "subsidiary": {"id": "1"}, **more}
            return await http.put(url, json=body, headers=headers)

    try:
        assert "Email" in (await put("cus_1")).json()["o:errorDetails"][0]["detail"]
        made = await put("cus_1", email="pay@acme.example")
        standins.kill("alone")
        standins.restart("alone")
        standins.wait_ready("alone")
        again = await put("cus_1", phone="1")

        assert (made.status_code, again.status_code) == (204, 204)
        assert made.headers["Location"].rpartition("/")[2] == again.headers["Location"].rpartition("/")[2]
        log = standins.log("alone").read_text()
        assert not any(secret in log for secret in SECRETS.values())
    finally:
        standins.stop("alone")


@pytest.mark.parametrize("name", ["NETSUITE_COMPANY_FILE", "NETSUITE_CREDENTIALS_FILE", "NETSUITE_CONCURRENCY"])
def test_a_wrong_setting_ends_the_start_with_a_sentence(standins: Services, house_keys: HouseKeys, name: str) -> None:
    with pytest.raises(StackError, match=name):
        standins.run_once("sandbox.netsuite", "serve", env={**house_keys.env, name: "/nowhere"})
