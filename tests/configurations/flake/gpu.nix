{ config, lib, ... }:

{
  services.xserver.videoDrivers = lib.mkDefault [ "nvidia" ];

  hardware = {
    graphics = {
      enable = true;
      enable32Bit = true;
    };
    nvidia.open = lib.mkForce true;
    nvidia.package = config.boot.kernelPackages.nvidiaPackages.production;
    "nvidia" = {
      powerManagement.enable = true;
      modesetting.enable = lib.mkDefault true;
    };
  };
}
