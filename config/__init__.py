"""Every setting of server, bot and simulator, read in one way: flags, environment, .env, NAME_FILE."""
