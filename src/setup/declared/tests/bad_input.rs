//! Files that are not what they should be: each is told with its place, and the others are read.

use super::*;
use crate::setup::declared::Problem;
use crate::setup::nix::Position;
use std::fs;
use std::os::unix::fs::symlink;

/// The problem of a file `bad.nix`, which `prepare` makes, beside a good one.
fn problem(prepare: impl FnOnce(&Path)) -> (Problem, String) {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("configuration.nix");
    fs::write(&main, "{ imports = [ ./bad.nix ./good.nix ]; }").unwrap();
    fs::write(folder.path().join("good.nix"), "{ hardware.nvidia.open = true; }").unwrap();
    prepare(&folder.path().join("bad.nix"));
    let read = read(&main);
    assert_eq!(value(&read, OPEN), Expr::Bool(true), "the others are read");
    assert_eq!(read.problems.len(), 1, "{:?}", read.problems);
    let problem = read.problems[0].clone();
    let text = problem.to_string().replace(&folder.path().display().to_string(), "");
    (problem, text)
}

#[test]
fn what_is_no_file_is_never_waited_for() {
    let (fifo, _) = problem(|path| {
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
    });
    assert!(matches!(fifo, Problem::NoFile(path) if name(&path) == "bad.nix"));
    let (device, _) = problem(|path| symlink("/dev/zero", path).unwrap());
    assert!(matches!(device, Problem::NoFile(path) if path == Path::new("/dev/zero")), "a device");
}

#[test]
fn a_socket_is_no_file() {
    let listener = std::cell::RefCell::new(None);
    let (socket, text) = problem(|path| {
        *listener.borrow_mut() = Some(std::os::unix::net::UnixListener::bind(path).unwrap());
    });
    assert!(matches!(socket, Problem::NoFile(_)));
    assert_eq!(text, "/bad.nix is no regular file; put a file in its place");
}

#[test]
fn links_are_followed_but_not_for_ever() {
    let (circle, _) = problem(|path| symlink("bad.nix", path).unwrap());
    assert!(matches!(circle, Problem::LinkLoop(_)));
    let (dangling, text) = problem(|path| symlink("bad.nix/../away/bad.nix", path).unwrap());
    assert!(matches!(dangling, Problem::NotThere(_)));
    assert_eq!(text, "/away/bad.nix is not there; correct the import, or add the file");
}

#[test]
fn a_link_is_read_from_where_it_leads() {
    let (folder, _) = written(&[
        ("repo/configuration.nix", "{ imports = [ ./gpu.nix ]; }"),
        ("repo/gpu.nix", "{ a = 1; }"),
    ]);
    let link = folder.path().join("configuration.nix");
    symlink("repo/configuration.nix", &link).unwrap();
    let read = read(&link);
    assert_eq!((read.files.len(), value(&read, "a")), (2, Expr::Int(1)));
    assert_eq!(read.files[0].path, folder.path().join("repo/configuration.nix"));
}

#[test]
fn a_folder_needs_its_default() {
    let (folder, text) = problem(|path| fs::create_dir(path).unwrap());
    assert!(matches!(folder, Problem::NotThere(_)));
    assert!(text.starts_with("/bad.nix/default.nix is not there"), "{text}");
}

#[test]
fn text_that_cannot_be_read_is_told_with_its_place() {
    let (binary, _) = problem(|path| fs::write(path, b"{\n  a = \"\xff\"; }").unwrap());
    assert_eq!(binary.position(), Some(Position { line: 2, column: 8 }));
    let (syntax, text) = problem(|path| fs::write(path, "{\r\n  a = 1\r\n  b = 2;\r\n}").unwrap());
    assert_eq!(syntax.position(), Some(Position { line: 3, column: 5 }));
    assert_eq!(text, "/bad.nix, line 3, column 5: `=` stands where `;` is expected; correct it");
    let (deep, _) = problem(|path| fs::write(path, "{ a = ".repeat(100_000)).unwrap());
    assert!(matches!(deep, Problem::Syntax { .. }));
    let (large, _) = problem(|path| fs::write(path, " ".repeat((1 << 20) + 1)).unwrap());
    assert!(matches!(large, Problem::TooLarge { most: 1_048_576, .. }));
    let (empty, _) = problem(|path| fs::write(path, "# nothing\n").unwrap());
    assert!(matches!(empty, Problem::Syntax { .. }));
}

#[test]
fn a_megabyte_and_other_line_ends_are_read() {
    let line = "  environment.etc.x = { text = \"y\"; };\r\n";
    let text = format!("{{\r\n  hardware.nvidia.open = true;\r\n{}}}\r\n", line.repeat(26_000));
    assert!(text.len() <= 1 << 20);
    let (_folder, read) = written(&[("configuration.nix", &text)]);
    assert_eq!(value(&read, OPEN), Expr::Bool(true));
    assert_eq!(read.files[0].text, text);
    assert_eq!(read.under(&AttrPath::dotted("environment.etc")).len(), 26_000);
}

#[test]
fn no_more_files_are_read_than_allowed() {
    let files: Vec<_> = (0..20)
        .map(|n| (format!("{n}.nix"), format!("{{ imports = [ ./{}.nix ]; }}", n + 1)))
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (folder, _) = written(&files);
    let limits = Limits { files: 5, ..Limits::default() };
    let read = Configuration::read(&entry(&folder.path().join("0.nix"), None), limits);
    assert_eq!((read.files.len(), read.not_followed.len()), (5, 1));
    assert_eq!(read.not_followed[0].why, "too many files were read before it");
    let limits = Limits { bytes_together: 50, ..Limits::default() };
    let read = Configuration::read(&entry(&folder.path().join("0.nix"), None), limits);
    assert_eq!((read.files.len(), read.not_followed.len()), (2, 1), "26 bytes each");
    assert_eq!(read.not_followed[0].why, "too much was read before it");
}
