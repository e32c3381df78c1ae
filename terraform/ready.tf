# What has to be there before anything is made of it. Tables, queues and the bucket need none of it.

locals {
  files = concat(
    values(local.layer_files),
    [for key, function in local.system.functions : "${local.packages}/functions/${key}.zip" if length(function.layers) > 0],
  )
  not_built = [for file in local.files : file if !fileexists(file)]
}

resource "terraform_data" "ready" {
  lifecycle {
    precondition {
      condition     = length(local.missing) == 0
      error_message = "Not set: ${join(", ", local.missing)}. Run `discord-agent init`, which writes settings.json, or give them as variables."
    }
    precondition {
      condition     = length(local.unknown) == 0
      error_message = "The settings file has ${join(", ", local.unknown)}, which nothing reads: correct the spelling or take it out."
    }
    precondition {
      condition     = length(local.not_built) == 0
      error_message = "Not built: ${join(", ", local.not_built)}. Build it with `discord-agent package --architecture ${local.architecture}`."
    }
  }
}
