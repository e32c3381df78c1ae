# The process that listens to Discord: one small container in a public subnet that nobody can reach.

locals {
  bridge  = local.system.services.gateway_bridge
  network = local.figures.network
  subnets = local.with_bridge ? { for place, cidr in local.network.subnets : cidr => data.aws_availability_zones.here.names[place] } : {}
}

resource "aws_vpc" "bridge" {
  count = local.with_bridge ? 1 : 0

  cidr_block           = local.network.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = local.network.name }
}

resource "aws_internet_gateway" "bridge" {
  count = local.with_bridge ? 1 : 0

  vpc_id = aws_vpc.bridge[0].id
  tags   = { Name = local.network.name }
}

resource "aws_subnet" "bridge" {
  for_each = local.subnets

  vpc_id            = aws_vpc.bridge[0].id
  cidr_block        = each.key
  availability_zone = each.value
  tags              = { Name = "${local.network.name}-${index(local.network.subnets, each.key)}" }
}

resource "aws_route_table" "bridge" {
  count = local.with_bridge ? 1 : 0

  vpc_id = aws_vpc.bridge[0].id
  tags   = { Name = local.network.name }
}

resource "aws_route" "out" {
  count = local.with_bridge ? 1 : 0

  route_table_id         = aws_route_table.bridge[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.bridge[0].id
}

resource "aws_route_table_association" "bridge" {
  for_each = aws_subnet.bridge

  subnet_id      = each.value.id
  route_table_id = aws_route_table.bridge[0].id
}

resource "aws_security_group" "bridge" {
  count = local.with_bridge ? 1 : 0

  name        = local.bridge.name
  description = "nothing in, HTTPS out"
  vpc_id      = aws_vpc.bridge[0].id

  egress {
    description = "Discord and AWS"
    protocol    = "tcp"
    from_port   = local.network.egress_port
    to_port     = local.network.egress_port
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# What it said stays when the setting takes the bridge down.
resource "aws_cloudwatch_log_group" "bridge" {
  name              = local.bridge.log_group
  retention_in_days = local.system.log_retention
  kms_key_id        = local.key
}

resource "aws_ecs_cluster" "bridge" {
  count = local.with_bridge ? 1 : 0

  name = local.figures.cluster

  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_ecs_task_definition" "bridge" {
  count = local.with_bridge ? 1 : 0

  family                   = local.bridge.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.bridge.cpu
  memory                   = local.bridge.memory
  task_role_arn            = module.role["service/gateway_bridge"].arn
  execution_role_arn       = module.role["start/gateway_bridge"].arn

  runtime_platform {
    cpu_architecture        = upper(local.architecture)
    operating_system_family = "LINUX"
  }

  container_definitions = jsonencode([{
    name                   = local.bridge.name
    image                  = local.image_uris["gateway_bridge"]
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = local.bridge.stop_timeout
    environment            = [for name, value in local.environments["gateway_bridge"] : { name = name, value = value }]

    healthCheck = {
      command     = local.figures.health.command
      interval    = local.figures.health.interval
      timeout     = local.figures.health.timeout
      retries     = local.figures.health.retries
      startPeriod = local.figures.health.start_period
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.bridge.name
        "awslogs-region"        = local.region
        "awslogs-stream-prefix" = "bridge"
      }
    }
  }])

  depends_on = [terraform_data.image]
}

resource "aws_ecs_service" "bridge" {
  count = local.with_bridge ? 1 : 0

  name                               = local.bridge.name
  cluster                            = aws_ecs_cluster.bridge[0].arn
  task_definition                    = aws_ecs_task_definition.bridge[0].arn
  launch_type                        = "FARGATE"
  platform_version                   = local.figures.rollout.platform
  desired_count                      = 1
  deployment_minimum_healthy_percent = local.figures.rollout.minimum_healthy
  deployment_maximum_percent         = local.figures.rollout.maximum

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = [for subnet in aws_subnet.bridge : subnet.id]
    security_groups  = [aws_security_group.bridge[0].id]
    assign_public_ip = true
  }

  depends_on = [aws_route.out, aws_route_table_association.bridge]
}
