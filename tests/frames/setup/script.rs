//! Keys and clicks in the tab, and what they lead to.

use nvsdk_top::app::setup::{Dialog, SetupReading, Stage};
use nvsdk_top::app::{Effect, Event, Hit};
use nvsdk_top::config::Context;
use nvsdk_top::setup::{Draft, Value};

use super::{go, opened, opened_with, reading, reading_of, written};
use crate::support::Monitor;

fn wanted(monitor: &Monitor, path: &str) -> Option<Value> {
    let sheet = monitor.state.setup.sheet().unwrap();
    sheet.setup.row(path).unwrap().wanted.clone().map(|(value, _)| value)
}

/// The values of the draft that was kept last.
fn kept(monitor: &Monitor) -> Vec<(String, Value)> {
    let mut drafts = monitor.effects.iter().filter_map(|effect| match effect {
        Effect::SaveDraft(Draft { values, .. }) => Some(values.clone()),
        _ => None,
    });
    drafts.next_back().unwrap().into_iter().collect()
}

#[test]
fn it_is_read_when_it_is_opened_and_when_asked() {
    let mut monitor = Monitor::watching("h100");
    assert_eq!(monitor.effects, []);
    monitor.press("5 1 5");
    assert_eq!(monitor.effects, [Effect::ReadSetup], "once");
    monitor.press("r");
    assert_eq!(monitor.effects.len(), 1, "it is being read already");
    monitor.tell(Event::SetupRead(Box::new(Ok(reading()))));
    monitor.press("r");
    assert_eq!(monitor.effects, [Effect::ReadSetup, Effect::ReadSetup]);
}

#[test]
fn opening_plans_nothing() {
    let monitor = opened();
    let sheet = monitor.state.setup.sheet().unwrap();
    assert!(sheet.plan.is_empty() && sheet.draft().is_empty());
}

#[test]
fn a_toggle_flips_and_flips_back() {
    let mut monitor = opened();
    go(&mut monitor, "podman");
    monitor.press("space");
    assert_eq!(wanted(&monitor, "podman"), Some(Value::Bool(true)));
    assert_eq!(kept(&monitor), [("podman".to_owned(), Value::Bool(true))]);
    monitor.press("enter");
    assert_eq!(wanted(&monitor, "podman"), Some(Value::Bool(false)));
    assert_eq!(kept(&monitor), [], "what is wanted anyway is no choice");
    assert!(monitor.state.setup.sheet().unwrap().plan.is_empty());
}

#[test]
fn changes_are_taken_back_one_by_one() {
    let mut monitor = opened();
    go(&mut monitor, "podman");
    monitor.press("space");
    go(&mut monitor, "driver.open");
    monitor.press("space");
    monitor.press("u");
    assert_eq!(kept(&monitor).len(), 1);
    assert_eq!(wanted(&monitor, "driver.open"), Some(Value::Bool(true)));
    monitor.press("u");
    assert_eq!(kept(&monitor), []);
    monitor.press("u");
    assert_eq!(monitor.state.notice.as_deref(), Some("There is nothing to take back."));
    monitor.press("space x");
    assert_eq!(kept(&monitor), []);
    assert_eq!(wanted(&monitor, "driver.open"), Some(Value::Bool(true)));
}

#[test]
fn the_mode_is_kept_while_it_is_another_than_was_read() {
    let mut monitor = opened();
    monitor.press("m");
    assert_eq!(kept(&monitor), [("mode".to_owned(), Value::Text("snippet".to_owned()))]);
    monitor.press("m");
    assert_eq!(kept(&monitor), []);
}

#[test]
fn the_release_is_turned_kept_and_taken_back() {
    let mut monitor = opened();
    let release = |monitor: &Monitor| monitor.state.setup.sheet().unwrap().setup.release.name();
    let read = release(&monitor);
    monitor.press("v");
    let other = release(&monitor);
    assert_ne!(other, read);
    assert_eq!(kept(&monitor), [("release".to_owned(), Value::Text(other.to_owned()))]);
    monitor.press("u");
    assert_eq!((release(&monitor), kept(&monitor)), (read, Vec::new()));
}

#[test]
fn a_choice_opens_a_menu() {
    let mut monitor = opened();
    go(&mut monitor, "driver.package");
    monitor.press("enter");
    assert_eq!(monitor.state.context(), Context::Menu);
    assert!(matches!(monitor.state.setup.dialog, Some(Dialog::Choices { cursor: 1, .. })));
    monitor.press("down enter");
    assert_eq!(wanted(&monitor, "driver.package"), Some(Value::Text("latest".to_owned())));
    assert_eq!(monitor.state.context(), Context::Setup);
}

#[test]
fn several_words_are_marked_and_taken() {
    let mut monitor = opened();
    go(&mut monitor, "components");
    monitor.press("enter enter");
    assert_eq!(monitor.effects, [], "nothing marked is no choice");
    monitor.press("enter down space up space enter");
    let both = Value::List(vec!["cudnn".to_owned(), "nccl".to_owned()]);
    assert_eq!(wanted(&monitor, "components"), Some(both));
    monitor.press("enter space enter");
    assert_eq!(wanted(&monitor, "components"), Some(Value::List(vec!["nccl".to_owned()])));
}

#[test]
fn users_are_typed_and_a_wrong_name_is_told() {
    let mut monitor = opened();
    go(&mut monitor, "users");
    monitor.press("enter q u 5 backspace backspace B enter");
    assert!(monitor.text().contains("\"qB\" is no name of a user"), "{}", monitor.text());
    monitor.press("backspace enter");
    assert_eq!(wanted(&monitor, "users"), Some(Value::List(vec!["q".to_owned()])));
    assert!(!monitor.effects.contains(&Effect::Quit));
    monitor.press("enter esc");
    assert_eq!(monitor.state.context(), Context::Setup);
}

/// The first of these bytes is what the user reads before agreeing.
#[test]
fn what_is_agreed_to_is_what_was_shown() {
    let mut monitor = opened();
    go(&mut monitor, "podman");
    monitor.press("space");
    monitor.effects.clear();
    monitor.press("w n w esc w q");
    assert_eq!(monitor.effects, [], "no is no");
    let text = monitor.press("w").text();
    for line in
        ["/etc/nixos/nvsdk-top.nix (a new file)", "virtualisation.podman.enable", "Write it?"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    monitor.press("y");
    let [Effect::WriteSetup(order)] = monitor.effects.as_slice() else {
        panic!("{:?}", monitor.effects)
    };
    let file = order.plan.file.as_ref().unwrap();
    assert_eq!(file.path.as_deref().unwrap().to_str(), Some("/etc/nixos/nvsdk-top.nix"));
    assert!(
        file.after.contains("virtualisation.podman.enable = lib.mkOverride 900 true;"),
        "{}",
        file.after
    );
    monitor.press("y y w");
    assert_eq!(monitor.effects.len(), 1, "it is written once");
    monitor.tell(Event::SetupWritten(Ok(written())));
    assert_eq!(monitor.effects.last(), Some(&Effect::ReadSetup));
    assert!(monitor.text().contains("sudo nixos-rebuild switch"));
    monitor.press("enter");
    assert!(monitor.state.setup.dialog.is_none());
}

#[test]
fn what_git_has_to_know_stands_in_the_plan() {
    let mut reading = reading();
    reading.setup.work_tree = Some("/etc/nixos".into());
    let mut monitor = opened_with(reading);
    go(&mut monitor, "podman");
    monitor.resize(120, 60);
    assert!(!monitor.text().contains("git -C"));
    monitor.press("space");
    assert!(monitor.text().contains("git -C /etc/nixos add -N nvsdk-top.nix"));
}

#[test]
fn a_question_does_not_outlive_what_it_is_about() {
    let mut monitor = opened();
    go(&mut monitor, "podman");
    monitor.press("space w");
    monitor.tell(Event::SetupRead(Box::new(Ok(reading()))));
    monitor.press("y");
    assert!(!monitor.effects.iter().any(|effect| matches!(effect, Effect::WriteSetup(_))));
}

#[test]
fn what_stands_in_the_users_files_is_left_to_the_user() {
    let mut monitor = opened();
    go(&mut monitor, "driver.open");
    monitor.press("space");
    monitor.effects.clear();
    let text = monitor.press("w").text();
    assert!(text.contains("not written, since gpu.nix:8 sets it"), "{text}");
    assert!(text.contains("+ open = false;"), "{text}");
}

#[test]
fn nothing_is_written_where_it_is_refused_or_simulated() {
    let mut monitor = opened_with(reading_of(Some("upstream-module")));
    monitor.press("m");
    go(&mut monitor, "podman");
    monitor.press("space w");
    assert!(
        matches!(monitor.state.setup.dialog, Some(Dialog::Refused { .. })),
        "{}",
        monitor.text()
    );
    monitor.press("y");
    let mut demo = opened_with(SetupReading { is_demo: true, ..reading() });
    go(&mut demo, "podman");
    demo.press("space w");
    assert_eq!(
        demo.state.notice.as_deref(),
        Some("This machine is simulated, so nothing is written.")
    );
    demo.press("y");
    for effects in [monitor.effects, demo.effects.clone()] {
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::WriteSetup(_))));
    }
    assert_eq!(demo.effects, [], "its draft is nobody's");
}

#[test]
fn what_was_not_read_is_not_called_declared() {
    let mut monitor = opened_with(reading_of(None));
    let text = monitor.resize(80, 24).text();
    assert!(text.contains("no configuration was read"), "{text}");
    for (key, away) in [("w", "n"), ("d", "esc")] {
        let text = monitor.press(key).text();
        assert!(text.contains("Nothing is written") && text.contains("--config FILE"), "{text}");
        assert!(!text.contains("is declared"), "{text}");
        monitor.press(away);
        assert!(monitor.state.setup.dialog.is_none());
    }
    let mut broken = reading();
    let mut read = (**broken.setup.configuration.as_ref().unwrap()).clone();
    read.problems.push(nvsdk_top::setup::declared::Problem::NotThere("/etc/nixos/a.nix".into()));
    broken.setup.configuration = Some(std::sync::Arc::new(read));
    let mut monitor = opened_with(broken);
    let text = monitor.resize(80, 24).press("w").text();
    assert!(text.contains("not all of the configuration was read"), "{text}");
    assert!(text.contains("/etc/nixos/a.nix is not there"), "{text}");
    let plan = monitor.press("esc z z").text();
    assert!(!plan.contains("Nothing to write"), "{plan}");
}

#[test]
fn the_selected_option_is_seen_however_low_it_is() {
    let mut monitor = opened();
    go(&mut monitor, "podman");
    for height in 4..12 {
        let text = monitor.resize(20, height).text();
        assert!(text.contains("podman"), "{height}: {text}");
    }
}

#[test]
fn the_panels_follow_each_other() {
    let mut monitor = opened();
    monitor.resize(80, 24);
    let list = monitor.text();
    let pictures = ["z", "right", "left", "left"].map(|key| monitor.press(key).text());
    assert_eq!(pictures[0], pictures[2]);
    assert_ne!(pictures[0], pictures[1]);
    assert_eq!(pictures[3], list);
    monitor.press("z");
    assert_eq!(monitor.press("esc").text(), list);
}

#[test]
fn a_click_selects_and_a_second_one_changes() {
    let mut monitor = opened();
    let row = nvsdk_top::setup::OPTIONS.iter().position(|option| option.path == "podman").unwrap();
    monitor.tell(Event::Clicked(Hit::SetupRow(row)));
    assert_eq!(monitor.effects, []);
    monitor.tell(Event::Clicked(Hit::SetupRow(row)));
    assert_eq!(wanted(&monitor, "podman"), Some(Value::Bool(true)));
    go(&mut monitor, "driver.package");
    monitor.press("enter");
    monitor.tell(Event::Clicked(Hit::MenuRow(0)));
    assert_eq!(wanted(&monitor, "driver.package"), Some(Value::Text("stable".to_owned())));
    monitor.press("d");
    monitor.tell(Event::Clicked(Hit::SetupRow(2)));
    assert!(monitor.state.setup.dialog.is_none(), "a click beside a dialog closes it");
    assert!(matches!(monitor.state.setup.stage, Stage::Ready(_)));
}
