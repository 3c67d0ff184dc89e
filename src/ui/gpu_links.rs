//! Many numbers in one line: those of all NVLinks, and those that a GPU will not have.

use super::gpu_share::link_speed;
use super::number::slot_label;
use crate::model::{Absent, Metric, Reading, Slot, Unit};

/// What a number is on all links: how many are up, their speeds, or their errors with the link that has the most.
///
/// # Errors
/// Why it is known of no link.
pub(super) fn summary(metric: Metric, readings: &[Reading]) -> Result<String, Absent> {
    let known: Vec<_> = (0..)
        .zip(readings)
        .filter_map(|(link, reading): (u32, _)| Some((link, reading.value.ok()?)))
        .collect();
    if known.is_empty() {
        let why = readings.first().and_then(|reading| reading.value.err());
        return Err(why.unwrap_or(Absent::NotFound));
    }
    Ok(match metric.spec().unit {
        Unit::Flag => {
            let up = known.iter().filter(|(_, value)| *value != 0.0).count();
            format!("{up} of {}", known.len())
        }
        Unit::BytesPerSecond => speeds(&known),
        unit => {
            let sum: f64 = known.iter().map(|(_, value)| value).sum();
            let worst = known.iter().copied().max_by(|(_, a), (_, b)| a.total_cmp(b));
            match worst.filter(|(_, most)| *most > 0.0) {
                Some((link, most)) => {
                    let (sum, most) = (unit.show(sum), unit.show(most));
                    format!("{sum}, most on link {link}: {most}")
                }
                None => unit.show(sum),
            }
        }
    })
}

/// Each speed with how many links have it.
fn speeds(links: &[(u32, f64)]) -> String {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for (_, speed) in links {
        let text = link_speed(*speed);
        match counted.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => counted.push((text, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let parts = counted.iter().map(|(speed, count)| format!("{speed} × {count}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// What a number is on each link.
pub(super) fn each(metric: Metric, readings: &[Reading], absent: &str) -> String {
    let text = |reading: &Reading| match (reading.value, metric.spec().unit) {
        (Ok(value), Unit::BytesPerSecond) => link_speed(value),
        (Ok(value), unit) => unit.show(value),
        (Err(_), _) => absent.to_owned(),
    };
    let links = (0..)
        .zip(readings)
        .map(|(link, reading): (u32, _)| format!("link {link}: {}", text(reading)));
    links.collect::<Vec<_>>().join(", ")
}

/// The names of numbers.
pub(super) fn names(missing: &[(Slot, Absent)]) -> String {
    missing.iter().map(|(slot, _)| slot_label(*slot)).collect::<Vec<_>>().join(", ")
}

/// The names of numbers behind the reasons why they are missing.
pub(super) fn reasons(missing: &[(Slot, Absent)]) -> String {
    let mut reasons: Vec<Absent> = Vec::new();
    for (_, why) in missing {
        if !reasons.contains(why) {
            reasons.push(*why);
        }
    }
    let of = |why: &Absent| -> Vec<_> {
        missing.iter().filter(|(_, other)| other == why).copied().collect()
    };
    let parts = reasons.iter().map(|why| format!("{}: {}", why.sentence(), names(&of(why))));
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::{names, reasons, summary};
    use crate::model::{Absent, Metric, Reading, Slot};

    fn summed(metric: Metric, values: &[Result<f64, Absent>]) -> Result<String, Absent> {
        let readings: Vec<_> =
            values.iter().map(|value| Reading { value: *value, at_us: 0 }).collect();
        summary(metric, &readings)
    }

    #[test]
    fn links_that_are_up_are_counted() {
        let links = [Ok(1.0), Ok(0.0), Ok(1.0), Err(Absent::NotReadYet)];
        assert_eq!(summed(Metric::NvLinkUp, &links).unwrap(), "2 of 3");
    }

    #[test]
    fn equal_speeds_are_told_once() {
        let speed = |links: &[f64]| {
            let links: Vec<_> = links.iter().copied().map(Ok).collect();
            summed(Metric::NvLinkSpeed, &links).unwrap()
        };
        assert_eq!(speed(&[26.5625e9; 18]), "26.6 GB/s × 18");
        assert_eq!(speed(&[0.0, 25e9, 25e9]), "25.0 GB/s × 2, 0.0 GB/s × 1");
    }

    #[test]
    fn errors_are_added_up_and_the_worst_link_is_named() {
        let links = [Ok(1.0), Ok(40.0), Err(Absent::Unknown), Ok(0.0)];
        assert_eq!(summed(Metric::NvLinkErrors, &links).unwrap(), "41, most on link 1: 40");
        assert_eq!(summed(Metric::NvLinkErrors, &[Ok(0.0); 2]).unwrap(), "0");
    }

    #[test]
    fn what_is_known_of_no_link_says_why() {
        let links = [Err(Absent::Stale); 5];
        assert_eq!(summed(Metric::NvLinkErrors, &links), Err(Absent::Stale));
        assert_eq!(summed(Metric::NvLinkErrors, &[]), Err(Absent::NotFound));
    }

    #[test]
    fn missing_numbers_stand_behind_their_reason() {
        let slot = |metric| Slot { metric, instance: 0 };
        let missing = [
            (slot(Metric::EncoderUtilization), Absent::NotSupported),
            (slot(Metric::Busy), Absent::Mig),
            (slot(Metric::Fan), Absent::NotSupported),
        ];
        assert_eq!(names(&missing), "encoder, busy, fan 0");
        assert_eq!(
            reasons(&missing),
            "this GPU or its driver does not report it: encoder, fan 0; not reported while the GPU is in MIG mode: busy"
        );
    }
}
