output "rest_url" {
  description = "URL of the REST API."
  value       = aws_cloudformation_stack.omnibus.outputs["RestUrl"]
}

output "websocket_url" {
  description = "URL of the WebSocket API."
  value       = aws_cloudformation_stack.omnibus.outputs["WebsocketUrl"]
}

output "outputs" {
  description = "All outputs of the stack, by name in the template, without those whose condition is false."
  value       = aws_cloudformation_stack.omnibus.outputs
}
