"""The MySQL journal alone: a server that hangs, dies, refuses or holds another's tables."""

import asyncio
import tempfile
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import NameOID

from journal.base import Journal
from journal.dsn import MysqlAddress, open_journal, parse
from journal.errors import JournalDamaged, JournalError, JournalUnavailable, LeaseLost
from journal.mysql import tls
from journal.statements import Statement, StatementSteps
from tests.support.drafts import trade
from tests.support.eventually import eventually
from tests.support.neighbours import MariaServer, database_server

pytestmark = pytest.mark.mysql


@pytest.fixture
def server(maria_server: MariaServer) -> Iterator[MariaServer]:
    """The server, awake and running again at the end."""
    yield maria_server
    maria_server.wake()


@pytest.fixture
async def kept(mariadb: str) -> AsyncIterator[Journal]:
    """An open journal with one entry and a short patience."""
    journal = open_journal(mariadb, limit=1.0)
    await journal.open()
    await journal.append([trade()])
    yield journal
    await journal.close()


async def test_a_hung_server_is_given_up_in_time(kept: Journal, server: MariaServer) -> None:
    """SIGSTOP: reads and writes end within their limit, and once it wakes the same handle goes on."""
    server.hang()
    started = time.monotonic()
    for call in (kept.head(), kept.append([trade(trade_id="t2")]), kept.head()):
        with pytest.raises(JournalUnavailable, match=r"within 1 s"):
            await call
    assert time.monotonic() - started < 5
    server.wake()
    await eventually(lambda: _works(kept))
    assert (await kept.append([trade(trade_id="t2")])).by_draft == [2]  # whether or not the first try was kept


async def test_a_rollback_without_an_answer_costs_the_connection(kept: Journal, server: MariaServer) -> None:
    """The server hangs as an error is rolled back: its late answer is not taken for that of the next call."""

    def refused() -> StatementSteps[None]:
        yield Statement("SELECT 1")
        server.hang()
        raise LeaseLost("another holder")

    with pytest.raises(JournalUnavailable, match=r"within 1 s"):
        await kept.change(refused())
    server.wake()
    assert await kept.marks() == {}
    assert (await kept.append([trade(trade_id="t2")])).by_draft == [2]


async def test_a_killed_server_loses_nothing(mariadb: str, maria_server: MariaServer) -> None:
    """kill -9 of the server between two appends: unavailable meanwhile, then it goes on where it was."""
    journal = open_journal(mariadb, limit=5)
    await journal.open()
    await journal.append([trade()])
    maria_server.kill()
    for call in (journal.head(), journal.append([trade(trade_id="t2")])):
        with pytest.raises(JournalUnavailable):
            await call
    await asyncio.to_thread(maria_server.start)
    await eventually(lambda: _works(journal), within=15)
    assert (await journal.append([trade(), trade(trade_id="t2")])).by_draft == [1, 2]
    await journal.close()


@pytest.mark.slow
async def test_no_committed_entry_is_lost_when_the_server_is_killed(mariadb: str, maria_server: MariaServer) -> None:
    """kill -9 of the server at any moment of an append, repeatedly: every returned entry is there, under its seq."""
    journal = open_journal(mariadb, limit=5)
    await journal.open()
    found: dict[int, str] = {}
    number = 0
    for round in range(8):
        killer = asyncio.get_running_loop().call_later(0.05 + round * 0.013, maria_server.kill)
        try:
            while True:
                done = await journal.append([trade(trade_id=f"{number}-{i}") for i in range(3)])
                assert not found.keys() & {entry.seq for entry in done.entries}
                found |= {entry.seq: entry.body for entry in done.entries}
                number += 1
        except JournalUnavailable:
            killer.cancel()
        await asyncio.to_thread(maria_server.start)
        await eventually(lambda: _works(journal), within=15)
    kept = {entry.seq: entry.body for entry in await journal.read(0, 10**6)}
    await journal.close()
    assert list(kept) == list(range(1, len(kept) + 1))
    assert found.items() <= kept.items()


async def test_a_connection_the_server_left_is_replaced_unseen(kept: Journal, server: MariaServer) -> None:
    """A server that closes idle connections (wait_timeout, a restart) costs no call."""
    ids = server.sql("SELECT id FROM information_schema.processlist WHERE user = 'me'").split()
    server.sql("; ".join(f"KILL {each}" for each in ids))
    assert await kept.head() == 1
    assert (await kept.append([trade(trade_id="t2")])).by_draft == [2]


async def test_a_cancelled_call_leaves_no_half(kept: Journal) -> None:
    """Cancelling an append at any moment leaves whole batches only, and the handle usable."""
    for step in range(12):
        task = asyncio.ensure_future(kept.append([trade(trade_id=f"{step}-{i}") for i in range(5)]))
        await asyncio.sleep(step * 0.0007)
        task.cancel()
        await asyncio.wait([task])
    await eventually(lambda: _works(kept))
    entries = await kept.read(0, 100)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) % 5 == 1


async def test_no_message_shows_the_password(mariadb: str, server: MariaServer) -> None:
    """A refused log-in names server, user and database; the password is in no message, repr or traceback."""
    secret = "hush-hush"
    journal = open_journal(mariadb.replace(mariadb.split("@")[0], f"mysql://me:{secret}"))
    with pytest.raises(JournalUnavailable, match=r"mysql://me@127\.0\.0\.1") as caught:
        await journal.open()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(journal)
    assert secret not in shown
    await journal.close()


@pytest.mark.parametrize("database", ["nowhere", ""], ids=["no such database", "no such server"])
async def test_a_missing_database_or_server(maria_server: MariaServer, database: str) -> None:
    """No such database, a closed port: unavailable, at once."""
    port = maria_server.port if database else 1
    journal = open_journal(f"mysql://me:x@127.0.0.1:{port}/{database or 'x'}", limit=2)
    with pytest.raises(JournalUnavailable):
        await journal.open()
    await journal.close()


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x02\0\0\0\x0ax",
        b"\x06\0\0\0\x0a8.0\0a",
        b"\x04\0\0\0\x0a\xfb\xfc\0",
    ],
    ids=["closed", "http", "short", "cut", "no text"],
)
async def test_a_server_without_a_mysql_handshake_is_unavailable(greeting: bytes) -> None:
    """A handshake that is cut, or of another program, is an error with a name, not one of the driver's own."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        journal = open_journal(f"mysql://user:secret@127.0.0.1:{port}/kept", limit=2)
        with pytest.raises(JournalUnavailable, match=f"127.0.0.1:{port}"):
            await journal.open()
        await journal.close()


async def test_another_programs_tables_are_left_alone(mariadb: str, maria_server: MariaServer) -> None:
    """A database with its own `entries` is refused and not touched; so is one that a newer version made."""
    database = mariadb.rsplit("/", 1)[1]
    maria_server.sql("CREATE TABLE entries (theirs INT)", database)
    journal = open_journal(mariadb)
    with pytest.raises(JournalDamaged, match="another program"):
        await journal.open()
    assert maria_server.sql("SHOW TABLES", database).split() == ["entries"]
    maria_server.sql("DROP TABLE entries", database)
    await journal.open()  # the lock that guards the making of tables was given back
    maria_server.sql("INSERT INTO journal_steps VALUES (99)", database)
    with pytest.raises(JournalDamaged, match="newer version"):
        await journal.open()
    await journal.close()


async def test_a_migration_cut_short_is_finished(mariadb: str, maria_server: MariaServer) -> None:
    """A server that dies between a step and its number: the next start repeats the step and goes on."""
    database = mariadb.rsplit("/", 1)[1]
    first = open_journal(mariadb)
    await first.open()
    maria_server.sql("DELETE FROM journal_steps WHERE step >= 9", database)
    second = open_journal(mariadb)
    await second.open()
    assert second.epoch == first.epoch
    assert await second.marks() == {}
    await first.close()
    await second.close()


async def test_a_migration_that_does_not_finish_is_not_waited_for(mariadb: str, maria_server: MariaServer) -> None:
    """Another process holds the lock of the migration: an error in time; once it is free the journal opens."""
    lock = f"{mariadb.rsplit('/', 1)[1]}.journal"
    holding = asyncio.create_task(asyncio.to_thread(maria_server.sql, f"SELECT GET_LOCK('{lock}', 0), SLEEP(2)"))
    await eventually(lambda: maria_server.sql(f"SELECT IS_USED_LOCK('{lock}')").strip() != "NULL")
    journal = open_journal(mariadb, limit=1)
    with pytest.raises(JournalUnavailable, match="another process that does not finish"):
        await journal.open()
    await holding
    await journal.open()
    assert await journal.head() == 0
    await journal.close()


async def test_a_server_that_does_not_flush_is_reported(
    mariadb: str, maria_server: MariaServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The log warns that a power cut may lose entries; the server is used all the same."""
    maria_server.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    journal = open_journal(mariadb)
    try:
        await journal.open()
    finally:
        maria_server.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    assert "may lose entries in a power cut" in caplog.text
    assert await journal.head() == 0
    await journal.close()


async def test_a_lost_table_is_damage(kept: Journal, mariadb: str, server: MariaServer) -> None:
    """A missing table is JournalDamaged."""
    server.sql("DROP TABLE spans", mariadb.rsplit("/", 1)[1])
    with pytest.raises(JournalDamaged, match="spans"):
        await kept.append([trade(trade_id="t2")])
    assert await kept.head() == 1


async def test_a_worker_that_vanished_keeps_no_lock(kept: Journal, mariadb: str) -> None:
    """A client that is silent in the middle of a transaction loses it, and another worker takes the lease."""
    locked, over = threading.Event(), threading.Event()

    def hold() -> StatementSteps[None]:
        yield Statement("SELECT holder FROM lease WHERE id = 1 FOR UPDATE")
        locked.set()
        over.wait(30)

    silent = asyncio.create_task(kept.change(hold(), 60))
    assert await asyncio.to_thread(locked.wait, 20)
    other = open_journal(mariadb, limit=1.0)
    await other.open()
    await eventually(lambda: _takes(other), within=20)
    over.set()
    with pytest.raises(JournalUnavailable):
        await silent
    await other.close()


async def _takes(journal: Journal) -> bool:
    try:
        return await journal.acquire("other", 5) is not None
    except JournalUnavailable:
        return False


async def test_a_clock_set_back_frees_the_lease(kept: Journal, mariadb: str, server: MariaServer) -> None:
    """An expiry further ahead than its term was not written by this clock: another may take the lease at once."""
    mine = await kept.acquire("a", 30)
    assert mine is not None
    server.sql("UPDATE lease SET expires = expires + 3600", mariadb.rsplit("/", 1)[1])
    assert await kept.acquire("b", 30) is not None
    with pytest.raises(LeaseLost):
        await kept.append([trade(trade_id="t2")], lease=mine)


def test_certificates_are_checked(tmp_path: Path) -> None:
    """With ssl=1 or an authority of our own, the server's certificate and name must be right; else no TLS."""
    plain, safe = parse("mysql://me@db/x"), parse("mysql://me@db/x?ssl=1")
    assert isinstance(plain, MysqlAddress)
    assert isinstance(safe, MysqlAddress)
    assert tls(plain) is None
    context = tls(safe)
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


async def _works(journal: Journal) -> bool:
    try:
        return await journal.head() >= 0
    except JournalError:
        return False


@pytest.mark.slow
async def test_a_connection_is_encrypted_and_checked(tmp_path: Path) -> None:
    """Our own authority: the certificate is accepted, the connection encrypted. The system's: it is refused."""
    _certificates(tmp_path)
    with tempfile.TemporaryDirectory(prefix="maria") as folder:
        for part in ("ca.pem", "cert.pem", "key.pem"):
            (Path(folder) / part).write_bytes((tmp_path / part).read_bytes())
        server = database_server(
            Path(folder), f"--ssl-ca={folder}/ca.pem", f"--ssl-cert={folder}/cert.pem", f"--ssl-key={folder}/key.pem"
        )
        server.start()
        server.sql("CREATE DATABASE pi; CREATE USER me@'%' REQUIRE SSL; GRANT ALL ON pi.* TO me@'%'")
        place = f"mysql://me@localhost:{server.port}/pi"
        try:
            journal = open_journal(f"{place}?ssl_ca={folder}/ca.pem", limit=5)
            await journal.open()
            assert (await journal.append([trade()])).by_draft == [1]
            server.hang()  # with TLS a goodbye waits for an answer
            started = time.monotonic()
            await journal.close()
            assert time.monotonic() - started < 4
            server.wake()
            for doubtful in (place, f"{place}?ssl=1"):
                journal = open_journal(doubtful, limit=5)
                with pytest.raises(JournalUnavailable):
                    await journal.open()
                await journal.close()
        finally:
            server.kill()


def _usage(authority: bool) -> x509.KeyUsage:
    """Return the uses that a key is for."""
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _certificates(folder: Path) -> None:
    """Make an authority of our own, and a certificate for localhost."""
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of our own")])
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    for name, key, subject in (("ca", keys[0], issuer), ("cert", keys[1], x509.Name([]))):
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
            # Python 3.13 asks for what RFC 5280 does: whose key signed it, and what a key is for.
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_usage(authority=name == "ca"), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=name != "ca")
            .sign(keys[0], hashes.SHA256())
        )
        (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())
    )
