{ config, ... }:

{
  imports = [
    ./hardware-configuration.nix
    ../../modules/nvidia.nix
  ];
  boot.loader.systemd-boot.enable = true;
  networking.hostName = "rack";
  hardware.nvidia = {
    nvidiaSettings = false;
    package = config.boot.kernelPackages.nvidiaPackages.production;
  };
}
