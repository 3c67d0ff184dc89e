{ config, pkgs, inputs, ... }:

{
  imports = [
    ./hardware-configuration.nix
    inputs.nvidia-sdk.nixosModules.default
  ];

  nixpkgs.overlays = [
    inputs.nvidia-sdk.overlays.default
  ];
  nixpkgs.config.allowUnfree = true;

  hardware.nvidia-sdk = {
    enable = true;
    driver.open = true;  # Open kernel module (Turing+)
  };

  boot.loader.systemd-boot.enable = true;
  networking.hostName = "yourhostname";
  system.stateVersion = "25.11";
}
