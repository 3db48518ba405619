"""A local OpenSky Network: a server that replays recorded air traffic over the real protocol."""
