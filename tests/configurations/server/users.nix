{ pkgs, ... }:

{
  users.users = {
    alice = {
      isNormalUser = true;
      packages = [ pkgs.cudaPackages.nsight_compute ];
    };
    bob.isNormalUser = true;
  };
  environment.systemPackages = [ pkgs.git ];
}
