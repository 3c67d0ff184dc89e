//! The options table: one row per option of Setup. The tab, the commands, the plan and the README are made from it.

use std::fmt;

use super::Value;
use super::branch::BRANCH_NAMES;
use super::facts::Facts;
use super::nix::Mode;
use super::running::{self, Running};

/// When a change of an option takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// As soon as the machine switches to the new system.
    Switch,
    /// At the next boot: before it, new libraries would stand beside the old kernel module.
    Boot,
}

impl Effect {
    /// The words for it.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Switch => "takes effect when the system is switched",
            Self::Boot => "takes effect at the next boot",
        }
    }
}

/// What values an option has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On or off.
    Toggle,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// Any of some words.
    Several(&'static [&'static str]),
    /// Names of users.
    Users,
}

/// Where an option stands in Nix. Of an option's homes the first tells what is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// A key with the option's value.
    Key(&'static str),
    /// A key with the package of the driver of that branch.
    Driver(&'static str),
    /// A list that holds this element while the option is on, written as Nix.
    Element(&'static str, &'static str),
    /// A list that holds a package for each word: the list, and what stands before the word.
    Packages(&'static str, &'static str),
    /// The list of packages of each user, which holds this one.
    UserPackage(&'static str),
    /// A key that goes along while the option is on, with its value written as Nix.
    Along(&'static str, &'static str),
    /// What permits unfree packages; it follows from what else is written.
    Unfree,
}

impl Home {
    /// Whether it is a list, which may lack what is not wanted; elsewhere a value says so.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Element(..) | Self::Packages(..) | Self::UserPackage(_))
    }
}

impl fmt::Display for Home {
    /// As Nix, with `…` for the option's value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(path) => write!(f, "{path} = …;"),
            Self::Driver(path) => {
                write!(f, "{path} = config.boot.kernelPackages.nvidiaPackages.…;")?;
                if *path == "hardware.nvidia.package" {
                    f.write_str(" or, from 26.05 on: hardware.nvidia.branch = \"…\";")?;
                }
                Ok(())
            }
            Self::Element(list, element) => write!(f, "{list} = [ {element} ];"),
            Self::Packages(list, prefix) => write!(f, "{list} = [ {prefix}… ];"),
            Self::UserPackage(package) => write!(f, "users.users.….packages = [ {package} ];"),
            Self::Along(path, value) => write!(f, "{path} = {value};"),
            Self::Unfree => f.write_str("nixpkgs.config.allowUnfreePackages = [ … ];"),
        }
    }
}

/// A row.
#[derive(Debug)]
pub struct SdkOption {
    /// The dotted path that names it, as the options of `hardware.nvidia-sdk` are named.
    pub path: &'static str,
    /// The heading that it stands below.
    pub section: &'static str,
    /// What it does, and what speaks for and against it.
    pub help: &'static str,
    /// Its values.
    pub kind: Kind,
    /// When a change takes effect.
    pub effect: Effect,
    /// What the machine does now.
    pub running: fn(&Facts) -> Running,
    /// Where it stands among the options of nixpkgs.
    pub standalone: &'static [Home],
    /// Where it stands for the upstream module.
    pub snippet: &'static [Home],
    /// What the upstream module takes where nothing is said, for its own options.
    pub upstream: Option<Upstream>,
}

/// A default of the upstream module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// On or off.
    Bool(bool),
    /// One of some words.
    Word(&'static str),
}

impl Upstream {
    /// It as a value.
    #[must_use]
    pub fn value(self) -> Value {
        match self {
            Self::Bool(on) => Value::Bool(on),
            Self::Word(word) => Value::Text(word.to_owned()),
        }
    }
}

/// The lists and packages that several rows name.
const PACKAGES: &str = "environment.systemPackages";
const TOOLKIT: &str = "pkgs.cudaPackages.cudatoolkit";

/// The parts of CUDA beside the toolkit, by the names of nixpkgs' `cudaPackages`.
const COMPONENTS: &[&str] =
    &["cudnn", "nccl", "tensorrt", "libcutensor", "nsight_systems", "nsight_compute"];

const NAMINGS: &[&str] = &["index", "uuid", "type-index"];

/// The options, in the order in which they are shown.
pub static OPTIONS: &[SdkOption] = &[
    SdkOption {
        path: "enable",
        section: "Driver",
        help: "Use NVIDIA's driver, with its graphics libraries. Off leaves the GPUs to nouveau, or to none.",
        kind: Kind::Toggle,
        effect: Effect::Boot,
        running: running::enable,
        standalone: &[
            Home::Element("services.xserver.videoDrivers", "\"nvidia\""),
            Home::Along("hardware.graphics.enable", "true"),
        ],
        snippet: &[Home::Key("hardware.nvidia-sdk.enable")],
        upstream: Some(Upstream::Bool(false)),
    },
    SdkOption {
        path: "datacenter",
        section: "Driver",
        help: "The driver for boards with NVSwitch (HGX), with the fabric manager that links their GPUs. It takes the \
               place of enable, wants a dc branch, and is for x86_64 alone.",
        kind: Kind::Toggle,
        effect: Effect::Boot,
        running: running::datacenter,
        standalone: &[
            Home::Key("hardware.nvidia.datacenter.enable"),
            Home::Along("hardware.graphics.enable", "true"),
            Home::Element("hardware.firmware", "config.hardware.nvidia.package.firmware"),
        ],
        snippet: &[],
        upstream: None,
    },
    SdkOption {
        path: "driver.package",
        section: "Driver",
        help: "The driver, as a branch of nixpkgs. production is NVIDIA's recommendation; legacy_580 is the last for \
               Maxwell, Pascal and Volta, legacy_470 the last for Kepler; the dc branches go with datacenter.",
        kind: Kind::Choice(BRANCH_NAMES),
        effect: Effect::Boot,
        running: running::driver_package,
        standalone: &[Home::Driver("hardware.nvidia.package")],
        snippet: &[Home::Driver("hardware.nvidia-sdk.driver.package")],
        upstream: Some(Upstream::Word("latest")),
    },
    SdkOption {
        path: "driver.open",
        section: "Driver",
        help: "The open kernel module. It needs Turing or newer; Blackwell runs on nothing else. From driver 560 on NixOS \
               wants it said either way.",
        kind: Kind::Toggle,
        effect: Effect::Boot,
        running: running::driver_open,
        standalone: &[Home::Key("hardware.nvidia.open")],
        snippet: &[Home::Key("hardware.nvidia-sdk.driver.open")],
        upstream: Some(Upstream::Bool(true)),
    },
    SdkOption {
        path: "persistenced",
        section: "Services",
        help: "The persistence daemon keeps GPUs set up while nobody uses them: programs start at once, and settings \
               such as power limits stay. On a laptop it keeps the GPU awake.",
        kind: Kind::Toggle,
        effect: Effect::Switch,
        running: running::persistenced,
        standalone: &[Home::Key("hardware.nvidia.nvidiaPersistenced")],
        snippet: &[Home::Key("hardware.nvidia-sdk.persistenced")],
        upstream: Some(Upstream::Bool(true)),
    },
    SdkOption {
        path: "container.enable",
        section: "Containers",
        help: "NVIDIA's container toolkit: it writes a CDI spec at boot, by which Docker and Podman give GPUs to \
               containers (--device nvidia.com/gpu=all).",
        kind: Kind::Toggle,
        effect: Effect::Switch,
        running: running::container,
        standalone: &[Home::Key("hardware.nvidia-container-toolkit.enable")],
        snippet: &[Home::Key("hardware.nvidia-sdk.container.enable")],
        upstream: Some(Upstream::Bool(true)),
    },
    SdkOption {
        path: "container.device-names",
        section: "Containers",
        help: "How the CDI spec names the GPUs: by index, by UUID, or by type and index. UUIDs stay the same when a GPU \
               is added or fails.",
        kind: Kind::Choice(NAMINGS),
        effect: Effect::Switch,
        running: running::device_names,
        standalone: &[Home::Key("hardware.nvidia-container-toolkit.device-name-strategy")],
        snippet: &[Home::Key("hardware.nvidia-container-toolkit.device-name-strategy")],
        upstream: None,
    },
    SdkOption {
        path: "docker",
        section: "Containers",
        help: "Docker's daemon. With the container toolkit NixOS turns its CDI support on.",
        kind: Kind::Toggle,
        effect: Effect::Switch,
        running: running::docker,
        standalone: &[Home::Key("virtualisation.docker.enable")],
        snippet: &[Home::Key("virtualisation.docker.enable")],
        upstream: None,
    },
    SdkOption {
        path: "podman",
        section: "Containers",
        help: "Podman, which runs containers without a daemon and finds CDI specs by itself.",
        kind: Kind::Toggle,
        effect: Effect::Switch,
        running: running::podman,
        standalone: &[Home::Key("virtualisation.podman.enable")],
        snippet: &[Home::Key("virtualisation.podman.enable")],
        upstream: None,
    },
    SdkOption {
        path: "systemPackages",
        section: "Packages",
        help: "The CUDA toolkit for every user, with CUDA_PATH and CUDA_HOME. It takes several GB.",
        kind: Kind::Toggle,
        effect: Effect::Switch,
        running: running::system_packages,
        standalone: &[
            Home::Element(PACKAGES, TOOLKIT),
            Home::Along("environment.variables.CUDA_PATH", "\"${pkgs.cudaPackages.cudatoolkit}\""),
            Home::Along("environment.variables.CUDA_HOME", "\"${pkgs.cudaPackages.cudatoolkit}\""),
        ],
        snippet: &[Home::Key("hardware.nvidia-sdk.systemPackages")],
        upstream: Some(Upstream::Bool(true)),
    },
    SdkOption {
        path: "components",
        section: "Packages",
        help: "Parts of CUDA beside the toolkit, for every user.",
        kind: Kind::Several(COMPONENTS),
        effect: Effect::Switch,
        running: running::components,
        standalone: &[Home::Packages(PACKAGES, "pkgs.cudaPackages.")],
        snippet: &[Home::Packages(PACKAGES, "pkgs.cudaPackages.")],
        upstream: None,
    },
    SdkOption {
        path: "users",
        section: "Packages",
        help: "Users who get the CUDA toolkit for themselves, in place of systemPackages.",
        kind: Kind::Users,
        effect: Effect::Switch,
        running: running::nothing,
        standalone: &[Home::UserPackage(TOOLKIT)],
        snippet: &[Home::UserPackage("pkgs.nvidia-sdk")],
        upstream: None,
    },
    SdkOption {
        path: "monitoring",
        section: "Packages",
        help: "Other monitors: nvtop, and btop with GPU support. nvtop is built with the CUDA toolkit.",
        kind: Kind::Toggle,
        effect: Effect::Switch,
        running: running::nothing,
        standalone: &[
            Home::Element(PACKAGES, "pkgs.nvtopPackages.nvidia"),
            Home::Element(PACKAGES, "pkgs.btop-cuda"),
        ],
        snippet: &[Home::Key("hardware.nvidia-sdk.monitoring")],
        upstream: Some(Upstream::Bool(true)),
    },
    SdkOption {
        path: "unfree",
        section: "Packages",
        help: "NVIDIA's driver and CUDA are unfree, and nixpkgs refuses them unless they are permitted: none writes \
               nothing, list permits just what is needed, all permits everything.",
        kind: Kind::Choice(&["none", "list", "all"]),
        effect: Effect::Switch,
        running: running::unfree,
        standalone: &[Home::Unfree],
        snippet: &[Home::Unfree],
        upstream: None,
    },
];

impl SdkOption {
    /// Where it stands in a mode.
    #[must_use]
    pub fn homes(&self, mode: Mode) -> &'static [Home] {
        match mode {
            Mode::Standalone => self.standalone,
            Mode::Snippet => self.snippet,
        }
    }

    /// Whether it brings unfree software.
    #[must_use]
    pub fn is_unfree(&self) -> bool {
        matches!(self.section, "Driver" | "Packages")
            && self.path != "unfree"
            && !self.path.starts_with("driver.")
    }

    /// Whether it can have this value.
    ///
    /// # Errors
    /// A sentence that says what values it has.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let offered = |words: &[&str]| format!("{} is one of: {}", self.path, words.join(", "));
        match (self.kind, value) {
            (Kind::Toggle, Value::Bool(_)) => Ok(()),
            (Kind::Toggle, _) => Err(format!("{} is true or false", self.path)),
            (Kind::Choice(words), Value::Text(word)) if words.contains(&word.as_str()) => Ok(()),
            (Kind::Choice(words), _) => Err(offered(words)),
            (Kind::Several(words), Value::List(chosen)) => {
                let unknown = chosen.iter().find(|word| !words.contains(&word.as_str()));
                unknown.map_or(Ok(()), |word| {
                    Err(format!("{} has no {word}; it is any of: {}", self.path, words.join(", ")))
                })
            }
            (Kind::Several(words), _) => {
                Err(format!("{} is any of: {}", self.path, words.join(", ")))
            }
            (Kind::Users, Value::List(users)) => match users.iter().find(|user| !is_user(user)) {
                None => Ok(()),
                Some(user) => Err(format!(
                    "{user:?} is no name of a user: it has small letters, digits, _ and -, and at most 32 of them"
                )),
            },
            (Kind::Users, _) => Err(format!("{} is a list of users", self.path)),
        }
    }
}

/// Whether a text can be the name of a user of NixOS.
fn is_user(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.len() <= 32
        && name.chars().all(is_letter)
}

/// The option with this path.
#[must_use]
pub fn option(path: &str) -> Option<&'static SdkOption> {
    OPTIONS.iter().find(|option| option.path == path)
}
