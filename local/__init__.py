"""The local cloud: the packaged application on one machine, behind the same wire protocols as in AWS."""
