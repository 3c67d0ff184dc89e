# The hosts of a flake, made by its own outputs: its inputs are stand-ins, of which those are here that configurations
# have, and a host is what its flake hands to `nixosSystem`.
{
  lib,
  packages, # what `import nixpkgs` is
  nvidia-sdk,
}:

path:

let
  # nixpkgs is imported like a file, though it is none here.
  flake = builtins.scopedImport {
    import = from: if from ? packages then from.packages else import from;
  } path;

  filesBelow =
    folder:
    lib.concatLists (
      lib.mapAttrsToList (
        name: kind:
        if kind == "directory" then
          filesBelow (folder + "/${name}")
        else
          lib.optional (lib.hasSuffix ".nix" name) (folder + "/${name}")
      ) (builtins.readDir folder)
    );

  anything = lib.mkOption {
    type = lib.types.anything;
    default = { };
  };

  known = {
    inherit nvidia-sdk;
    nixpkgs = {
      inherit packages;
      lib = lib // {
        nixosSystem = host: host;
      };
    };
    home-manager.nixosModules.home-manager.options.home-manager = anything;
    nixos-hardware.nixosModules = {
      common-cpu-intel = { };
      # It offloads on laptops, weaker than a plain definition and stronger than a default.
      common-gpu-nvidia = {
        services.xserver.videoDrivers = lib.mkDefault [ "nvidia" ];
        hardware.nvidia.prime.offload.enable = lib.mkOverride 990 true;
        hardware.nvidia.prime.offload.enableOffloadCmd = lib.mkOverride 990 true;
      };
    };
    import-tree = folder: { imports = filesBelow folder; };
    flake-parts.lib.mkFlake =
      { inputs }:
      module:
      (lib.evalModules {
        specialArgs = { inherit inputs; };
        modules = [
          { options.flake = anything; }
          module
        ];
      }).config.flake;
  };
  self = flake.outputs (lib.mapAttrs (name: _: known.${name}) flake.inputs // { inherit self; });
in
self.nixosConfigurations
