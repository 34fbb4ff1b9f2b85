"""`python server.py doctor URL`: a running service as a browser sees it from outside, and what is wrong on the way."""

import argparse
import asyncio
import time
from collections.abc import Sequence

import aiohttp

from commands.examine import examine
from commands.findings import Finding
from commands.visit import Visit


def main(arguments: Sequence[str]) -> int:
    """0 when nothing is wrong, else 1."""
    parser = argparse.ArgumentParser(prog="python server.py doctor", description=__doc__)
    parser.add_argument("url", help="where the API begins, such as https://app.example.com/api/python")
    parser.add_argument("--token", default="", help="API_TOKEN, when the service asks for one")
    parser.add_argument("--insecure", action="store_true", help="take any certificate")
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    findings = asyncio.run(run(given.url.rstrip("/"), given.token, given.insecure))
    wrong = [finding for finding in findings if finding.level == "wrong"]
    print(f"\n{len(findings)} looks in {time.monotonic() - begun:.0f} s: ", end="")
    print("nothing is wrong" if not wrong else f"{len(wrong)} wrong")
    return 1 if wrong else 0


async def run(base: str, token: str, insecure: bool) -> list[Finding]:
    """Examine, and print each finding as it comes, with its cure."""
    findings: list[Finding] = []
    connector = aiohttp.TCPConnector(ssl=not insecure, limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
        async for finding in examine(Visit(session, base, token)):
            findings.append(finding)
            print(f"{finding.level:5} {finding.name}: {finding.words}", flush=True)
            if finding.cure:
                print("".join(f"          {line}\n" for line in finding.cure.splitlines()), end="")
    return findings
