//! The lines of the page that tells what the samples cost.

use crate::model::{Absent, CallCost, Cost, Fact, Unit, fixed};

use super::state::State;

/// The page's cells, with its frame, where there is room for them.
pub const COST_WIDTH: u16 = 90;

/// A line of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CostLine {
    /// A sentence about all calls, or none.
    Text(String),
    /// The heads of the columns.
    Heads([&'static str; 5]),
    /// A function and its numbers: calls a second, mean and worst microseconds, and its lane.
    Function([String; 5]),
}

const HEADS: [&str; 5] = ["NVML function", "calls/s", "mean µs", "worst µs", "lane"];

impl State {
    /// What the samples cost until the one that is shown.
    #[must_use]
    pub fn cost_lines(&self) -> Vec<CostLine> {
        let held = self.held.as_ref().map(|held| &held.snapshot);
        match held.or(self.newest.as_ref()).map(|snapshot| &snapshot.cost) {
            None => vec![CostLine::Text("There are no samples yet.".to_owned())],
            Some(None) => {
                vec![CostLine::Text(
                    "A demo asks no driver, so there is nothing to tell.".to_owned(),
                )]
            }
            Some(Some(cost)) => lines(cost),
        }
    }

    /// The first line of the page when its end is shown; header, footer and frame take two rows each.
    pub(super) fn last_cost_top(&self) -> usize {
        self.cost_lines().len().saturating_sub(usize::from(self.size.1.saturating_sub(4)))
    }
}

fn lines(cost: &Cost) -> Vec<CostLine> {
    let worst = cost.worst().map_or(String::new(), |worst| {
        format!(", {} µs at worst ({})", microseconds(worst.worst_us), worst.function)
    });
    let mean = cost.mean_us().map_or("not known".to_owned(), microseconds);
    let all = [
        format!(
            "{} calls in the last sample, {} a second",
            cost.calls,
            rate(cost.calls_per_second)
        ),
        format!("a call takes {mean} µs{worst}"),
        format!(
            "{} samples, {} closed late, {} dropped",
            cost.ticks, cost.ticks_late, cost.ticks_dropped
        ),
        format!("our own processor time {}", cpu(cost.cpu_percent)),
        String::new(),
    ];
    let functions = cost.functions.iter().map(|function| CostLine::Function(columns(function)));
    all.into_iter().map(CostLine::Text).chain([CostLine::Heads(HEADS)]).chain(functions).collect()
}

fn columns(cost: &CallCost) -> [String; 5] {
    [
        cost.function.to_string(),
        rate(cost.calls_per_second),
        microseconds(cost.mean_us),
        microseconds(cost.worst_us),
        cost.lane.words().to_owned(),
    ]
}

/// Three digits are enough.
fn microseconds(us: f64) -> String {
    fixed(us, if us < 10.0 { 2 } else { u32::from(us < 100.0) }).to_string()
}

fn rate(rate: Fact<f64>) -> String {
    rate.map_or_else(reason, |rate| fixed(rate, u32::from(rate < 100.0)).to_string())
}

fn cpu(percent: Fact<f64>) -> String {
    percent.map_or_else(reason, |percent| format!("{} of one core", Unit::Percent.show(percent)))
}

fn reason(why: Absent) -> String {
    format!("({})", why.sentence())
}
