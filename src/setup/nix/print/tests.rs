//! Expressions as text: how they look, and that they are read as they were meant.

use super::super::{AttrPath, Expr};
use proptest::prelude::*;
use rnix::ast::{self, AttrpathValue, HasEntry as _, InterpolPart};

fn name(path: &str) -> Expr {
    Expr::Name(AttrPath::dotted(path))
}

fn text(text: &str) -> Expr {
    Expr::Text(text.to_owned())
}

fn call(function: &str, arguments: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Call(Box::new(name(function)), arguments.into_iter().collect())
}

fn set(entries: impl IntoIterator<Item = (&'static str, Expr)>) -> Expr {
    Expr::Set(entries.into_iter().map(|(path, value)| (AttrPath::dotted(path), value)).collect())
}

fn with(scope: Expr, body: Expr) -> Expr {
    Expr::With(Box::new(scope), Box::new(body))
}

/// The lines of a definition as they stand in a file.
fn definition(value: Expr) -> String {
    let set = set([("x", value)]).to_string();
    set.strip_prefix("{\n").unwrap().strip_suffix("\n}").unwrap().to_owned()
}

#[test]
fn what_is_short_stays_on_its_line() {
    for (value, line) in [
        (Expr::Null, "null"),
        (Expr::Bool(true), "true"),
        (Expr::Int(-1), "-1"),
        (Expr::Int(i64::MAX), "9223372036854775807"),
        (Expr::Int(i64::MIN), "(-9223372036854775807 - 1)"),
        (text("a"), r#""a""#),
        (name("pkgs.cudaPackages.cudnn"), "pkgs.cudaPackages.cudnn"),
        (Expr::List(Vec::new()), "[ ]"),
        (Expr::Set(Vec::new()), "{ }"),
        (Expr::List(vec![text("nvidia")]), r#"[ "nvidia" ]"#),
        (Expr::List(vec![Expr::List(vec![Expr::Int(1)])]), "[ [ 1 ] ]"),
        (call("lib.mkOverride", [Expr::Int(900), Expr::Bool(true)]), "lib.mkOverride 900 true"),
        (call("f", []), "f"),
        (with(name("pkgs"), Expr::List(vec![name("git")])), "with pkgs; [ git ]"),
        (Expr::Verbatim("pkg: true".to_owned()), "pkg: true"),
    ] {
        assert_eq!(value.to_string(), line);
    }
}

#[test]
fn what_would_be_read_otherwise_is_enclosed() {
    let minus = Expr::Int(-1);
    let lambda = Expr::Verbatim("a: a".to_owned());
    for (value, line) in [
        (Expr::List(vec![minus.clone()]), "[ (-1) ]"),
        (Expr::List(vec![Expr::Int(i64::MIN)]), "[ (-9223372036854775807 - 1) ]"),
        (Expr::List(vec![call("f", [name("x")])]), "[ (f x) ]"),
        (Expr::List(vec![with(name("p"), name("x"))]), "[ (with p; x) ]"),
        (Expr::List(vec![lambda.clone()]), "[ (a: a) ]"),
        (call("f", [minus]), "f (-1)"),
        (call("f", [call("g", [name("x")]), lambda.clone()]), "f (g x) (a: a)"),
        (Expr::Call(Box::new(lambda.clone()), vec![Expr::Int(1)]), "(a: a) 1"),
        (with(lambda, name("x")), "with (a: a); x"),
    ] {
        assert_eq!(value.to_string(), line);
    }
}

#[test]
fn what_is_long_stands_as_nixfmt_puts_it() {
    let driver = || call("a.mkDriver", [set([("version", text("580.173.02"))])]);
    let two = || Expr::List(vec![text("a"), call("f", [name("x")])]);
    for (value, lines) in [
        (
            set([("a.b", Expr::Bool(true)), ("c", Expr::Null)]),
            "  x = {\n    a.b = true;\n    c = null;\n  };",
        ),
        (two(), "  x = [\n    \"a\"\n    (f x)\n  ];"),
        (driver(), "  x = a.mkDriver {\n    version = \"580.173.02\";\n  };"),
        (
            call("lib.mkOverride", [Expr::Int(900), driver()]),
            "  x = lib.mkOverride 900 (\n    a.mkDriver {\n      version = \"580.173.02\";\n    }\n  );",
        ),
        (with(name("pkgs"), two()), "  x = with pkgs; [\n    \"a\"\n    (f x)\n  ];"),
        (
            call("lib.mkForce", [with(name("p"), two())]),
            "  x = lib.mkForce (\n    with p;\n    [\n      \"a\"\n      (f x)\n    ]\n  );",
        ),
        (
            Expr::List(vec![driver()]),
            "  x = [\n    (a.mkDriver {\n      version = \"580.173.02\";\n    })\n  ];",
        ),
        (Expr::List(vec![text(&"x".repeat(87))]), &format!("  x = [ \"{}\" ];", "x".repeat(87))),
        (
            Expr::List(vec![text(&"x".repeat(88))]),
            &format!("  x = [\n    \"{}\"\n  ];", "x".repeat(88)),
        ),
    ] {
        let text = definition(value);
        assert_eq!(text, lines);
        let file = format!("{{\n{text}\n}}\n");
        assert_eq!(nixfmt_rs::format(&file).unwrap(), file);
    }
}

#[test]
fn a_remark_at_the_end_of_foreign_text_swallows_nothing() {
    let remark = || Expr::Verbatim("1 # one }".to_owned());
    assert_eq!(definition(remark()), "  x = 1 # one }\n;");
    assert_eq!(definition(call("f", [remark()])), "  x = f (\n    1 # one }\n\n  );");
    for value in [
        remark(),
        call("f", [remark(), remark()]),
        Expr::List(vec![remark()]),
        with(remark(), remark()),
    ] {
        assert!(read(&set([("x", value.clone())]).to_string()).is_some(), "{value}");
    }
}

/// What rnix, which knows nothing of this program, reads.
fn read(text: &str) -> Option<Expr> {
    let parsed = rnix::Root::parse(text);
    let expr = parsed.ok().ok()?.expr()?;
    (expr.to_string() == text).then(|| read_expr(&expr))
}

fn read_expr(expr: &ast::Expr) -> Expr {
    let boxed = |expr: Option<ast::Expr>| Box::new(read_expr(&expr.unwrap()));
    match expr {
        ast::Expr::Paren(paren) => read_expr(&paren.expr().unwrap()),
        ast::Expr::Literal(literal) => Expr::Int(literal.to_string().parse().unwrap()),
        ast::Expr::UnaryOp(minus) => match read_expr(&minus.expr().unwrap()) {
            Expr::Int(number) => Expr::Int(-number),
            other => panic!("-{other}"),
        },
        ast::Expr::Str(text) => Expr::Text(read_text(text)),
        ast::Expr::Ident(ident) => match ident.to_string().as_str() {
            "null" => Expr::Null,
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            head => Expr::Name(AttrPath::new([head])),
        },
        ast::Expr::Select(select) => match read_expr(&select.expr().unwrap()) {
            Expr::Name(head) => Expr::Name(head.join(&read_path(&select.attrpath().unwrap()))),
            other => panic!("{other}.x"),
        },
        ast::Expr::List(list) => Expr::List(list.items().map(|item| read_expr(&item)).collect()),
        ast::Expr::AttrSet(set) => {
            let entry = |entry: AttrpathValue| {
                (read_path(&entry.attrpath().unwrap()), read_expr(&entry.value().unwrap()))
            };
            assert_eq!(set.inherits().count(), 0);
            Expr::Set(set.attrpath_values().map(entry).collect())
        }
        ast::Expr::Apply(apply) => {
            let argument = read_expr(&apply.argument().unwrap());
            flat(read_expr(&apply.lambda().unwrap()), vec![argument])
        }
        ast::Expr::With(with) => Expr::With(boxed(with.namespace()), boxed(with.body())),
        other => Expr::Verbatim(other.to_string()),
    }
}

fn read_text(text: &ast::Str) -> String {
    let part = |part: InterpolPart<String>| match part {
        InterpolPart::Literal(text) => text,
        InterpolPart::Interpolation(_) => panic!("an interpolation in {text}"),
    };
    text.normalized_parts().into_iter().map(part).collect()
}

fn read_path(path: &ast::Attrpath) -> AttrPath {
    AttrPath::new(path.attrs().map(|attr| match attr {
        ast::Attr::Ident(ident) => ident.to_string(),
        ast::Attr::Str(text) => read_text(&text),
        ast::Attr::Dynamic(dynamic) => panic!("an expression in a path: {dynamic}"),
    }))
}

/// A call of a call with all arguments at once, as both are read the same.
fn flat(function: Expr, arguments: Vec<Expr>) -> Expr {
    match (function, arguments) {
        (function, none) if none.is_empty() => function,
        (Expr::Call(function, first), more) => Expr::Call(function, [first, more].concat()),
        (function, arguments) => Expr::Call(Box::new(function), arguments),
    }
}

/// Texts that try to leave their quotes.
fn nasty() -> impl Strategy<Value = String> {
    let parts = [
        "\"",
        "\\",
        "${",
        "$",
        "{",
        "}",
        "''",
        "\n",
        "\r",
        "\t",
        ";",
        "#",
        "/*",
        "*/",
        "x; } evil = {",
        "\\${",
        "$${",
        "a",
        " ",
        ".",
        "-",
        "é",
        "in",
        "or",
        "if",
        "",
    ];
    prop_oneof![
        prop::collection::vec(prop::sample::select(parts.to_vec()), 0..8)
            .prop_map(|parts| parts.concat()),
        "\\PC{0,12}",
    ]
}

fn path(head: impl Strategy<Value = String>) -> impl Strategy<Value = AttrPath> {
    let tail = prop_oneof![2 => "[a-z]{1,3}", 1 => nasty()];
    (head, prop::collection::vec(tail, 0..3))
        .prop_map(|(head, tail)| AttrPath::new([head].into_iter().chain(tail)))
}

/// Any tree that can be written.
fn tree() -> impl Strategy<Value = Expr> {
    let variable = || path("[a-z]{1,2}[0-9]");
    let foreign = ["a: a", "if a then b else c", "let a = 1; in a", "a: # one\n  a + 1", "./x.nix"];
    let leaf = prop_oneof![
        Just(Expr::Null),
        any::<bool>().prop_map(Expr::Bool),
        any::<i64>()
            .prop_filter("read as a difference", |number| *number != i64::MIN)
            .prop_map(Expr::Int),
        nasty().prop_map(Expr::Text),
        variable().prop_map(Expr::Name),
        prop::sample::select(foreign.to_vec()).prop_map(|text| Expr::Verbatim(text.to_owned())),
    ];
    let any_tree = leaf.prop_recursive(5, 40, 5, move |inner| {
        let many = || prop::collection::vec(inner.clone(), 0..5);
        let key = path(prop_oneof![2 => "[a-z]{1,3}", 1 => nasty()]);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            many().prop_map(Expr::List),
            prop::collection::vec((key, inner.clone()), 0..5).prop_map(Expr::Set),
            (inner.clone(), many()).prop_map(|(function, arguments)| flat(function, arguments)),
            (boxed(), boxed()).prop_map(|(scope, body)| Expr::With(scope, body)),
        ]
    });
    any_tree.prop_filter("can be written", |tree| tree.check().is_ok())
}

/// What the program writes, short enough for its lines.
fn usual() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Expr::Bool),
        any::<i16>().prop_map(|number| Expr::Int(number.into())),
        "[a-z0-9 \"$\\\\]{0,8}".prop_map(Expr::Text),
        "[a-z]{3}[0-9](\\.[a-z]{1,4}){0,2}".prop_map(|path| name(&path)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let simple = prop_oneof![
            any::<i8>().prop_map(|number| Expr::Int(number.into())),
            "[a-z]{3}[0-9]".prop_map(|path| name(&path)),
        ];
        let last = prop::collection::vec(simple, 0..2);
        let names = prop::collection::vec("[a-z]{3}[0-9]", 0..4);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::List),
            prop::collection::vec(("[a-z]{3}[0-9](\\.[a-z]{1,4})?", inner.clone()), 0..4).prop_map(
                |entries| {
                    Expr::Set(
                        entries
                            .into_iter()
                            .map(|(path, value)| (AttrPath::dotted(&path), value))
                            .collect(),
                    )
                }
            ),
            ("lib\\.[a-z]{3}[0-9]", last, inner).prop_map(|(function, first, last)| {
                call(&function, first.into_iter().chain([last]))
            }),
            names.prop_map(|names| with(
                name("pkgs"),
                Expr::List(names.iter().map(|one| name(one)).collect())
            )),
        ]
    })
}

proptest! {
    #[test]
    fn any_tree_is_read_as_it_was_written(tree in tree()) {
        let text = tree.to_string();
        prop_assert_eq!(read(&text), Some(tree), "{}", text);
    }

    #[test]
    fn no_text_changes_the_structure(value in nasty(), key in nasty()) {
        prop_assume!(text(&value).check().is_ok() && text(&key).check().is_ok());
        let tree = Expr::Set(vec![
            (AttrPath::new(["users", &key, "x"]), text(&value)),
            (AttrPath::dotted("last"), Expr::List(vec![text(&value), call("f", [text(&value)])])),
        ]);
        prop_assert_eq!(read(&tree.to_string()), Some(tree));
    }

    #[test]
    fn what_the_program_writes_is_a_fixed_point_of_nixfmt(value in usual()) {
        let tree = set([("x", value)]);
        prop_assume!(tree.check().is_ok());
        let text = format!("{tree}\n");
        prop_assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
    }
}
