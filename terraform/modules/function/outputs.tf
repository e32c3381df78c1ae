output "name" {
  description = "the function's name"
  value       = aws_lambda_function.this.function_name
}

output "live_arn" {
  description = "the ARN through which it is called"
  value       = aws_lambda_alias.live.arn
}

output "live_invoke_arn" {
  description = "what an API calls it by"
  value       = aws_lambda_alias.live.invoke_arn
}
