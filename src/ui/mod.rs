//! The picture of a state: pure, drawn into a buffer; what can be clicked is returned.

mod canvas;
mod chrome;
mod cost;
mod explain;
mod gpu;
mod gpu_facts;
mod gpu_links;
mod gpu_share;
mod health;
mod help;
mod hits;
mod layout;
mod menu;
mod number;
mod outage;
mod overview;
mod processes;
mod setup;
mod verdict;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use hits::Hits;

use crate::app::{Mode, State, Stream, Tab};
use crate::theme::Role;
use canvas::Canvas;

/// The least that a picture needs; below it the user is asked for more.
const LEAST: (u16, u16) = (20, 4);

/// Draws `state` over the whole of `buffer`.
pub fn view(state: &State, buffer: &mut Buffer) -> Hits {
    let area = buffer.area;
    let mut canvas = Canvas::new(buffer, &state.theme, state.glyphs);
    let mut hits = Hits::default();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        canvas.text(area, Role::Text, "enlarge me");
        return hits;
    }
    let (header, body, footer) = layout::page(area);
    chrome::header(state, header, &mut canvas, &mut hits);
    chrome::footer(state, footer, &mut canvas, &mut hits);
    draw_body(state, body, &mut canvas, &mut hits);
    match state.mode {
        Mode::Normal => {}
        Mode::Help { top } => help::draw(state, top, body, &mut canvas, &mut hits),
        Mode::Explain { cursor } => explain::draw(state, cursor, body, &mut canvas, &mut hits),
        Mode::Cost { top } => cost::draw(state, top, body, &mut canvas, &mut hits),
        Mode::SortMenu { cursor } => menu::draw_columns(cursor, body, &mut canvas, &mut hits),
    }
    if let Some(notice) = &state.notice {
        chrome::notice(notice, area, &mut canvas, &mut hits);
    }
    hits
}

fn draw_body(state: &State, body: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    match state.tab {
        Tab::Setup => setup::draw(state, body, canvas, hits),
        _ if state.newest.is_none() => draw_nothing(&state.stream, body, canvas),
        Tab::Overview => overview::draw(state, body, canvas, hits),
        Tab::Gpu => gpu::draw(state, body, canvas, hits),
        Tab::Health => health::draw(state, body, canvas, hits),
        Tab::Processes => processes::draw(state, body, canvas, hits),
    }
}

/// Draws why there are no GPUs to show.
fn draw_nothing(stream: &Stream, body: Rect, canvas: &mut Canvas<'_>) {
    match stream {
        Stream::Down(outage) => outage::draw(outage, body, canvas),
        Stream::Waiting(Some(sentence)) => outage::opening(sentence, body, canvas),
        Stream::Waiting(None) | Stream::Live => {
            outage::opening("waiting for the driver", body, canvas);
        }
    }
}
