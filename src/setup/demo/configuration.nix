{ pkgs, ... }:

{
  imports = [
    ./hardware-configuration.nix
    ./gpu.nix
  ];

  networking.hostName = "demo-h100";
  nixpkgs.config.allowUnfree = true;
  virtualisation.docker.enable = true;

  users.users.trainer = {
    isNormalUser = true;
    packages = [ pkgs.git ];
  };

  system.stateVersion = "25.11";
}
