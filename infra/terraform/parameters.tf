# The variables as the template's parameters. null is left out, and the template's default applies.

locals {
  parameters = merge(local.functions, {
    Stage      = var.stage
    Owner      = var.ownership.owner
    CostCentre = var.ownership.cost_centre

    RetryAttempts       = tostring(var.invocation_config.retry_attempts)
    EventAge            = tostring(var.invocation_config.event_age)
    DeadLetterRetention = tostring(var.invocation_config.dead_letter_retention)
    CanaryPercentage    = tostring(var.canary_config.percentage)
    CanaryMinutes       = tostring(var.canary_config.minutes)
    Runtime             = var.runtime_config.runtime
    Architecture        = var.runtime_config.architecture
    LogLevel            = var.runtime_config.log_level
    LogRetention        = try(tostring(var.runtime_config.log_retention), null)
    InsightsLayerArn    = var.runtime_config.insights_layer_arn

    Alarms             = var.enable_alarms ? "ENABLED" : "DISABLED"
    Dashboards         = var.enable_dashboard ? "ENABLED" : "DISABLED"
    Tracing            = var.enable_tracing ? "ENABLED" : "DISABLED"
    Insights           = var.enable_insights ? "ENABLED" : "DISABLED"
    SnapStart          = var.enable_snap_start ? "ENABLED" : "DISABLED"
    Canary             = var.enable_canary ? "ENABLED" : "DISABLED"
    Schedules          = var.enable_schedules ? "ENABLED" : "DISABLED"
    Migrations         = var.enable_migrations ? "ENABLED" : "DISABLED"
    AccessLogs         = var.enable_access_logs ? "ENABLED" : "DISABLED"
    ChatApiKey         = var.enable_chat_api_key ? "ENABLED" : "DISABLED"
    DeletionProtection = var.enable_deletion_protection ? "ENABLED" : "DISABLED"

    KmsKeyArn          = var.kms_key_arn
    SecretKeyArns      = join(",", var.secret_key_arns)
    ModelSigningKeyArn = var.model_signing_key_arn

    CorsOrigins    = join(",", var.gateway_config.cors_origins)
    RestRate       = tostring(var.gateway_config.rest_rate)
    RestBurst      = tostring(var.gateway_config.rest_burst)
    SocketRate     = tostring(var.gateway_config.socket_rate)
    SocketBurst    = tostring(var.gateway_config.socket_burst)
    ClientRate     = tostring(var.gateway_config.client_rate)
    ClientBurst    = tostring(var.gateway_config.client_burst)
    ClientQuota    = tostring(var.gateway_config.client_quota)
    AddressRate    = tostring(var.gateway_config.address_rate)
    SocketsBase    = var.gateway_config.sockets_base
    GatewayAccount = var.gateway_config.account
    AlarmEmail     = var.alarm_config.email
    LatencyAlarm   = tostring(var.alarm_config.latency)
    CreditsAlarm   = tostring(var.alarm_config.credits)
    CoverageAlarm  = tostring(var.alarm_config.coverage)

    FlightsStrictMode   = tostring(var.data_quality_config.strict_mode)
    FlightsThresholds   = jsonencode(var.data_quality_config.thresholds)
    QualityScoreAlarm   = tostring(var.data_quality_config.score_alarm)
    FlightsAlertEmail   = var.data_quality_config.alert_email
    OpenSkyUrl          = var.opensky_config.url
    OpenSkyTokenUrl     = var.opensky_config.token_url
    OpenSkyClientId     = var.opensky_config.client_id
    OpenSkyDailyCredits = tostring(var.opensky_config.daily_credits)
    FlightsBox          = var.opensky_config.box

    RedshiftWorkgroup = var.warehouse_config.workgroup
    RedshiftCluster   = var.warehouse_config.cluster
    RedshiftDatabase  = var.warehouse_config.database
    RedshiftDbUser    = var.warehouse_config.db_user
    RedshiftSecretArn = var.warehouse_config.secret_arn
    WarehouseFreshFor = tostring(var.warehouse_config.fresh_for)
    ChatAgentId       = var.chat_config.agent_id
    ChatAgentAliasId  = var.chat_config.agent_alias_id
    ChatModelId       = var.chat_config.model_id
    TicketEndpoint    = var.chat_config.ticket_endpoint

    PredictionsSingleCallBytes = tostring(var.predictions_config.single_call_bytes)
    PredictionsPartBytes       = tostring(var.predictions_config.part_bytes)
    PredictionsConcurrency     = tostring(var.predictions_config.concurrency)

    DatabaseSecretArn   = var.database_config.secret_arn
    DatabaseHost        = var.database_config.host
    DatabaseName        = var.database_config.name
    DatabaseAuthorities = var.database_config.authorities
    DatabaseNetwork     = var.database_config.network
    VpcCidr             = var.database_config.vpc_cidr
    SubnetIds           = try(join(",", var.database_config.subnet_ids), null)
    SecurityGroupIds    = try(join(",", var.database_config.security_group_ids), null)
    SpendsenseRetention = tostring(var.people_config.retention)
    ThreatProtection    = var.people_config.threat_protection

    UploadOrigins           = join(",", var.uploads_config.origins)
    UploadSessionsPerClient = tostring(var.uploads_config.sessions_per_client)
    UploadMaxBytes          = tostring(var.uploads_config.max_bytes)
    UploadNoticeAttempts    = tostring(var.uploads_config.notice_attempts)
  })

  # CloudFormation masks these, so Terraform sees them change each time: those that are given are passed.
  secrets = {
    OperatorToken       = var.operator_token
    DatabaseUrl         = var.database_url
    OpenSkyClientSecret = var.opensky_client_secret
  }

  # Each function that is configured: its limits, those that are not given as by default; its variables; its schedule.
  names = { ingestion = "ingest_flights", processing = "process_flights", validation = "validate_flights" }
  configured = {
    for name, config in var.lambda_config :
    lookup(local.names, name, name) == "api_handler" ? "APIHandler" : join("", [
      for word in split("_", lookup(local.names, name, name)) : title(word)
    ]) => config
  }
  limits = { for name, config in local.configured : name => split(",", try(local.declared["${name}Limits"].Default, ",,,")) }
  functions = merge(
    {
      for name, config in local.configured : "${name}Limits" => join(",", [
        for place, given in [
          config.memory_size, config.timeout, config.reserved_concurrency, config.provisioned_concurrency
        ] : given == null ? local.limits[name][place] : tostring(given)
      ])
    },
    {
      for name, config in local.configured :
      "${name}Environment" => jsonencode(config.environment_variables) if length(config.environment_variables) > 0
    },
    { for name, config in local.configured : "${name}Schedule" => config.schedule if config.schedule != null },
  )

  # What CloudFormation would refuse only when the change has begun.
  declared = jsondecode(local.packaged).Parameters
  given    = { for name, value in local.parameters : name => value if value != null }
  known    = { for name, value in local.given : name => value if contains(keys(local.declared), name) }
  refused = concat(
    [for name in setsubtract(keys(local.given), keys(local.declared)) : "${name}: the template has no such parameter"],
    [
      for name, value in local.known : "${name}: is ${value}; expected one of ${join(", ", local.declared[name].AllowedValues)}"
      if !contains([for each in try(local.declared[name].AllowedValues, [value]) : tostring(each)], value)
    ],
    [
      for name, value in local.known : "${name}: is ${value}; expected at least ${local.declared[name].MinValue}"
      if !try(tonumber(value) >= local.declared[name].MinValue, true)
    ],
    [
      for name, value in local.known : "${name}: is ${value}; expected at most ${local.declared[name].MaxValue}"
      if !try(tonumber(value) <= local.declared[name].MaxValue, true)
    ],
    [
      for name, value in local.known :
      "${name}: is ${value}; expected a text like ${local.declared[name].AllowedPattern}"
      if !alltrue([
        for each in(local.declared[name].Type == "CommaDelimitedList" ? split(",", value) : [value]) :
        can(regex("^(?:${try(local.declared[name].AllowedPattern, "(?s).*")})$", each))
      ])
    ],
  )
}
