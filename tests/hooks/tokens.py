"""Keys and tokens of a made-up EHR, and calls that bear them."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.testclient import TestClient

from tests.charts import day, itp, patient, request, sirolimus

BASE = "https://cds.example/cds-services"
VIEW, SIGN = "sirolimus-itp-patient-view", "sirolimus-itp-order-sign"
BODY = request("patient-view", [patient(), itp(), sirolimus("s", day(0), 12)])
EC, RSA = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)
OTHER, SHORT, SMALL = (
    ec.generate_private_key(ec.SECP384R1()),
    rsa.generate_private_key(65537, 1024),
    ec.generate_private_key(ec.SECP256R1()),
)


def jwk(key: Any, kid: str) -> dict[str, Any]:
    kind = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
    return json.loads(kind.to_jwk(key.public_key())) | {"kid": kid}


def write_keys(file: Path, *keys: tuple[Any, str]) -> None:
    file.write_text(json.dumps({"keys": [jwk(key, kid) for key, kid in keys]}))


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {
        "iss": "https://ehr.example",
        "aud": f"{BASE}/{VIEW}",
        "iat": now,
        "exp": now + 300,
        "jti": str(time.time_ns()),
    }
    made |= {"tenant": "ward"} | changes
    return {name: value for name, value in made.items() if value is not None}


def signed(
    key: Any = EC, alg: str = "ES384", kid: str = "ec", header: dict[str, Any] | None = None, **changes: Any
) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a key that is too short
        return jwt.encode(claims(**changes), key, alg, headers={"kid": kid} | (header or {}))


def ask(caller: TestClient, token: str | None, service: str = VIEW) -> int:
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    return caller.post(f"/cds-services/{service}", json=BODY, headers=headers).status_code
