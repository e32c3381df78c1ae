"""The network of the bridge, and the bridge itself."""

from typing import Final

from deployment.parity.errors import NotComparable
from deployment.parity.kinds.data import TAGS
from deployment.parity.kinds.model import As, Block, Kind, Mapped, Part, Shape, by, computed
from deployment.parity.values import Value, by_key, parsed

_NAMED: Final = by("Tags.Name")


def _container_of_template(container: Value) -> Value:
    return container | {"Environment": by_key("Name")(container.get("Environment", []))}


def _containers(containers: Value) -> Value:
    return [_container_of_template(each) for each in containers]


def _containers_of_json(text: Value) -> Value:
    """Terraform passes on what ECS itself is told: the same names with a small first letter."""
    return _containers(_capitalised(parsed(text)))


def _capitalised(value: Value, *, below: str = "") -> Value:
    match value:
        case dict() if below not in {"Options", "DockerLabels"}:
            names = {name: name[0].upper() + name[1:] for name in value}
            return {names[name]: _capitalised(each, below=names[name]) for name, each in value.items()}
        case list():
            return [_capitalised(each) for each in value]
        case _:
            return value


def _switch(on: Value) -> Value:
    return {True: "ENABLED", False: "DISABLED"}.get(on, on)


def _one_block(cidrs: Value) -> Value:
    """CloudFormation's rules are for one block of addresses each."""
    if isinstance(cidrs, list) and len(cidrs) == 1:
        return cidrs[0]
    raise NotComparable(f"write a rule of its own for each of {cidrs}")


_RULES: Final[Shape] = {
    "cidr_blocks": As("CidrIp", _one_block),
    "description": "Description",
    "protocol": "IpProtocol",
    "from_port": "FromPort",
    "to_port": "ToPort",
}


KINDS: Final = (
    Kind(
        "network",
        "AWS::EC2::VPC",
        _NAMED,
        defaults={"InstanceTenancy": "default", "EnableDnsSupport": True, "EnableDnsHostnames": False},
        reads={"Tags": TAGS},
    ),
    Kind("gateway", "AWS::EC2::InternetGateway", _NAMED, reads={"Tags": TAGS}),
    Kind("gateway attachment", "AWS::EC2::VPCGatewayAttachment", by("InternetGatewayId")),
    Kind(
        "subnet",
        "AWS::EC2::Subnet",
        by("CidrBlock"),
        defaults={"MapPublicIpOnLaunch": False, "PrivateDnsNameOptionsOnLaunch.HostnameType": "ip-name"},
        reads={"Tags": TAGS},
    ),
    Kind("route table", "AWS::EC2::RouteTable", _NAMED, reads={"Tags": TAGS}),
    Kind("route", "AWS::EC2::Route", by("RouteTableId", "DestinationCidrBlock")),
    Kind("route table of subnet", "AWS::EC2::SubnetRouteTableAssociation", by("SubnetId")),
    Kind(
        "security group",
        "AWS::EC2::SecurityGroup",
        by("GroupName"),
        unordered=("SecurityGroupEgress", "SecurityGroupIngress"),
    ),
    Kind("cluster", "AWS::ECS::Cluster", by("ClusterName")),
    Kind(
        "task",
        "AWS::ECS::TaskDefinition",
        by("Family"),
        defaults={"EnableFaultInjection": False},
        reads={"ContainerDefinitions": _containers},
    ),
    Kind(
        "service",
        "AWS::ECS::Service",
        by("ServiceName"),
        defaults={
            "AvailabilityZoneRebalancing": "DISABLED",
            "SchedulingStrategy": "REPLICA",
            "DeploymentController.Type": "ECS",
            "DeploymentConfiguration.MaximumPercent": 200,
            "DeploymentConfiguration.MinimumHealthyPercent": 100,
            "EnableECSManagedTags": False,
            "EnableExecuteCommand": False,
            "PropagateTags": "NONE",
        },
        by_arn={"Cluster": ("ecs", "cluster/")},
        unordered=("NetworkConfiguration.AwsvpcConfiguration.Subnets",),
    ),
)

MAPPED: Final = (
    Mapped(
        "aws_vpc",
        (
            Part(
                "network",
                {
                    "cidr_block": "CidrBlock",
                    "instance_tenancy": "InstanceTenancy",
                    "enable_dns_support": "EnableDnsSupport",
                    "enable_dns_hostnames": "EnableDnsHostnames",
                    "tags": "Tags",
                },
            ),
        ),
        computed(
            "default_network_acl_id",
            "default_route_table_id",
            "default_security_group_id",
            "dhcp_options_id",
            "main_route_table_id",
            "owner_id",
        ),
    ),
    Mapped(
        "aws_internet_gateway",
        (
            Part("gateway", {"tags": "Tags"}),
            Part("gateway attachment", {"id": "InternetGatewayId", "vpc_id": "VpcId"}),
        ),
        computed("owner_id"),
    ),
    Mapped(
        "aws_subnet",
        (
            Part(
                "subnet",
                {
                    "vpc_id": "VpcId",
                    "cidr_block": "CidrBlock",
                    "availability_zone": "AvailabilityZone",
                    "map_public_ip_on_launch": "MapPublicIpOnLaunch",
                    "private_dns_hostname_type_on_launch": "PrivateDnsNameOptionsOnLaunch.HostnameType",
                    "tags": "Tags",
                },
            ),
        ),
        computed("availability_zone_id", "owner_id"),
    ),
    Mapped(
        "aws_route_table",
        (Part("route table", {"vpc_id": "VpcId", "tags": "Tags"}),),
        # Routes are resources of their own.
        computed("owner_id", "route"),
    ),
    Mapped(
        "aws_route",
        (
            Part(
                "route",
                {
                    "route_table_id": "RouteTableId",
                    "destination_cidr_block": "DestinationCidrBlock",
                    "gateway_id": "GatewayId",
                },
            ),
        ),
        computed("instance_owner_id", "origin", "state"),
    ),
    Mapped(
        "aws_route_table_association",
        (Part("route table of subnet", {"subnet_id": "SubnetId", "route_table_id": "RouteTableId"}),),
        computed(),
    ),
    Mapped(
        "aws_security_group",
        (
            Part(
                "security group",
                {
                    "name": "GroupName",
                    "description": "GroupDescription",
                    "vpc_id": "VpcId",
                    "egress": Block("SecurityGroupEgress", _RULES, many=True),
                    "ingress": Block("SecurityGroupIngress", _RULES, many=True),
                },
            ),
        ),
        computed("owner_id"),
    ),
    Mapped(
        "aws_ecs_cluster",
        (
            Part(
                "cluster",
                {
                    "name": "ClusterName",
                    "setting": Block("ClusterSettings", {"name": "Name", "value": "Value"}, many=True),
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_ecs_task_definition",
        (
            Part(
                "task",
                {
                    "family": "Family",
                    "cpu": "Cpu",
                    "memory": "Memory",
                    "network_mode": "NetworkMode",
                    "requires_compatibilities": "RequiresCompatibilities",
                    "task_role_arn": "TaskRoleArn",
                    "execution_role_arn": "ExecutionRoleArn",
                    "enable_fault_injection": "EnableFaultInjection",
                    "runtime_platform": Block(
                        "RuntimePlatform",
                        {"cpu_architecture": "CpuArchitecture", "operating_system_family": "OperatingSystemFamily"},
                    ),
                    "container_definitions": As("ContainerDefinitions", _containers_of_json),
                },
            ),
        ),
        computed("arn_without_revision", "revision"),
    ),
    Mapped(
        "aws_ecs_service",
        (
            Part(
                "service",
                {
                    "name": "ServiceName",
                    "cluster": "Cluster",
                    "task_definition": "TaskDefinition",
                    "desired_count": "DesiredCount",
                    "launch_type": "LaunchType",
                    "platform_version": "PlatformVersion",
                    "availability_zone_rebalancing": "AvailabilityZoneRebalancing",
                    "scheduling_strategy": "SchedulingStrategy",
                    "enable_ecs_managed_tags": "EnableECSManagedTags",
                    "enable_execute_command": "EnableExecuteCommand",
                    "propagate_tags": "PropagateTags",
                    "health_check_grace_period_seconds": As(
                        "HealthCheckGracePeriodSeconds", lambda seconds: seconds or None
                    ),
                    "deployment_controller": Block("DeploymentController", {"type": "Type"}),
                    "deployment_maximum_percent": "DeploymentConfiguration.MaximumPercent",
                    "deployment_minimum_healthy_percent": "DeploymentConfiguration.MinimumHealthyPercent",
                    "deployment_circuit_breaker": Block(
                        "DeploymentConfiguration.DeploymentCircuitBreaker", {"enable": "Enable", "rollback": "Rollback"}
                    ),
                    "network_configuration": Block(
                        "NetworkConfiguration.AwsvpcConfiguration",
                        {
                            "subnets": "Subnets",
                            "security_groups": "SecurityGroups",
                            "assign_public_ip": As("AssignPublicIp", _switch),
                        },
                    ),
                },
            ),
        ),
        computed(),
    ),
)
