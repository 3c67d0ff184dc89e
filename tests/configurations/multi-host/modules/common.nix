{ lib, ... }:

{
  time.timeZone = "Europe/Berlin";
  services.openssh.enable = true;
  nixpkgs.config.allowUnfree = true;
  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
  };
  system.stateVersion = "25.11";
}
