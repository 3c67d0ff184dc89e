//! `setup show --json`: everything that is known, for programs and for `--facts`.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::words;
use crate::cli::Exit;
use crate::model::is_printable;
use crate::run::Failure;
use crate::run::setup::{Gathered, SCHEMA};
use crate::setup::declared::{Configuration, Place};
use crate::setup::facts::Facts;
use crate::setup::{
    Change, Effect, Finding, Kind, Need, Outcome, Plan, Row, Setup, Severity, Stated,
};

/// The document; its keys stay in this order.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    entry: Option<String>,
    release: &'static str,
    mode: &'static str,
    configuration: Option<Json>,
    options: Vec<Json>,
    findings: Vec<Json>,
    plan: Json,
    warnings: &'a [String],
    facts: &'a Facts,
}

pub(super) fn run(gathered: &Gathered) -> Result<Exit, Failure> {
    let setup = &gathered.setup;
    let document = Document {
        schema: SCHEMA,
        entry: gathered.entry.as_ref().map(ToString::to_string),
        release: setup.release.name(),
        mode: setup.mode.word(),
        configuration: setup.configuration.as_deref().map(configuration),
        options: setup.rows.iter().map(|row| option(setup, row)).collect(),
        findings: setup.findings().iter().map(finding).collect(),
        plan: plan(setup),
        warnings: &gathered.warnings,
        facts: &setup.facts,
    };
    let text = serde_json::to_string_pretty(&document).map_err(io::Error::from)?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    stdout.write_all(escaped(&text).as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()?;
    Ok(Exit::Ok)
}

/// The text with what a terminal would not draw as `\u…`; outside of strings JSON has no such character but line ends.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || is_printable(c) {
            safe.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}

fn option(setup: &Setup, row: &Row) -> Json {
    let (kind, values) = match row.option.kind {
        Kind::Toggle => ("toggle", None),
        Kind::Choice(words) => ("choice", Some(words)),
        Kind::Several(words) => ("several", Some(words)),
        Kind::Users => ("users", None),
    };
    let effect = match row.option.effect {
        Effect::Switch => "switch",
        Effect::Boot => "boot",
    };
    let wanted = row
        .wanted
        .as_ref()
        .map(|(value, because)| json!({ "value": value, "because": words::because(*because) }));
    json!({
        "path": row.option.path,
        "section": row.option.section,
        "help": row.option.help,
        "kind": kind,
        "values": values,
        "effect": effect,
        "running": {
            "value": row.running.value,
            "text": row.running.text,
            "evidence": row.running.evidence,
        },
        "declared": stated(&row.stated),
        "wanted": wanted,
        "differs": row.differs(),
        "needs": setup.need(row).map(Need::word),
    })
}

fn stated(stated: &Stated) -> Json {
    match stated {
        Stated::Value { value, places } => {
            json!({ "state": "value", "value": value, "places": places.iter().map(place).collect::<Vec<_>>() })
        }
        Stated::Other { text, place: at } => {
            json!({ "state": "other", "value": null, "text": text, "places": [place(at)] })
        }
        Stated::Unknown { text, place: at } => {
            json!({ "state": "unknown", "value": null, "text": text, "places": [place(at)] })
        }
        Stated::Conflict(places) => {
            json!({ "state": "conflict", "value": null, "places": places.iter().map(place).collect::<Vec<_>>() })
        }
        Stated::NotFound { files_read, imports_not_followed } => json!({
            "state": "not_found",
            "value": null,
            "files_read": files_read,
            "imports_not_followed": imports_not_followed,
        }),
    }
}

/// What of the configuration was read, and every part of it that was not, with its place and the reason.
fn configuration(read: &Configuration) -> Json {
    let files = read.files.iter().map(|file| file.path.display().to_string());
    let not_followed = read.not_followed.iter().map(|part| {
        let mut json = place(&part.place);
        json["text"] = json!(part.text);
        json["why"] = json!(part.why);
        json
    });
    let problems = read.problems.iter().map(|problem| {
        let position = problem.position();
        json!({
            "file": problem.path().display().to_string(),
            "line": position.map(|at| at.line),
            "column": position.map(|at| at.column),
            "why": problem.to_string(),
        })
    });
    json!({
        "files": files.collect::<Vec<_>>(),
        "not_followed": not_followed.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    })
}

fn place(place: &Place) -> Json {
    json!({ "file": place.file.display().to_string(), "line": place.line, "column": place.column })
}

fn finding(finding: &Finding) -> Json {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "id": finding.id,
        "option": finding.option,
        "with": finding.with,
        "severity": severity,
        "sentence": finding.sentence,
    })
}

fn plan(setup: &Setup) -> Json {
    let plan: Plan = setup.plan();
    let texts =
        |all: &[crate::setup::Refusal]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let file = plan.file.as_ref().map(|file| {
        json!({
            "path": file.path.as_ref().ok().map(|path| path.display().to_string()),
            "why_nowhere": file.path.as_ref().err().map(ToString::to_string),
            "importer": file.importer.as_ref().map(|path| path.display().to_string()),
            "before": file.before,
            "after": file.after,
        })
    });
    json!({
        "file": file,
        "changes": plan.changes.iter().map(change).collect::<Vec<_>>(),
        "refusals": texts(&plan.refusals),
        "notes": texts(&plan.notes),
        "at_boot": plan.at_boot,
        "not_imported": setup.not_imported().map(ToString::to_string),
    })
}

fn change(change: &Change) -> Json {
    let key = change.key.to_string();
    match &change.outcome {
        Outcome::Written => json!({ "option": change.option, "key": key, "outcome": "written" }),
        Outcome::Declared => json!({ "option": change.option, "key": key, "outcome": "declared" }),
        Outcome::NotWritten { place: at, is, old, line } => json!({
            "option": change.option,
            "key": key,
            "outcome": "not_written",
            "place": place(at),
            "is": is,
            "old": old,
            "line": line,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_a_terminal_would_not_draw_is_escaped_and_reads_back() {
        let text = "a\u{7f}\u{202e}b\u{e0001}\u{9b}";
        let json = serde_json::to_string(text).unwrap();
        let safe = escaped(&json);
        assert!(safe.is_ascii(), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
    }
}
