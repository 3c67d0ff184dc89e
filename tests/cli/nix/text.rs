//! What the program writes as Nix, read by Nix itself.

use nvsdk_top::setup::nix::{AttrPath, Expr};
use serde_json::{Value, json};

use super::{is_there, nix_eval};

/// Texts that try to leave their quotes, and what else is easily read otherwise.
const NASTY: &[&str] = &[
    "",
    "\"",
    "\\",
    "\\\"",
    "\\\\",
    "${x}",
    "$${x}",
    "\\${x}",
    "$",
    "$$",
    "${",
    "''",
    "''${x}''",
    "'''",
    "a\nb",
    "a\r\nb",
    "\t",
    "\\n",
    "}; evil = { x = 1; }; y = {",
    "\"; evil = \"",
    "# no comment",
    "/* no comment */",
    "${builtins.abort \"read\"}",
    "or",
    "with",
    "a.b",
    "Größe 日本",
];

/// The value that Nix reads.
fn evaluated(expr: &Expr) -> Value {
    expr.check().unwrap();
    let text = expr.to_string();
    let output = nix_eval(&["--expr", &text]);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn nix_reads_each_text_and_each_name_as_it_was() {
    if !is_there("nix_reads_each_text_and_each_name_as_it_was") {
        return;
    }
    let text = |text: &&str| Expr::text(*text).unwrap();
    let list = Expr::List(NASTY.iter().map(text).collect());
    assert_eq!(evaluated(&list), json!(NASTY));
    let entry = |name: &&str| (AttrPath::new(["below", *name]), text(name));
    let set = Expr::Set(NASTY.iter().map(entry).collect());
    let names: Value = NASTY.iter().map(|name| ((*name).to_owned(), json!(name))).collect();
    assert_eq!(evaluated(&set), json!({ "below": names }));
}

#[test]
fn nix_reads_each_kind_of_value_as_it_was() {
    if !is_there("nix_reads_each_kind_of_value_as_it_was") {
        return;
    }
    let name = |path: &str| Expr::Name(AttrPath::dotted(path));
    let numbers = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX];
    let list = Expr::List(numbers.into_iter().map(Expr::Int).collect());
    let length = Expr::Call(Box::new(name("builtins.length")), vec![list.clone()]);
    let sum = Expr::Call(Box::new(name("builtins.add")), vec![Expr::Int(-1), length.clone()]);
    let scope = Expr::Set(vec![(AttrPath::dotted("x"), Expr::Bool(true))]);
    let with = Expr::With(Box::new(scope), Box::new(name("x")));
    let remark = Expr::Verbatim("let a = 1; in a # }".to_owned());
    let lambda = Expr::Verbatim("a: a".to_owned());
    let applied = Expr::Call(Box::new(lambda), vec![with.clone()]);
    let all = Expr::List(vec![
        Expr::Null,
        list,
        length,
        sum,
        with,
        remark,
        applied,
        Expr::Set(Vec::new()),
    ]);
    let wanted = json!([null, numbers, 5, 4, true, 1, true, {}]);
    assert_eq!(evaluated(&all), wanted);
}
