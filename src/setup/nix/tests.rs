//! What is understood of Nix texts, and what is refused.

use super::{AttrPath, Expr, Position, is_one_expression, parse};
use proptest::prelude::*;
use rowan::ast::AstNode;

fn name(text: &str) -> Expr {
    Expr::Name(AttrPath::dotted(text))
}

fn verbatim(text: &str) -> Expr {
    Expr::Verbatim(text.to_owned())
}

#[test]
fn each_kind_of_value_is_read() {
    let text = |text: &str| Expr::Text(text.to_owned());
    let call = |function, arguments| Expr::Call(Box::new(function), arguments);
    let rows = [
        ("null", Expr::Null),
        (" true # yes", Expr::Bool(true)),
        ("0042", Expr::Int(42)),
        ("(-7)", Expr::Int(-7)),
        (r#""a\n\${b}$c\"""#, text("a\n${b}$c\"")),
        ("''\n    a\n      b ''${c}\n  ''", text("a\n  b ${c}\n")),
        ("''''", text("")),
        (
            "[ 1 (f x) ./y ]",
            Expr::List(vec![Expr::Int(1), call(name("f"), vec![name("x")]), verbatim("./y")]),
        ),
        ("config.boot.\"kernelPackages\".x", name("config.boot.kernelPackages.x")),
        ("lib.mkForce (true)", call(name("lib.mkForce"), vec![Expr::Bool(true)])),
        ("f 1 2 3", call(name("f"), vec![Expr::Int(1), Expr::Int(2), Expr::Int(3)])),
        (
            "{ a.b = 1; \"c d\" = { }; }",
            Expr::Set(vec![
                (AttrPath::dotted("a.b"), Expr::Int(1)),
                (AttrPath::new(["c d"]), Expr::Set(Vec::new())),
            ]),
        ),
        (
            "with pkgs; [ git ]",
            Expr::With(Box::new(name("pkgs")), Box::new(Expr::List(vec![name("git")]))),
        ),
    ];
    for (written, value) in rows {
        assert_eq!(Expr::parse(written), Ok(value), "{written}");
    }
}

#[test]
fn everything_else_stays_as_it_is_written() {
    for text in [
        "\"${x}\"",
        "\"a\r\nb\"",
        "''a''\\n ''",
        "1.5",
        "99999999999999999999",
        "rec { a = 1; }",
        "{ inherit a; }",
        "{ ${a} = 1; }",
        "x.y or z",
        "(x: y)",
        "if a then b else c",
        "a // b",
        "!a",
        "- a",
        "./x",
        "<nixpkgs>",
        "assert a; b",
    ] {
        assert_eq!(Expr::parse(text), Ok(verbatim(text)), "{text}");
    }
}

#[test]
fn one_expression_is_nothing_more_and_nothing_less() {
    for text in ["x", " pkgs.hello\n", "{ a = 1; # b\n }", "x: y", "f (a) b", "\"}\"", "a.b or c"] {
        assert!(is_one_expression(text), "{text}");
    }
    for text in [
        "",
        "# nothing",
        "x; } evil = {",
        "x; y = 1",
        "(x",
        "x)",
        "(x; )",
        "((x;))",
        "x # hides what follows",
        "/* a */ x",
        "\"x",
        "''x",
        "x /* y",
        "x\0",
        "x\u{a0}y",
        "a = 1;",
        "[ -1 ]",
        "${x}",
    ] {
        assert!(!is_one_expression(text), "{text:?}");
    }
}

#[test]
fn an_error_says_where_and_what() {
    let rows = [
        ("{\n  a = 1\n  b = 2;\n}", (3, 5), "`=` stands where `;` is expected"),
        ("{ a = [ 1; }", (1, 12), "`}` closes nothing that is open"),
        ("{\n  é = \"x;\n}", (2, 3), "`é` is not Nix"),
        ("{ e = \"x;\n}", (1, 7), "`\"` is never closed"),
        ("{ a = ''x", (1, 7), "`''` is never closed"),
        ("{ a = 1;", (1, 1), "`{` is never closed"),
        ("{ a = \"${x\"; }", (1, 11), "`\"` is never closed"),
        ("a b )", (1, 5), "`)` closes nothing that is open"),
        ("a@{ b }@c: d", (1, 8), "the arguments are given a name twice"),
        ("{ } x = 1;", (1, 7), "`=` is not expected here"),
        ("[ 1\n x: y ]", (2, 2), "a function needs parentheses around it here"),
        ("", (1, 1), "the text ends too early"),
    ];
    for (text, (line, column), what) in rows {
        let error = parse(text).unwrap_err();
        assert_eq!(
            (error.position, error.what.as_str()),
            (Position { line, column }, what),
            "{text}"
        );
    }
}

#[test]
fn deep_nesting_is_refused_before_it_costs_the_stack() {
    let many = 100_000;
    for (part, end) in [
        ("[", ""),
        ("(", ""),
        ("{ a =", ""),
        ("\"${", ""),
        ("[", "]"),
        ("!", "a"),
        ("-", "1"),
        ("a ++ ", "a"),
        ("a // ", "a"),
        ("1 + ", "1"),
        ("f ", "x"),
        ("a: ", "a"),
        ("let in ", "1"),
        ("with a; ", "b"),
        ("if a then b else ", "c"),
        ("a.b or ", "c"),
        ("a ++ ; ", "c"),
        ("[ x: f f ", ""),
        ("( a ++ ) ", ""),
        ("a.", "a"),
        ("a<", "a"),
    ] {
        let text = part.repeat(many) + &end.repeat(if end == "]" { many } else { 1 });
        assert!(parse(&text).is_err(), "{part}");
        assert!(!is_one_expression(&text), "{part}");
    }
}

#[test]
fn what_configurations_nest_is_not_refused() {
    let list = format!("{{ a = with pkgs; [ {} ]; }}", "a.b (c d) ".repeat(5000));
    let set = format!("{{ {} }}", "a.b.c = lib.mkDefault { d = x: x ++ [ 1 ]; };\n".repeat(5000));
    let script = format!("''{}''", "run ${pkgs.hello}/bin/hello $HOME\n".repeat(3000));
    let choices = format!("{}0", "if a == 1 then b else ".repeat(40));
    let nested = "{ a = ".repeat(60) + "1" + &"; }".repeat(60);
    for text in [list, set, script, choices, nested] {
        assert!(parse(&text).is_ok(), "{:?} …", &text[..40]);
    }
}

/// Texts of the pieces that Nix is made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{", "}", "[", "]", "(", ")", "\"", "''", "${", "a", "b.c", "=", ";", ":", ",", "@", "?",
        "...", "++", "//", "!", "-", "let", "in", "with", "if", "then", "else", "or", "rec",
        "inherit", "./x", "<n>", "1", "# c\n", "/*", "é",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let _ = Expr::parse(&text);
    }

    #[test]
    fn any_order_of_pieces_is_survived_and_what_is_read_is_whole(text in pieces()) {
        if let Ok(root) = parse(&text) {
            prop_assert_eq!(root.syntax().text().to_string(), text);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_text_that_is_repeated_without_end_is_survived(text in pieces()) {
        let _ = Expr::parse(&text.repeat(2000));
    }
}
