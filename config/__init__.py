"""Every setting, read in one way: flags, environment, .env, NAME_FILE."""
