//! Colours of 24 bits, and the arithmetic of how people see them.

use std::str::FromStr;

/// A colour of the sRGB space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// The contrast with another colour as WCAG 2 defines it: 1 is none, 21 is black on white.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// The colour on the way from `self` to `other`, evenly to the eye; `share` is 0 to 1.
    #[must_use]
    pub fn mix(self, other: Self, share: f64) -> Self {
        let (from, to) = (self.oklab(), other.oklab());
        let between = |from: f64, to: f64| from + (to - from) * share;
        Oklab {
            lightness: between(from.lightness, to.lightness),
            a: between(from.a, to.a),
            b: between(from.b, to.b),
        }
        .rgb()
    }

    fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// The colour as lightness and two opponent axes.
    pub(super) fn oklab(self) -> Oklab {
        let cones = times(&TO_CONES, self.linear()).map(f64::cbrt);
        let [lightness, a, b] = times(&TO_OKLAB, cones);
        Oklab { lightness, a, b }
    }
}

/// A colour of the Oklab space, in which equal steps look equal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Oklab {
    /// 0 is black, 1 is white.
    pub(super) lightness: f64,
    a: f64,
    b: f64,
}

impl Oklab {
    /// How far the colour is from grey; the purest are near 0.3.
    pub(super) fn chroma(self) -> f64 {
        self.a.hypot(self.b)
    }

    /// The angle of the hue in degrees, from 0 to 360.
    pub(super) fn hue(self) -> f64 {
        self.b.atan2(self.a).to_degrees().rem_euclid(360.0)
    }

    fn rgb(self) -> Rgb {
        let cones = times(&FROM_OKLAB, [self.lightness, self.a, self.b]).map(|cone| cone.powi(3));
        let [r, g, b] = times(&FROM_CONES, cones).map(encode);
        Rgb(r, g, b)
    }
}

type Matrix = [[f64; 3]; 3];

/// From linear light to what the three kinds of cone see.
const TO_CONES: Matrix = [
    [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
    [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
    [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
];
const FROM_CONES: Matrix = [
    [4.076_741_662_1, -3.307_711_591_3, 0.230_969_929_2],
    [-1.268_438_004_6, 2.609_757_401_1, -0.341_319_396_5],
    [-0.004_196_086_3, -0.703_418_614_7, 1.707_614_701_0],
];
/// From the cube roots of those to lightness, green to red, and blue to yellow.
const TO_OKLAB: Matrix = [
    [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
    [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
    [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
];
const FROM_OKLAB: Matrix = [
    [1.0, 0.396_337_777_4, 0.215_803_757_3],
    [1.0, -0.105_561_345_8, -0.063_854_172_8],
    [1.0, -0.089_484_177_5, -1.291_485_548_0],
];

fn times(matrix: &Matrix, vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(factor, value)| factor * value).sum())
}

/// A share of linear light as a channel of sRGB.
fn encode(linear: f64) -> u8 {
    let share =
        if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let channel = (share * 255.0).round() as u8;
    channel
}

impl FromStr for Rgb {
    type Err = ();

    /// Reads `#rrggbb`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(())?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        let [_, r, g, b] = u32::from_str_radix(digits, 16).map_err(|_| ())?.to_be_bytes();
        Ok(Self(r, g, b))
    }
}

#[cfg(test)]
mod tests {
    use super::Rgb;
    use proptest::prelude::*;

    #[test]
    fn contrast_is_that_of_the_standard() {
        let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
        assert!((black.contrast(white) - 21.0).abs() < 1e-9);
        assert!((Rgb(0x77, 0x77, 0x77).contrast(white) - 4.48).abs() < 0.01);
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        assert_eq!("#0aF1c2".parse(), Ok(Rgb(0x0a, 0xf1, 0xc2)));
        for wrong in ["", "#", "#fff", "0af1c2", "#0af1cg", "#+af1c2", "#0af1c22", "#äöü"] {
            assert_eq!(wrong.parse::<Rgb>(), Err(()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn the_ends_of_a_mix_are_its_colours(one: [u8; 3], two: [u8; 3]) {
            let (one, two) = (Rgb(one[0], one[1], one[2]), Rgb(two[0], two[1], two[2]));
            prop_assert_eq!(one.mix(two, 0.0), one);
            prop_assert_eq!(one.mix(two, 1.0), two);
        }
    }
}
