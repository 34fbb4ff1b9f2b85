"""`python server.py doctor URL`: a running service as a browser sees it from outside, and what is wrong on the way."""

import argparse
import asyncio
import time
from collections.abc import Sequence

import aiohttp
from yarl import URL

from commands.doctor.examination import CROWD, examine
from commands.doctor.findings import Finding
from commands.doctor.probe import Probe

EPILOG = (
    "The lines to change are Apache's; deploy/apache is a whole site that is right. Exit status 1: something is wrong."
)


def main(arguments: Sequence[str]) -> int:
    """0 when nothing is wrong, else 1."""
    parser = argparse.ArgumentParser(prog="python server.py doctor", description=__doc__, epilog=EPILOG)
    parser.add_argument("url", type=address, help="where the API begins, such as https://app.example.com/api/python")
    parser.add_argument("--token", default="", help="API_TOKEN, when the service asks for one")
    parser.add_argument(
        "--cookie", default="", help="a cookie to send, such as SESSION=..., where Spring knows who you are"
    )
    parser.add_argument("--insecure", action="store_true", help="take any certificate")
    parser.add_argument("--streams", type=int, default=CROWD, help="how many streams to open at once (%(default)s)")
    given = parser.parse_args(arguments)
    keys = {"Authorization": f"Bearer {given.token}"} if given.token else {}
    keys |= {"Cookie": given.cookie} if given.cookie else {}
    begun = time.monotonic()
    try:
        findings = asyncio.run(run(given.url, keys, given.insecure, given.streams))
    except KeyboardInterrupt:
        print("\nstopped before the end")
        return 1
    wrong = sum(finding.level == "wrong" for finding in findings)
    verdict = f"{wrong} wrong" if wrong else "nothing is wrong"
    print(f"\n{len(findings)} looks in {time.monotonic() - begun:.0f} s: {verdict}")
    return 1 if wrong else 0


def address(text: str) -> URL:
    """The URL of a service, without a trailing slash."""
    try:
        url = URL(text.strip()).with_query(None).with_fragment(None)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with http:// or https:// and a host")
    return URL(str(url).rstrip("/"))


async def run(base: URL, keys: dict[str, str], insecure: bool = False, streams: int = CROWD) -> list[Finding]:
    """Examine, and print each finding as it comes, with its cure. keys: headers that say who we are."""
    findings: list[Finding] = []
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=not insecure, limit=0),
        timeout=aiohttp.ClientTimeout(total=None),  # each look has a limit of its own
        headers={"Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as session:
        async for finding in examine(Probe(session, base, keys), streams):
            findings.append(finding)
            print(f"{finding.level:5} {finding.name}: {finding.words}", flush=True)
            for line in finding.cure.splitlines():
                print(f"          {line}")
    return findings
