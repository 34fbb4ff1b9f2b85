"""Running the process: building its parts, logging, systemd notifications."""
