# Images of the sandbox and the bridge: those that were given, or built from their build contexts and pushed.

locals {
  images = merge(
    { sandbox = local.chosen.sandbox_image },
    local.with_bridge ? { gateway_bridge = local.chosen.bridge_image } : {},
  )
  built = { for key, given in local.images : key => "${local.packages}/images/${key}" if given == "" }

  # Named after what is in it: the same image twice is the same name.
  tags = {
    for key, context in local.built : key => substr(sha256(join("\n", [
      for file in sort(fileset(context, "**")) : "${file} ${filesha256("${context}/${file}")}"
    ])), 0, 16)
  }
  image_uris = {
    for key, given in local.images : key => given != "" ? given : "${aws_ecr_repository.image[key].repository_url}:${local.tags[key]}"
  }

  # 123456789012.dkr.ecr.REGION.amazonaws.com/NAME:TAG or …/NAME@sha256:DIGEST
  image_parts = {
    for key, given in local.images : key =>
    try(regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.[^/]+/(?P<name>[^:@]+)", given), null)
  }
  image_repositories = {
    for key, parts in local.image_parts : key => "arn:${local.aws}:ecr:${parts == null ? local.region : parts.region}:${parts == null ? local.account : parts.account}:repository/${parts == null ? "${local.system.prefix}-${replace(key, "_", "-")}" : parts.name}"
  }
}

resource "aws_ecr_repository" "image" {
  for_each = local.built

  name                 = "${local.system.prefix}-${replace(each.key, "_", "-")}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = local.encrypted ? "KMS" : "AES256"
    kms_key         = local.key
  }
}

resource "aws_ecr_lifecycle_policy" "image" {
  for_each = aws_ecr_repository.image

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "the newest are enough to go back"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = local.figures.images_kept }
      action       = { type = "expire" }
    }]
  })
}

resource "terraform_data" "image" {
  for_each = local.built

  triggers_replace = [local.image_uris[each.key]]

  provisioner "local-exec" {
    # docker keeps the password of the registry in a folder that goes with this shell.
    command = <<-SHELL
      set -eu
      command -v docker >/dev/null || { echo "Docker is missing: install it, or give ${each.key == "sandbox" ? "sandbox_image" : "bridge_image"}" >&2; exit 1; }
      DOCKER_CONFIG=$(mktemp -d); export DOCKER_CONFIG
      trap 'rm -r "$DOCKER_CONFIG"' EXIT
      printf %s "$PASSWORD" | docker login --username AWS --password-stdin "$REGISTRY"
      docker build --platform "$PLATFORM" --tag "$IMAGE" "$CONTEXT"
      docker push "$IMAGE"
    SHELL
    environment = {
      CONTEXT  = each.value
      IMAGE    = local.image_uris[each.key]
      PLATFORM = local.architecture == "arm64" ? "linux/arm64" : "linux/amd64"
      REGISTRY = split("/", local.image_uris[each.key])[0]
      PASSWORD = data.aws_ecr_authorization_token.here[0].password
    }
  }

  lifecycle {
    precondition {
      condition     = fileexists("${each.value}/Dockerfile")
      error_message = "The build context ${each.value} is missing: make it with `discord-agent package --architecture ${local.architecture}`, or give the image's name."
    }
  }
}

data "aws_ecr_authorization_token" "here" {
  count = length(local.built) > 0 ? 1 : 0
}
