{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs = { nixpkgs, ... }:
    let
      system = "x86_64-linux";
    in
    {
      nixosConfigurations = {
        desk = nixpkgs.lib.nixosSystem {
          inherit system;
          modules = [ ./hosts/desk ./modules/common.nix ];
        };

        rack = nixpkgs.lib.nixosSystem {
          inherit system;
          modules = [ ./hosts/rack ./modules/common.nix ./modules/nvidia.nix ];
        };
      };
    };
}
