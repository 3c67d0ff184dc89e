//! Rules about what holds the clocks down: power and heat.

use super::view::{Edge, Recent, View, edge};
use crate::model::{Metric, Unit, clock_event_mask, fixed};

/// The bits of [`crate::model::CLOCK_EVENTS`] that rules look at.
const SW_POWER_CAP: u64 = 0x4;
const HW_SLOWDOWN: u64 = 0x8;
const SW_THERMAL: u64 = 0x20;
const HW_THERMAL: u64 = 0x40;
const POWER_BRAKE: u64 = 0x80;

/// A GPU at work touches its power limit now and then; less than a tenth of the time costs it nothing.
pub(super) const POWER_SHARE: Edge = edge(10.0, 5.0);
/// A driver that cools the GPU by its clocks should not have to, but half a second a minute is a gust.
pub(super) const SW_THERMAL_SHARE: Edge = edge(5.0, 1.0);
/// What halves the clocks is worth a word from half a second on.
pub(super) const HARD_SHARE: Edge = edge(1.0, 0.5);
/// A limit that was lowered by less is rounding.
pub(super) const LOWERED: f64 = 0.98;
/// Sensors and fans move the margin by a degree or two.
pub(super) const SMALL_MARGIN: Edge = edge(3.0, 6.0);
/// Less of the past says nothing about a minute.
pub(super) const LEAST_SECONDS: f64 = 10.0;

/// How much of the time a cause holds the clocks down.
enum Share {
    /// The mean of the last minute.
    Recent(Recent),
    /// Only the time between the last two readings is known, in percent.
    Reading(f64),
    /// Its bit is set at this instant, and the driver counts no time.
    Now,
}

impl Share {
    /// The share as it stands behind what it is a share of.
    fn words(&self) -> String {
        match self {
            Self::Recent(recent) => format!(" {} % of {}", fixed(recent.mean, 0), recent.period()),
            Self::Reading(share) => format!(" {} % of the time", fixed(*share, 0)),
            Self::Now => " now".to_owned(),
        }
    }
}

/// The share of the time in which a cause holds, if it is enough: from the driver's counter, else from the cause's bit.
fn share(view: &View<'_>, counted: Metric, bit: u64, edge: Edge) -> Option<Share> {
    let recent = view.recent(counted).filter(|recent| recent.seconds >= LEAST_SECONDS);
    match (recent, view.value(counted)) {
        (Some(recent), _) => view.is_over(recent.mean, edge).then_some(Share::Recent(recent)),
        (None, Some(share)) => view.is_over(share, edge).then_some(Share::Reading(share)),
        (None, None) => is_set(view, bit).then_some(Share::Now),
    }
}

fn is_set(view: &View<'_>, bit: u64) -> bool {
    let mask = view.value(Metric::ClockEventReasons).map(clock_event_mask);
    mask.is_some_and(|mask| mask & bit != 0)
}

/// The enforced limit and the default one, where somebody has lowered it.
fn lowered(view: &View<'_>) -> Option<(f64, f64)> {
    let limits = view.value(Metric::PowerEnforcedLimit).zip(view.value(Metric::PowerDefaultLimit));
    limits.filter(|(enforced, default)| *enforced < default * LOWERED)
}

fn power_share(view: &View<'_>) -> Option<Share> {
    share(view, Metric::LimitedBySwPowerCap, SW_POWER_CAP, POWER_SHARE)
}

pub(super) fn at_power_limit(view: &View<'_>) -> Option<String> {
    let share = power_share(view).filter(|_| lowered(view).is_none())?;
    Some(format!("at power limit{}", share.words()))
}

pub(super) fn at_lowered_power_limit(view: &View<'_>) -> Option<String> {
    let (enforced, default) = lowered(view)?;
    let (enforced, default) = (fixed(enforced, 0), Unit::Watts.show(default));
    Some(format!("at power limit{}, set to {enforced} of {default}", power_share(view)?.words()))
}

pub(super) fn power_brake(view: &View<'_>) -> Option<String> {
    let share = share(view, Metric::LimitedByPowerBrake, POWER_BRAKE, HARD_SHARE)?;
    Some(format!("external power brake{}", share.words()))
}

pub(super) fn overheating(view: &View<'_>) -> Option<String> {
    let share = share(view, Metric::LimitedByHwThermal, HW_THERMAL, HARD_SHARE)?;
    Some(format!("overheating{}", share.words()))
}

pub(super) fn too_warm(view: &View<'_>) -> Option<String> {
    let share = share(view, Metric::LimitedBySwThermal, SW_THERMAL, SW_THERMAL_SHARE)?;
    Some(format!("too warm{}", share.words()))
}

/// The hardware's own slowdown for a reason that none of the other bits tells.
pub(super) fn slowed_down(view: &View<'_>) -> Option<String> {
    let is_alone = is_set(view, HW_SLOWDOWN) && !is_set(view, HW_THERMAL | POWER_BRAKE);
    is_alone.then(|| "slowed down by its hardware: heat or power".to_owned())
}

pub(super) fn near_slowdown(view: &View<'_>) -> Option<String> {
    let margin = view.value(Metric::SlowdownMargin)?;
    view.is_under(margin, SMALL_MARGIN).then(|| {
        if margin > 0.0 {
            format!("{} below the temperature that slows it down", Unit::Celsius.show(margin))
        } else {
            "at the temperature that slows it down".to_owned()
        }
    })
}
