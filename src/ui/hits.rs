//! What can be clicked, and where it is.

use ratatui::layout::{Position, Rect};

use crate::app::Hit;

/// The places of a picture that do something, later ones above earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Hits(Vec<(Rect, Hit)>);

impl Hits {
    /// Makes a place do something.
    pub(super) fn add(&mut self, area: Rect, hit: Hit) {
        self.0.push((area, hit));
    }

    /// What is at a cell.
    #[must_use]
    pub fn at(&self, column: u16, row: u16) -> Option<Hit> {
        let position = Position::new(column, row);
        self.0.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, hit)| *hit)
    }
}
