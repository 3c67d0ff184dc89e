//! `setup set` and `setup discard`: the draft.

use std::path::Path;

use super::page::{Page, Tone};
use super::words;
use crate::cli::Exit;
use crate::run::Failure;
use crate::run::setup::{DraftFile, Gathered};
use crate::setup::draft::{Draft, Value};
use crate::setup::{Kind, OPTIONS, Setup, option};

/// How alike a path must be to be the one that was meant.
const LIKENESS: f64 = 0.75;

/// Chooses a value and keeps it.
pub(super) fn set(
    gathered: &mut Gathered,
    (path, values): (&str, &[String]),
    state: &Path,
) -> Result<Exit, Failure> {
    let entry = gathered.name.clone();
    let draft = &gathered.draft;
    if entry.is_some() && draft.entry.is_some() && draft.entry != entry && !draft.is_empty() {
        let whose = draft.entry.as_deref().unwrap_or_default();
        return Err(Failure::Setup(format!(
            "what was chosen is for {whose}; write that first, or forget it with nvsdk-top setup discard"
        )));
    }
    choose(&mut gathered.setup, path, values)?;
    let chosen = value(path, values).map_err(Failure::Value)?;
    let mut draft = Draft {
        entry: entry.or_else(|| gathered.draft.entry.clone()),
        values: gathered.draft.values.clone(),
    };
    draft.values.insert(path.to_owned(), chosen.clone());
    let aside =
        DraftFile::new(state).save(&draft).map_err(|error| Failure::Setup(error.to_string()))?;
    let mut page = Page::stdout();
    page.line(Tone::Plain, &format!("{path} = {}", words::value(&chosen)))?;
    if let Some(aside) = aside {
        page.line(
            Tone::Quiet,
            &format!("The draft that could not be read is in {}.", aside.display()),
        )?;
    }
    for finding in gathered.setup.findings().iter().filter(|finding| finding.option == path) {
        page.line(Tone::Alarm, &format!("Mind: {}", finding.sentence))?;
    }
    page.line(Tone::Quiet, "nvsdk-top setup diff shows what that comes to.")?;
    page.flush()?;
    Ok(Exit::Ok)
}

/// Forgets what was chosen, and says what that was.
pub(super) fn discard(gathered: &Gathered, state: &Path) -> Result<Exit, Failure> {
    let aside =
        DraftFile::new(state).discard().map_err(|error| Failure::Setup(error.to_string()))?;
    let mut page = Page::stdout();
    for (path, value) in &gathered.draft.values {
        page.line(Tone::Plain, &format!("discarded {path} = {}", words::value(value)))?;
    }
    if let Some(aside) = aside {
        page.line(
            Tone::Plain,
            &format!("the draft that could not be read is in {}", aside.display()),
        )?;
    } else if gathered.draft.is_empty() {
        page.line(Tone::Plain, "nothing was chosen")?;
    }
    page.flush()?;
    Ok(Exit::Ok)
}

/// Takes `PATH=VALUE` of the command line.
pub(super) fn assign(setup: &mut Setup, assignment: &str) -> Result<(), Failure> {
    let Some((path, value)) = assignment.split_once('=') else {
        return Err(Failure::Value(format!("{assignment} is no choice; write PATH=VALUE")));
    };
    choose(setup, path, &[value.to_owned()])
}

fn choose(setup: &mut Setup, path: &str, values: &[String]) -> Result<(), Failure> {
    let value = value(path, values).map_err(Failure::Value)?;
    setup.choose(path, value).map_err(Failure::Value)
}

/// The words of the command line as a value of the option.
fn value(path: &str, values: &[String]) -> Result<Value, String> {
    let one = || match values {
        [one] => Ok(one.clone()),
        _ => Err(format!("{path} takes one value")),
    };
    match option(path).map(|option| option.kind) {
        None if [Setup::RELEASE, Setup::MODE].contains(&path) => one().map(Value::Text),
        None => Err(unknown(path)),
        Some(Kind::Toggle) => match one()?.as_str() {
            "true" | "on" | "yes" => Ok(Value::Bool(true)),
            "false" | "off" | "no" => Ok(Value::Bool(false)),
            other => Err(format!("{path} is true or false, not {other}")),
        },
        Some(Kind::Choice(_)) => one().map(Value::Text),
        Some(Kind::Several(_) | Kind::Users) => {
            let words = values.iter().flat_map(|value| value.split(','));
            let words = words.map(|word| word.trim().to_owned());
            let mut list = Vec::new();
            for word in words.filter(|word| !word.is_empty()) {
                if !list.contains(&word) {
                    list.push(word);
                }
            }
            Ok(Value::List(list))
        }
    }
}

fn unknown(path: &str) -> String {
    if path.is_empty() {
        return "the choice names no option; write PATH=VALUE".to_owned();
    }
    let known = OPTIONS.iter().map(|option| option.path).chain([Setup::RELEASE, Setup::MODE]);
    let likeness = |known: &&str| {
        let last = known.rsplit('.').next().unwrap_or(known);
        strsim::jaro_winkler(path, known).max(strsim::jaro_winkler(path, last))
    };
    let nearest = known.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|nearest| likeness(nearest) > LIKENESS) {
        Some(nearest) => format!("there is no option {path}; did you mean {nearest}?"),
        None => format!("there is no option {path}; nvsdk-top setup show lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::{unknown, value};
    use crate::setup::Value;

    fn read(path: &str, values: &[&str]) -> Result<Value, String> {
        value(path, &values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn words_are_values_of_the_options_kind() {
        let list = |words: &[&str]| Value::List(words.iter().map(|&w| w.to_owned()).collect());
        assert_eq!(read("driver.open", &["on"]), Ok(Value::Bool(true)));
        assert_eq!(read("driver.open", &["no"]), Ok(Value::Bool(false)));
        assert_eq!(read("driver.package", &["beta"]), Ok(Value::Text("beta".to_owned())));
        assert_eq!(read("users", &["alice,bob", "alice"]), Ok(list(&["alice", "bob"])));
        assert_eq!(read("components", &[""]), Ok(list(&[])));
        assert_eq!(read("release", &["26.05"]), Ok(Value::Text("26.05".to_owned())));
        assert!(read("driver.open", &["maybe"]).is_err());
        assert!(read("driver.open", &["true", "false"]).is_err());
    }

    #[test]
    fn an_unknown_path_is_told_its_nearest() {
        for (path, nearest) in [
            ("driver.opne", "driver.open"),
            ("open", "driver.open"),
            ("persistanced", "persistenced"),
            ("user", "users"),
        ] {
            let message = unknown(path);
            assert!(message.ends_with(&format!("did you mean {nearest}?")), "{message}");
        }
        assert_eq!(unknown(""), "the choice names no option; write PATH=VALUE");
        assert!(unknown("zzzz").ends_with("setup show lists them"));
    }
}
