"""The OpenSky Network on this machine: a server that replays recorded air traffic over the real protocol."""
