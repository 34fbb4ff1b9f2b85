"""Settings of the simulated exchange, from flags, environment and .env."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from config import parsers as text
from config import reader
from config.reader import Settings, add_flags, given, read

setting = partial(reader.setting, prefix="SIMULATOR_")


def _shard_cash(text: str) -> dict[int, int]:
    """Return shard -> dollars. Raises ValueError."""
    try:
        cash = {int(shard): int(dollars) for shard, _, dollars in (part.partition(":") for part in text.split(","))}
    except ValueError:
        cash = {}
    if not cash or not cash.keys() <= {0, 1, 2, 3} or min(cash.values()) < 0:
        raise ValueError("shards 0 to 3 with whole dollars, such as 0:6000,2:4000")
    return cash


@dataclass(frozen=True, slots=True)
class SimulatorSettings(Settings):
    """Settings of the simulator, which listens on loopback alone. Times are seconds."""

    port: int = setting(9500, text.integer(0, 65535), "port of the exchange; 0 takes a free one")
    faults_port: int = setting(0, text.integer(0, 65535), "port of the control API; 0 takes a free one")
    keys: Path = setting(Path("keys"), Path, "folder of `rsa.pem` and `ed25519.pem`, made if it does not exist")
    seed: int = setting(1, text.integer(0, 999_999_999), "seed of markets, prices and other traders")
    speed: float = setting(1.0, text.number(0.001, 1_000_000), "factor by which markets open, close and settle faster")
    tier: str = setting(
        "basic", text.choice("basic", "advanced", "expert", "premier", "paragon", "prime", "prestige"), "rate limits"
    )
    cash: int = setting(10_000, text.integer(0, 999_999_999), "dollars in the account at the start")
    shard_cash: dict[int, int] | None = setting(
        None, _shard_cash, "dollars for each shard, such as 0:6000,2:4000; by default the cash is spread"
    )
    crowd: str = setting("stock", text.choice("stock", "informed", "drifting", "gapping", "toxic"), "other traders")
    read_lag: float = setting(0.0, text.seconds(0, 3600), "seconds by which account reads trail")
    books: Path | None = setting(
        None, Path, "file of every command: an exchange that was killed comes back from it as it was; none by default"
    )
    quiet_markets: bool = setting(False, text.yes_no, "no other traders and no schedule")


def read_simulator_settings(arguments: Sequence[str], folder: Path | None = None) -> SimulatorSettings:
    """Return the simulator's settings. Raises SettingsError with every mistake."""
    parser = argparse.ArgumentParser("python -m simulator", description="A simulated Kalshi exchange on loopback.")
    add_flags(parser, SimulatorSettings)
    return read(SimulatorSettings, given(parser.parse_args(arguments)), folder)
