"""The local cloud: the packaged application on one machine, with the same wire protocols as AWS."""

import os

for _name in ("NO_PROXY", "no_proxy"):  # a proxy to the internet cannot reach this machine
    os.environ[_name] = ",".join(filter(None, (os.environ.get(_name), "127.0.0.1")))
