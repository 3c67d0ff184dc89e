//! How the screen is divided: sizes in, places out.

use ratatui::layout::Rect;

/// Where there are fewer rows, the footer's is better used.
const WITH_FOOTER: u16 = 8;

/// The header, what lies between, and the footer.
pub(super) fn page(area: Rect) -> (Rect, Rect, Rect) {
    let (header, rest) = split_top(area, 1);
    let footer = u16::from(area.height >= WITH_FOOTER);
    let (body, footer) = split_top(rest, rest.height.saturating_sub(footer));
    (header, body, footer)
}

/// A place of at most this size in the middle of `area`.
pub(super) fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    Rect { x, y, width, height }
}

/// The first `width` columns, and the rest behind `gap` more.
pub(super) fn split_left(area: Rect, width: u16, gap: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    let skipped = (width + gap).min(area.width);
    let rest = Rect { x: area.x + skipped, width: area.width - skipped, ..area };
    (Rect { width, ..area }, rest)
}

/// The first `height` rows, and the rest.
pub(super) fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let rest = Rect { y: area.y + height, height: area.height - height, ..area };
    (Rect { height, ..area }, rest)
}

/// The row of this number; empty where there is none.
pub(super) fn row(area: Rect, number: u16) -> Rect {
    let number = number.min(area.height);
    Rect { y: area.y + number, height: (area.height - number).min(1), ..area }
}

/// How the GPUs of the overview are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Density {
    /// A frame each, with bars and a history: so many beside each other, so high each.
    Cards {
        /// Cards beside each other.
        columns: u16,
        /// Rows of each card.
        height: u16,
    },
    /// A line each.
    Rows,
    /// A few cells each, so many beside each other.
    Strip {
        /// GPUs beside each other.
        columns: u16,
    },
}

/// The narrowest and the lowest card, and the highest that is of use.
const CARD: (u16, u16, u16) = (52, 8, 40);
/// The cells of a GPU in a strip.
const STRIP: u16 = 20;
/// Rows that the process list is worth its place with: frame, heads, and three processes.
const PROCESS_ROWS: u16 = 6;
/// Rows that it is left where space is short: heads and two processes.
const FEW_PROCESS_ROWS: u16 = 3;

/// The density that suits so many GPUs, and the rows that they take; the rest is for the processes, if they are shown.
pub(super) fn density(gpus: u16, processes: Option<usize>, area: Rect) -> (Density, u16) {
    let least_for = |rows: u16| if processes.is_some() { rows } else { 0 };
    let columns = (area.width / CARD.0).clamp(1, gpus.max(1));
    let rows = gpus.max(1).div_ceil(columns);
    if area.width >= CARD.0 {
        let for_processes = least_for(PROCESS_ROWS);
        let most = (area.height.saturating_sub(for_processes) / rows).min(CARD.2);
        if most >= CARD.1 {
            // In steps, so that not every process that comes or goes moves everything.
            let wanted =
                processes.map_or(0, |count| (count.min(200) + 3).max(6).next_multiple_of(4));
            let wanted = u16::try_from(wanted).unwrap_or(u16::MAX).min(area.height / 2);
            let height = (area.height.saturating_sub(wanted) / rows).clamp(CARD.1, most);
            return (Density::Cards { columns, height }, rows.saturating_mul(height));
        }
    }
    let with_heads = gpus.saturating_add(1);
    if with_heads.saturating_add(least_for(FEW_PROCESS_ROWS)) <= area.height {
        return (Density::Rows, with_heads);
    }
    let columns = (area.width / STRIP).clamp(1, gpus.max(1));
    let rows = gpus.max(1).div_ceil(columns);
    (Density::Strip { columns }, rows.min(area.height))
}

#[cfg(test)]
mod tests {
    use super::{Density, density, page};
    use proptest::prelude::*;
    use ratatui::layout::Rect;

    #[test]
    fn density_follows_the_space() {
        let of = |gpus, width, height| density(gpus, Some(5), Rect::new(0, 0, width, height)).0;
        assert_eq!(of(2, 120, 38), Density::Cards { columns: 2, height: 30 });
        assert_eq!(of(1, 80, 22), Density::Cards { columns: 1, height: 14 });
        assert_eq!(of(8, 80, 22), Density::Rows);
        assert_eq!(of(16, 40, 8), Density::Strip { columns: 2 });
        assert_eq!(of(8, 400, 10), Density::Strip { columns: 8 });
    }

    proptest! {
        #[test]
        fn the_gpus_never_take_more_than_there_is(gpus in 0u16..200, processes in proptest::option::of(0usize..90), width in 0u16..400, height in 0u16..120) {
            let area = Rect::new(0, 0, width, height);
            let (_, body, _) = page(area);
            let (_, rows) = density(gpus, processes, body);
            prop_assert!(rows <= body.height || body.height == 0);
        }
    }
}
