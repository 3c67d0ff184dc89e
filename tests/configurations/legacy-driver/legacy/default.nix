# A Kepler card: the last driver for it is 470.
{ config, lib, ... }: {
  nixpkgs.config = {
    nvidia.acceptLicense = true;
    allowUnfreePredicate = pkg: builtins.elem (lib.getName pkg) [ "nvidia-x11" "nvidia-settings" ];
  };
  services.xserver.videoDrivers = [ "nvidia" ];
  hardware.nvidia = {
    package = config.boot.kernelPackages.nvidiaPackages.legacy_470;
    open = false;
    modesetting.enable = true;
  };
}
