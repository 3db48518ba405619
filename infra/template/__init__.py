"""What is said of everything in the packaged template, by kind: knobs, aliases, alarms, dashboard, keys, TLS, tags.

The fragments beside this package say what each workload has; `stack` lays these over them.
"""
