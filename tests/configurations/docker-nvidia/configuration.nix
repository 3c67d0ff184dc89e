{ config, pkgs, ... }:

{
  imports = [ ./hardware-configuration.nix ];

  boot.loader.systemd-boot.enable = true;
  networking.hostName = "containers";

  services.xserver.videoDrivers = [ "nvidia" ];
  hardware.graphics = {
    enable = true;
    enable32Bit = true;
  };
  hardware.nvidia.open = false;

  virtualisation.docker.enable = true;
  virtualisation.docker.enableNvidia = true;

  environment.systemPackages = [ pkgs.git ];
  environment.variables = {
    CUDA_PATH = "${pkgs.cudaPackages.cudatoolkit}";
    EXTRA_LDFLAGS = "-L/lib -L/run/opengl-driver/lib";
  };

  nixpkgs.config.allowUnfree = true;
  system.stateVersion = "24.11";
}
