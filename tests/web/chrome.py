"""A headless Chromium for tests: no update requests, a console that tests read, and pictures of what it shows."""

from __future__ import annotations

import base64
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome as Driver
from selenium.webdriver import ChromeOptions
from selenium.webdriver.chrome.service import Service

PICTURES = Path(os.environ.get("SCREENSHOTS", "screenshots"))
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-gpu", "--lang=en-US",
)  # fmt: skip
SIZES = {"wide": (1600, 1000), "desk": (1280, 900), "phone": (390, 844), "small": (360, 740)}


class Chrome:
    """`with Chrome()`: one browser; tabs share it as a user's do."""

    def __init__(self) -> None:
        for program in ("chromium", "chromedriver"):
            if shutil.which(program) is None:
                missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
                missing(f"{program} is missing: apt-get install chromium chromium-driver")
        options = ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Driver(options=options, service=Service(str(shutil.which("chromedriver"))))
        self.driver.set_page_load_timeout(20)
        self.driver.set_script_timeout(30)
        self.size("wide")

    def __enter__(self) -> Chrome:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def open(self, url: str) -> None:
        self.driver.get(url)

    def size(self, name: str, scale: float = 1) -> None:
        """Set the viewport to wide, desk, phone or small."""
        self.metrics(*SIZES[name], scale)

    def metrics(self, width: int, height: int, scale: float = 1) -> None:
        """Set the viewport in CSS pixels; below 600 it is a phone."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def theme(self, name: str) -> None:
        """Set the theme that the system prefers: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """Return the text of an element; empty when there is none."""
        script = "const e = document.querySelector(arguments[0]); return e ? e.textContent : ''"
        return str(self.run(script, selector))

    def errors(self) -> list[str]:
        """Return errors and warnings of the console since the last call, without requests that failed."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        severe = [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
        failed = ("net::ERR_", "Failed to load resource")
        return [message for message in severe if not any(word in message for word in failed)]

    def picture(self, name: str, whole: bool = False, folder: Path = PICTURES) -> Path:
        """Write what it shows to <folder>/<name>.png and return that path."""
        folder.mkdir(parents=True, exist_ok=True)
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})
        path = folder / f"{name}.png"
        path.write_bytes(base64.b64decode(shot["data"]))
        return path
