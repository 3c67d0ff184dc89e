//! What the user does after a file was written, in the order in which it is done. Nothing of it is ever run.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::declared::{Configuration, list_of};
use super::nix::AttrPath;
use super::shell::quoted;
use super::{Plan, Setup};

/// The configuration that `nixos-rebuild` builds where nothing else is said.
pub const DEFAULT_CONFIGURATION: &str = "/etc/nixos/configuration.nix";

/// The configuration of a machine, as `nixos-rebuild` is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file that is built with the channels.
    File(PathBuf),
    /// A host of a flake.
    Flake {
        /// The folder of `flake.nix`.
        folder: PathBuf,
        /// The name in `nixosConfigurations`.
        host: String,
    },
}

impl From<&Configuration> for Entry {
    /// The configuration that was read, with the host that was read of a flake; `YOUR-HOST` where none is known.
    fn from(read: &Configuration) -> Self {
        let entry = &read.entry;
        let resolved = read.files.first().map_or(&entry.file, |file| &file.resolved);
        // What is done next may be done in another folder; and Nix does not follow a flake.nix that leads out of its own.
        let file = if entry.is_flake || entry.file.is_relative() { resolved } else { &entry.file };
        if !entry.is_flake {
            return Self::File(file.clone());
        }
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let of_flake = read.flake.as_ref().and_then(|flake| flake.host.clone());
        let host = of_flake.or_else(|| entry.host.clone()).or_else(|| entry.this_host.clone());
        Self::Flake { folder, host: host.unwrap_or_else(|| "YOUR-HOST".to_owned()) }
    }
}

impl Entry {
    /// The folder of the file, or of the flake.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self {
            Self::File(file) => file.parent().unwrap_or(Path::new("/")),
            Self::Flake { folder, .. } => folder,
        }
    }
}

impl Configuration {
    /// Whether the host that was read of a flake is known to be another machine than this one.
    #[must_use]
    pub fn is_of_another_host(&self) -> bool {
        let host = self.flake.as_ref().and_then(|flake| flake.host.as_ref());
        let here = self.entry.this_host.as_ref();
        host.is_some() && here.is_some() && host != here
    }
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// The file, by an absolute path.
    pub path: PathBuf,
    /// Whether there was none before.
    pub is_new: bool,
    /// The git work tree that it is in.
    pub work_tree: Option<PathBuf>,
    /// Whether git is told to leave it out of that work tree.
    pub is_ignored: bool,
    /// What imports it.
    pub import: Import,
}

/// What imports a file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Import {
    /// Something does already.
    Done,
    /// This file has to.
    Into {
        /// The file.
        file: PathBuf,
        /// Whether it is known to have a list to add to.
        has_list: bool,
    },
    /// Something that was not read has to.
    Somewhere,
}

/// Another program than `nixos-rebuild` that the configuration is applied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// colmena, which applies a hive of hosts.
    Colmena,
    /// deploy-rs, which applies a flake's hosts.
    Deploy,
    /// nh, a front for `nixos-rebuild`.
    Nh,
}

/// What was done, as far as it matters for what is next.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    /// The configuration that was changed.
    pub entry: &'a Entry,
    /// The host's name in a hive; that of a flake's entry is known.
    pub host: Option<&'a str>,
    /// Whether the flake's host is another machine than this one.
    pub is_remote: bool,
    /// The files that were written.
    pub files: &'a [WrittenFile],
    /// Whether some change takes effect at boot; switching would put new libraries beside the old kernel module.
    pub at_boot: bool,
    /// The programs that this configuration, or this machine, has.
    pub tools: &'a [Tool],
    /// Whether this machine runs something else than NixOS, so that nothing here is changed by a rebuild.
    pub is_elsewhere: bool,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A line to write.
    Import {
        /// The file that has to import ours.
        into: PathBuf,
        /// The attribute with the list, `imports` or `modules`.
        list: &'static str,
        /// The element of the list.
        element: String,
        /// The host of a flake whose list it is.
        host: Option<String>,
        /// Whether the list is known to be there.
        has_list: bool,
    },
    /// A file that something has to import, which is the user's to find.
    ImportSomewhere(PathBuf),
    /// A file that git is told to leave out, so that a flake does not see it.
    Ignored(PathBuf),
    /// A command to run, ready for a shell.
    Run(String),
    /// A command that does what the last commands from the build on do, for those who use that program.
    Or(String),
    /// To build it where it belongs, since this machine runs no NixOS.
    Elsewhere {
        /// Whether it is to be booted, and not switched to.
        at_boot: bool,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import { into, list, element, host, has_list } => {
                write!(f, "in {} add {element} to {list}", into.display())?;
                if let Some(host) = host {
                    write!(f, " of {host}")?;
                }
                if *has_list { Ok(()) } else { write!(f, ", or write: {list} = [ {element} ];") }
            }
            Self::ImportSomewhere(file) => write!(
                f,
                "import {} in the configuration of the machine that it is for",
                file.display()
            ),
            Self::Ignored(file) => write!(
                f,
                "{} is ignored by git (.gitignore), and a flake sees only what git knows; add it all the same:",
                file.display()
            ),
            Self::Run(command) => f.write_str(command),
            Self::Or(command) => write!(f, "or, in place of nixos-rebuild: {command}"),
            Self::Elsewhere { at_boot } => write!(
                f,
                "build the configuration on the NixOS machine that it is for, and {}",
                if *at_boot { "boot it" } else { "switch to it" }
            ),
        }
    }
}

/// What to do after this file of a plan was written, or is to be; `tools` are the programs that the configuration, or this
/// machine, has.
#[must_use]
pub fn after(setup: &Setup, plan: &Plan, file: WrittenFile, tools: &[Tool]) -> Vec<Step> {
    let Some(read) = setup.configuration.as_deref() else {
        return vec![Step::ImportSomewhere(file.path)];
    };
    steps(&Done {
        entry: &Entry::from(read),
        host: read.entry.this_host.as_deref(),
        files: &[file],
        at_boot: plan.at_boot || setup.waits_for_boot(),
        tools,
        is_remote: read.is_of_another_host(),
        is_elsewhere: setup.facts.system.is_elsewhere(),
    })
}

/// What to do next. Nothing where no file was written.
#[must_use]
pub fn steps(done: &Done) -> Vec<Step> {
    if done.files.is_empty() {
        return Vec::new();
    }
    let imports = done.files.iter().filter_map(|file| import(file, done.entry));
    let tracked = done.files.iter().flat_map(|file| track(file, done.entry));
    if done.is_elsewhere && !done.is_remote {
        return imports.chain(tracked).chain([Step::Elsewhere { at_boot: done.at_boot }]).collect();
    }
    let rebuild = rebuild(done).into_iter().map(Step::Run);
    let others = done.tools.iter().filter_map(|tool| tool_command(*tool, done)).map(Step::Or);
    let reboot = done.at_boot.then(|| {
        Step::Run(match elsewhere(done) {
            Some(host) => format!("ssh {} sudo reboot", quoted(host)),
            None => "sudo reboot".to_owned(),
        })
    });
    imports.chain(tracked).chain(rebuild).chain(others).chain(reboot).collect()
}

fn import(file: &WrittenFile, entry: &Entry) -> Option<Step> {
    let (into, has_list) = match &file.import {
        Import::Done => return None,
        Import::Into { file, has_list } => (file.clone(), *has_list),
        Import::Somewhere => return Some(Step::ImportSomewhere(file.path.clone())),
    };
    let list = list_of(&into);
    let element = nix_path(&relative(into.parent()?, &file.path)?)?;
    let host = match entry {
        Entry::Flake { host, .. } if into.ends_with("flake.nix") => Some(host.clone()),
        _ => None,
    };
    Some(Step::Import { into, list, element, host, has_list })
}

/// The way from a folder to a file.
fn relative(folder: &Path, file: &Path) -> Option<PathBuf> {
    let shared = folder.ancestors().find(|above| file.starts_with(above))?;
    let up = folder.strip_prefix(shared).ok()?.components().map(|_| Component::ParentDir);
    Some(up.chain(file.strip_prefix(shared).ok()?.components()).collect())
}

/// A relative path as Nix reads it in a list; none if it is not UTF-8, which no Nix text can hold.
fn nix_path(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/+-".contains(c);
    Some(if text.chars().all(plain) {
        if text.starts_with("../") { text.to_owned() } else { format!("./{text}") }
    } else {
        // A name that begins with a slash is written as a string.
        format!("(./. + {})", AttrPath::new([format!("/{text}")]))
    })
}

/// A flake sees only those files of a work tree that git knows of.
fn track(file: &WrittenFile, entry: &Entry) -> Vec<Step> {
    let is_flake = matches!(entry, Entry::Flake { .. });
    let inside =
        |root: &PathBuf| Some((root.clone(), file.path.strip_prefix(root).ok()?.to_owned()));
    let Some((root, inside)) = file.work_tree.as_ref().and_then(inside) else { return Vec::new() };
    // To add a file that git knows changes nothing; one that was never added would be left out in silence. What the user
    // has git ignore is read all the same where no flake is.
    if !is_flake && (!file.is_new || file.is_ignored) {
        return Vec::new();
    }
    // Else git takes it for an option, or for one of its patterns.
    let is_read = inside.to_string_lossy().starts_with(['-', ':']);
    let inside = if is_read { Path::new(".").join(inside) } else { inside };
    let ignored = file.is_ignored.then(|| Step::Ignored(file.path.clone()));
    // git refuses an ignored file without it.
    let force = if file.is_ignored { "-f " } else { "" };
    let add = format!("git -C {} add -N {force}{}", quoted(root), quoted(inside));
    ignored.into_iter().chain([Step::Run(add)]).collect()
}

/// The other machine that the configuration is for.
fn elsewhere<'a>(done: &'a Done<'_>) -> Option<&'a str> {
    match done.entry {
        Entry::Flake { host, .. } if done.is_remote => Some(host),
        _ => None,
    }
}

fn rebuild(done: &Done) -> [String; 2] {
    let which = match done.entry {
        Entry::File(file) if file == Path::new(DEFAULT_CONFIGURATION) => String::new(),
        Entry::File(file) => {
            let mut word = std::ffi::OsString::from("nixos-config=");
            word.push(file);
            format!(" -I {}", quoted(word))
        }
        Entry::Flake { folder, host } => format!(" --flake {}", flake(folder, host)),
    };
    let action = if done.at_boot { "boot" } else { "switch" };
    let apply = match elsewhere(done) {
        // Without the target this machine would become the other.
        Some(host) => {
            format!("nixos-rebuild {action}{which} --target-host {} --sudo", quoted(host))
        }
        None => format!("sudo nixos-rebuild {action}{which}"),
    };
    [format!("nixos-rebuild build{which}"), apply]
}

/// A host of a flake as one word.
fn flake(folder: &Path, host: &str) -> String {
    let mut word = folder.as_os_str().to_owned();
    word.push("#");
    word.push(host);
    quoted(word)
}

fn tool_command(tool: Tool, done: &Done) -> Option<String> {
    let action = if done.at_boot { "boot" } else { "switch" };
    let (folder, host) = match done.entry {
        Entry::File(file) => (file.parent()?, done.host),
        Entry::Flake { folder, host } => (folder.as_path(), Some(host.as_str())),
    };
    let is_flake = matches!(done.entry, Entry::Flake { .. });
    let host = host?;
    match tool {
        Tool::Colmena => {
            let (folder, host) = (quoted(folder), quoted(host));
            Some(format!("cd {folder} && colmena apply {action} --on {host}"))
        }
        Tool::Deploy if is_flake => {
            let boot = if done.at_boot { "--boot " } else { "" };
            Some(format!("deploy {boot}{}", flake(folder, host)))
        }
        Tool::Nh if is_flake && !done.is_remote => {
            Some(format!("nh os {action} {} --hostname {}", quoted(folder), quoted(host)))
        }
        Tool::Deploy | Tool::Nh => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Done, Entry, Import, Step, Tool, WrittenFile, nix_path, relative, steps};

    fn file(path: &str) -> WrittenFile {
        let path = PathBuf::from(path);
        let (work_tree, import) = (None, Import::Done);
        WrittenFile { path, is_new: false, work_tree, is_ignored: false, import }
    }

    fn into(file: &str, has_list: bool) -> Import {
        Import::Into { file: file.into(), has_list }
    }

    #[test]
    fn another_machine_is_built_for_and_not_become() {
        let entry = flake("/etc/nixos", "box");
        let files = [file("/etc/nixos/a.nix")];
        let done = |at_boot| {
            let done = Done {
                entry: &entry,
                host: None,
                is_remote: true,
                files: &files,
                at_boot,
                tools: &[],
                is_elsewhere: true,
            };
            steps(&done).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            done(true),
            [
                "nixos-rebuild build --flake '/etc/nixos#box'",
                "nixos-rebuild boot --flake '/etc/nixos#box' --target-host box --sudo",
                "ssh box sudo reboot",
            ]
        );
        assert!(done(false)[1].contains("switch") && done(false).len() == 2);
    }

    fn flake(folder: &str, host: &str) -> Entry {
        Entry::Flake { folder: folder.into(), host: host.to_owned() }
    }

    fn lines(entry: &Entry, files: &[WrittenFile], at_boot: bool, tools: &[Tool]) -> Vec<String> {
        let (is_remote, is_elsewhere) = (false, false);
        let done = Done { entry, host: None, is_remote, files, at_boot, tools, is_elsewhere };
        steps(&done).iter().map(Step::to_string).collect()
    }

    #[test]
    fn a_new_file_of_a_channel_is_imported_and_the_machine_rebooted() {
        let entry = Entry::File("/etc/nixos/configuration.nix".into());
        let new = WrittenFile {
            is_new: true,
            import: into("/etc/nixos/configuration.nix", false),
            ..file("/etc/nixos/nvidia-sdk.nix")
        };
        assert_eq!(
            lines(&entry, &[new], true, &[]),
            [
                "in /etc/nixos/configuration.nix add ./nvidia-sdk.nix to imports, or write: \
                 imports = [ ./nvidia-sdk.nix ];",
                "nixos-rebuild build",
                "sudo nixos-rebuild boot",
                "sudo reboot",
            ]
        );
    }

    #[test]
    fn nothing_is_rebuilt_on_a_machine_without_nixos() {
        let entry = Entry::File("/etc/nixos/configuration.nix".into());
        let files = &[file("/etc/nixos/a.nix")];
        let done = Done {
            entry: &entry,
            host: None,
            files,
            at_boot: true,
            tools: &[Tool::Nh],
            is_remote: false,
            is_elsewhere: true,
        };
        assert_eq!(steps(&done), [Step::Elsewhere { at_boot: true }]);
    }

    #[test]
    fn what_takes_effect_at_switch_needs_no_reboot() {
        let entry = Entry::File("/home/alice/my nix/c.nix".into());
        let word = "-I 'nixos-config=/home/alice/my nix/c.nix'";
        assert_eq!(
            lines(&entry, &[file("/home/alice/my nix/c.nix")], false, &[]),
            [format!("nixos-rebuild build {word}"), format!("sudo nixos-rebuild switch {word}")]
        );
    }

    #[test]
    fn a_flake_sees_only_what_git_knows() {
        let entry = flake("/home/alice/nix", "box");
        let work_tree = Some(PathBuf::from("/home/alice/nix"));
        let new = WrittenFile {
            is_new: true,
            work_tree: work_tree.clone(),
            import: into("/home/alice/nix/flake.nix", true),
            ..file("/home/alice/nix/hosts/box/gpu it's.nix")
        };
        let old = WrittenFile { work_tree, ..file("/home/alice/nix/-x.nix") };
        assert_eq!(
            lines(&entry, &[new, old], true, &[]),
            [
                "in /home/alice/nix/flake.nix add (./. + \"/hosts/box/gpu it's.nix\") to modules of box",
                r"git -C /home/alice/nix add -N 'hosts/box/gpu it'\''s.nix'",
                "git -C /home/alice/nix add -N ./-x.nix",
                "nixos-rebuild build --flake '/home/alice/nix#box'",
                "sudo nixos-rebuild boot --flake '/home/alice/nix#box'",
                "sudo reboot",
            ]
        );
    }

    #[test]
    fn git_is_told_of_a_channels_new_files_only() {
        let entry = Entry::File("/etc/nixos/configuration.nix".into());
        let in_git = |is_new| WrittenFile {
            is_new,
            work_tree: Some("/etc/nixos".into()),
            ..file("/etc/nixos/gpu.nix")
        };
        assert_eq!(lines(&entry, &[in_git(false)], false, &[])[0], "nixos-rebuild build");
        assert_eq!(
            lines(&entry, &[in_git(true)], false, &[])[0],
            "git -C /etc/nixos add -N gpu.nix"
        );
    }

    #[test]
    fn a_file_that_git_ignores_is_added_by_force_to_a_flake_alone() {
        let ignored = WrittenFile {
            is_new: true,
            work_tree: Some("/r".into()),
            is_ignored: true,
            ..file("/r/gpu.nix")
        };
        let told = lines(&flake("/r", "box"), std::slice::from_ref(&ignored), false, &[]);
        assert!(told[0].contains("/r/gpu.nix is ignored by git"), "{told:?}");
        assert_eq!(told[1], "git -C /r add -N -f gpu.nix");
        let channel = lines(&Entry::File("/r/c.nix".into()), &[ignored], false, &[]);
        assert!(!channel.iter().any(|line| line.contains("git")), "{channel:?}");
    }

    #[test]
    fn a_file_that_something_unread_has_to_import_says_so() {
        let written = WrittenFile { import: Import::Somewhere, ..file("/r/gpu.nix") };
        let told = lines(&flake("/r", "box"), &[written], false, &[]);
        assert_eq!(told[0], "import /r/gpu.nix in the configuration of the machine that it is for");
        assert!(told[1].starts_with("nixos-rebuild build"), "{told:?}");
    }

    #[test]
    fn other_programs_are_named_where_they_can_do_it() {
        let tools = [Tool::Colmena, Tool::Deploy, Tool::Nh];
        let files = [file("/r/gpu.nix")];
        let or = |entry: &Entry, host, at_boot| -> Vec<_> {
            let (files, tools, is_remote) = (&files, &tools, false);
            let is_elsewhere = false;
            let done = Done { entry, host, is_remote, files, at_boot, tools, is_elsewhere };
            let steps = steps(&done).into_iter();
            steps
                .filter_map(|step| if let Step::Or(line) = step { Some(line) } else { None })
                .collect()
        };
        assert_eq!(
            or(&flake("/r", "box"), None, true),
            [
                "cd /r && colmena apply boot --on box",
                "deploy --boot '/r#box'",
                "nh os boot /r --hostname box"
            ]
        );
        assert_eq!(
            or(&flake("/r", "a b"), None, false),
            [
                "cd /r && colmena apply switch --on 'a b'",
                "deploy '/r#a b'",
                "nh os switch /r --hostname 'a b'"
            ]
        );
        let file = Entry::File("/r/c.nix".into());
        assert_eq!(or(&file, Some("box"), true), ["cd /r && colmena apply boot --on box"]);
        assert_eq!(or(&file, None, true), [""; 0]);
    }

    #[test]
    fn nothing_written_is_nothing_to_do() {
        assert_eq!(lines(&flake("/r", "box"), &[], true, &[Tool::Nh]), [""; 0]);
    }

    #[test]
    fn the_way_to_a_file_is_one_that_nix_reads() {
        for (folder, file, text) in [
            ("/etc/nixos", "/etc/nixos/a.nix", "./a.nix"),
            ("/etc/nixos", "/etc/nixos/b/a.nix", "./b/a.nix"),
            ("/etc/nixos/hosts/x", "/etc/nixos/a.nix", "../../a.nix"),
            ("/etc/nixos", "/home/a.nix", "../../home/a.nix"),
            ("/r", "/r/${x}\".nix", r#"(./. + "/\${x}\".nix")"#),
            ("/r/s", "/r/a b.nix", r#"(./. + "/../a b.nix")"#),
        ] {
            let way = relative(Path::new(folder), Path::new(file)).unwrap();
            assert_eq!(nix_path(&way).unwrap(), text);
        }
    }
}
