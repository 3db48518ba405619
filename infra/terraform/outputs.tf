# Written by `python -m infra.terraform_variables` from the packaged template. Do not edit.

output "api_handler_arn" {
  description = "The stack's APIHandlerArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "APIHandlerArn", null)
}

output "api_handler_name" {
  description = "The stack's APIHandlerName."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "APIHandlerName", null)
}

output "alarms_topic_arn" {
  description = "The stack's AlarmsTopicArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "AlarmsTopicArn", null)
}

output "chat_sessions_table" {
  description = "The stack's ChatSessionsTable."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "ChatSessionsTable", null)
}

output "clients_plan_id" {
  description = "The stack's ClientsPlanId."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "ClientsPlanId", null)
}

output "database_security_group" {
  description = "The stack's DatabaseSecurityGroup."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "DatabaseSecurityGroup", null)
}

output "database_subnets" {
  description = "The stack's DatabaseSubnets."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "DatabaseSubnets", null)
}

output "endpoint_url" {
  description = "The stack's EndpointURL."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "EndpointURL", null)
}

output "flights_alerts_topic_arn" {
  description = "The stack's FlightsAlertsTopicArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "FlightsAlertsTopicArn", null)
}

output "flights_bucket" {
  description = "The stack's FlightsBucket."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "FlightsBucket", null)
}

output "flights_guard_table" {
  description = "The stack's FlightsGuardTable."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "FlightsGuardTable", null)
}

output "flights_runs_table" {
  description = "The stack's FlightsRunsTable."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "FlightsRunsTable", null)
}

output "model_signing_key_arn" {
  description = "The stack's ModelSigningKeyArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "ModelSigningKeyArn", null)
}

output "models_bucket" {
  description = "The stack's ModelsBucket."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "ModelsBucket", null)
}

output "prediction_jobs_table" {
  description = "The stack's PredictionJobsTable."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "PredictionJobsTable", null)
}

output "predictions_bucket" {
  description = "The stack's PredictionsBucket."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "PredictionsBucket", null)
}

output "predictions_state_machine_arn" {
  description = "The stack's PredictionsStateMachineArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "PredictionsStateMachineArn", null)
}

output "rest_api_id" {
  description = "The stack's RestAPIId."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "RestAPIId", null)
}

output "rest_url" {
  description = "The stack's RestUrl."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "RestUrl", null)
}

output "upload_counters_table" {
  description = "The stack's UploadCountersTable."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "UploadCountersTable", null)
}

output "upload_notices_queue" {
  description = "The stack's UploadNoticesQueue."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "UploadNoticesQueue", null)
}

output "upload_sessions_table" {
  description = "The stack's UploadSessionsTable."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "UploadSessionsTable", null)
}

output "uploads_bucket" {
  description = "The stack's UploadsBucket."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "UploadsBucket", null)
}

output "user_pool_client_id" {
  description = "The stack's UserPoolClientId."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "UserPoolClientId", null)
}

output "user_pool_id" {
  description = "The stack's UserPoolId."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "UserPoolId", null)
}

output "websocket_api_id" {
  description = "The stack's WebsocketAPIId."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketAPIId", null)
}

output "websocket_connect_endpoint_url" {
  description = "The stack's WebsocketConnectEndpointURL."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketConnectEndpointURL", null)
}

output "websocket_connect_handler_arn" {
  description = "The stack's WebsocketConnectHandlerArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketConnectHandlerArn", null)
}

output "websocket_connect_handler_name" {
  description = "The stack's WebsocketConnectHandlerName."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketConnectHandlerName", null)
}

output "websocket_disconnect_handler_arn" {
  description = "The stack's WebsocketDisconnectHandlerArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketDisconnectHandlerArn", null)
}

output "websocket_disconnect_handler_name" {
  description = "The stack's WebsocketDisconnectHandlerName."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketDisconnectHandlerName", null)
}

output "websocket_message_handler_arn" {
  description = "The stack's WebsocketMessageHandlerArn."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketMessageHandlerArn", null)
}

output "websocket_message_handler_name" {
  description = "The stack's WebsocketMessageHandlerName."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketMessageHandlerName", null)
}

output "websocket_url" {
  description = "The stack's WebsocketUrl."
  value       = lookup(aws_cloudformation_stack.omnibus.outputs, "WebsocketUrl", null)
}
