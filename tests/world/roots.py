"""Roots of other systems, made by mmdebstrap once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.apache import wanted
from tests.support.neighbours import missing
from tests.world.kept import kept

TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")


def debian(release: str, *packages: str) -> Path:
    """Return the tar of a minimal Debian with these packages; its pip trusts what this machine trusts."""
    program = wanted("mmdebstrap", "mmdebstrap")
    if os.getuid() != 0:
        missing("root", "mmdebstrap makes roots of other systems as root")

    def make(path: Path) -> None:
        hooks = [f"--customize-hook=upload {TRUSTED} /etc/trusted.pem",
                 '--customize-hook=printf "[global]\\ncert = /etc/trusted.pem\\n" >"$1/etc/pip.conf"']  # fmt: skip
        command = [
            program, "--quiet", "--variant=minbase", '--aptopt=Acquire::Check-Valid-Until "false"', *hooks,
            f"--include={','.join(('ca-certificates', *packages))}", release, f"{path}.tar",
            "http://deb.debian.org/debian",
        ]  # fmt: skip
        made = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if made.returncode != 0:
            missing("a Debian mirror", made.stderr[-500:])
        shutil.move(f"{path}.tar", path)

    name = "-".join(("debian", release, *packages[:1]))
    return kept(name, f"{release} {packages} {TRUSTED.stat().st_size}", make)


def mysql() -> Path:
    """Return the root of a Debian that has Oracle's MySQL, unpacked."""
    tar = debian("sid", "mysql-server-core")

    def unpack(folder: Path) -> None:
        folder.mkdir(mode=0o755)
        subprocess.run(["tar", "-x", "-f", tar, "-C", folder], check=True)

    return kept("mysql", tar.name, unpack)
