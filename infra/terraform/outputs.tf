output "rest_url" {
  description = "Where the REST API is."
  value       = aws_cloudformation_stack.omnibus.outputs["RestUrl"]
}

output "websocket_url" {
  description = "Where the sockets are."
  value       = aws_cloudformation_stack.omnibus.outputs["WebsocketUrl"]
}

output "outputs" {
  description = "All outputs of the stack, by their names in the template; those with a condition that does not hold are not there."
  value       = aws_cloudformation_stack.omnibus.outputs
}
