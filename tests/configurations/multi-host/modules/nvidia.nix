# Shared by the machines with compute cards.
{ config, lib, pkgs, ... }:

{
  services.xserver.videoDrivers = [ "nvidia" ];
  hardware.graphics.enable = true;
  hardware.nvidia.open = lib.mkDefault true;
  hardware.nvidia.nvidiaPersistenced = true;
  hardware.nvidia-container-toolkit.enable = true;
  virtualisation.podman.enable = true;
}
