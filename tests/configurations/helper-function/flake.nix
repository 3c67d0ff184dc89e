{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      pkgs = import nixpkgs {
        system = "x86_64-linux";
        config.allowUnfree = true;
      };
      mkHost =
        name:
        nixpkgs.lib.nixosSystem {
          inherit pkgs;
          modules = [ ./hosts/${name}.nix ];
        };
    in
    {
      nixosConfigurations.attic = mkHost "attic";
      nixosConfigurations.cellar = nixpkgs.lib.nixosSystem {
        inherit pkgs;
        modules = [ ./hosts/cellar.nix ] ++ self.commonModules;
      };
      commonModules = [ { services.openssh.enable = true; } ];
    };
}
