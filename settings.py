"""Every setting, once."""

VERSION = "0.1.0"
