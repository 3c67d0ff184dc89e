{ config, lib, pkgs, ... }:

with lib;

let
  hasTuring = true;
  cuda = pkgs.cudaPackages;
  driver = config.boot.kernelPackages.nvidiaPackages.production;
in
{
  imports = [ ./hardware-configuration.nix ];

  config = mkMerge [
    {
      boot.loader.systemd-boot.enable = true;
      networking.hostName = "atelier";
      system.stateVersion = "25.11";
      nixpkgs.config.allowUnfree = true;
    }
    {
      services.xserver.videoDrivers = [ "nvidia" ];
      hardware.graphics.enable = true;
      hardware.nvidia = {
        open = hasTuring;
        package = driver;
        modesetting.enable = mkDefault true;
        powerManagement.enable = !config.services.openssh.enable or false;
      };
    }
    (mkIf config.virtualisation.docker.enable {
      hardware.nvidia-container-toolkit.enable = true;
    })
    { environment.systemPackages = [ cuda.nsight_systems ]; }
  ];
}
