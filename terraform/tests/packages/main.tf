# Empty files in the place of packages, so that tests need no build: what is in them is not what is tested.

variable "folder" {
  description = "where they are made"
  type        = string
}

locals {
  system    = jsondecode(file("${path.module}/../../system.json"))
  functions = [for key, function in local.system.functions : "functions/${key}.zip" if length(function.layers) > 0]
  layers    = [for name in local.system.layers : "layers/${name}.zip"]
}

resource "terraform_data" "packages" {
  provisioner "local-exec" {
    command = "mkdir -p \"$FOLDER/functions\" \"$FOLDER/layers\" && cd \"$FOLDER\" && touch ${join(" ", concat(local.functions, local.layers))}"
    environment = {
      FOLDER = "${var.folder}/${local.system.settings.architecture.default}"
    }
  }
}
