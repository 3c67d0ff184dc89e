//! Files that are made by tests: held against what they should be, or written with `UPDATE_DOCS=1`.

use std::env;
use std::fs;
use std::path::Path;

/// Holds a committed file against what it should be, or writes it. `suite` is the test binary that does so.
pub(crate) fn assert_current(path: &str, suite: &str, make: impl Fn(&str) -> String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let old = fs::read_to_string(&file).unwrap_or_default();
    let new = make(&old);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, new).unwrap();
    } else {
        let differing = old.lines().zip(new.lines()).find(|(old, new)| old != new);
        assert!(
            old == new,
            "{path} is not current: UPDATE_DOCS=1 cargo test --test {suite}\n{differing:?}"
        );
    }
}

/// `text` with `content` between the marks of the block `name`.
pub(crate) fn filled(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- begin:{name} -->\n"), format!("<!-- end:{name} -->"));
    let parts = text.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some(format!("{before}{begin}\n{content}\n{end}{after}"))
    });
    assert!(parts.is_some(), "the text has no block {name}");
    parts.unwrap_or_default()
}
