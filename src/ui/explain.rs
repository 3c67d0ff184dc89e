//! What a number is: its meaning, unit and window, where it comes from, and why it is absent here.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::layout::{split_left, split_top};
use super::number::{show, slot_label};
use super::{Hits, gpu, menu};
use crate::app::{Explained, Hit, List, State, Subject};
use crate::model::{Absent, Unit};
use crate::theme::Role;

/// The columns of the popup, where there is room for them, and of its list of numbers.
const WIDTH: u16 = 110;
const LIST: u16 = 38;
/// From this width on the list stands beside the text.
const WIDE: u16 = 76;

/// Draws the numbers of the tab over `body`, and what there is to say about the one at `cursor`.
pub(super) fn draw(
    state: &State,
    cursor: usize,
    body: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    hits.add(body, Hit::Help);
    let numbers = state.explained();
    let list = List { cursor };
    let Some(selected) = list.row(numbers.len()).and_then(|row| numbers.get(row)) else { return };
    let inside = menu::popup("What it is", WIDTH, body.height.into(), body, canvas);
    let (names, text) = if inside.width >= WIDE {
        split_left(inside, LIST, 2)
    } else {
        split_top(inside, (inside.height / 3).max(1))
    };
    let top = list.top(numbers.len(), names.height.into());
    for (place, (number, line)) in names.rows().zip(numbers.iter().enumerate().skip(top)) {
        draw_number(state, line, place, canvas);
        if number == cursor.min(numbers.len() - 1) {
            canvas.dress(place, Role::Selection);
        }
        hits.add(place, Hit::MenuRow(number));
    }
    draw_text(state, selected, text, canvas);
}

fn draw_number(state: &State, number: &Explained, place: Rect, canvas: &mut Canvas<'_>) {
    canvas.text(place, Role::Text, &label(number.of));
    match number.value {
        Ok(value) => canvas.text_right(place, Role::TextStrong, &shown(state, number.of, value)),
        Err(_) => canvas.text_right(place, Role::Absent, canvas.glyphs.absent),
    }
}

fn label(of: Subject) -> String {
    match of {
        Subject::Gpu(slot) => slot_label(slot),
        Subject::Process(_) => of.spec().label.to_owned(),
        Subject::Host(_) => format!("machine's {}", of.spec().label),
    }
}

fn shown(state: &State, of: Subject, value: f64) -> String {
    match of {
        Subject::Gpu(slot) => show(slot.metric, value, state.config.temperature),
        Subject::Process(_) | Subject::Host(_) => of.spec().unit.show(value),
    }
}

fn draw_text(state: &State, number: &Explained, area: Rect, canvas: &mut Canvas<'_>) {
    let spec = number.of.spec();
    let mut rest = area;
    let mut paragraph = |role: Role, text: &str| {
        let used = canvas.paragraph(rest, role, text);
        (_, rest) = split_top(rest, used + 1);
    };
    let title =
        format!("{} {} {}", gpu::title(spec.group), state.glyphs.separator, label(number.of));
    paragraph(Role::Title, &title);
    paragraph(Role::Text, spec.help);
    match number.value {
        Ok(value) => {
            let age = number.age_us.map(|age_us| age_us as f64 / 1e6).filter(|age| *age >= 1.0);
            let age =
                age.map_or(String::new(), |age| format!(", read {} ago", Unit::Seconds.show(age)));
            paragraph(Role::TextStrong, &format!("{}{age}.", shown(state, number.of, value)));
        }
        Err(why) => paragraph(Role::Warning, &absent(why)),
    }
    paragraph(Role::TextDim, &format!("It is {}.", spec.kind));
    paragraph(Role::TextDim, &format!("In JSON: {}.", number.of.key()));
    paragraph(Role::TextDim, &format!("From: {}.", number.of.origin()));
}

fn absent(why: Absent) -> String {
    format!("There is none: {}.", why.sentence())
}
