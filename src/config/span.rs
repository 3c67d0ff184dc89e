//! How much time a chart shows.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::interval;

/// Declares [`Span`] from one row per span: variant, text and seconds.
macro_rules! spans {
    ($( $(#[$attribute:meta])? $variant:ident = $text:literal, $seconds:literal; )+) => {
        /// A stretch of time up to now.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Span { $( $(#[$attribute])? #[doc = $text] $variant, )+ }

        impl Span {
            /// Every span, the shortest first.
            pub const ALL: &[Self] = &[$( Self::$variant ),+];

            /// The span as it is written and shown.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }

            /// The span as a length of time.
            #[must_use]
            pub const fn duration(self) -> Duration {
                Duration::from_secs(match self { $( Self::$variant => $seconds, )+ })
            }
        }
    };
}

spans! {
    #[default]
    OneMinute = "1m", 60;
    FiveMinutes = "5m", 300;
    TenMinutes = "10m", 600;
    ThirtyMinutes = "30m", 1800;
    OneHour = "1h", 3600;
    TwoHours = "2h", 7200;
    SixHours = "6h", 21_600;
    OneDay = "24h", 86_400;
}

impl Span {
    fn millis(self) -> f64 {
        self.duration().as_secs_f64() * 1000.0
    }

    /// The next shorter one; the shortest stays.
    #[must_use]
    pub fn shorter(self) -> Self {
        Self::ALL.iter().copied().rfind(|span| *span < self).unwrap_or(self)
    }

    /// The next longer one; the longest stays.
    #[must_use]
    pub fn longer(self) -> Self {
        Self::ALL.iter().copied().find(|span| *span > self).unwrap_or(self)
    }
}

/// A text is no span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time that charts show; there are {known}", known = texts())]
pub struct SpanError(String);

fn texts() -> String {
    Span::ALL.iter().map(|span| span.text()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Span {
    type Err = SpanError;

    /// Reads a length of time; one between two spans becomes the longer.
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let millis = interval::millis(text);
        let reaches = |span: &Self| millis.is_some_and(|wanted| wanted <= span.millis());
        let span = Self::ALL.iter().copied().find(reaches);
        span.ok_or_else(|| SpanError(text.to_owned()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

super::deserialize_from_text!(Span, "a time span such as \"5m\"");

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn spans_grow_and_read_back() {
        assert!(Span::ALL.is_sorted_by(|a, b| a.duration() < b.duration()));
        for &span in Span::ALL {
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        let walk = |step: fn(Span) -> Span, from| {
            std::iter::successors(Some(from), |span| Some(step(*span))).take(20).last()
        };
        assert_eq!(walk(Span::longer, Span::OneMinute), Some(Span::OneDay));
        assert_eq!(walk(Span::shorter, Span::OneDay), Some(Span::OneMinute));
    }

    #[test]
    fn a_wrong_span_brings_the_right_ones() {
        for wrong in ["25h", "-1", "1d", "", "soon"] {
            let message = wrong.parse::<Span>().unwrap_err().to_string();
            let known = "1m, 5m, 10m, 30m, 1h, 2h, 6h, 24h";
            assert_eq!(
                message,
                format!("{wrong:?} is no time that charts show; there are {known}")
            );
        }
    }

    #[test]
    fn a_time_between_two_spans_becomes_the_longer() {
        let read = |text: &str| text.parse::<Span>().unwrap().text();
        let read = ["1s", "60", "90s", "7m", "1h30m", "24h"].map(read);
        assert_eq!(read, ["1m", "1m", "5m", "10m", "2h", "24h"]);
    }
}
