{ config, lib, pkgs, ... }:

{
  imports = [
    ./hardware-configuration.nix
    ./legacy
  ];

  boot.loader.grub = {
    enable = true;
    device = "/dev/sda";
  };
  networking.hostName = "kepler";
  services.xserver.enable = true;
  hardware.graphics.enable = true;
  system.stateVersion = "24.11";
}
