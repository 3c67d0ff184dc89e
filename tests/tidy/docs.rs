//! The README tells what the program does: its blocks are made from the tables, and its commands are read.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use nvsdk_top::app::PROCESS_COLUMNS;
use nvsdk_top::cli::{Cli, EXIT_CODES};
use nvsdk_top::config::{Action, Binding, Config, Context, Keymap, Overlay};
use nvsdk_top::export::{Selection, json, reference, table};
use nvsdk_top::setup::{Home, Kind, OPTIONS};
use nvsdk_top::source::demo::{Demo, PRESETS};
use nvsdk_top::source::{Feed, ManualClock, Patience, Request, Snapshot};

use crate::common::START_UNIX_US;
use crate::common::docs::{assert_current, filled};

/// The fields that the README's piece of JSON shows.
const EXAMPLE_FIELDS: &str = "busy_percent,memory_used_bytes,power_draw_watts";

type Make = fn() -> String;

/// Each block of the README and how it is made.
const BLOCKS: &[(&str, Make)] = &[
    ("example-table", example_table),
    ("example-json", example_json),
    ("keys", keys),
    ("settings", settings),
    ("process-columns", process_columns),
    ("options", options),
    ("setup-options", setup_options),
    ("setup-commands", setup_commands),
    ("setup-example", setup_example),
    ("exit-codes", exit_codes),
    ("demo-presets", demo_presets),
    ("absence-reasons", || reference::reasons().markdown()),
    ("gpu-metrics", || reference::gpu_metrics().markdown()),
    ("process-metrics", || reference::process_metrics().markdown()),
    ("host-metrics", || reference::host_metrics().markdown()),
    ("health-rules", || reference::health_rules().markdown()),
    ("clock-events", || reference::clock_events().markdown()),
];

/// The blocks that other suites make.
const ELSEWHERE: &[&str] = &["preset-metrics"];

fn process_columns() -> String {
    let row = |column: &nvsdk_top::app::ProcessColumn| {
        format!("| {} | {} |\n", column.title(), column.help())
    };
    let rows: Vec<_> = PROCESS_COLUMNS.iter().map(row).collect();
    format!("| column | what it shows |\n| --- | --- |\n{}", rows.concat())
}

#[test]
fn the_readme_is_current() {
    assert_current("README.md", "tidy", |old| {
        BLOCKS.iter().fold(old.to_owned(), |text, (name, make)| filled(&text, name, &make()))
    });
    let readme = readme();
    for name in ELSEWHERE {
        assert!(readme.contains(&format!("<!-- begin:{name} -->\n")), "no block {name}");
    }
    let blocks = readme.matches("<!-- begin:").count();
    assert_eq!(blocks, BLOCKS.len() + ELSEWHERE.len(), "a block that nothing makes");
}

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The lines of the README's shell blocks.
fn shell_lines(readme: &str) -> Vec<&str> {
    let blocks = readme.split("```sh\n").skip(1);
    blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines()).collect()
}

#[test]
fn every_command_of_the_readme_is_understood() {
    let readme = readme();
    let mut read = 0;
    for line in shell_lines(&readme) {
        let command = line.split([' ']).skip_while(|word| word.contains('='));
        let words: Vec<_> = command
            .take_while(|word| !["|", ">", "#"].contains(word))
            .filter(|word| !word.is_empty())
            .collect();
        let words = match words.as_slice() {
            ["cargo", "run", "--release", "--", rest @ ..] => [&["nvsdk-top"], rest].concat(),
            ["nvsdk-top", ..] => words,
            _ => continue,
        };
        let result = Cli::try_parse_from(&words);
        assert!(result.is_ok(), "{line}: {result:?}");
        read += 1;
    }
    assert!(read > 5, "the README has commands");
}

fn fenced(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end())
}

/// What `--once --demo` takes, at a fixed time of day.
fn demo(preset: &str, selection: &Selection) -> Snapshot {
    let preset = PRESETS.iter().find(|known| known.name == preset).unwrap();
    let clock = Arc::new(ManualClock::at(START_UNIX_US));
    let mut feed = Feed::new(Box::new(Demo::new(preset, Arc::clone(&clock) as _)));
    let request = Request {
        metrics: selection.needed(),
        processes: selection.processes,
        patience: Patience::Whole { limit: Duration::from_secs(5) },
    };
    feed.next(&request).unwrap();
    clock.advance(Duration::from_millis(110));
    Arc::unwrap_or_clone(feed.next(&request).unwrap())
}

fn example_table() -> String {
    let (selection, mut out) = (Selection::all(), Vec::new());
    table::write(&mut out, &demo("mig", &selection), &selection, Some(100)).unwrap();
    fenced("text", &String::from_utf8(out).unwrap())
}

fn example_json() -> String {
    let selection: Selection = EXAMPLE_FIELDS.parse().unwrap();
    let mut out = Vec::new();
    json::write(&mut out, &demo("gb10", &selection), &selection, json::Layout::Pretty).unwrap();
    fenced("json", &String::from_utf8(out).unwrap())
}

fn options() -> String {
    let command = Cli::command().term_width(100);
    // What the variable says where the test runs is nobody's business.
    let mut command = command.mut_arg("nvml_lib", |option| option.hide_env_values(true));
    fenced("text", &command.render_help().to_string())
}

/// What `setup --help` prints.
fn setup_commands() -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let setup = command.find_subcommand_mut("setup").map(clap::Command::render_help);
    fenced("text", &setup.map(|help| help.to_string()).unwrap_or_default())
}

/// What the program says of one of the configurations that it is tested with, on a machine of which nothing is known.
fn setup_example() -> String {
    let nothing = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configurations/channels");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nvsdk-top"));
    command.args(["setup", "diff", "--config", "configuration.nix", "--release", "26.05"]);
    command.args(["--set", "container.enable=true", "--set", "driver.open=false"]);
    command.arg("--root").arg(nothing.path()).current_dir(folder);
    command.env_clear().env("HOME", nothing.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    fenced("diff", &String::from_utf8(output.stdout).unwrap())
}

/// Each option of Setup with its values and what it comes to in Nix.
fn setup_options() -> String {
    let homes = |homes: &[Home]| {
        let lines: Vec<_> = homes.iter().map(|home| format!("`{home}`")).collect();
        if lines.is_empty() { "–".to_owned() } else { lines.join("<br>") }
    };
    let values = |kind| match kind {
        Kind::Toggle => "true, false".to_owned(),
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
        Kind::Several(words) => format!("any of {}", words.join(", ")),
        Kind::Users => "names of users".to_owned(),
    };
    let rows = OPTIONS.iter().map(|option| {
        let (standalone, snippet) = (homes(option.standalone), homes(option.snippet));
        let (path, help, when) = (option.path, option.help, option.effect.sentence());
        let snippet = if snippet == standalone { "the same".to_owned() } else { snippet };
        format!(
            "| `{path}` | {help} A change {when}. | {} | {standalone} | {snippet} |\n",
            values(option.kind)
        )
    });
    let head = "| option | what it does | values | standalone | snippet |\n|---|---|---|---|---|\n";
    head.to_owned() + &rows.collect::<String>()
}

/// Each action in each context with its keys there.
fn keys() -> String {
    let keymap = Keymap::default();
    let places =
        Context::ALL.iter().flat_map(|context| Action::ALL.iter().map(move |a| (*context, *a)));
    let rows = places.filter_map(|(context, action)| {
        let here = |row: &Binding| row.context == context;
        let keys: Vec<_> =
            keymap.keys(action).filter(here).map(|row| row.chord.to_string()).collect();
        let row = || vec![keys.join(" ").into(), context.title().into(), action.spec().doc.into()];
        (!keys.is_empty()).then(row)
    });
    list("Keys", &["keys", "where", "what they do"], rows.collect())
}

/// A settings file that says what holds without one.
fn settings() -> String {
    let Config { interval, theme, temperature, span, log, .. } = Config::default();
    let text = format!(
        "interval = \"{interval}\"           # from 250ms to 1h\n\
         gpus = \"all\"              # or visible (to CUDA), or a list such as 0,3\n\
         theme = \"{theme}\"\n\
         temperature = \"{temperature}\"   # or fahrenheit\n\
         span = \"{span}\"               # of the charts, up to 24h\n\
         log = \"{log}\"              # or a file that lines are added to\n"
    );
    let read = Overlay::parse(&text, Path::new("README.md")).unwrap();
    assert_eq!(Config::default().with(read), Config::default());
    fenced("toml", &text)
}

fn exit_codes() -> String {
    let row = |(exit, meaning): &(_, &'static str)| {
        vec![(*exit as u8).to_string().into(), (*meaning).into()]
    };
    list("Exit codes", &["code", "meaning"], EXIT_CODES.iter().map(row).collect())
}

fn demo_presets() -> String {
    let rows = PRESETS.iter().map(|preset| vec![preset.name.into(), preset.about.into()]);
    list("Presets of the demo", &["preset", "machine"], rows.collect())
}

fn list(
    title: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<std::borrow::Cow<'static, str>>>,
) -> String {
    reference::Reference { title, columns, rows }.markdown()
}
