"""python -m simulator as a process: first line, keys, start, end."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.signed import Signed
from tests.support.simulator import ROOT, running_simulator


def test_both_keys_sign_and_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """Either key reads the account; the files have mode 0600 and survive a restart."""
    with running_simulator(tmp_path / "keys") as simulator:
        for key_id, path in simulator.keys.items():
            status, body = Signed(simulator.url, key_id, path)("GET", "/portfolio/balance")
            assert (status, body["balance_dollars"]) == (200, "10000.0000")
            assert path.stat().st_mode & 0o777 == 0o600
        before = {path: path.read_bytes() for path in simulator.keys.values()}
    with running_simulator(tmp_path / "keys") as again:
        assert {path: path.read_bytes() for path in again.keys.values()} == before


def test_an_exchange_with_traders_starts_quoted(tmp_path: Path) -> None:
    """Its first response has 40 quoted markets; start and end take less than 4 s of CPU."""
    with running_simulator(tmp_path / "keys"):
        pass  # keys exist and bytecode is compiled, as on any but the first start
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with running_simulator(tmp_path / "keys", quiet=False) as simulator:
        status, body = Signed(simulator.url, "", Path())("GET", "/markets?status=open", headers={})
        assert status == 200
        assert len(body["markets"]) == 40
        assert all(market["yes_bid_dollars"] > "0" for market in body["markets"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 4


def test_a_port_in_use_is_reported_in_one_line(tmp_path: Path) -> None:
    """Status 1 and one line on stderr, without a traceback."""
    with running_simulator(tmp_path / "keys") as simulator:
        port = simulator.url.split(":")[2].split("/")[0]
        command = [sys.executable, "-m", "simulator", "--port", port, "--keys", str(tmp_path / "keys")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("simulator: ")
    assert "Traceback" not in done.stderr


def test_reads_trail_writes_by_the_read_lag(tmp_path: Path) -> None:
    """With --read-lag a cancelled order still reads resting for a moment, then it does not."""
    with running_simulator(tmp_path, "--read-lag", "0.4") as simulator:
        call = Signed(simulator.url, "demo-ed25519", simulator.keys["demo-ed25519"])
        order = {
            "ticker": simulator.ledger()["markets"][0],
            "side": "bid",
            "count": "1.00",
            "price": "0.0100",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "maker",
        }
        order_id = call("POST", "/portfolio/events/orders", order)[1]["order_id"]
        assert call("GET", f"/portfolio/orders/{order_id}")[0] == 404
        deadline = time.monotonic() + 5
        while call("GET", f"/portfolio/orders/{order_id}")[0] == 404:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert call("DELETE", f"/portfolio/events/orders/{order_id}")[0] == 200
        assert call("GET", f"/portfolio/orders/{order_id}")[1]["order"]["status"] == "resting"


EC = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


@pytest.mark.parametrize("text", ["", "not a key", EC.decode()], ids=["nothing", "no key", "a key of another kind"])
def test_a_broken_key_file_stops_the_start(tmp_path: Path, text: str) -> None:
    """An empty file, a broken PEM and an EC key: status 1 with the reason."""
    (tmp_path / "rsa.pem").write_text(text)
    command = [sys.executable, "-m", "simulator", "--port", "0", "--keys", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr.startswith("simulator: ")) == (1, True)


def test_the_first_line_has_urls_keys_and_token(tmp_path: Path) -> None:
    """url, ws_url, keys and the control port with its token, all on loopback addresses."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--keys", str(tmp_path), "--quiet-markets"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        process.terminate()
    assert line["url"].startswith("http://127.0.0.1:")
    assert line["url"].endswith("/trade-api/v2")
    assert line["ws_url"].startswith("ws://127.0.0.1:")
    assert [key["id"] for key in line["keys"]] == ["demo-rsa", "demo-ed25519"]
    assert line["faults"]["url"].startswith("http://127.0.0.1:")
    assert len(line["faults"]["token"]) > 16
