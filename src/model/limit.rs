//! What a number of a GPU can reach at most.

use super::gpu_fact::{FactValue, GpuFact, GpuFacts};
use super::metric::Metric;
use super::sample::Values;
use super::unit::Unit;

/// What a metric can reach at most on this GPU, in the metric's unit; `None` where that is not known.
#[must_use]
pub fn limit(values: &Values, metric: Metric) -> Option<f64> {
    let limit = match (limiting(metric), metric) {
        (Some(limiting), _) => values.value(limiting),
        (None, Metric::PcieRx | Metric::PcieTx | Metric::PcieMeanRx | Metric::PcieMeanTx) => {
            pcie_bandwidth(
                values.value(Metric::PcieLinkGenerationMaximum)?,
                values.value(Metric::PcieLinkWidthMaximum)?,
            )
        }
        (
            None,
            Metric::NvLinkRx | Metric::NvLinkTx | Metric::NvLinkMeanRx | Metric::NvLinkMeanTx,
        ) => nvlink_bandwidth(values),
        _ => (metric.spec().unit == Unit::Percent).then_some(100.0),
    };
    limit.filter(|limit| *limit > 0.0)
}

/// The metric that says how much another can reach.
#[must_use]
pub fn limiting(metric: Metric) -> Option<Metric> {
    match metric {
        Metric::MemoryUsed | Metric::MemoryReserved | Metric::MemoryFree => {
            Some(Metric::MemoryTotal)
        }
        Metric::Bar1Used => Some(Metric::Bar1Total),
        Metric::PowerDraw | Metric::PowerInstant | Metric::PowerAverage => {
            Some(Metric::PowerEnforcedLimit)
        }
        Metric::ClockGraphics => Some(Metric::ClockGraphicsMaximum),
        Metric::ClockSm => Some(Metric::ClockSmMaximum),
        Metric::ClockMemory => Some(Metric::ClockMemoryMaximum),
        Metric::ClockVideo => Some(Metric::ClockVideoMaximum),
        _ => None,
    }
}

/// What a PCIe link can carry in each direction after its encoding, in bytes per second; `None` for a generation whose
/// encoding is not known.
///
/// What packets add is part of it, so that a good link moves about nine tenths of it.
#[must_use]
pub fn pcie_bandwidth(generation: f64, lanes: f64) -> Option<f64> {
    const TABLE: [(f64, f64, f64); 6] = [
        (1.0, 2.5e9, 8.0 / 10.0),
        (2.0, 5e9, 8.0 / 10.0),
        (3.0, 8e9, 128.0 / 130.0),
        (4.0, 16e9, 128.0 / 130.0),
        (5.0, 32e9, 128.0 / 130.0),
        (6.0, 64e9, 242.0 / 256.0),
    ];
    let (_, transfers, payload) =
        TABLE.into_iter().find(|(known, ..)| known.total_cmp(&generation).is_eq())?;
    Some(transfers * payload / 8.0 * lanes)
}

/// What the NVLinks that are up can carry together in each direction, in bytes per second; `None` where the speed of one
/// of them is not known.
#[must_use]
pub fn nvlink_bandwidth(values: &Values) -> Option<f64> {
    let speeds = values.instances(Metric::NvLinkSpeed).iter();
    let links = values.instances(Metric::NvLinkUp).iter().zip(speeds);
    links.filter(|(up, _)| up.value == Ok(1.0)).map(|(_, speed)| speed.value.ok()).sum()
}

/// About how much the memory moves, in bytes per second, from its share of the peak.
#[must_use]
pub fn memory_traffic(values: &Values, facts: &GpuFacts) -> Option<f64> {
    match facts.get(GpuFact::MemoryBandwidthPeak) {
        Ok(FactValue::Number(peak)) => Some(values.value(Metric::DramBandwidth)? / 100.0 * peak),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{limit, memory_traffic, pcie_bandwidth};
    use crate::model::{
        Absent, FactValue, GpuFact, GpuFacts, Instances, Layout, Metric, Reading, Values,
    };

    fn values() -> Values {
        let layout = Layout::new(Instances { nvlinks: 3, ..Instances::default() });
        Values::absent(layout, Absent::NotReadYet, 0)
    }

    fn set(values: &mut Values, metric: Metric, numbers: &[f64]) {
        for (reading, number) in values.instances_mut(metric).iter_mut().zip(numbers) {
            *reading = Reading { value: Ok(*number), at_us: 0 };
        }
    }

    #[test]
    fn links_carry_what_their_specifications_say() {
        let megabytes = |generation, lanes| {
            pcie_bandwidth(generation, lanes).map(|bytes| (bytes / 1e6).round())
        };
        for (generation, one, sixteen) in [
            (1.0, 250.0, 4000.0),
            (2.0, 500.0, 8000.0),
            (3.0, 985.0, 15_754.0),
            (4.0, 1969.0, 31_508.0),
            (5.0, 3938.0, 63_015.0),
            (6.0, 7563.0, 121_000.0),
        ] {
            let both = (megabytes(generation, 1.0), megabytes(generation, 16.0));
            assert_eq!(both, (Some(one), Some(sixteen)), "generation {generation}");
        }
    }

    #[test]
    fn a_generation_that_is_not_known_has_no_limit() {
        for generation in [0.0, 2.5, 7.0, -1.0, f64::NAN] {
            assert_eq!(pcie_bandwidth(generation, 16.0), None, "{generation}");
        }
    }

    #[test]
    fn traffic_is_held_against_the_highest_speed_of_the_link() {
        let mut values = values();
        set(&mut values, Metric::PcieLinkGenerationMaximum, &[4.0]);
        assert_eq!(limit(&values, Metric::PcieRx), None, "its lanes are not known");
        set(&mut values, Metric::PcieLinkWidthMaximum, &[8.0]);
        assert_eq!(limit(&values, Metric::PcieRx), pcie_bandwidth(4.0, 8.0));
        set(&mut values, Metric::PcieLinkWidthMaximum, &[0.0]);
        assert_eq!(limit(&values, Metric::PcieRx), None);
    }

    #[test]
    fn only_links_that_are_up_carry_something() {
        let mut values = values();
        assert_eq!(limit(&values, Metric::NvLinkTx), None, "none is up");
        set(&mut values, Metric::NvLinkUp, &[1.0, 0.0, 1.0]);
        set(&mut values, Metric::NvLinkSpeed, &[25e9]);
        assert_eq!(limit(&values, Metric::NvLinkTx), None, "the speed of one is not known");
        set(&mut values, Metric::NvLinkSpeed, &[25e9, 25e9, 20e9]);
        assert_eq!(limit(&values, Metric::NvLinkTx), Some(45e9));
    }

    #[test]
    fn power_is_held_against_the_limit_that_holds() {
        let mut values = values();
        set(&mut values, Metric::PowerMaximumLimit, &[700.0]);
        assert_eq!(limit(&values, Metric::PowerInstant), None);
        set(&mut values, Metric::PowerEnforcedLimit, &[500.0]);
        assert_eq!(limit(&values, Metric::PowerInstant), Some(500.0));
    }

    #[test]
    fn what_the_memory_moves_is_a_share_of_its_peak() {
        let mut values = values();
        let mut facts = GpuFacts::absent(Absent::NotSupported);
        set(&mut values, Metric::DramBandwidth, &[50.0]);
        assert_eq!(memory_traffic(&values, &facts), None);
        facts.set(GpuFact::MemoryBandwidthPeak, Ok(FactValue::Number(3e12)));
        assert_eq!(memory_traffic(&values, &facts), Some(1.5e12));
    }
}
