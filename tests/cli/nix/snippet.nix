# nvsdk-top: hardware.nvidia-sdk (import the upstream module and overlay in your flake)
# nvsdk-top:model v1 mode=snippet body=sha256:b7fd9f34ae25990522b95377403577a0f55e114465eafcea6ab55d5131a73ca6
{ config, ... }:

{
  hardware.nvidia-sdk = {
    enable = true;
    driver = {
      open = true;
      package = config.boot.kernelPackages.nvidiaPackages.mkDriver {
        version = "580.173.02";
        sha256_64bit = "sha256-jY65AB4FqaimY9PV0wT+tk7yhE7hhczf2VJ4aCD0bhs=";
        sha256_aarch64 = "sha256-1lvVYIfvTXjwSoCNp4g8NaWQHF/TfpXRUKdgLrqXqoA=";
        openSha256 = "sha256-lhloZdf6XbaAFTZBF1DxE0Nv9VC6obY8UPf0VyfVepE=";
        settingsSha256 = "sha256-dfdu/3tnwHUfP7WoeQFNOMalMlpmUWjeMDIOnu+yi8E=";
        persistencedSha256 = "sha256-j8YM1w231X+JIP3c3TpUNurEBumEu1stVjzFGWu1JXE=";
      };
    };
    systemPackages = true;
    monitoring = true;
    persistenced = true;
    container.enable = true;
  };
}
