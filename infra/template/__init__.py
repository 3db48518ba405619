"""Rules for all resources of a kind in the packaged template: parameters, aliases, alarms, dashboard, keys, TLS, tags.

The fragments in this package declare each workload's resources; `stack` applies these rules to them.
"""
