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

  # NVIDIA SDK configuration
  hardware.nvidia-sdk = {
    enable = true;

    # Driver
    driver.open = true;  # Open kernel module (Turing+)
    # driver.package = config.boot.kernelPackages.nvidiaPackages.stable;

    # System integration
    systemPackages = true;    # nvidia-sdk in PATH, CUDA_PATH set
    monitoring = true;        # nvtop + btop with NVML

    # Server features (all enabled by default)
    persistenced = true;       # Keep GPU initialized
    container.enable = true;   # Docker/Podman GPU via CDI
  };

  # Add SDK components (available via overlay)
  environment.systemPackages = with pkgs; [
    cudnn              # Deep learning
    nccl               # Multi-GPU communication
    tensorrt           # Inference optimization
    cutensor           # Tensor operations
    cuda-samples       # Example programs
  ];

  # Docker with NVIDIA runtime
  virtualisation.docker = {
    enable = true;
    enableNvidia = true;
  };

  boot.loader.systemd-boot.enable = true;
  networking.hostName = "seed";
  system.stateVersion = "25.11";
}
