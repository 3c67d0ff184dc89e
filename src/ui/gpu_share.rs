//! What stands behind a number: how much of its limit it is, as a bar and in words.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::gpu::gradient;
use super::layout::split_left;
use crate::model::{Gpu, GpuSample, Kind, Metric, Unit, fixed, limit, limiting, memory_traffic};
use crate::theme::{Gradient, Role};

/// The most columns that a bar takes, and the least that are left beside it for words.
const BAR: u16 = 40;
/// The columns of the words beside a bar: all of them, or the percentage alone.
const WORDS: [u16; 2] = [18, 5];
/// The least columns of a bar that has such words beside it.
const LEAST_BARS: [u16; 2] = [16, 8];

/// How much of its limit a number is.
pub(super) struct Share {
    bar: Option<(Gradient, f64)>,
    /// The words, and how many columns are left of them.
    words: Option<(u16, String)>,
    /// How long a bar is that is full.
    length: u16,
}

impl Share {
    /// The share of a number, as `room` columns can show it.
    pub(super) fn new(
        (gpu, now): (&Gpu, &GpuSample),
        metric: Metric,
        value: f64,
        room: u16,
    ) -> Self {
        let limit = limit(&now.values, metric);
        let percent = limit.map(|limit| value / limit * 100.0);
        let mut bar = gradient(metric).zip(percent);
        let sized = (0..WORDS.len()).find(|size| room >= LEAST_BARS[*size] + 1 + WORDS[*size]);
        let beside = sized.map_or(0, |size| WORDS[size]);
        let length = if beside > 0 { room - beside - 1 } else { room }.min(BAR);
        let fitting = |room: u16| {
            let mut ways = words(metric, limit, percent, gpu, now).into_iter();
            ways.find(|words| words.chars().count() <= usize::from(room))
        };
        let words = if bar.is_none() {
            fitting(room).map(|words| (0, words))
        } else if let Some(words) = fitting(beside) {
            Some((length + 1, words))
        } else {
            // Words that have no short form are worth more than a bar of what the number itself says.
            let words = fitting(room).filter(|_| metric == Metric::DramBandwidth);
            bar = bar.filter(|_| words.is_none());
            words.map(|words| (0, words))
        };
        Self { bar, words, length }
    }

    /// Writes the words.
    pub(super) fn tell(&self, place: Rect, canvas: &mut Canvas<'_>) {
        if let Some((left, words)) = &self.words {
            let (_, place) = split_left(place, *left, 0);
            canvas.text(place, Role::TextDim, words);
        }
    }

    /// Draws the bar.
    pub(super) fn draw(&self, place: Rect, canvas: &mut Canvas<'_>) {
        if let Some((gradient, percent)) = self.bar {
            let (bar, _) = split_left(place, self.length, 0);
            canvas.bar(bar, gradient, percent, 0.0);
        }
    }
}

/// The words for a share, from the most to the fewest.
fn words(
    metric: Metric,
    limit: Option<f64>,
    percent: Option<f64>,
    gpu: &Gpu,
    now: &GpuSample,
) -> Vec<String> {
    let unit = metric.spec().unit;
    if metric == Metric::DramBandwidth {
        let traffic = memory_traffic(&now.values, &gpu.facts);
        return traffic.map(|traffic| format!("≈ {}", link_speed(traffic))).into_iter().collect();
    }
    if let Kind::ShareOf(counter) = metric.spec().kind {
        let total = now.values.value(counter);
        let text = |total| format!("{} in all", counter.spec().unit.show(total));
        return total.map(text).into_iter().collect();
    }
    let Some((limit, percent)) = limit.zip(percent).filter(|_| unit != Unit::Percent) else {
        return Vec::new();
    };
    let short = format!("{} %", fixed(percent, 0));
    let limit_text = match unit {
        Unit::BytesPerSecond => link_speed(limit),
        unit => unit.show(limit),
    };
    let whole = format!("{short} of {limit_text}");
    // A limit that has no line of its own is not left out.
    if limiting(metric).is_some() { vec![whole, short] } else { vec![whole] }
}

/// A speed in the decimal units that links and memories are sold by.
pub(super) fn link_speed(bytes_per_second: f64) -> String {
    let (scaled, unit) = match bytes_per_second {
        speed if speed < 999.5e9 => (speed / 1e9, "GB/s"),
        speed => (speed / 1e12, "TB/s"),
    };
    format!("{} {unit}", fixed(scaled, u32::from(scaled < 99.95)))
}

#[cfg(test)]
mod tests {
    use super::link_speed;

    #[test]
    fn speeds_of_links_are_those_of_data_sheets() {
        let shown = [0.0, 26.5625e9, 63.015e9, 478.1e9, 999.6e9, 3.352e12].map(link_speed);
        assert_eq!(
            shown,
            ["0.0 GB/s", "26.6 GB/s", "63.0 GB/s", "478 GB/s", "1.0 TB/s", "3.4 TB/s"]
        );
    }
}
