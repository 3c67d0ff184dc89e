//! The gradient table: the colours of a level from 0 to 100, one row for each meaning.

use ratatui::style::Color;

use super::depth::Depth;
use super::paint::Paint;
use super::role::Role;

/// Declares [`Gradient`] from one row per gradient: variant, key, and the role whose colour stands in for it.
macro_rules! gradients {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $id:literal -> $fallback:ident; )+) => {
        /// What a bar or a chart is about, which says how its colours rise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Gradient { $( $(#[doc = $doc])+ $variant, )+ }

        impl Gradient {
            /// Every gradient, in the order of the table.
            pub const ALL: &[Self] = &[$( Self::$variant ),+];
            /// How many gradients there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The key in a theme file.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $( Self::$variant => $id, )+ }
            }

            /// The role whose colour it has throughout in a theme that says nothing about it.
            #[must_use]
            pub const fn role(self) -> Role {
                match self { $( Self::$variant => Role::$fallback, )+ }
            }
        }
    };
}

gradients! {
    /// How busy a GPU is.
    Busy = "busy" -> Busy;
    /// How full its memory is.
    Memory = "memory" -> Memory;
    /// How near its power is to the limit.
    Power = "power" -> Power;
    /// How near its temperature is to the slowdown.
    Heat = "heat" -> Heat;
}

impl Gradient {
    /// The gradient with this key.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|gradient| gradient.id() == id)
    }
}

/// One colour for each whole percent from 0 to 100.
pub(super) const STEPS: usize = 101;

/// The position of a level among the steps.
pub(super) fn step(percent: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let step = percent.round() as usize;
    step.min(STEPS - 1)
}

/// The colours of all steps, from stops that stand evenly apart; without a stop there is no colour.
pub(super) fn steps(stops: &[Paint], depth: Depth) -> [Color; STEPS] {
    std::array::from_fn(|step| {
        let along = step as f64 / (STEPS - 1) as f64;
        between(stops, along).map_or(Color::Reset, |paint| paint.color(depth))
    })
}

/// The colour at a share of the way from the first stop to the last.
fn between(stops: &[Paint], share: f64) -> Option<Paint> {
    let last = stops.len().checked_sub(1)?;
    let along = share * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let from = (along as usize).min(last);
    let to = (from + 1).min(last);
    Some(stops[from].mix(stops[to], along - from as f64))
}

#[cfg(test)]
mod tests {
    use super::{STEPS, step};

    #[test]
    fn every_level_has_a_step() {
        assert_eq!([0.0, 0.4, 50.0, 100.0].map(step), [0, 0, 50, 100]);
        assert_eq!([-1.0, f64::NAN, f64::NEG_INFINITY].map(step), [0; 3]);
        assert_eq!([101.0, f64::INFINITY].map(step), [STEPS - 1; 2]);
    }
}
