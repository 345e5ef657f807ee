"""A real SMTP server on this computer, in the test's own loop: aiosmtpd, with STARTTLS or TLS and a login where wanted."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
import ipaddress
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Inbox:
    """Keeps what arrives; `refuse` is what it answers to a step instead, `stall` the step at which it falls silent."""

    def __init__(self):
        self.mails, self.refuse, self.stall, self.logins, self.encrypted, self.calls = [], {}, None, [], [], 0

    async def _step(self, step):
        if self.stall == step:
            await asyncio.Event().wait()
        return self.refuse.get(step, "250 OK")

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 aiosmtpd calls it so
        self.calls += 1
        envelope.mail_from = address
        return await self._step("MAIL")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        envelope.rcpt_tos.append(address)
        return await self._step("RCPT")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = await self._step("DATA")
        if answer.startswith("250"):
            self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
            self.mails.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content, policy=default)))
        return answer

    def authenticator(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"secret", handled=False)


@asynccontextmanager
async def mail_server(inbox, *, starttls=None, tls=None, login=False):
    """Gives its port. `starttls`, `tls`: an `ssl.SSLContext` of the server."""
    servers = []

    def protocol():
        options = {"auth_require_tls": bool(starttls)} if login else {}
        made = SMTP(
            inbox,
            hostname="localhost",
            tls_context=starttls,
            require_starttls=bool(starttls),
            auth_required=login,
            authenticator=inbox.authenticator if login else None,
            loop=asyncio.get_running_loop(),
            **options,
        )
        servers.append(made)
        return made

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for made in servers:
            if made.transport:
                made.transport.abort()
            if made._handler_coroutine:
                made._handler_coroutine.cancel()
        await asyncio.sleep(0)
        await server.wait_closed()


def certificate(folder):
    """A certificate for 127.0.0.1 that signs itself; gives the server's context and what makes the client's."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(secret + pem)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "server.pem")
    return server, lambda: ssl.create_default_context(cadata=pem.decode())
