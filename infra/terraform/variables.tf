# Written by `python -m infra.terraform_variables` from the packaged template. Do not edit.

variable "api_handler_environment" {
  type        = map(any)
  description = "JSON object of variables that api_handler gets besides, over those of the template."
  default     = {}
}

variable "api_handler_memory" {
  type        = number
  description = "Memory in MB of api_handler."
  default     = 512

  validation {
    condition     = var.api_handler_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.api_handler_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "api_handler_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of api_handler."
  default     = 0

  validation {
    condition     = var.api_handler_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.api_handler_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "api_handler_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of api_handler."
  default     = 0

  validation {
    condition     = var.api_handler_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.api_handler_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "api_handler_timeout" {
  type        = number
  description = "Timeout in seconds of api_handler."
  default     = 30

  validation {
    condition     = var.api_handler_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.api_handler_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "access_logs" {
  type        = string
  description = "Do the two APIs write a line for each request, without query strings, headers or bodies?"
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.access_logs)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "alarm_email" {
  type        = string
  description = "Who is told when an alarm goes off; empty, nobody is."
  default     = ""
}

variable "alarms" {
  type        = string
  description = "Are there alarms? Without them a canary is not rolled back either."
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.alarms)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "architecture" {
  type        = string
  description = "Processor of every function; like Runtime, that of the package."
  default     = null

  validation {
    condition     = var.architecture == null ? true : contains(["arm64", "x86_64"], var.architecture)
    error_message = "Expected one of arm64, x86_64."
  }
}

variable "assign_persona_environment" {
  type        = map(any)
  description = "JSON object of variables that assign_persona gets besides, over those of the template."
  default     = {}
}

variable "assign_persona_memory" {
  type        = number
  description = "Memory in MB of assign_persona."
  default     = 512

  validation {
    condition     = var.assign_persona_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.assign_persona_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "assign_persona_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of assign_persona."
  default     = 0

  validation {
    condition     = var.assign_persona_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.assign_persona_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "assign_persona_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of assign_persona."
  default     = 5

  validation {
    condition     = var.assign_persona_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.assign_persona_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "assign_persona_timeout" {
  type        = number
  description = "Timeout in seconds of assign_persona."
  default     = 300

  validation {
    condition     = var.assign_persona_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.assign_persona_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "canary" {
  type        = string
  description = "Do new versions get a part of the traffic first? Disabled, they get all of it at once."
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.canary)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "canary_minutes" {
  type        = number
  description = "Minutes without an alarm after which the rest of the traffic follows."
  default     = 5

  validation {
    condition     = var.canary_minutes >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.canary_minutes <= 600
    error_message = "Expected at most 600."
  }
}

variable "canary_percentage" {
  type        = number
  description = "Percentage of the traffic that goes to a new version first."
  default     = 10

  validation {
    condition     = var.canary_percentage >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.canary_percentage <= 99
    error_message = "Expected at most 99."
  }
}

variable "chat_agent_alias_id" {
  type        = string
  description = "Alias of the agent that chats."
  default     = ""

  validation {
    condition     = length(var.chat_agent_alias_id) <= 10
    error_message = "Expected at most 10 characters."
  }
}

variable "chat_agent_id" {
  type        = string
  description = "Bedrock agent that chats, with ChatAgentAliasId; its action groups must return control."
  default     = ""

  validation {
    condition     = length(var.chat_agent_id) <= 10
    error_message = "Expected at most 10 characters."
  }
}

variable "chat_api_key" {
  type        = string
  description = "Must callers of POST /chat, which may cost a model's tokens, send an API key (x-api-key)? For callers that are machines; a page cannot keep a key."
  default     = "DISABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.chat_api_key)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "chat_model_id" {
  type        = string
  description = "Bedrock model or inference profile that chats through Converse, where no agent does."
  default     = ""
}

variable "client_burst" {
  type        = number
  description = "Requests of one API key at once."
  default     = 20

  validation {
    condition     = var.client_burst >= 1
    error_message = "Expected at least 1."
  }
}

variable "client_quota" {
  type        = number
  description = "Requests a day of one API key."
  default     = 10000

  validation {
    condition     = var.client_quota >= 1
    error_message = "Expected at least 1."
  }
}

variable "client_rate" {
  type        = number
  description = "Requests a second of one API key."
  default     = 10

  validation {
    condition     = var.client_rate >= 1
    error_message = "Expected at least 1."
  }
}

variable "compute_features_environment" {
  type        = map(any)
  description = "JSON object of variables that compute_features gets besides, over those of the template."
  default     = {}
}

variable "compute_features_memory" {
  type        = number
  description = "Memory in MB of compute_features."
  default     = 1024

  validation {
    condition     = var.compute_features_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.compute_features_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "compute_features_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of compute_features."
  default     = 0

  validation {
    condition     = var.compute_features_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.compute_features_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "compute_features_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of compute_features."
  default     = 1

  validation {
    condition     = var.compute_features_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.compute_features_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "compute_features_schedule" {
  type        = string
  description = "When compute_features runs by itself: rate(...) or cron(...), in UTC."
  default     = "cron(0 1 * * ? *)"
}

variable "compute_features_timeout" {
  type        = number
  description = "Timeout in seconds of compute_features."
  default     = 300

  validation {
    condition     = var.compute_features_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.compute_features_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "cors_origins" {
  type        = list(string)
  description = "Origins that browsers may call from, e.g. https://app.example.com, by commas; the first also reads gateway errors."
  default     = []
}

variable "cost_centre" {
  type        = string
  description = "Who pays, as the tag cost-centre of everything that costs money."
  default     = "omnibus"
}

variable "coverage_alarm" {
  type        = number
  description = "Alarm where less than this percentage of the people who consented and have data has a persona after a run."
  default     = 99

  validation {
    condition     = var.coverage_alarm >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.coverage_alarm <= 100
    error_message = "Expected at most 100."
  }
}

variable "credits_alarm" {
  type        = number
  description = "Alarm where more than this percentage of the day's OpenSky credits is used."
  default     = 90

  validation {
    condition     = var.credits_alarm >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.credits_alarm <= 100
    error_message = "Expected at most 100."
  }
}

variable "dashboards" {
  type        = string
  description = "Is there a dashboard, with the metrics of routes that it shows?"
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.dashboards)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "database_authorities" {
  type        = string
  description = "File of the authorities that sign the database's certificate; \"system\" suits RDS Proxy."
  default     = "system"
}

variable "database_host" {
  type        = string
  description = "Host of the database or of its proxy; empty, the secret says it, which one that RDS manages does not."
  default     = ""
}

variable "database_name" {
  type        = string
  description = "The database on that host; empty, what the secret says, or postgres."
  default     = ""
}

variable "database_network" {
  type        = string
  description = "Where functions reach the database - the public network, a VPC of this stack, or SubnetIds and SecurityGroupIds."
  default     = "none"

  validation {
    condition     = contains(["none", "own", "existing"], var.database_network)
    error_message = "Expected one of none, own, existing."
  }
}

variable "database_secret_arn" {
  type        = string
  description = "Secret of the PostgreSQL database, as RDS writes it or {\"url\"}; empty, the stack makes one of DatabaseUrl."
  default     = ""
}

variable "database_url" {
  type        = string
  description = "postgresql://user:password@host/database; ignored where DatabaseSecretArn is given."
  default     = ""
  sensitive   = true
}

variable "dead_letter_retention" {
  type        = number
  description = "Seconds for which dead letters wait; the default, 14 days, is the most that SQS allows."
  default     = 1209600

  validation {
    condition     = var.dead_letter_retention >= 60
    error_message = "Expected at least 60."
  }

  validation {
    condition     = var.dead_letter_retention <= 1209600
    error_message = "Expected at most 1209600."
  }
}

variable "deletion_protection" {
  type        = string
  description = "May tables that are kept and the user pool be deleted by nobody? Enable it after the first deployment - a first one that fails could not be undone."
  default     = "DISABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.deletion_protection)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "event_age" {
  type        = number
  description = "Seconds after which an asynchronous event is not tried again."
  default     = 3600

  validation {
    condition     = var.event_age >= 60
    error_message = "Expected at least 60."
  }

  validation {
    condition     = var.event_age <= 21600
    error_message = "Expected at most 21600."
  }
}

variable "flights_alert_email" {
  type        = string
  description = "Who is told of snapshots that fail and of troubles with OpenSky; empty, nobody is."
  default     = ""
}

variable "flights_box" {
  type        = string
  description = "lamin,lomin,lamax,lomax in degrees; empty polls the whole world."
  default     = ""
}

variable "flights_strict_mode" {
  type        = bool
  description = "Does one failed check fail a snapshot, whatever its score?"
  default     = false
}

variable "flights_thresholds" {
  type        = map(any)
  description = "JSON object of the quality thresholds that differ from the defaults of docs/quality-checks.md."
  default     = {}
}

variable "gateway_account" {
  type        = string
  description = "Access logs need a role that API Gateway has once for each account and region. own sets it, and leaves it when the stack goes; existing leaves the account as it is, for where another stack sets it."
  default     = "own"

  validation {
    condition     = contains(["own", "existing"], var.gateway_account)
    error_message = "Expected one of own, existing."
  }
}

variable "generate_recommendations_environment" {
  type        = map(any)
  description = "JSON object of variables that generate_recommendations gets besides, over those of the template."
  default     = {}
}

variable "generate_recommendations_memory" {
  type        = number
  description = "Memory in MB of generate_recommendations."
  default     = 512

  validation {
    condition     = var.generate_recommendations_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.generate_recommendations_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "generate_recommendations_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of generate_recommendations."
  default     = 0

  validation {
    condition     = var.generate_recommendations_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.generate_recommendations_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "generate_recommendations_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of generate_recommendations."
  default     = 5

  validation {
    condition     = var.generate_recommendations_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.generate_recommendations_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "generate_recommendations_timeout" {
  type        = number
  description = "Timeout in seconds of generate_recommendations."
  default     = 300

  validation {
    condition     = var.generate_recommendations_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.generate_recommendations_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "ingest_flights_environment" {
  type        = map(any)
  description = "JSON object of variables that ingest_flights gets besides, over those of the template."
  default     = {}
}

variable "ingest_flights_memory" {
  type        = number
  description = "Memory in MB of ingest_flights."
  default     = 512

  validation {
    condition     = var.ingest_flights_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.ingest_flights_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "ingest_flights_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of ingest_flights."
  default     = 0

  validation {
    condition     = var.ingest_flights_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.ingest_flights_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "ingest_flights_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of ingest_flights."
  default     = 10

  validation {
    condition     = var.ingest_flights_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.ingest_flights_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "ingest_flights_schedule" {
  type        = string
  description = "When ingest_flights runs by itself: rate(...) or cron(...), in UTC."
  default     = "rate(5 minutes)"
}

variable "ingest_flights_timeout" {
  type        = number
  description = "Timeout in seconds of ingest_flights."
  default     = 60

  validation {
    condition     = var.ingest_flights_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.ingest_flights_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "insights" {
  type        = string
  description = "Does every function report its processor, memory and network to Lambda Insights?"
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.insights)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "insights_layer_arn" {
  type        = string
  description = "Layer of the Lambda Insights extension where AWS publishes it from another account than in most regions."
  default     = ""
}

variable "kms_key_arn" {
  type        = string
  description = "Symmetric KMS key for data, queues, topics, logs and variables; its policy must let the services use it as encryption.yaml does. Empty makes one."
  default     = ""
}

variable "latency_alarm" {
  type        = number
  description = "Alarm where one in twenty REST answers takes more than so many milliseconds for 15 minutes."
  default     = 5000

  validation {
    condition     = var.latency_alarm >= 1
    error_message = "Expected at least 1."
  }
}

variable "log_level" {
  type        = string
  description = "The least severe log lines that are written."
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "Expected one of DEBUG, INFO, WARNING, ERROR."
  }
}

variable "log_retention" {
  type        = number
  description = "Days for which logs are kept."
  default     = null

  validation {
    condition     = var.log_retention == null ? true : contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention)
    error_message = "Expected one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "migrate_environment" {
  type        = map(any)
  description = "JSON object of variables that migrate gets besides, over those of the template."
  default     = {}
}

variable "migrate_memory" {
  type        = number
  description = "Memory in MB of migrate."
  default     = 512

  validation {
    condition     = var.migrate_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.migrate_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "migrate_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of migrate."
  default     = 0

  validation {
    condition     = var.migrate_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.migrate_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "migrate_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of migrate."
  default     = 1

  validation {
    condition     = var.migrate_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.migrate_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "migrate_timeout" {
  type        = number
  description = "Timeout in seconds of migrate."
  default     = 300

  validation {
    condition     = var.migrate_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.migrate_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "model_signing_key_arn" {
  type        = string
  description = "KMS key (ECC_NIST_P256, sign and verify) that vouches for models, e.g. of another account; empty makes one."
  default     = ""
}

variable "notify_uploads_environment" {
  type        = map(any)
  description = "JSON object of variables that notify_uploads gets besides, over those of the template."
  default     = {}
}

variable "notify_uploads_memory" {
  type        = number
  description = "Memory in MB of notify_uploads."
  default     = 256

  validation {
    condition     = var.notify_uploads_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.notify_uploads_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "notify_uploads_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of notify_uploads."
  default     = 0

  validation {
    condition     = var.notify_uploads_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.notify_uploads_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "notify_uploads_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of notify_uploads."
  default     = 0

  validation {
    condition     = var.notify_uploads_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.notify_uploads_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "notify_uploads_timeout" {
  type        = number
  description = "Timeout in seconds of notify_uploads."
  default     = 10

  validation {
    condition     = var.notify_uploads_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.notify_uploads_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "open_sky_client_id" {
  type        = string
  description = "OAuth2 client of an OpenSky account; empty polls anonymously, with a tenth of the credits."
  default     = ""
}

variable "open_sky_client_secret" {
  type        = string
  description = "Secret of OpenSkyClientId."
  default     = ""
  sensitive   = true
}

variable "open_sky_daily_credits" {
  type        = number
  description = "Credits of a day, of which polling spends no more than there are; 400 without an account."
  default     = 4000
}

variable "open_sky_token_url" {
  type        = string
  description = "Where OpenSky gives OAuth2 tokens."
  default     = "https://auth.opensky-network.org/auth/realms/opensky-network/protocol/openid-connect/token"
}

variable "open_sky_url" {
  type        = string
  description = "Base URL of the OpenSky API; an egress proxy where OpenSky blocks AWS addresses."
  default     = "https://opensky-network.org"
}

variable "operator_token" {
  type        = string
  description = "Who sends it as X-Operator-Token may do what operators do; empty, nobody may."
  default     = ""
  sensitive   = true
}

variable "owner" {
  type        = string
  description = "Whose this is, as the tag owner of everything that costs money."
  default     = "omnibus"
}

variable "predict_batch_environment" {
  type        = map(any)
  description = "JSON object of variables that predict_batch gets besides, over those of the template."
  default     = {}
}

variable "predict_batch_memory" {
  type        = number
  description = "Memory in MB of predict_batch."
  default     = 1769

  validation {
    condition     = var.predict_batch_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.predict_batch_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "predict_batch_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of predict_batch."
  default     = 0

  validation {
    condition     = var.predict_batch_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_batch_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_batch_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of predict_batch."
  default     = 0

  validation {
    condition     = var.predict_batch_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_batch_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_batch_timeout" {
  type        = number
  description = "Timeout in seconds of predict_batch."
  default     = 900

  validation {
    condition     = var.predict_batch_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.predict_batch_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "predict_complete_environment" {
  type        = map(any)
  description = "JSON object of variables that predict_complete gets besides, over those of the template."
  default     = {}
}

variable "predict_complete_memory" {
  type        = number
  description = "Memory in MB of predict_complete."
  default     = 1769

  validation {
    condition     = var.predict_complete_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.predict_complete_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "predict_complete_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of predict_complete."
  default     = 0

  validation {
    condition     = var.predict_complete_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_complete_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_complete_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of predict_complete."
  default     = 0

  validation {
    condition     = var.predict_complete_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_complete_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_complete_timeout" {
  type        = number
  description = "Timeout in seconds of predict_complete."
  default     = 900

  validation {
    condition     = var.predict_complete_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.predict_complete_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "predict_part_environment" {
  type        = map(any)
  description = "JSON object of variables that predict_part gets besides, over those of the template."
  default     = {}
}

variable "predict_part_memory" {
  type        = number
  description = "Memory in MB of predict_part."
  default     = 1769

  validation {
    condition     = var.predict_part_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.predict_part_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "predict_part_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of predict_part."
  default     = 0

  validation {
    condition     = var.predict_part_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_part_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_part_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of predict_part."
  default     = 0

  validation {
    condition     = var.predict_part_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_part_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_part_timeout" {
  type        = number
  description = "Timeout in seconds of predict_part."
  default     = 900

  validation {
    condition     = var.predict_part_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.predict_part_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "predict_plan_environment" {
  type        = map(any)
  description = "JSON object of variables that predict_plan gets besides, over those of the template."
  default     = {}
}

variable "predict_plan_memory" {
  type        = number
  description = "Memory in MB of predict_plan."
  default     = 1769

  validation {
    condition     = var.predict_plan_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.predict_plan_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "predict_plan_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of predict_plan."
  default     = 0

  validation {
    condition     = var.predict_plan_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_plan_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_plan_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of predict_plan."
  default     = 0

  validation {
    condition     = var.predict_plan_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_plan_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_plan_timeout" {
  type        = number
  description = "Timeout in seconds of predict_plan."
  default     = 900

  validation {
    condition     = var.predict_plan_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.predict_plan_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "predict_tickets_environment" {
  type        = map(any)
  description = "JSON object of variables that predict_tickets gets besides, over those of the template."
  default     = {}
}

variable "predict_tickets_memory" {
  type        = number
  description = "Memory in MB of predict_tickets."
  default     = 512

  validation {
    condition     = var.predict_tickets_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.predict_tickets_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "predict_tickets_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of predict_tickets."
  default     = 0

  validation {
    condition     = var.predict_tickets_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_tickets_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_tickets_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of predict_tickets."
  default     = 0

  validation {
    condition     = var.predict_tickets_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.predict_tickets_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "predict_tickets_timeout" {
  type        = number
  description = "Timeout in seconds of predict_tickets."
  default     = 30

  validation {
    condition     = var.predict_tickets_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.predict_tickets_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "predictions_concurrency" {
  type        = number
  description = "Parts of one job that are scored at once."
  default     = 40
}

variable "predictions_part_bytes" {
  type        = number
  description = "Bytes of data in one item of the map."
  default     = 67108864
}

variable "predictions_single_call_bytes" {
  type        = number
  description = "Data of more than this many bytes is scored by the distributed map."
  default     = 536870912
}

variable "process_flights_environment" {
  type        = map(any)
  description = "JSON object of variables that process_flights gets besides, over those of the template."
  default     = {}
}

variable "process_flights_memory" {
  type        = number
  description = "Memory in MB of process_flights."
  default     = 1024

  validation {
    condition     = var.process_flights_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.process_flights_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "process_flights_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of process_flights."
  default     = 0

  validation {
    condition     = var.process_flights_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.process_flights_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "process_flights_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of process_flights."
  default     = 5

  validation {
    condition     = var.process_flights_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.process_flights_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "process_flights_timeout" {
  type        = number
  description = "Timeout in seconds of process_flights."
  default     = 120

  validation {
    condition     = var.process_flights_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.process_flights_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "quality_score_alarm" {
  type        = number
  description = "Alarm where snapshots of flights score less than this percentage in the mean of 15 minutes, twice in a row."
  default     = 80

  validation {
    condition     = var.quality_score_alarm >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.quality_score_alarm <= 100
    error_message = "Expected at most 100."
  }
}

variable "recompute_features_environment" {
  type        = map(any)
  description = "JSON object of variables that recompute_features gets besides, over those of the template."
  default     = {}
}

variable "recompute_features_memory" {
  type        = number
  description = "Memory in MB of recompute_features."
  default     = 1024

  validation {
    condition     = var.recompute_features_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.recompute_features_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "recompute_features_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of recompute_features."
  default     = 0

  validation {
    condition     = var.recompute_features_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.recompute_features_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "recompute_features_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of recompute_features."
  default     = 5

  validation {
    condition     = var.recompute_features_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.recompute_features_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "recompute_features_timeout" {
  type        = number
  description = "Timeout in seconds of recompute_features."
  default     = 300

  validation {
    condition     = var.recompute_features_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.recompute_features_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "redshift_cluster" {
  type        = string
  description = "Provisioned Redshift cluster; needs RedshiftDbUser or RedshiftSecretArn."
  default     = ""
}

variable "redshift_database" {
  type        = string
  description = "The warehouse's database."
  default     = "omnibus"
}

variable "redshift_db_user" {
  type        = string
  description = "Database user of a provisioned cluster."
  default     = ""
}

variable "redshift_secret_arn" {
  type        = string
  description = "Secret with the warehouse's user and password; empty signs in by IAM."
  default     = ""
}

variable "redshift_workgroup" {
  type        = string
  description = "Redshift Serverless workgroup that holds the warehouse; ignored where a cluster is named."
  default     = "omnibus"
}

variable "refresh_venue_popularity_environment" {
  type        = map(any)
  description = "JSON object of variables that refresh_venue_popularity gets besides, over those of the template."
  default     = {}
}

variable "refresh_venue_popularity_memory" {
  type        = number
  description = "Memory in MB of refresh_venue_popularity."
  default     = 256

  validation {
    condition     = var.refresh_venue_popularity_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.refresh_venue_popularity_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "refresh_venue_popularity_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of refresh_venue_popularity."
  default     = 0

  validation {
    condition     = var.refresh_venue_popularity_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.refresh_venue_popularity_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "refresh_venue_popularity_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of refresh_venue_popularity."
  default     = 1

  validation {
    condition     = var.refresh_venue_popularity_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.refresh_venue_popularity_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "refresh_venue_popularity_schedule" {
  type        = string
  description = "When refresh_venue_popularity runs by itself: rate(...) or cron(...), in UTC."
  default     = "rate(1 hour)"
}

variable "refresh_venue_popularity_timeout" {
  type        = number
  description = "Timeout in seconds of refresh_venue_popularity."
  default     = 300

  validation {
    condition     = var.refresh_venue_popularity_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.refresh_venue_popularity_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "release" {
  type        = string
  description = "Names code and parameters. When its first ten characters change, each function gets a version and alias live moves to it."
  default     = null

  validation {
    condition     = var.release == null ? true : can(regex("^(?:[0-9A-Za-z]{10,64})$", var.release))
    error_message = "Expected a text like [0-9A-Za-z]{10,64}."
  }
}

variable "release_flights_environment" {
  type        = map(any)
  description = "JSON object of variables that release_flights gets besides, over those of the template."
  default     = {}
}

variable "release_flights_memory" {
  type        = number
  description = "Memory in MB of release_flights."
  default     = 256

  validation {
    condition     = var.release_flights_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.release_flights_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "release_flights_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of release_flights."
  default     = 0

  validation {
    condition     = var.release_flights_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.release_flights_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "release_flights_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of release_flights."
  default     = 0

  validation {
    condition     = var.release_flights_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.release_flights_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "release_flights_timeout" {
  type        = number
  description = "Timeout in seconds of release_flights."
  default     = 60

  validation {
    condition     = var.release_flights_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.release_flights_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "rest_burst" {
  type        = number
  description = "REST requests that the stage lets in at once."
  default     = 1000

  validation {
    condition     = var.rest_burst >= 1
    error_message = "Expected at least 1."
  }
}

variable "rest_rate" {
  type        = number
  description = "REST requests a second that the stage lets in, of all callers together; beyond it they get 429."
  default     = 500

  validation {
    condition     = var.rest_rate >= 1
    error_message = "Expected at least 1."
  }
}

variable "retry_attempts" {
  type        = string
  description = "Attempts at an asynchronous event in all, the first included, before it is a dead letter; Lambda allows no fourth."
  default     = "3"

  validation {
    condition     = contains(["1", "2", "3"], var.retry_attempts)
    error_message = "Expected one of 1, 2, 3."
  }
}

variable "runtime" {
  type        = string
  description = "Runtime of every function. The package has compiled libraries, so only the one that it was made for works."
  default     = null

  validation {
    condition     = var.runtime == null ? true : contains(["python3.11", "python3.12", "python3.13"], var.runtime)
    error_message = "Expected one of python3.11, python3.12, python3.13."
  }
}

variable "schedules" {
  type        = string
  description = "Do scheduled functions run by themselves? Disabled, they run when they are invoked."
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.schedules)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "security_group_ids" {
  type        = list(string)
  description = "Security groups of an existing network, by commas; ignored for other networks."
  default     = ["sg-00000000"]
}

variable "socket_burst" {
  type        = number
  description = "Messages and handshakes that the WebSocket API lets in at once, for each of its routes."
  default     = 1000

  validation {
    condition     = var.socket_burst >= 1
    error_message = "Expected at least 1."
  }
}

variable "socket_rate" {
  type        = number
  description = "Messages and handshakes a second that the WebSocket API lets in, for each of its routes."
  default     = 500

  validation {
    condition     = var.socket_rate >= 1
    error_message = "Expected at least 1."
  }
}

variable "sockets_base" {
  type        = string
  description = "Where sockets are reached when not at API Gateway's own address; the API's id and stage are appended."
  default     = ""
}

variable "spendsense_retention" {
  type        = number
  description = "Days that runs of the jobs and refused accesses are on record in the database."
  default     = 365

  validation {
    condition     = var.spendsense_retention >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.spendsense_retention <= 3650
    error_message = "Expected at most 3650."
  }
}

variable "stage" {
  type        = string
  description = "What the deployment is for; part of every log line."

  validation {
    condition     = contains(["local", "dev", "staging", "prod"], var.stage)
    error_message = "Expected one of local, dev, staging, prod."
  }
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets of an existing network, by commas, with a way out to the AWS services; ignored for other networks."
  default     = ["subnet-00000000"]
}

variable "threat_protection" {
  type        = string
  description = "What Cognito does about leaked passwords and unusual sign-ins; anything but OFF is billed by active user (tier Plus)."
  default     = "ENFORCED"

  validation {
    condition     = contains(["OFF", "AUDIT", "ENFORCED"], var.threat_protection)
    error_message = "Expected one of OFF, AUDIT, ENFORCED."
  }
}

variable "ticket_endpoint" {
  type        = string
  description = "SageMaker endpoint of the ticket model; without it the model shipped with the application answers."
  default     = ""
}

variable "tracing" {
  type        = string
  description = "Are requests traced with X-Ray, from the REST API through functions and the state machine?"
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.tracing)
    error_message = "Expected one of ENABLED, DISABLED."
  }
}

variable "upload_completed_environment" {
  type        = map(any)
  description = "JSON object of variables that upload_completed gets besides, over those of the template."
  default     = {}
}

variable "upload_completed_memory" {
  type        = number
  description = "Memory in MB of upload_completed."
  default     = 256

  validation {
    condition     = var.upload_completed_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.upload_completed_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "upload_completed_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of upload_completed."
  default     = 0

  validation {
    condition     = var.upload_completed_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.upload_completed_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "upload_completed_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of upload_completed."
  default     = 0

  validation {
    condition     = var.upload_completed_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.upload_completed_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "upload_completed_timeout" {
  type        = number
  description = "Timeout in seconds of upload_completed."
  default     = 60

  validation {
    condition     = var.upload_completed_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.upload_completed_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "upload_max_bytes" {
  type        = number
  description = "The largest photo, in bytes."
  default     = 20971520

  validation {
    condition     = var.upload_max_bytes >= 1
    error_message = "Expected at least 1."
  }
}

variable "upload_notice_attempts" {
  type        = number
  description = "Attempts, a minute apart, at telling a desktop what happened to its upload."
  default     = 12

  validation {
    condition     = var.upload_notice_attempts >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.upload_notice_attempts <= 60
    error_message = "Expected at most 60."
  }
}

variable "upload_origins" {
  type        = list(string)
  description = "Origins whose pages may upload to the bucket with a permission; \"*\" lets any page use a permission that it was given."
  default     = ["*"]
}

variable "upload_sessions_per_client" {
  type        = number
  description = "Upload sessions that one address may open within ten minutes."
  default     = 60

  validation {
    condition     = var.upload_sessions_per_client >= 1
    error_message = "Expected at least 1."
  }
}

variable "validate_flights_environment" {
  type        = map(any)
  description = "JSON object of variables that validate_flights gets besides, over those of the template."
  default     = {}
}

variable "validate_flights_memory" {
  type        = number
  description = "Memory in MB of validate_flights."
  default     = 512

  validation {
    condition     = var.validate_flights_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.validate_flights_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "validate_flights_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of validate_flights."
  default     = 0

  validation {
    condition     = var.validate_flights_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.validate_flights_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "validate_flights_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of validate_flights."
  default     = 3

  validation {
    condition     = var.validate_flights_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.validate_flights_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "validate_flights_timeout" {
  type        = number
  description = "Timeout in seconds of validate_flights."
  default     = 60

  validation {
    condition     = var.validate_flights_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.validate_flights_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "vpc_cidr" {
  type        = string
  description = "Addresses of the stack's own network."
  default     = "10.20.0.0/16"

  validation {
    condition     = can(regex("^(?:^\\d+\\.\\d+\\.\\d+\\.\\d+/16$)$", var.vpc_cidr))
    error_message = "Expected a text like ^\\d+\\.\\d+\\.\\d+\\.\\d+/16$."
  }
}

variable "warehouse_fresh_for" {
  type        = number
  description = "Seconds for which rankings, programmes and totals may be answered from memory."
  default     = 60
}

variable "websocket_connect_environment" {
  type        = map(any)
  description = "JSON object of variables that websocket_connect gets besides, over those of the template."
  default     = {}
}

variable "websocket_connect_memory" {
  type        = number
  description = "Memory in MB of websocket_connect."
  default     = 256

  validation {
    condition     = var.websocket_connect_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.websocket_connect_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "websocket_connect_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of websocket_connect."
  default     = 0

  validation {
    condition     = var.websocket_connect_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.websocket_connect_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "websocket_connect_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of websocket_connect."
  default     = 0

  validation {
    condition     = var.websocket_connect_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.websocket_connect_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "websocket_connect_timeout" {
  type        = number
  description = "Timeout in seconds of websocket_connect."
  default     = 10

  validation {
    condition     = var.websocket_connect_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.websocket_connect_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "websocket_disconnect_environment" {
  type        = map(any)
  description = "JSON object of variables that websocket_disconnect gets besides, over those of the template."
  default     = {}
}

variable "websocket_disconnect_memory" {
  type        = number
  description = "Memory in MB of websocket_disconnect."
  default     = 256

  validation {
    condition     = var.websocket_disconnect_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.websocket_disconnect_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "websocket_disconnect_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of websocket_disconnect."
  default     = 0

  validation {
    condition     = var.websocket_disconnect_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.websocket_disconnect_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "websocket_disconnect_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of websocket_disconnect."
  default     = 0

  validation {
    condition     = var.websocket_disconnect_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.websocket_disconnect_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "websocket_disconnect_timeout" {
  type        = number
  description = "Timeout in seconds of websocket_disconnect."
  default     = 10

  validation {
    condition     = var.websocket_disconnect_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.websocket_disconnect_timeout <= 900
    error_message = "Expected at most 900."
  }
}

variable "websocket_message_environment" {
  type        = map(any)
  description = "JSON object of variables that websocket_message gets besides, over those of the template."
  default     = {}
}

variable "websocket_message_memory" {
  type        = number
  description = "Memory in MB of websocket_message."
  default     = 256

  validation {
    condition     = var.websocket_message_memory >= 128
    error_message = "Expected at least 128."
  }

  validation {
    condition     = var.websocket_message_memory <= 10240
    error_message = "Expected at most 10240."
  }
}

variable "websocket_message_provisioned_concurrency" {
  type        = number
  description = "Provisioned concurrency, 0 for none, of websocket_message."
  default     = 0

  validation {
    condition     = var.websocket_message_provisioned_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.websocket_message_provisioned_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "websocket_message_reserved_concurrency" {
  type        = number
  description = "Reserved concurrency, 0 for none, of websocket_message."
  default     = 0

  validation {
    condition     = var.websocket_message_reserved_concurrency >= 0
    error_message = "Expected at least 0."
  }

  validation {
    condition     = var.websocket_message_reserved_concurrency <= 1000
    error_message = "Expected at most 1000."
  }
}

variable "websocket_message_timeout" {
  type        = number
  description = "Timeout in seconds of websocket_message."
  default     = 60

  validation {
    condition     = var.websocket_message_timeout >= 1
    error_message = "Expected at least 1."
  }

  validation {
    condition     = var.websocket_message_timeout <= 900
    error_message = "Expected at most 900."
  }
}
