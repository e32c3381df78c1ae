output "arn" {
  description = "the role's ARN, once it may do what it is for"
  value       = aws_iam_role.this.arn
  depends_on  = [aws_iam_role_policy.this]
}
