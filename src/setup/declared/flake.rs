//! A flake: the hosts that it writes out, and the modules of one of them.

use super::module::Reader;
use super::{Place, Problem};
use crate::setup::nix::{Expr, attr_name, span};
use rnix::ast::{self, HasEntry};
use rowan::ast::AstNode;

/// What a flake says beside the modules of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flake {
    /// The hosts whose names are written out, in their order.
    pub hosts: Vec<String>,
    /// Where there are further hosts, whose names or modules are not written out.
    pub unlisted_hosts: Option<Place>,
    /// The host whose modules were read.
    pub host: Option<String>,
    /// Where packages are handed to the host, so that `nixpkgs.config` in a module has no effect.
    pub packages_given: Vec<Place>,
    /// The system that the host is made for, such as `aarch64-linux`, where it is written out beside the modules.
    pub system: Option<String>,
}

/// A host that a flake writes out.
struct Host {
    name: String,
    value: ast::Expr,
}

/// Takes in the modules of the host that is asked for; else of `this_host`; else of the only one.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &ast::Root,
    asked: Option<&str>,
    this_host: Option<&str>,
) -> Result<Flake, Problem> {
    let hosts = hosts(reader, root);
    if hosts.is_empty() && reader.taken.not_followed.is_empty() {
        pass_over_outputs(reader, root);
    }
    let names: Vec<_> = hosts.iter().map(|host| host.name.clone()).collect();
    let unlisted_hosts = reader.taken.not_followed.first().map(|part| part.place.clone());
    let mut flake = Flake { hosts: names, unlisted_hosts, ..Flake::default() };
    let of_name = |wanted: &str| hosts.iter().find(|host| host.name == wanted);
    let chosen = match (asked, hosts.as_slice()) {
        (Some(wanted), _) => of_name(wanted),
        (None, [only]) => Some(only),
        (None, _) => this_host.and_then(of_name),
    };
    match chosen {
        Some(host) => {
            flake.host = Some(host.name.clone());
            modules(reader, &host.value, &mut flake);
        }
        // Its hosts may be made by a function, or gathered from files; what that is has been passed over.
        None if hosts.is_empty() && (asked.is_none() || !reader.taken.not_followed.is_empty()) => {}
        None => return Err(no_host(reader, &flake.hosts, asked.or(this_host))),
    }
    Ok(flake)
}

/// Remembers that the flake's outputs were not understood.
fn pass_over_outputs(reader: &mut Reader<'_>, root: &ast::Root) {
    let set = root.expr().as_ref().and_then(set_of);
    let entries = set.iter().flat_map(ast::AttrSet::attrpath_values);
    let mut outputs = entries.filter(|entry| written_name(entry).as_deref() == Some("outputs"));
    if let Some(outputs) = outputs.find_map(|entry| entry.value()) {
        reader.pass_over(&outputs, "no host is written out in it");
    }
}

fn no_host(reader: &Reader<'_>, hosts: &[String], wanted: Option<&str>) -> Problem {
    const FORM: &str = "name one with --flake DIR#YOUR-HOST";
    let there = hosts.join(", ");
    let why = match wanted {
        _ if hosts.is_empty() => {
            "no host is written out in it, nor anything that could make one".to_owned()
        }
        Some(name) => format!("{name} is not among its hosts, which are {there}; {FORM}"),
        None => format!("it has the hosts {there}; {FORM}"),
    };
    Problem::NoHost { path: reader.file.path.clone(), why }
}

/// Every `nixosConfigurations.NAME = …`, wherever in the flake's outputs it stands.
fn hosts(reader: &mut Reader<'_>, root: &ast::Root) -> Vec<Host> {
    let mut hosts = Vec::new();
    for entry in root.syntax().descendants().filter_map(ast::AttrpathValue::cast) {
        let (Some(path), Some(value)) = (entry.attrpath(), entry.value()) else { continue };
        let mut names =
            path.attrs().map(|attr| attr_name(&attr)).skip_while(|name| !is_hosts(name.as_deref()));
        match (names.next(), names.next(), names.next()) {
            (Some(_), Some(Some(name)), None) => hosts.push(Host { name, value }),
            (Some(_), None, None) => written_hosts(reader, &value, &mut hosts),
            (Some(_), Some(None), _) => {
                reader.pass_over(&entry, "the name of the host would have to be evaluated");
            }
            _ => {}
        }
    }
    hosts
}

fn is_hosts(name: Option<&str>) -> bool {
    name == Some("nixosConfigurations")
}

/// The hosts of the set behind `nixosConfigurations`.
fn written_hosts(reader: &mut Reader<'_>, value: &ast::Expr, hosts: &mut Vec<Host>) {
    match value {
        ast::Expr::AttrSet(set) => {
            for entry in set.attrpath_values() {
                let names: Option<Vec<_>> = entry
                    .attrpath()
                    .into_iter()
                    .flat_map(|path| path.attrs())
                    .map(|attr| attr_name(&attr))
                    .collect();
                match (names.as_deref(), entry.value()) {
                    (Some([name]), Some(value)) => hosts.push(Host { name: name.clone(), value }),
                    _ => {
                        reader.pass_over(&entry, "the name of the host would have to be evaluated");
                    }
                }
            }
        }
        ast::Expr::BinOp(both) if both.operator() == Some(ast::BinOpKind::Update) => {
            [both.lhs(), both.rhs()]
                .iter()
                .flatten()
                .for_each(|side| written_hosts(reader, side, hosts));
        }
        other => match inside(other) {
            Some(inner) => written_hosts(reader, &inner, hosts),
            None => reader.pass_over(other, "the hosts are the result of a function"),
        },
    }
}

/// Takes in the `modules = [ … ]` of `function { … }`, and what is handed over beside them.
fn modules(reader: &mut Reader<'_>, value: &ast::Expr, flake: &mut Flake) {
    if let Some(inner) = inside(value) {
        return modules(reader, &inner, flake);
    }
    let arguments = match value {
        ast::Expr::Apply(call) => call.argument().and_then(|argument| set_of(&argument)),
        _ => None,
    };
    let given = arguments.iter().flat_map(ast::AttrSet::attrpath_values);
    let given: Vec<_> =
        given.filter_map(|entry| Some((written_name(&entry)?, entry.value()?))).collect();
    match given.iter().find(|(name, _)| name == "modules") {
        Some((_, modules)) => reader.imports(modules),
        None => reader.pass_over(value, "its modules are not written out as modules = [ … ]"),
    }
    flake.system = given.iter().filter(|(name, _)| name == "system").find_map(|(_, value)| {
        if let Expr::Text(system) = Expr::read(value) { Some(system) } else { None }
    });
    let packages =
        given.iter().filter(|(name, _)| name == "pkgs").map(|(_, value)| span(value).start);
    let inherited = arguments.iter().flat_map(ast::AttrSet::inherits);
    let inherited = inherited
        .filter(|names| names.attrs().any(|attr| attr_name(&attr).as_deref() == Some("pkgs")));
    let inherited = inherited.map(|names| span(&names).start);
    let places = packages.chain(inherited).map(|at| reader.file.place(at));
    flake.packages_given = places.collect();
}

fn written_name(entry: &ast::AttrpathValue) -> Option<String> {
    let mut names = entry.attrpath()?.attrs().map(|attr| attr_name(&attr));
    let name = names.next()??;
    names.next().is_none().then_some(name)
}

fn set_of(expr: &ast::Expr) -> Option<ast::AttrSet> {
    match expr {
        ast::Expr::AttrSet(set) => Some(set.clone()),
        other => set_of(&inside(other)?),
    }
}

fn inside(expr: &ast::Expr) -> Option<ast::Expr> {
    match expr {
        ast::Expr::Paren(paren) => paren.expr(),
        ast::Expr::LetIn(binding) => binding.body(),
        ast::Expr::With(with) => with.body(),
        _ => None,
    }
}
