//! `setup show` for people: the options in a table, what differs, and what the checks find.

use std::io::{self, Write};
use std::path::Path;

use unicode_width::UnicodeWidthStr as _;

use super::page::{Page, Tone};
use super::{elsewhere, words};
use crate::cli::Exit;
use crate::model::{KernelModule, printable};
use crate::run::Failure;
use crate::run::setup::Gathered;
use crate::setup::facts::{Facts, Pending};
use crate::setup::{Need, Row, Setup, Severity};

/// Columns: the option, what runs, what is declared, what is wanted, and what that needs.
const COLUMNS: usize = 5;
/// What stands between two columns.
const GAP: &str = "  ";

pub(super) fn run(gathered: &Gathered) -> Result<Exit, Failure> {
    let mut page = Page::stdout();
    let setup = &gathered.setup;
    page.line(Tone::Heading, &machine(&setup.facts))?;
    page.line(Tone::Quiet, &configuration(gathered))?;
    if let Some(own) = setup.not_imported() {
        page.line(Tone::Alarm, &format!("{own}."))?;
    }
    table(&mut page, gathered)?;
    differences(&mut page, setup)?;
    evidence(&mut page, setup)?;
    findings(&mut page, setup)?;
    if !setup.facts.system.is_nixos() {
        elsewhere::write(&mut page, &setup.facts)?;
    }
    page.flush()?;
    Ok(Exit::Ok)
}

/// The machine in a line.
fn machine(facts: &Facts) -> String {
    let distribution = facts.system.distribution.known();
    let distribution = distribution.map_or("unknown distribution", |known| &known.name);
    let mut parts = vec![distribution.to_owned()];
    parts.extend(facts.system.machine.text().map(str::to_owned));
    parts.push(match facts.driver.loaded.known() {
        Some(loaded) => {
            let flavour = match loaded.flavour {
                KernelModule::Open => "open",
                KernelModule::Proprietary => "proprietary",
            };
            format!("driver {} ({flavour})", loaded.version)
        }
        None => "no NVIDIA driver loaded".to_owned(),
    });
    parts.extend(gpus(facts));
    parts.join(", ")
}

/// The GPUs by name; how many there are of one stands before it.
fn gpus(facts: &Facts) -> Vec<String> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for name in facts.gpus().iter().filter_map(|gpu| gpu.name.text()) {
        match counted.iter_mut().find(|(known, _)| *known == name) {
            Some((_, number)) => *number += 1,
            None => counted.push((name, 1)),
        }
    }
    let say = |(name, number): &(&str, usize)| match number {
        1 => (*name).to_owned(),
        number => format!("{number} × {name}"),
    };
    counted.iter().map(say).collect()
}

/// The configuration in a line.
fn configuration(gathered: &Gathered) -> String {
    let setup = &gathered.setup;
    let guessed = if setup.is_release_guessed { " (a guess; say it with --release)" } else { "" };
    let written = format!("written as {} for NixOS {}{guessed}", setup.mode, setup.release);
    match (&gathered.entry, setup.configuration.as_deref()) {
        (Some(entry), Some(read)) => format!(
            "{entry}: {} read, {} not followed; {written}",
            words::counted(read.files.len(), "file"),
            words::counted(read.not_followed.len() + read.problems.len(), "import"),
        ),
        _ => format!("no configuration was found; name it with --config or --flake; {written}"),
    }
}

fn table<W: Write>(page: &mut Page<W>, gathered: &Gathered) -> io::Result<()> {
    let setup = &gathered.setup;
    let folder = gathered.entry.as_ref().and_then(|entry| entry.file.parent());
    let folder = folder.unwrap_or(Path::new(""));
    let head = ["", "running", "declared", "wanted", ""].map(str::to_owned);
    let rows: Vec<_> = setup.rows.iter().map(|row| cells(setup, row, folder)).collect();
    let all = || rows.iter().chain([&head]);
    let width = |column: usize| all().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    page.line(Tone::Plain, "")?;
    page.line(Tone::Quiet, &joined(&head, &widths))?;
    let mut section = "";
    for (row, cells) in setup.rows.iter().zip(&rows) {
        if row.option.section != section {
            section = row.option.section;
            page.line(Tone::Heading, section)?;
        }
        let tone = if cells[COLUMNS - 1].is_empty() { Tone::Plain } else { Tone::Alarm };
        page.line(tone, &joined(cells, &widths))?;
    }
    Ok(())
}

fn cells(setup: &Setup, row: &Row, folder: &Path) -> [String; COLUMNS] {
    let needs = if row.is_changed() {
        "to be written".to_owned()
    } else {
        need(setup, row).map_or_else(String::new, |need| need.word().to_owned())
    };
    let cells = [
        format!("  {}", row.option.path),
        row.running.text.clone(),
        words::stated(&row.stated, folder),
        words::wanted(row),
        needs,
    ];
    cells.map(|cell| printable(&cell).into_owned())
}

fn joined(cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| {
        let missing = width.saturating_sub(cell.width());
        format!("{cell}{}", " ".repeat(missing))
    });
    padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// What differs, and what it takes to close it.
fn differences<W: Write>(page: &mut Page<W>, setup: &Setup) -> io::Result<()> {
    let is_nixos = setup.facts.system.is_nixos();
    let mut lines: Vec<_> = setup.rows.iter().filter_map(|row| difference(setup, row)).collect();
    let pending = if is_nixos { setup.facts.generations.pending() } else { Vec::new() };
    lines.extend(pending.into_iter().map(|pending| pending_words(pending).to_owned()));
    if lines.is_empty() {
        return Ok(());
    }
    page.heading("What differs")?;
    lines.iter().try_for_each(|line| page.line(Tone::Plain, &format!("  {line}.")))
}

/// What differs of an option. What another distribution runs is not held against a configuration of NixOS.
fn difference(setup: &Setup, row: &Row) -> Option<String> {
    let (path, running, wanted) = (row.option.path, &row.running.text, words::wanted(row));
    if row.is_changed() {
        return Some(format!("{path} is to be {wanted}, which {}", row.option.effect.sentence()));
    }
    let need = need(setup, row)?;
    Some(format!("{path} is declared {wanted}, and running is: {running}; {}", need.word()))
}

/// What an option needs. What another distribution runs waits for no configuration of NixOS, but a file may wait for its
/// import.
fn need(setup: &Setup, row: &Row) -> Option<Need> {
    setup.need(row).filter(|need| *need == Need::Import || setup.facts.system.is_nixos())
}

fn pending_words(pending: Pending) -> &'static str {
    match pending {
        Pending::Kernel => "the current system has another kernel than the running one: reboot",
        Pending::KernelModules => {
            "the current system has other kernel modules than the running ones: reboot"
        }
        Pending::NextBoot => "the next boot starts another system than the current one",
    }
}

/// The options whose evidence is printed; `--json` has that of all.
const EVIDENT: &[&str] =
    &["enable", "driver.package", "driver.open", "persistenced", "container.enable"];

/// What is known of the driver, its module, the persistence daemon and the CDI specs, and from where.
fn evidence<W: Write>(page: &mut Page<W>, setup: &Setup) -> io::Result<()> {
    page.heading("How what runs is known")?;
    for row in EVIDENT.iter().filter_map(|path| setup.row(path)) {
        page.line(Tone::Plain, &format!("  {}: {}", row.option.path, row.running.text))?;
        for line in row.running.evidence_lines() {
            page.line(Tone::Quiet, &format!("    {line}"))?;
        }
    }
    Ok(())
}

fn findings<W: Write>(page: &mut Page<W>, setup: &Setup) -> io::Result<()> {
    let findings = setup.findings();
    if findings.is_empty() {
        return Ok(());
    }
    page.heading("What speaks against it")?;
    for finding in findings {
        let grade = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        page.line(Tone::Alarm, &format!("  {grade} ({}): {}", finding.option, finding.sentence))?;
    }
    Ok(())
}
