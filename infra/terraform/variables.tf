# What can be set. Each attribute is a parameter of the template: parameters.tf says which, ../../docs/parameters.md what
# it means, and a test holds types and defaults here to the template's. null leaves the template's own default.

# -- the deployment

variable "package" {
  type        = string
  description = "Folder that `make package` wrote: sam.json and the zips that it names."
}

variable "artifact_bucket" {
  type        = string
  description = "Bucket for the artifacts; private, and in the region of the stack."
}

variable "stage" {
  type        = string
  description = "What the deployment is for, and what the package was made for: dev, staging or prod."
}

variable "stack_name" {
  type        = string
  description = "Name of the stack, and the first part of what everything in it is called; null for omnibus-<stage>."
  default     = null
}

variable "release" {
  type        = string
  description = "Name of package and parameters; null for a digest of both."
  default     = null
}

variable "tags" {
  type        = map(string)
  description = "Tags of the stack and everything in it."
  default     = {}
}

variable "ownership" {
  type = object({
    owner       = optional(string, "omnibus")
    cost_centre = optional(string, "omnibus")
  })
  description = "The tags owner and cost-centre of everything that costs money."
  default     = {}
}

variable "timeout_in_minutes" {
  type        = number
  description = "Minutes that Terraform waits for a change of the stack, its canary included; CloudFormation goes on."
  default     = 60
}

# -- functions

variable "lambda_config" {
  type = map(object({
    memory_size             = optional(number) # MB
    timeout                 = optional(number) # seconds
    reserved_concurrency    = optional(number) # 0 for none
    provisioned_concurrency = optional(number) # 0 for none
    environment_variables   = optional(map(any), {})
    schedule                = optional(string) # rate(...) or cron(...), in UTC
  }))
  description = "Functions by their names in app.py; ingestion, processing and validation are those of flights."
  default     = {}

  validation {
    condition     = alltrue([for each in var.lambda_config : try(each.memory_size >= 128 && each.memory_size <= 10240, true)])
    error_message = "Expected a memory_size from 128 to 10240."
  }

  validation {
    condition     = alltrue([for each in var.lambda_config : try(each.timeout >= 1 && each.timeout <= 900, true)])
    error_message = "Expected a timeout from 1 to 900."
  }
}

variable "invocation_config" {
  type = object({
    retry_attempts        = optional(number, 3) # of an asynchronous event, the first included
    event_age             = optional(number, 3600)
    dead_letter_retention = optional(number, 1209600)
  })
  description = "Attempts at an asynchronous event, and seconds for which the event or its dead-letter message is kept."
  default     = {}
}

variable "canary_config" {
  type = object({
    percentage = optional(number, 10)
    minutes    = optional(number, 5)
  })
  description = "Share of the traffic that a new version gets first, and its duration."
  default     = {}
}

variable "runtime_config" {
  type = object({
    runtime            = optional(string) # null: the package's; also for the architecture
    architecture       = optional(string)
    log_level          = optional(string, "INFO")
    log_retention      = optional(number) # days; null: by stage
    insights_layer_arn = optional(string, "")
  })
  description = "Runtime and logs of functions."
  default     = {}
}

# -- switches

variable "enable_alarms" {
  type        = bool
  description = "Alarms; without them, a failing canary is not rolled back either."
  default     = true
}

variable "enable_dashboard" {
  type        = bool
  description = "A dashboard and the route metrics that it shows."
  default     = true
}

variable "enable_tracing" {
  type        = bool
  description = "Traces of requests with X-Ray."
  default     = true
}

variable "enable_insights" {
  type        = bool
  description = "Reports of processor, memory and network to Lambda Insights."
  default     = true
}

variable "enable_snap_start" {
  type        = bool
  description = "Functions with scikit-learn start from a snapshot."
  default     = true
}

variable "enable_canary" {
  type        = bool
  description = "Traffic moves to new versions gradually."
  default     = true
}

variable "enable_schedules" {
  type        = bool
  description = "Scheduled functions run on their schedules."
  default     = true
}

variable "enable_migrations" {
  type        = bool
  description = "The schema is migrated before new versions get traffic; not at the first apply with network = \"own\"."
  default     = true
}

variable "enable_access_logs" {
  type        = bool
  description = "A line for each request to the two APIs."
  default     = true
}

variable "enable_chat_api_key" {
  type        = bool
  description = "POST /chat requires an API key."
  default     = false
}

variable "enable_deletion_protection" {
  type        = bool
  description = "Enable after the first deployment, because a failed first deployment could not be undone."
  default     = false
}

# -- security

variable "operator_token" {
  type        = string
  description = "Machines that send this token as X-Operator-Token have operators' rights. Empty allows no machine. At least 32 characters."
  default     = ""
  sensitive   = true
}

variable "kms_key_arn" {
  type        = string
  description = "Symmetric KMS key for all stored data. Empty creates a key."
  default     = ""
}

variable "secret_key_arns" {
  type        = list(string)
  description = "KMS keys of the secrets in other variables, if those secrets have keys of their own."
  default     = []
}

variable "model_signing_key_arn" {
  type        = string
  description = "KMS key (ECC_NIST_P256) that signs models. Empty creates a key."
  default     = ""
}

# -- the gateways

variable "gateway_config" {
  type = object({
    cors_origins = optional(list(string), [])
    rest_rate    = optional(number, 500)
    rest_burst   = optional(number, 1000)
    socket_rate  = optional(number, 500)
    socket_burst = optional(number, 1000)
    client_rate  = optional(number, 10) # of one API key
    client_burst = optional(number, 20)
    client_quota = optional(number, 10000) # a day
    address_rate = optional(number, 0)     # of one address in five minutes, by a web ACL; 0 creates none
    sockets_base = optional(string, "")
    account      = optional(string, "own") # or existing
  })
  description = "Origins that may call from browsers, and limits: requests a second, in a burst, a day."
  default     = {}
}

variable "alarm_config" {
  type = object({
    email    = optional(string, "")
    latency  = optional(number, 5000) # ms
    credits  = optional(number, 90)   # % of the day's OpenSky credits
    coverage = optional(number, 99)   # % of people with a persona
  })
  description = "Recipient of alarms, and their thresholds."
  default     = {}
}

# -- flights

variable "data_quality_config" {
  type = object({
    strict_mode = optional(bool, false)
    thresholds  = optional(map(number), {}) # docs/quality-checks.md names them
    score_alarm = optional(number, 80)      # %
    alert_email = optional(string, "")
  })
  description = "Conditions under which a flight snapshot fails its checks, and the recipient of alerts."
  default     = {}
}

variable "opensky_config" {
  type = object({
    url           = optional(string, "https://opensky-network.org")
    token_url     = optional(string, "https://auth.opensky-network.org/auth/realms/opensky-network/protocol/openid-connect/token")
    client_id     = optional(string, "")
    daily_credits = optional(number, 0)  # 0: OpenSky's own allowance
    box           = optional(string, "") # lamin,lomin,lamax,lomax
  })
  description = "Source of flights, and the limits of polling."
  default     = {}
}

variable "opensky_client_secret" {
  type        = string
  description = "Secret of opensky_config.client_id."
  default     = ""
  sensitive   = true
}

# -- concerts

variable "warehouse_config" {
  type = object({
    workgroup  = optional(string, "")
    cluster    = optional(string, "")
    database   = optional(string, "omnibus")
    db_user    = optional(string, "")
    secret_arn = optional(string, "")
    fresh_for  = optional(number, 60) # seconds
  })
  description = "The warehouse of concerts, in Redshift."
  default     = {}
}

variable "chat_config" {
  type = object({
    agent_id        = optional(string, "")
    agent_alias_id  = optional(string, "")
    model_id        = optional(string, "")
    ticket_endpoint = optional(string, "")
  })
  description = "Bedrock agent or model for the chat, and SageMaker endpoint for ticket forecasts."
  default     = {}
}

# -- predictions

variable "predictions_config" {
  type = object({
    single_call_bytes = optional(number, 536870912)
    part_bytes        = optional(number, 67108864)
    concurrency       = optional(number, 40)
  })
  description = "Size from which data is scored in parts, the size of parts, and their concurrency."
  default     = {}
}

# -- spendsense

variable "database_config" {
  type = object({
    secret_arn         = optional(string, "")
    host               = optional(string, "")
    name               = optional(string, "")
    authorities        = optional(string, "system")
    network            = optional(string, "none") # own or existing
    vpc_cidr           = optional(string, "10.20.0.0/16")
    subnet_ids         = optional(list(string))
    security_group_ids = optional(list(string))
  })
  description = "SpendSense's PostgreSQL database and its network."
  default     = {}
}

variable "database_url" {
  type        = string
  description = "postgresql://user:password@host/database, if database_config names no secret."
  default     = ""
  sensitive   = true
}

variable "people_config" {
  type = object({
    retention         = optional(number, 365) # days
    threat_protection = optional(string, "ENFORCED")
  })
  description = "Retention of runs and refused accesses, and Cognito's response to unusual sign-ins."
  default     = {}
}

# -- uploads

variable "uploads_config" {
  type = object({
    origins             = optional(list(string), ["*"])
    sessions_per_client = optional(number, 60)
    max_bytes           = optional(number, 20971520)
    notice_attempts     = optional(number, 12)
  })
  description = "Origins, number and size of uploads, and attempts to notify desktops."
  default     = {}
}
