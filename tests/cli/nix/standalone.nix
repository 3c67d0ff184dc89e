# nvsdk-top: options of nixpkgs only
# nvsdk-top:model v1 mode=standalone body=sha256:a9656d1cc320eb58e683182b2f39219f4d3b315f9998f31dcf44ee0a9f2253fb
{
  config,
  lib,
  pkgs,
  ...
}:

{
  nixpkgs.config.allowUnfreePackages = [
    "nvidia-x11"
    "nvidia-settings"
  ];
  services.xserver.videoDrivers = [ "nvidia" ];
  hardware.nvidia = {
    open = lib.mkOverride 900 true;
    package = lib.mkOverride 900 (
      config.boot.kernelPackages.nvidiaPackages.mkDriver {
        version = "580.173.02";
        sha256_64bit = "sha256-jY65AB4FqaimY9PV0wT+tk7yhE7hhczf2VJ4aCD0bhs=";
        sha256_aarch64 = "sha256-1lvVYIfvTXjwSoCNp4g8NaWQHF/TfpXRUKdgLrqXqoA=";
        openSha256 = "sha256-lhloZdf6XbaAFTZBF1DxE0Nv9VC6obY8UPf0VyfVepE=";
        settingsSha256 = "sha256-dfdu/3tnwHUfP7WoeQFNOMalMlpmUWjeMDIOnu+yi8E=";
        persistencedSha256 = "sha256-j8YM1w231X+JIP3c3TpUNurEBumEu1stVjzFGWu1JXE=";
      }
    );
    modesetting.enable = lib.mkOverride 900 true;
    nvidiaSettings = lib.mkOverride 900 true;
    nvidiaPersistenced = lib.mkOverride 900 true;
  };
  hardware.graphics = {
    enable = lib.mkOverride 900 true;
    enable32Bit = lib.mkOverride 900 pkgs.stdenv.hostPlatform.isx86_64;
  };
  hardware.nvidia-container-toolkit = {
    enable = lib.mkOverride 900 true;
    device-name-strategy = lib.mkOverride 900 "uuid";
  };
  virtualisation.podman.enable = lib.mkOverride 900 true;
  environment.systemPackages = [
    pkgs.btop-cuda
    pkgs.git
  ];
}
