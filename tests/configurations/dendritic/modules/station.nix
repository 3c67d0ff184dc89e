{ inputs, config, ... }:

{
  flake.nixosConfigurations.station = inputs.nixpkgs.lib.nixosSystem {
    modules = [
      config.flake.modules.nixos.nvidia
      {
        networking.hostName = "station";
        nixpkgs.hostPlatform = "x86_64-linux";
        system.stateVersion = "26.05";
      }
    ];
  };
}
