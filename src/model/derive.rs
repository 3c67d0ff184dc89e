//! Rates from counters: what two samples say together that neither says alone; and what a single quick one leaves out.

use super::absent::Absent;
use super::inventory::Inventory;
use super::metric::{HostMetric, Kind, Metric, ProcessMetric, TableMetric};
use super::sample::{GpuSample, Reading, Sample};
use super::unit::Unit;

/// Fills every rate of `next` from the counters of `previous` and `next`.
///
/// A counter that was not read again since `previous` leaves the rate as it was. Readings further apart than
/// `longest_gap_us` (the machine slept, the GPU hung) make a gap and not one long mean; a counter that went
/// backwards was reset and says so.
///
/// A GPU is held against itself wherever it stood, so that news of one GPU cost no other its rates.
pub fn derive(
    previous: Option<(&Inventory, &Sample)>,
    inventory: &Inventory,
    next: &mut Sample,
    longest_gap_us: u64,
) {
    for (position, now) in next.gpus.iter_mut().enumerate() {
        let before = previous.and_then(|(before, sample)| {
            let place = before.place_of(inventory.gpus.get(position)?, position)?;
            sample.gpus.get(place).filter(|gpu| gpu.values.layout() == now.values.layout())
        });
        derive_gpu(before, now, longest_gap_us);
    }
}

fn derive_gpu(before: Option<&GpuSample>, gpu: &mut GpuSample, longest_gap_us: u64) {
    for &metric in Metric::ALL {
        let Some(counter) = metric.spec().kind.counter() else { continue };
        let unit = counter.spec().unit;
        // What counts mishaps is read every ten seconds.
        let longest_gap_us = if unit == Unit::Count {
            longest_gap_us.max(LONGEST_GAP_OF_COUNTS_US)
        } else {
            longest_gap_us
        };
        let derived = |old, new| {
            let rate = rate_between(old, new, unit, longest_gap_us);
            if matches!(metric.spec().kind, Kind::ShareOf(_)) { rate.and_then(share) } else { rate }
        };
        for instance in 0..gpu.values.instances(counter).len() {
            let new = gpu.values.instances(counter)[instance];
            let reading_before =
                |metric| before.and_then(|gpu| gpu.values.instances(metric).get(instance).copied());
            let rate = match (reading_before(counter), reading_before(metric)) {
                (Some(old), Some(rate)) if old.at_us == new.at_us && old.value == new.value => rate,
                (old, _) => Reading { value: derived(old, new), at_us: new.at_us },
            };
            gpu.values.instances_mut(metric)[instance] = rate;
        }
    }
}

/// Counts that are read so far apart at most are joined to a rate.
const LONGEST_GAP_OF_COUNTS_US: u64 = 30_000_000;

/// Seconds of a second as a percentage. The clock that the driver counts by and ours differ by a little; what is more
/// than that is no share.
fn share(rate: f64) -> Result<f64, Absent> {
    if rate <= 1.1 { Ok((rate * 100.0).min(100.0)) } else { Err(Absent::OutOfRange) }
}

/// The growth per second from `old` to `new`.
fn rate_between(
    old: Option<Reading>,
    new: Reading,
    unit: Unit,
    longest_gap_us: u64,
) -> Result<f64, Absent> {
    let value = new.value?;
    let Some(Reading { value: Ok(before), at_us }) = old else {
        return Err(Absent::NeedsTwoReadings);
    };
    if value < before {
        return Err(Absent::CounterReset);
    }
    match new.at_us.checked_sub(at_us) {
        None | Some(0) => Err(Absent::NeedsTwoReadings),
        Some(elapsed) if elapsed > longest_gap_us => Err(Absent::Gap),
        // Nothing that answers draws no power, so the counter is renewed less often than it is read.
        Some(_) if value <= before && unit == Unit::Joules => Err(Absent::NotRenewed),
        Some(elapsed) => Ok((value - before) / (elapsed as f64 / 1e6)),
    }
}

/// Marks what a quick sample does without: what the driver would have to measure, and what needs a second reading.
pub fn leave_out(sample: &mut Sample) {
    for gpu in &mut sample.gpus {
        for &metric in Metric::ALL.iter().filter(|metric| is_left_out(**metric)) {
            for reading in gpu.values.instances_mut(metric) {
                leave_out_value(&mut reading.value);
            }
        }
    }
    let processes = sample.processes.iter_mut().map(|process| &mut process.values);
    let processes = processes.flat_map(|values| left_out::<ProcessMetric>(values));
    processes.chain(left_out::<HostMetric>(&mut sample.host)).for_each(leave_out_value);
}

/// The values, one for each metric of a table, of those that are left out.
fn left_out<M: TableMetric>(
    values: &mut [Result<f64, Absent>],
) -> impl Iterator<Item = &mut Result<f64, Absent>> {
    M::ALL.iter().zip(values).filter(|(metric, _)| is_left_out(**metric)).map(|(_, value)| value)
}

fn is_left_out(metric: impl TableMetric) -> bool {
    let kind = metric.spec().kind;
    kind == Kind::Measured || kind.needs_two_readings()
}

/// A value that would be absent anyway keeps its own reason.
fn leave_out_value(value: &mut Result<f64, Absent>) {
    if matches!(value, Ok(_) | Err(Absent::NotReadYet | Absent::NeedsTwoReadings)) {
        *value = Err(Absent::LeftOut);
    }
}

#[cfg(test)]
mod tests {
    use super::{Absent, Reading, Unit, derive, rate_between};
    use crate::model::{
        Driver, Events, Gpu, GpuSample, GpuState, Host, HostMetric, Instances, Inventory, Layout,
        Metric, Origin, Sample, Values,
    };

    fn reading(value: f64, at_us: u64) -> Reading {
        Reading { value: Ok(value), at_us }
    }

    fn sample(generation: u64, energy: Reading) -> Sample {
        let mut values = Values::absent(Layout::new(Instances::default()), Absent::NotReadYet, 0);
        values.instances_mut(Metric::Energy)[0] = energy;
        Sample {
            generation,
            unix_us: 0,
            monotonic_us: energy.at_us,
            gpus: vec![GpuSample { state: GpuState::Live, values }],
            processes: Vec::new(),
            host: [Err(Absent::NotReadYet); HostMetric::COUNT],
            errors: Vec::new(),
            events: Events::default(),
        }
    }

    /// The inventory of a sample, whose generation tells which GPUs it is of.
    fn inventory(sample: &Sample) -> Inventory {
        let gpu = |position: u32| Gpu {
            uuid: Ok(format!("GPU-{}", sample.generation + u64::from(position))),
            ..Gpu::unknown(position, Absent::NotReadYet)
        };
        let unknown = || Err(Absent::NotReadYet);
        Inventory {
            generation: sample.generation,
            origin: Origin::Nvml,
            host: Host { name: String::new(), kernel: unknown() },
            driver: Driver {
                version: unknown(),
                nvml_version: unknown(),
                cuda_version: unknown(),
                kernel_module: Err(Absent::NotReadYet),
                library: unknown(),
                confidential_compute: Err(Absent::NotReadYet),
            },
            topology: Vec::new(),
            gpus: (0..).map(gpu).take(sample.gpus.len()).collect(),
        }
    }

    fn derived(previous: Option<&Sample>, next: &mut Sample) {
        let before = previous.map(inventory);
        let now = inventory(next);
        derive(before.as_ref().zip(previous), &now, next, 3_000_000);
    }

    #[test]
    fn a_gpu_that_moved_keeps_its_rates_and_a_new_one_has_none_yet() {
        let first = sample(2, reading(100.0, 1_000_000));
        let mut next = sample(1, reading(5.0, 1_500_000));
        next.gpus.push(sample(2, reading(250.0, 1_500_000)).gpus.remove(0));
        derived(Some(&first), &mut next);
        let rates = next.gpus.iter().map(|gpu| gpu.values.get(Metric::PowerAverage).value);
        assert_eq!(rates.collect::<Vec<_>>(), [Err(Absent::NeedsTwoReadings), Ok(300.0)]);
    }

    fn power(previous: Option<&Sample>, mut next: Sample) -> Result<f64, Absent> {
        derived(previous, &mut next);
        next.gpus[0].values.get(Metric::PowerAverage).value
    }

    #[test]
    fn a_rate_is_growth_over_time() {
        let first = sample(1, reading(100.0, 1_000_000));
        assert_eq!(power(Some(&first), sample(1, reading(250.0, 1_500_000))), Ok(300.0));
    }

    #[test]
    fn what_cannot_be_a_rate_says_why() {
        let first = sample(1, reading(100.0, 1_000_000));
        assert_eq!(power(None, first.clone()), Err(Absent::NeedsTwoReadings));
        let another_gpu = sample(2, reading(250.0, 1_500_000));
        assert_eq!(power(Some(&first), another_gpu), Err(Absent::NeedsTwoReadings));
        assert_eq!(
            power(Some(&first), sample(1, reading(99.0, 2_000_000))),
            Err(Absent::CounterReset)
        );
        assert_eq!(
            power(Some(&first), sample(1, reading(100.0, 4_000_000))),
            Err(Absent::NotRenewed)
        );
        assert_eq!(power(Some(&first), sample(1, reading(103.0, 4_000_000))), Ok(1.0));
        assert_eq!(power(Some(&first), sample(1, reading(100.0, 4_000_001))), Err(Absent::Gap));
        let lost = Reading { value: Err(Absent::GpuLost), at_us: 2_000_000 };
        assert_eq!(power(Some(&first), sample(1, lost)), Err(Absent::GpuLost));
        assert_eq!(
            power(Some(&sample(1, lost)), sample(1, reading(1.0, 3_000_000))),
            Err(Absent::NeedsTwoReadings)
        );
    }

    #[test]
    fn a_share_is_the_part_of_the_time_that_a_counter_of_seconds_grew_by() {
        let share_of = |seconds: f64| {
            let mut samples = [0.0, seconds].map(|value| sample(1, reading(value, 0)));
            for (sample, at_us) in samples.iter_mut().zip([1_000_000, 3_000_000]) {
                let value = sample.gpus[0].values.get(Metric::Energy).value;
                let counter = Metric::LimitedBySwPowerCapTime;
                sample.gpus[0].values.instances_mut(counter)[0] = Reading { value, at_us };
            }
            let [first, mut second] = samples;
            derived(Some(&first), &mut second);
            second.gpus[0].values.get(Metric::LimitedBySwPowerCap).value
        };
        assert_eq!(share_of(0.0), Ok(0.0));
        assert_eq!(share_of(0.5), Ok(25.0));
        assert_eq!(share_of(2.1), Ok(100.0), "two clocks");
        assert_eq!(share_of(2.3), Err(Absent::OutOfRange));
    }

    #[test]
    fn mishaps_are_joined_to_a_rate_over_ten_seconds_and_no_further_than_thirty() {
        let rate = |seconds: u64| {
            let mut samples = [0, seconds].map(|second| {
                let mut sample = sample(1, reading(0.0, 0));
                let count = reading(second as f64, second * 1_000_000);
                sample.gpus[0].values.instances_mut(Metric::PcieReplays)[0] = count;
                sample
            });
            let [first, second] = &mut samples;
            derived(Some(first), second);
            second.gpus[0].values.get(Metric::PcieReplayRate).value
        };
        assert_eq!(rate(10), Ok(1.0));
        assert_eq!(rate(31), Err(Absent::Gap));
    }

    #[test]
    fn a_clock_that_went_back_is_no_rate() {
        assert_eq!(
            rate_between(Some(reading(1.0, 10)), reading(2.0, 5), Unit::Joules, 100),
            Err(Absent::NeedsTwoReadings)
        );
    }

    #[test]
    fn a_counter_not_read_again_keeps_its_rate() {
        let first = sample(1, reading(100.0, 1_000_000));
        let mut second = sample(1, reading(250.0, 1_500_000));
        derived(Some(&first), &mut second);
        let mut third = sample(1, reading(250.0, 1_500_000));
        third.monotonic_us = 2_500_000;
        assert_eq!(power(Some(&second), third), Ok(300.0));
    }
}
