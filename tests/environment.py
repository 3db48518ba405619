"""The environment of the application under test: every variable that the template sets, with names of nothing real."""

from collections.abc import Mapping

AWS = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}

OPERATOR_TOKEN = "the token of operators, for tests alone"

ENVIRONMENT: Mapping[str, str] = {
    **AWS,
    "OMNIBUS_STAGE": "dev",
    "OMNIBUS_CORS_ORIGINS": "https://app.example.com",
    "OMNIBUS_OPERATOR_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:operator-token",
    "OMNIBUS_SOCKETS_ENDPOINT": "https://socketapi1.execute-api.eu-west-1.amazonaws.com/api",
    "OMNIBUS_UPLOADS_BUCKET": "uploads",
    "OMNIBUS_UPLOADS_SESSIONS_TABLE": "upload-sessions",
    "OMNIBUS_UPLOADS_COUNTERS_TABLE": "upload-counters",
    "OMNIBUS_UPLOADS_OUTBOX_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/upload-notices",
    "OMNIBUS_CONCERTS_PREDICT_FUNCTION": "predict_tickets",
    "OMNIBUS_CONCERTS_SESSIONS_TABLE": "chat-sessions",
    "OMNIBUS_PREDICTIONS_MODELS": "s3://models/",
    "OMNIBUS_PREDICTIONS_DATA": "s3://predictions/data/",
    "OMNIBUS_PREDICTIONS_OUTPUT": "s3://predictions/output/",
    "OMNIBUS_PREDICTIONS_SCRATCH_BUCKET": "predictions-scratch",
    "OMNIBUS_PREDICTIONS_JOBS_TABLE": "prediction-jobs",
    "OMNIBUS_PREDICTIONS_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:predictions",
    "OMNIBUS_PREDICTIONS_SIGNING_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d",
    "OMNIBUS_FLIGHTS_WORKGROUP": "flights",
    "OMNIBUS_FLIGHTS_DATABASE": "flights",
    "OMNIBUS_PREDICTIONS_FUNCTION": "predict_batch",
    "OMNIBUS_FLIGHTS_BUCKET": "flights",
    "OMNIBUS_FLIGHTS_RUNS_TABLE": "flights-runs",
    "OMNIBUS_FLIGHTS_GUARD_TABLE": "flights-guard",
    "OMNIBUS_FLIGHTS_ALERTS_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:flights-alerts",
    "OMNIBUS_FLIGHTS_PROCESS_FUNCTION": "process_flights",
    "OMNIBUS_SPENDSENSE_DATABASE_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database",
    "OMNIBUS_SPENDSENSE_OWNER_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:owner",
    "OMNIBUS_SPENDSENSE_COGNITO_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cognito",
}
