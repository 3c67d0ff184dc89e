# Evaluates NixOS modules on the surface of nixpkgs-options.json.
{
  modules, # absolute paths in strings
  flake ? null, # a host that they join: its `host`, and the `path` of its flake.nix
  system, # x86_64-linux or aarch64-linux
  release, # 25.11 or 26.05
  sdk, # whether the upstream nvidia-sdk module, its overlay and allowUnfree are there too
}:

let
  lib = import ./lib;
  surface = import ./surface.nix { inherit lib release; };
  inherit (surface) facts;
  fakes =
    config: overlays:
    import ./pkgs.nix {
      inherit
        lib
        facts
        release
        system
        config
        overlays
        ;
    };
  inherit
    (import ./pkgs.nix {
      inherit
        lib
        facts
        release
        system
        ;
    })
    overlay
    ;

  upstream = {
    _file = "nvidia-sdk module";
    key = "upstream nvidia-sdk";
    imports = [ surface.sdk ];
  };
  inputs.nvidia-sdk = {
    nixosModules.default = upstream;
    nixosModules.nvidia-sdk = upstream;
    overlays.default = overlay;
  };

  hosts = import ./flakes.nix {
    inherit lib;
    inherit (inputs) nvidia-sdk;
    packages =
      {
        system,
        config ? { },
        overlays ? [ ],
      }:
      (fakes config overlays).pkgs;
  };
  host = if flake == null then { modules = [ ]; } else (hosts flake.path).${flake.host};
  # Packages that are handed to a host are as they are, and NixOS refuses to be asked for others.
  given = {
    _module.args.pkgs = host.pkgs;
    _file = "the packages of the host";
  };
  refused =
    { config, ... }:
    {
      assertions = [
        {
          assertion = config.nixpkgs.config == { } && config.nixpkgs.overlays == [ ];
          message = "packages-given: nixpkgs.config and nixpkgs.overlays are for packages that NixOS makes itself.";
        }
      ];
    };
  made =
    { config, ... }:
    {
      _module.args.pkgs = (fakes config.nixpkgs.config config.nixpkgs.overlays).pkgs;
    };

  result = lib.evalModules {
    class = "nixos";
    specialArgs = {
      inherit inputs;
      modulesPath = "/nixos/modules";
      self = { };
    }
    // host.specialArgs or { };
    modules = [
      surface.nixpkgs
    ]
    ++ (
      if host ? pkgs then
        [
          given
          refused
        ]
      else
        [ made ]
    )
    ++ host.modules
    ++ map (path: /. + path) modules
    ++ lib.optionals sdk [
      upstream
      {
        nixpkgs.overlays = [ overlay ];
        nixpkgs.config.allowUnfree = true;
      }
    ];
  };
  c = result.config;
  nv = c.hardware.nvidia;

  failed = lib.filter (a: !a.assertion) c.assertions;
  ids = map (a: a.id) facts.assertions;
  idOf =
    a:
    let
      head = lib.head (lib.splitString ":" a.message);
    in
    if lib.elem head ids then head else "other";

  # Errors must surface as long as nothing failed; after that they are only noted.
  try =
    v:
    if failed == [ ] then
      v
    else
      let
        r = builtins.tryEval (builtins.deepSeq v v);
      in
      if r.success then r.value else { error = "throws"; };
  name =
    p:
    "${p.pname or p.name}${
      lib.optionalString ((p.outputName or "out") != "out") "-${p.outputName}"
    }-${p.version or "?"}";
  # A package in a list is asked for its path, as building the system would; not when something
  # failed already, so that the names can still be shown.
  built = p: if failed == [ ] then builtins.seq "${p}" (name p) else name p;
  ifOn = v: try (if nv.enabled then v else null);
  joined = v: if lib.isList v then lib.concatStringsSep ":" v else v;

  values = {
    "services.xserver.videoDrivers" = c.services.xserver.videoDrivers;
    "hardware.nvidia" = {
      inherit (nv) enabled nvidiaPersistenced nvidiaSettings;
      package = ifOn (built nv.package);
      packageArgs = ifOn (nv.package.rigArgs or null);
      open = ifOn nv.open;
      modesetting = try (nv.enabled && nv.modesetting.enable);
      gsp = try (nv.enabled && nv.gsp.enable);
      "powerManagement.enable" = nv.powerManagement.enable;
      "powerManagement.finegrained" = nv.powerManagement.finegrained;
      "datacenter.enable" = nv.datacenter.enable;
    }
    // lib.optionalAttrs (nv ? branch) { inherit (nv) branch; };
    "hardware.graphics" = {
      inherit (c.hardware.graphics) enable enable32Bit;
      extraPackages = try (map built c.hardware.graphics.extraPackages);
    };
    "hardware.nvidia-container-toolkit" = {
      inherit (c.hardware.nvidia-container-toolkit)
        enable
        device-name-strategy
        discovery-mode
        mount-nvidia-executables
        suppressNvidiaDriverAssertion
        extraArgs
        ;
    };
    "virtualisation.docker" = {
      inherit (c.virtualisation.docker) enable enableNvidia;
      "daemon.settings" = c.virtualisation.docker.daemon.settings;
      rootless = c.virtualisation.docker.rootless.enable;
    };
    "virtualisation.podman" = {
      inherit (c.virtualisation.podman) enable enableNvidia;
    };
    "virtualisation.containers.containersConf.settings" =
      c.virtualisation.containers.containersConf.settings;
    "environment.systemPackages" = try (map built c.environment.systemPackages);
    "environment.variables" = try (lib.mapAttrs (_: joined) c.environment.variables);
    "environment.etc" = try (
      lib.mapAttrs (_: e: if e.text != null then e.text else toString e.source) c.environment.etc
    );
    "users.users" = try (lib.mapAttrs (_: u: map built u.packages) c.users.users);
    "boot.kernelParams" = try c.boot.kernelParams;
    "boot.kernelModules" = try c.boot.kernelModules;
    "boot.extraModulePackages" = try (map built c.boot.extraModulePackages);
    "boot.blacklistedKernelModules" = c.boot.blacklistedKernelModules;
    "boot.extraModprobeConfig" = try c.boot.extraModprobeConfig;
    "hardware.firmware" = try (map built c.hardware.firmware);
    "systemd.services" = try (
      lib.mapAttrs (_: s: {
        inherit (s)
          wantedBy
          requiredBy
          description
          serviceConfig
          ;
      }) c.systemd.services
    );
    "nixpkgs.overlays.count" = lib.length c.nixpkgs.overlays;
    "nixpkgs.config" = removeAttrs c.nixpkgs.config [ "allowUnfreePredicate" ];
  }
  // lib.optionalAttrs (result.options.hardware ? nvidia-sdk) {
    "hardware.nvidia-sdk" =
      let
        s = c.hardware.nvidia-sdk;
      in
      {
        inherit (s)
          enable
          systemPackages
          monitoring
          persistenced
          ;
        driver = {
          inherit (s.driver) open;
          package = try (name s.driver.package);
        };
        container.enable = s.container.enable;
      };
  };

  # Building a system looks at every option, so a wrong or doubled definition anywhere must be
  # found, also where `values` does not show it.
  everything = map (
    r:
    let
      v = lib.getAttrFromPath (lib.splitString "." r.path) c;
    in
    if r.type == "listOf package" then
      map built v
    else if lib.elem r.type shallow then
      builtins.seq v null
    else if lib.hasPrefix "attrsOf submodule" r.type then
      null
    else
      v
  ) (lib.filter declared facts.options);
  shallow = [
    "package"
    "raw"
    "anything"
    "listOf raw"
    "listOf attrs"
    "nixpkgsConfig"
  ];
  declared =
    r:
    lib.elem release r.releases
    && !(r ? module)
    && !lib.any (p: lib.hasInfix p r.path) [
      "<name>"
      ".*."
    ];
in
{
  ok = failed == [ ] && builtins.deepSeq everything true;
  failedAssertions = map (a: a.message) failed;
  failedIds = map idOf failed;
  inherit values;
  inherit (c) warnings;
}
