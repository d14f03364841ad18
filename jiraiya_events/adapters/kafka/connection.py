"""How to reach Kafka, in one value that every client here is built from."""

import ssl
from dataclasses import dataclass, field
from typing import Any

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from jiraiya_events.adapters.kafka.undecodable import read_any_header_name
from jiraiya_events.domain.errors import SettingsError

SASL = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Addresses and credentials; the password never shows in a repr."""

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None

    def __post_init__(self) -> None:
        """Let whoever connects read any record there may be."""
        read_any_header_name()

    def client_options(self) -> dict[str, Any]:
        """Return keyword arguments for any aiokafka client. Raises `SettingsError`."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
        }
        if self._uses_tls:
            options["ssl_context"] = self._tls()
        if self._uses_sasl:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options

    def faststream_security(self) -> BaseSecurity:
        """Return the same as FastStream's security object. Raises `SettingsError`."""
        context = self._tls() if self._uses_tls else None
        if not self._uses_sasl:
            return BaseSecurity(ssl_context=context, use_ssl=self._uses_tls)
        return SASL[self.sasl_mechanism](
            username=self.sasl_username or "",
            password=self.sasl_password or "",
            ssl_context=context,
            use_ssl=self._uses_tls,
        )

    @property
    def _uses_tls(self) -> bool:
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def _uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ssl_cafile)
            if self.ssl_certfile:
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        except OSError as error:
            names = ", ".join(f"JIRAIYA_KAFKA__SSL_{one}FILE" for one in ("CA", "CERT", "KEY"))
            line = f"{names}: one of these files cannot be used for TLS ({error.strerror or error})"
            raise SettingsError((line,)) from error
        return context
