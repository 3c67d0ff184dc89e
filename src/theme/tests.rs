//! Tests of whole themes: those that are shipped, and what becomes of wrong ones.

use std::fs;

use proptest::prelude::*;
use ratatui::style::{Color, Modifier, Style};

use super::resolve::resolve;
use super::sheet::Sheet;
use super::{DEFAULT, Depth, Gradient, Rgb, Role, SHIPPED, Theme, Warning};

const DEPTHS: [Depth; 4] = [Depth::Mono, Depth::Ansi16, Depth::Indexed256, Depth::TrueColor];

/// A theme of this text, and what is wrong with it as `line: message`.
fn theme(text: &str) -> (Theme, Vec<String>) {
    let mut warnings = Vec::new();
    let sheet = Sheet::parse(&"test".into(), text, &mut warnings);
    let theme = resolve(&sheet, Depth::TrueColor, &mut warnings);
    (theme, warnings.iter().map(short).collect())
}

fn short(warning: &Warning) -> String {
    format!("{}: {}", warning.place.map_or(0, |(line, _)| line), warning.message)
}

fn shipped(name: &str, depth: Depth) -> Theme {
    let (theme, warnings) = Theme::load(name, None, depth);
    assert_eq!(warnings, [], "{name}");
    theme
}

fn rgb(color: Option<Color>) -> Option<Rgb> {
    match color {
        Some(Color::Rgb(r, g, b)) => Some(Rgb(r, g, b)),
        _ => None,
    }
}

#[test]
fn an_unknown_theme_brings_the_known_ones_and_the_users_own() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["dusk.toml", "mono.toml", "notes.txt"] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    let (_, warnings) = Theme::load("dawn", Some(folder.path()), Depth::TrueColor);
    let known = "there are nvsdk-dark, nvsdk-light, high-contrast, mono, dusk; nvsdk-dark is used";
    assert!(warnings[0].message.contains(known), "{warnings:?}");
}

#[test]
fn shipped_themes_have_nothing_wrong_and_enough_contrast() {
    for (name, _) in SHIPPED.iter().filter(|(name, _)| *name != "mono") {
        let theme = shipped(name, Depth::TrueColor);
        let background = theme.background().unwrap();
        for &role in Role::ALL {
            let style = theme.style(role);
            let Some(text) = rgb(style.fg) else { continue };
            let contrast = text.contrast(rgb(style.bg).unwrap_or(background));
            let owed = role.spec().contrast;
            assert!(contrast >= owed, "{name}: {role:?} has {contrast:.2} of {owed}");
        }
        for &gradient in Gradient::ALL {
            let least = (0..=100)
                .filter_map(|step| rgb(Some(theme.shade(gradient, f64::from(step)))))
                .map(|color| color.contrast(background))
                .fold(f64::MAX, f64::min);
            assert!((3.0..21.0).contains(&least), "{name}: {gradient:?} has {least:.2}");
        }
    }
}

#[test]
fn accents_differ_at_every_depth_that_has_colours() {
    let roles = [Role::Busy, Role::Memory, Role::Power, Role::Heat, Role::Warning, Role::Critical];
    for (name, _) in SHIPPED.iter().filter(|(name, _)| *name != "mono") {
        for depth in [Depth::Indexed256, Depth::TrueColor] {
            let theme = shipped(name, depth);
            let looks: std::collections::HashSet<_> =
                roles.iter().map(|role| theme.style(*role)).collect();
            assert_eq!(looks.len(), roles.len(), "{name} at {depth:?}");
        }
        // Two of sixteen may share a hue, but not the four meanings that stand side by side.
        let theme = shipped(name, Depth::Ansi16);
        let looks: std::collections::HashSet<_> =
            roles[..4].iter().map(|role| theme.style(*role)).collect();
        assert_eq!(looks.len(), 4, "{name}");
    }
}

#[test]
fn trouble_and_selection_show_without_colour() {
    for (name, _) in SHIPPED {
        for depth in DEPTHS {
            let theme = shipped(name, depth);
            let modifiers = |role| theme.style(role).add_modifier;
            assert_ne!(modifiers(Role::Warning), modifiers(Role::Ok), "{name} at {depth:?}");
            assert_ne!(modifiers(Role::Demo), modifiers(Role::Header), "{name} at {depth:?}");
            assert_ne!(theme.style(Role::Critical), theme.style(Role::Warning), "{name}");
            assert_ne!(theme.style(Role::Selection), theme.style(Role::Text), "{name}");
            assert_ne!(theme.style(Role::TabActive), theme.style(Role::Tab), "{name}");
        }
    }
}

#[test]
fn nothing_has_a_colour_where_there_are_none() {
    for (name, _) in SHIPPED {
        let theme = shipped(name, Depth::Mono);
        assert_eq!(theme, shipped("mono", Depth::TrueColor), "{name}");
        for &role in Role::ALL {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{name}: {role:?}");
        }
        assert_eq!(theme.shade(Gradient::Heat, 100.0), Color::Reset);
    }
}

#[test]
fn a_role_looks_like_the_one_that_it_falls_back_to() {
    let (theme, warnings) = theme("roles.\"warning\" = { fg = \"red\", modifiers = [\"bold\"] }");
    assert_eq!(warnings, [""; 0]);
    let bold_red = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
    assert_eq!(theme.style(Role::Critical), bold_red);
    assert_eq!(theme.style(Role::Demo), bold_red);
    assert_eq!(theme.style(Role::Title), Style::default());
    assert_eq!(theme.shade(Gradient::Busy, 50.0), Color::Reset);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_the_rest_counts() {
    let (theme, warnings) = theme(
        "colour = 1\n[palette]\nsky = \"#12345\"\nmud = { rgb = \"red\", ansi = \"red\" }\n[roles]\ntext = \"sky\"\n\"text.dim\" = \"sky\"\n\
         nonsense = \"red\"\nbusy = { fg = \"blue\", modifiers = [\"loud\"] }\nheat = 3\n\
         power = { ink = \"red\" }\nbusy = \"red\"\n[gradients]\nheat = [\"black\", \"dirt\"]\n",
    );
    assert_eq!(theme.style(Role::Busy), Style::new().fg(Color::Blue));
    let starts = [
        "12: duplicate key",
        "1: there is no \"colour\" in a theme",
        "8: there is no role \"nonsense\"",
        "10: write a colour, or {",
        "11: write a colour, or {",
        "3: \"#12345\" is no colour",
        "4: rgb wants a colour",
        "9: there is no modifier \"loud\"; there are bold,",
        "14: \"dirt\" is no colour",
    ];
    assert_eq!(warnings.len(), starts.len(), "{warnings:#?}");
    for start in starts {
        assert!(
            warnings.iter().any(|warning| warning.starts_with(start)),
            "{start}: {warnings:#?}"
        );
    }
}

#[test]
fn a_colour_may_name_its_stand_in() {
    let text = "[palette]\nmud = { rgb = \"#aa7733\", ansi = \"green\" }\n[roles]\ntext = \"mud\"\n\
                [gradients]\nheat = [\"mud\", \"#0000ff\"]";
    let mut warnings = Vec::new();
    let sheet = Sheet::parse(&"test".into(), text, &mut warnings);
    let theme = resolve(&sheet, Depth::Ansi16, &mut warnings);
    assert_eq!(warnings, []);
    assert_eq!(theme.style(Role::Text).fg, Some(Color::Green));
    assert_eq!(theme.shade(Gradient::Heat, 49.0), Color::Green);
    assert_eq!(theme.shade(Gradient::Heat, 51.0), Color::Blue);
}

#[test]
fn a_gradient_begins_and_ends_with_its_stops() {
    let (theme, _) = theme("gradients.busy = [\"#102030\", \"#405060\", \"#a0b0c0\"]");
    assert_eq!(theme.shade(Gradient::Busy, 0.0), Color::Rgb(0x10, 0x20, 0x30));
    assert_eq!(theme.shade(Gradient::Busy, 50.0), Color::Rgb(0x40, 0x50, 0x60));
    assert_eq!(theme.shade(Gradient::Busy, 100.0), Color::Rgb(0xa0, 0xb0, 0xc0));
}

#[test]
fn a_theme_of_the_user_inherits_and_repaints() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("mine.toml", "inherits = \"nvsdk-dark\"\n[palette]\ngreen = \"#00ff00\"\n");
    write("one.toml", "\ninherits = \"two\"\nroles.text = \"red\"");
    write("two.toml", "inherits = \"one\"\nroles.busy = \"blue\"");
    write("orphan.toml", "inherits = \"nobody\"");
    let load = |name: &str| Theme::load(name, Some(folder.path()), Depth::TrueColor);

    let (mine, warnings) = load("mine");
    assert_eq!(warnings, []);
    assert_eq!(mine.style(Role::Busy).fg, Some(Color::Rgb(0, 255, 0)));
    assert_eq!(mine.style(Role::Heat), shipped(DEFAULT, Depth::TrueColor).style(Role::Heat));
    let path = folder.path().join("mine.toml");
    assert_eq!(load(path.to_str().unwrap()).0, mine);

    let (circle, warnings) = load("one");
    assert_eq!(circle.style(Role::Busy).fg, Some(Color::Blue));
    assert_eq!(
        warnings.iter().map(short).collect::<Vec<_>>(),
        ["1: \"one\" inherits itself in the end"]
    );
    assert_eq!(&*warnings[0].theme, "two");
    assert!(
        load("orphan").1[0]
            .to_string()
            .contains("theme \"orphan\", line 1, column 12: \"nobody\" is")
    );
}

#[test]
fn a_theme_that_is_not_there_is_replaced_by_the_default() {
    for wanted in ["nothing", "/nonexistent/theme.toml", ""] {
        let (theme, warnings) = Theme::load(wanted, None, Depth::TrueColor);
        assert_eq!(theme, shipped(DEFAULT, Depth::TrueColor));
        assert_eq!(warnings.len(), 1, "{wanted}");
        assert!(warnings[0].message.ends_with("nvsdk-dark is used instead"), "{warnings:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-z.\"#= \\[\\]{},\n0-9]|roles|palette|inherits|😀){0,60}") {
        let _ = theme(&text);
    }
}
