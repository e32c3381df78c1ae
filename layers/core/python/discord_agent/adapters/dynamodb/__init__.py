"""Leases, sessions, executions and the audit trail on DynamoDB."""
