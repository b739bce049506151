"""Browser sessions in a signed cookie, which a server's clock that is set back does not end.

Used by `web/app.py`.
"""

from __future__ import annotations

import time
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer


class PatientSigner(TimestampSigner):
    """Refuses what is too old; what seems to come from the future was signed before a jump."""

    def unsign(
        self,
        signed_value: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,  # noqa: FBT001, FBT002 - as there
    ) -> Any:
        """Return the value of a signature, and when it was made where that is asked for."""
        value, made = super().unsign(signed_value, return_timestamp=True)
        age = time.time() - made.timestamp()
        if max_age is not None and age > max_age:
            raise SignatureExpired(f"Signature age {age} > {max_age} seconds", value, made)
        return (value, made) if return_timestamp else value


class PatientSessions(SecureCookieSessionInterface):
    """Flask's own sessions under that signature."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return Flask's serializer with the patient signer."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = PatientSigner
        return serializer
