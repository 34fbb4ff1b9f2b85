"""`python server.py doctor URL`: examine a running service from outside, as a browser reaches it."""

import argparse
import asyncio
import os
import time
from collections.abc import Sequence

import aiohttp
from yarl import URL

from commands.doctor.cures import cure
from commands.doctor.examination import CROWD, examine
from commands.doctor.findings import Diagnosis
from commands.doctor.probe import Probe
from config.reader import SettingError, SettingsError, find

EPILOG = "For each fault the lines to change in the proxy that was met are printed. Exit status 1: something is wrong."


def main(arguments: Sequence[str]) -> int:
    """Examine a service; return 0 if nothing is wrong, 1 if something is, 2 if a file cannot be read."""
    parser = argparse.ArgumentParser(prog="python server.py doctor", description=__doc__, epilog=EPILOG)
    parser.add_argument("url", type=address, help="base of the API, such as https://app.example.com/api/python")
    parser.add_argument("--token-file", help="file with the API token; default: API_TOKEN or API_TOKEN_FILE")
    parser.add_argument("--cookie-file", help="file with a cookie to send, such as SESSION=...; default: DOCTOR_COOKIE")
    parser.add_argument("--insecure", action="store_true", help="accept any certificate")
    parser.add_argument("--streams", type=int, default=CROWD, help="streams to open at once (default %(default)s)")
    given = parser.parse_args(arguments)
    keys = credentials(given.token_file, given.cookie_file)
    begun = time.monotonic()
    try:
        findings = asyncio.run(run(given.url, keys, given.insecure, given.streams))
    except KeyboardInterrupt:
        print("\nstopped before the end")
        return 1
    count = sum(finding.level == "wrong" for finding in findings)
    verdict = f"{count} wrong" if count else "nothing is wrong"
    print(f"\n{len(findings)} checks in {time.monotonic() - begun:.0f} s: {verdict}")
    return 1 if count else 0


def credentials(token_file: str | None, cookie_file: str | None) -> dict[str, str]:
    """Return headers that identify us. No secret is a flag, since others can read the flags of a process.

    Raises SettingsError for a file that cannot be read.
    """
    places = [{"API_TOKEN_FILE": token_file} if token_file else {}, os.environ]
    cookies = [{"DOCTOR_COOKIE_FILE": cookie_file} if cookie_file else {}, os.environ]
    try:
        token = find("API_TOKEN", places[:1] if token_file else places, secret=True)
        cookie = find("DOCTOR_COOKIE", cookies[:1] if cookie_file else cookies, secret=True)
    except SettingError as error:
        raise SettingsError([str(error)]) from None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return headers | ({"Cookie": cookie} if cookie else {})


def address(text: str) -> URL:
    """Return the URL of a service, without a slash at the end."""
    try:
        url = URL(text.strip()).with_query(None).with_fragment(None)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with http:// or https:// and a host")
    return URL(str(url).rstrip("/"))


async def run(base: URL, keys: dict[str, str], insecure: bool = False, streams: int = CROWD) -> list[Diagnosis]:
    """Examine a service and print each finding with the lines to change. keys: headers that identify us."""
    findings: list[Diagnosis] = []
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=not insecure, limit=0),
        timeout=aiohttp.ClientTimeout(total=None),  # each look has a limit of its own
        headers={"Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as session:
        probe = Probe(session, base, keys)
        async for finding in examine(probe, streams):
            findings.append(finding)
            print(f"{finding.level:5} {finding.name}: {finding.words}", flush=True)
            for line in cure(finding.name, probe.proxy).splitlines() if finding.has_cure else ():
                print(f"          {line}")
    return findings
