"""Omnibus: every route, socket, bucket event, schedule, event and queue that it reacts to.

A handler parses, calls one service, returns. How parsing, errors, CORS and retries work is in `chalicelib/entry`;
what the services are made of is in `chalicelib/bootstrap.py`.
"""

from functools import cache

from chalicelib.bootstrap import bootstrap
from chalicelib.entry.web import CORS, App
from chalicelib.health import HealthQuery
from chalicelib.health import Report as HealthReport

services = cache(bootstrap)
app = App("omnibus", origins=lambda: services().settings.cors_origins)

# -- the application itself


@app.route("/health", cors=CORS, query=HealthQuery, returns=HealthReport, headers=["X-Health-Token"], tag="health")
def health() -> HealthReport:
    """Tell whether the application answers, and with `deep`, whether its dependencies do."""
    return services().health.report(app.query(HealthQuery), app.header("X-Health-Token"))


@app.route("/openapi.json", cors=CORS, returns=dict, tag="health")
def openapi() -> dict[str, object]:
    """This description."""
    return app.openapi()


# -- concerts

# -- predictions

# -- flights

# -- spendsense

# -- uploads
