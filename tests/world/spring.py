"""The login service of deploy/spring as a process: Spring Boot 4 or 3.5, either of Spring Session's repositories."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import aiohttp

from commands.ports import free_port
from tests.support.apache import wanted
from tests.support.eventually import eventually
from tests.support.neighbours import Program, missing
from tests.world.kept import ROOT, cache, kept

Boot = Literal["4", "3"]
Repository = Literal["default", "indexed"]
PROFILES: Mapping[Boot, list[str]] = {"4": [], "3": ["-Pboot-3"]}
# renamed in Spring Boot 4, which ignores the old name without a word
PROPERTIES: Mapping[Boot, str] = {"4": "spring.session.data.redis", "3": "spring.session.redis"}
SOURCE = ROOT / "deploy" / "spring"


def jar(boot: Boot) -> Path:
    """Return the login service's jar, built by Maven when its source has changed."""
    maven = wanted("mvn", "maven")
    wanted("javac", "default-jdk-headless")
    sources = [SOURCE / "pom.xml", *sorted((SOURCE / "src").rglob("*.*"))]

    def build(folder: Path) -> None:
        command: list[str | Path] = [
            maven, "-q", "-B", *PROFILES[boot], f"-Dmaven.repo.local={cache() / 'maven'}", f"-DbuildFolder={folder}",
            "-f", SOURCE / "pom.xml", "package",
        ]  # fmt: skip
        built = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if built.returncode != 0:
            missing("the jar of deploy/spring", f"mvn package says: {built.stdout[-500:]}")

    folder = kept(f"spring-boot-{boot}", "".join(file.read_text() for file in sources), build)
    [built] = folder.glob("*.jar")
    return built


class SpringBoot(Program):
    """The login service on a free port; its one user is `trader`."""

    PASSWORD = "a password"

    def __init__(self, boot: Boot, repository: Repository, redis: int, log: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._log = log
        prefix = PROPERTIES[boot]
        values = {
            "server.port": str(self.port), "spring.data.redis.port": str(redis), "spring.data.redis.username": "spring",
            "spring.data.redis.password": "spring-secret", "spring.security.user.password": self.PASSWORD,
            f"{prefix}.repository-type": repository,
        } | {name.replace("SESSION", prefix): value for name, value in settings.items()}  # fmt: skip
        options = [f"--{name}={value}" for name, value in values.items()]
        self._command = [wanted("java", "default-jdk-headless"), "-Xmx256m", "-jar", str(jar(boot)), *options]

    def start(self) -> None:
        """Start it; `ready` waits for it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    async def ready(self) -> None:
        """Wait until it has said that it runs: half a minute of start on a busy machine is nothing unusual."""
        deadline = time.monotonic() + 180
        pattern = re.compile(r"Started Login in")
        await eventually(lambda: pattern.search(self._log.read_text()), within=deadline - time.monotonic(), every=0.2)


class Visitor:
    """A browser: keeps its cookies, fills the forms of the login service."""

    def __init__(self, site: str, host: str, password: str = SpringBoot.PASSWORD) -> None:
        self._site, self._password = site, password
        # the cookie jar refuses cookies of bare addresses unless it is told otherwise
        jar = aiohttp.CookieJar(unsafe=True)
        self.session = aiohttp.ClientSession(cookie_jar=jar, headers={"Host": host})

    async def __aenter__(self) -> Visitor:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def status(self, path: str) -> int:
        """Return the status of a GET."""
        async with self.session.get(self._site + path, allow_redirects=False) as answer:
            return answer.status

    async def form(self, path: str) -> str:
        """Return the CSRF token of the form under a path of the login service."""
        async with self.session.get(self._site + path) as answer:
            text = await answer.text()
        found = re.search(r'name="_csrf"[^>]*value="([^"]+)"', text)
        assert found, f"{path}: {answer.status} {text[:500]}"
        return found[1]

    async def send(self, path: str, **fields: str) -> str:
        """Send the form under a path; return the URL to which the answer redirects."""
        token = await self.form(path)
        data = {"_csrf": token} | fields
        async with self.session.post(self._site + path, data=data, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            return answer.headers["Location"]

    async def log_in(self) -> str:
        """Log in as `trader`."""
        return await self.send("/api/auth/login", username="trader", password=self._password)

    async def log_out(self) -> str:
        """Log out."""
        return await self.send("/api/auth/logout")
