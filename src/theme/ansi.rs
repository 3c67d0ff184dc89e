//! The sixteen colours that a terminal has names for, and the 240 that follow them.

use ratatui::style::Color;

use super::rgb::Rgb;

/// One of the sixteen colours, as its position in [`ANSI`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ansi(u8);

/// Name in a theme file, colour for the terminal, and what xterm shows, which is all that can be reckoned with: every
/// terminal lets its user choose.
const ANSI: [(&str, Color, Rgb); 16] = [
    ("black", Color::Black, Rgb(0, 0, 0)),
    ("red", Color::Red, Rgb(205, 0, 0)),
    ("green", Color::Green, Rgb(0, 205, 0)),
    ("yellow", Color::Yellow, Rgb(205, 205, 0)),
    ("blue", Color::Blue, Rgb(0, 0, 238)),
    ("magenta", Color::Magenta, Rgb(205, 0, 205)),
    ("cyan", Color::Cyan, Rgb(0, 205, 205)),
    ("white", Color::Gray, Rgb(229, 229, 229)),
    ("bright-black", Color::DarkGray, Rgb(127, 127, 127)),
    ("bright-red", Color::LightRed, Rgb(255, 0, 0)),
    ("bright-green", Color::LightGreen, Rgb(0, 255, 0)),
    ("bright-yellow", Color::LightYellow, Rgb(255, 255, 0)),
    ("bright-blue", Color::LightBlue, Rgb(92, 92, 255)),
    ("bright-magenta", Color::LightMagenta, Rgb(255, 0, 255)),
    ("bright-cyan", Color::LightCyan, Rgb(0, 255, 255)),
    ("bright-white", Color::White, Rgb(255, 255, 255)),
];

/// From a brighter one of the sixteen colours to its darker one.
const BRIGHT: u8 = 8;

/// The greys by the lightness up to which they are the nearest.
const GREYS: [(f64, Ansi); 4] =
    [(0.3, Ansi(0)), (0.6, Ansi(8)), (0.88, Ansi(7)), (f64::MAX, Ansi(15))];

/// The six hues by their angle in Oklab.
const HUES: [(f64, Ansi); 6] = [
    (29.0, Ansi(1)),
    (110.0, Ansi(3)),
    (142.0, Ansi(2)),
    (195.0, Ansi(6)),
    (264.0, Ansi(4)),
    (328.0, Ansi(5)),
];

impl Ansi {
    /// The colour of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        (0..).zip(ANSI).find(|(_, row)| row.0 == name).map(|(position, _)| Self(position))
    }

    /// The colour that means the same to the eye: the hue first, for it carries the meaning.
    pub(super) fn nearest(rgb: Rgb) -> Self {
        let seen = rgb.oklab();
        if seen.chroma() < 0.05 {
            return GREYS.iter().find(|row| seen.lightness < row.0).map_or(Self(15), |row| row.1);
        }
        let turn = |hue: f64| (seen.hue() - hue + 180.0).rem_euclid(360.0) - 180.0;
        let nearest = HUES.iter().min_by(|a, b| turn(a.0).abs().total_cmp(&turn(b.0).abs()));
        let bright = if seen.lightness > 0.64 { BRIGHT } else { 0 };
        nearest.map_or(Self(15), |row| Self(row.1.0 + bright))
    }

    /// The colour for the terminal.
    pub(super) fn color(self) -> Color {
        ANSI[usize::from(self.0)].1
    }

    /// The colour as xterm shows it.
    pub(super) fn rgb(self) -> Rgb {
        ANSI[usize::from(self.0)].2
    }
}

/// The channels of the 6x6x6 cube that starts at index 16.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The index of the nearest of the 240 colours that no terminal lets its user choose.
pub(super) fn nearest_indexed(rgb: Rgb) -> u8 {
    let [r, g, b] = [rgb.0, rgb.1, rgb.2].map(nearest_level);
    let cube = 16 + 36 * r + 6 * g + b;
    let mean = (u16::from(rgb.0) + u16::from(rgb.1) + u16::from(rgb.2)) / 3;
    // 24 greys: 8, 18, … 238.
    let grey = 232 + u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(23);
    if distance(rgb, indexed(grey)) < distance(rgb, indexed(cube)) { grey } else { cube }
}

fn nearest_level(channel: u8) -> u8 {
    let nearest = (0..).zip(LEVELS).min_by_key(|(_, level)| channel.abs_diff(*level));
    nearest.map_or(0, |(position, _)| position)
}

/// The colour that stands at an index from 16 on.
fn indexed(index: u8) -> Rgb {
    if index >= 232 {
        let grey = 8 + 10 * (index - 232);
        return Rgb(grey, grey, grey);
    }
    let level = |part: u8| LEVELS[usize::from(part % 6)];
    let cube = index.saturating_sub(16);
    Rgb(level(cube / 36), level(cube / 6), level(cube))
}

fn distance(one: Rgb, two: Rgb) -> u32 {
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    square(one.0, two.0) + square(one.1, two.1) + square(one.2, two.2)
}

#[cfg(test)]
mod tests {
    use super::{ANSI, Ansi, distance, indexed, nearest_indexed};
    use crate::theme::Rgb;
    use proptest::prelude::*;

    #[test]
    fn what_a_person_would_name_it() {
        let name = |text: &str| ANSI[usize::from(Ansi::nearest(text.parse().unwrap()).0)].0;
        let expected = [
            ("#000000", "black"),
            ("#3b4453", "bright-black"),
            ("#aab4c5", "white"),
            ("#ffffff", "bright-white"),
            ("#c01830", "red"),
            ("#ff6b70", "bright-red"),
            ("#1f7a4d", "green"),
            ("#f2cc60", "bright-yellow"),
            ("#1d63b3", "blue"),
            ("#6fb1f0", "bright-blue"),
            ("#b99cf2", "bright-magenta"),
            ("#00a0a0", "cyan"),
        ];
        assert_eq!(expected.map(|(rgb, _)| name(rgb)), expected.map(|(_, name)| name));
    }

    #[test]
    fn every_hue_of_the_sixteen_is_its_own_nearest() {
        for hue in 1..7 {
            assert_eq!(Ansi::nearest(Ansi(hue).rgb()).0 % 8, hue);
        }
    }

    proptest! {
        #[test]
        fn no_other_of_the_240_is_nearer(channels: [u8; 3]) {
            let rgb = Rgb(channels[0], channels[1], channels[2]);
            let found = nearest_indexed(rgb);
            prop_assert!(found >= 16);
            let best = (16..=255).map(|index| distance(rgb, indexed(index))).min();
            prop_assert_eq!(Some(distance(rgb, indexed(found))), best);
        }

        #[test]
        fn every_colour_has_one_of_the_sixteen(channels: [u8; 3]) {
            let rgb = Rgb(channels[0], channels[1], channels[2]);
            prop_assert!(usize::from(Ansi::nearest(rgb).0) < ANSI.len());
        }
    }
}
