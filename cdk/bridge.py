"""The process that listens to Discord: one small container in a public subnet that nobody can reach."""

from aws_cdk import Aws, CfnTag, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from cdk.findings import meant
from cdk.images import Image
from cdk.place import Place
from cdk.roles import add_role
from deployment.figures import FIGURES
from discord_agent.declaration import Service

EVERYWHERE = "0.0.0.0/0"


def add_bridge(stack: Stack, place: Place, service: Service, image: Image, group: str) -> None:
    """The network, the cluster and the service, which writes to the log group."""
    subnets, out, firewall = _network(stack, service)
    cluster = ecs.CfnCluster(
        stack,
        "Cluster",
        cluster_name=FIGURES.cluster,
        cluster_settings=[ecs.CfnCluster.ClusterSettingsProperty(name="containerInsights", value="disabled")],
    )
    meant(
        cluster,
        "the bridge says itself whether it hears, in a metric with an alarm; insights cost more than it",
        "AwsSolutions-ECS4",
    )
    task = _task(stack, place, service, image, group)
    made = ecs.CfnService(
        stack,
        "Service",
        service_name=service.physical_name,
        cluster=cluster.ref,
        task_definition=task.ref,
        launch_type="FARGATE",
        platform_version=FIGURES.rollout.platform,
        desired_count=1,
        deployment_configuration=ecs.CfnService.DeploymentConfigurationProperty(
            minimum_healthy_percent=FIGURES.rollout.minimum_healthy,
            maximum_percent=FIGURES.rollout.maximum,
            deployment_circuit_breaker=ecs.CfnService.DeploymentCircuitBreakerProperty(enable=True, rollback=True),
        ),
        network_configuration=ecs.CfnService.NetworkConfigurationProperty(
            awsvpc_configuration=ecs.CfnService.AwsVpcConfigurationProperty(
                subnets=[subnet.ref for subnet in subnets],
                security_groups=[firewall.attr_group_id],
                assign_public_ip="ENABLED",
            )
        ),
    )
    for needed in out:
        made.add_resource_dependency(needed)


def _network(
    stack: Stack, service: Service
) -> tuple[list[ec2.CfnSubnet], list[ec2.CfnRoute | ec2.CfnSubnetRouteTableAssociation], ec2.CfnSecurityGroup]:
    """Subnets, what has to be there for a way out, and the security group."""
    network = FIGURES.network
    named = [CfnTag(key="Name", value=network.name)]
    vpc = ec2.CfnVPC(
        stack, "Vpc", cidr_block=network.cidr, enable_dns_support=True, enable_dns_hostnames=True, tags=named
    )
    meant(
        vpc,
        "one container without ingress speaks to Discord and AWS alone; its own logs say with whom",
        "AwsSolutions-VPC7",
    )
    gateway = ec2.CfnInternetGateway(stack, "Gateway", tags=named)
    attachment = ec2.CfnVPCGatewayAttachment(
        stack, "GatewayAttachment", vpc_id=vpc.ref, internet_gateway_id=gateway.ref
    )
    table = ec2.CfnRouteTable(stack, "Routes", vpc_id=vpc.ref, tags=named)
    out = ec2.CfnRoute(
        stack, "Out", route_table_id=table.ref, destination_cidr_block=EVERYWHERE, gateway_id=gateway.ref
    )
    out.add_resource_dependency(attachment)
    subnets, associations = [], []
    for place, cidr in enumerate(network.subnets):
        subnet = ec2.CfnSubnet(
            stack,
            f"Subnet{place}",
            vpc_id=vpc.ref,
            cidr_block=cidr,
            availability_zone=Fn.select(place, Fn.get_azs()),
            tags=[CfnTag(key="Name", value=f"{network.name}-{place}")],
        )
        subnets.append(subnet)
        associations.append(
            ec2.CfnSubnetRouteTableAssociation(
                stack, f"Subnet{place}Routes", subnet_id=subnet.ref, route_table_id=table.ref
            )
        )
    firewall = ec2.CfnSecurityGroup(
        stack,
        "Firewall",
        group_name=service.physical_name,
        group_description="nothing in, HTTPS out",
        vpc_id=vpc.ref,
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                description="Discord and AWS",
                ip_protocol="tcp",
                from_port=network.egress_port,
                to_port=network.egress_port,
                cidr_ip=EVERYWHERE,
            )
        ],
    )
    return subnets, [out, *associations], firewall


def _task(stack: Stack, place: Place, service: Service, image: Image, group: str) -> ecs.CfnTaskDefinition:
    health = FIGURES.health
    definition = ecs.CfnTaskDefinition
    made = ecs.CfnTaskDefinition(
        stack,
        "Task",
        family=service.physical_name,
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(service.cpu),
        memory=str(service.memory),
        task_role_arn=add_role(stack, place, f"service/{service.name}").attr_arn,
        execution_role_arn=add_role(stack, place, f"start/{service.name}").attr_arn,
        runtime_platform=definition.RuntimePlatformProperty(
            cpu_architecture=place.settings["architecture"].upper(), operating_system_family="LINUX"
        ),
        container_definitions=[
            definition.ContainerDefinitionProperty(
                name=service.physical_name,
                image=image.uri,
                essential=True,
                readonly_root_filesystem=True,
                stop_timeout=service.stop_timeout,
                environment=[
                    definition.KeyValuePairProperty(name=name, value=value)
                    for name, value in place.environment(service).items()
                ],
                health_check=definition.HealthCheckProperty(
                    command=list(health.command),
                    interval=health.interval,
                    timeout=health.timeout,
                    retries=health.retries,
                    start_period=health.start_period,
                ),
                log_configuration=definition.LogConfigurationProperty(
                    log_driver="awslogs",
                    options={
                        "awslogs-group": group,
                        "awslogs-region": Aws.REGION,
                        "awslogs-stream-prefix": "bridge",
                    },
                ),
            )
        ],
    )
    meant(
        made,
        "the variables are names, addresses and public ids; secrets are read from the parameter store when needed",
        "AwsSolutions-ECS2",
    )
    return made
