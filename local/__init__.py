"""The local cloud: the packaged application on one machine, behind the same wire protocols as in AWS."""

import os

for _name in ("NO_PROXY", "no_proxy"):  # a proxy that leads to the world does not lead back to this machine
    os.environ[_name] = ",".join(filter(None, (os.environ.get(_name), "127.0.0.1")))
