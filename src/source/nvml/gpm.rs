//! Means between two samples of a GPU's performance counters (GPM): what Hopper and newer GPUs really did.

use super::device::Device;
use super::probes::{Fill, hidden_by_mig};
use super::raw::{GpmSample, Handle};
use crate::model::{Absent, Instances, Metric, Unit};

/// Samples that are less apart say nothing: the driver renews its counters less often.
const SHORTEST_US: u64 = 100_000;
/// A mean over a longer time is not one of now.
const LONGEST_US: u64 = 10_000_000;
const MEBIBYTE: f64 = 1_048_576.0;

/// What is asked of a GPU: GPM's number, the metric, and what one of GPM's units is in the metric's.
const OF_GPU: [(u32, Metric, f64); 20] = [
    (2, Metric::SmActive, 1.0),
    (3, Metric::SmOccupancy, 1.0),
    (4, Metric::IntegerActive, 1.0),
    (5, Metric::TensorActive, 1.0),
    (6, Metric::TensorDfma, 1.0),
    (7, Metric::TensorHmma, 1.0),
    (8, Metric::TensorDmma, 1.0),
    (9, Metric::TensorImma, 1.0),
    (10, Metric::DramBandwidth, 1.0),
    (11, Metric::Fp64Active, 1.0),
    (12, Metric::Fp32Active, 1.0),
    (13, Metric::Fp16Active, 1.0),
    (20, Metric::PcieMeanTx, MEBIBYTE),
    (21, Metric::PcieMeanRx, MEBIBYTE),
    (60, Metric::NvLinkMeanRx, MEBIBYTE),
    (61, Metric::NvLinkMeanTx, MEBIBYTE),
    (100, Metric::C2cMeanTx, MEBIBYTE),
    (101, Metric::C2cMeanRx, MEBIBYTE),
    (102, Metric::C2cMeanDataTx, MEBIBYTE),
    (103, Metric::C2cMeanDataRx, MEBIBYTE),
];

/// What is asked of a GPU instance, in the same form.
const OF_INSTANCE: [(u32, Metric, f64); 4] = [
    (2, Metric::InstanceSmActive, 1.0),
    (3, Metric::InstanceSmOccupancy, 1.0),
    (5, Metric::InstanceTensorActive, 1.0),
    (10, Metric::InstanceDramBandwidth, 1.0),
];

/// The metrics of [`OF_GPU`].
pub(super) const GPU_METRICS: &[Metric] = &metrics(&OF_GPU);
/// The metrics of [`OF_INSTANCE`].
pub(super) const INSTANCE_METRICS: &[Metric] = &metrics(&OF_INSTANCE);

/// What all of them ask.
pub(super) const ASKS: &[&str] = &["nvmlGpmMetricsGet"];

/// GPM's number of a metric; `None` for what is not read so.
pub(super) fn number_of(metric: Metric) -> Option<u32> {
    let row = OF_GPU.iter().chain(&OF_INSTANCE).find(|row| row.1 == metric);
    row.map(|row| row.0)
}

const fn metrics<const N: usize>(table: &[(u32, Metric, f64); N]) -> [Metric; N] {
    let mut metrics = [Metric::Busy; N];
    let mut row = 0;
    while row < N {
        metrics[row] = table[row].1;
        row += 1;
    }
    metrics
}

/// What is kept of one GPU between its ticks.
#[derive(Default)]
pub(super) struct Gpm {
    /// Whether the GPU can be sampled at all, once it has said so.
    supported: Option<Result<(), Absent>>,
    gpu: Series,
    /// Those of its GPU instances, by their numbers.
    instances: Vec<(u32, Series)>,
}

impl Gpm {
    /// Forgets what was said of the GPU and of its instances, which may be others now.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The samples of one GPU or GPU instance: the last one, and one to fill next.
#[derive(Default)]
struct Series {
    last: Option<(GpmSample, u64)>,
    spare: Option<GpmSample>,
}

/// Why there is no mean now.
enum Not {
    /// The last one still holds: it is too early for another.
    Due,
    Had(Absent),
}

impl From<Absent> for Not {
    fn from(why: Absent) -> Self {
        Self::Had(why)
    }
}

/// Reads the means of the GPU.
pub(super) fn read(device: &mut Device, fill: &mut Fill<'_>) {
    with_gpm(device, |device, gpm| {
        let means = match supported(device, gpm) {
            Ok(()) => gpm.gpu.next(device, None, OF_GPU.map(|row| row.0)),
            Err(why) => Err(Not::Had(why)),
        };
        let means = match means {
            Ok(means) => Ok(means.map(|mean| hidden_by_mig(device, mean))),
            Err(Not::Due) => Err(Not::Due),
            Err(Not::Had(why)) => {
                remember_refusal(device, gpm, why);
                Err(Not::Had(hidden_by_mig::<()>(device, Err(why)).err().unwrap_or(why)))
            }
        };
        put(fill, &OF_GPU, 0, &means);
    });
}

/// Reads the means of each GPU instance that MIG has made.
pub(super) fn read_instances(device: &mut Device, fill: &mut Fill<'_>) {
    let instances: Vec<_> = device.gpu_instances.iter().map(|instance| instance.id).collect();
    if instances.is_empty() {
        return put(fill, &OF_INSTANCE, 0, &Err(Not::Had(Absent::NotMig)));
    }
    with_gpm(device, |device, gpm| {
        gpm.instances.retain(|(known, _)| instances.contains(known));
        let most = Instances::MOST.gpu_instances.into();
        for (position, instance) in instances.into_iter().take(most).enumerate() {
            let means = match supported(device, gpm) {
                Ok(()) => {
                    let series = series_of(&mut gpm.instances, instance);
                    series.next(device, Some(instance), OF_INSTANCE.map(|row| row.0))
                }
                Err(why) => Err(Not::Had(why)),
            };
            put(fill, &OF_INSTANCE, position, &means);
        }
    });
}

/// Lends out what the device keeps, so that the device can be called meanwhile.
fn with_gpm(device: &mut Device, read: impl FnOnce(&mut Device, &mut Gpm)) {
    let mut gpm = std::mem::take(&mut device.gpm);
    read(device, &mut gpm);
    device.gpm = gpm;
}

fn series_of(instances: &mut Vec<(u32, Series)>, instance: u32) -> &mut Series {
    let place = instances.iter().position(|(known, _)| *known == instance);
    let place = place.unwrap_or_else(|| {
        instances.push((instance, Series::default()));
        instances.len() - 1
    });
    &mut instances[place].1
}

fn supported(device: &mut Device, gpm: &mut Gpm) -> Result<(), Absent> {
    if let Some(answer) = gpm.supported {
        return answer;
    }
    let answer = match device.call_aside("nvmlGpmQueryDeviceSupport", 0, Handle::has_gpm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Absent::NotSupported),
        Err(why) if why.lasts() => Err(why),
        Err(why) => return Err(why),
    };
    gpm.supported = Some(answer);
    answer
}

/// A virtual machine with a fraction of a GPU is refused with an error at each attempt, so one is enough.
fn remember_refusal(device: &Device, gpm: &mut Gpm, why: Absent) {
    if device.is_virtual && !matches!(why, Absent::NeedsTwoReadings | Absent::Gap) {
        gpm.supported = Some(Err(Absent::VirtualGpu));
    }
}

impl Series {
    /// Takes the next sample and says what happened since the last one.
    fn next<const N: usize>(
        &mut self,
        device: &mut Device,
        instance: Option<u32>,
        ids: [u32; N],
    ) -> Result<[Result<f64, Absent>; N], Not> {
        let now_us = device.now_us();
        let age_us = self.last.as_ref().map(|(_, at_us)| now_us.saturating_sub(*at_us));
        if age_us.is_some_and(|age_us| age_us <= SHORTEST_US) {
            return Err(Not::Due);
        }
        let mut sample = match self.spare.take() {
            Some(sample) => sample,
            None => device.new_gpm_sample()?,
        };
        let (function, which) = match instance {
            None => ("nvmlGpmSampleGet", 0),
            Some(instance) => ("nvmlGpmMigSampleGet", instance.saturating_add(1)),
        };
        let filled = device.call_aside(function, which, |gpu, _| sample.fill(gpu, instance));
        if let Err(why) = filled {
            self.spare = Some(sample);
            return Err(why.into());
        }
        let Some((earlier, _)) = self.last.replace((sample, now_us)) else {
            return Err(Absent::NeedsTwoReadings.into());
        };
        let Some((later, _)) = self.last.as_ref() else { return Err(Not::Due) };
        let means = if age_us.is_some_and(|age_us| age_us < LONGEST_US) {
            device.call_aside("nvmlGpmMetricsGet", which, |_, _| later.means_since(&earlier, ids))
        } else {
            Err(Absent::Gap)
        };
        self.spare = Some(earlier);
        Ok(means?.map(|mean| mean.map_err(super::device::absent_for)))
    }
}

fn put<const N: usize>(
    fill: &mut Fill<'_>,
    table: &[(u32, Metric, f64); N],
    instance: usize,
    means: &Result<[Result<f64, Absent>; N], Not>,
) {
    let means = match means {
        Ok(means) => *means,
        Err(Not::Had(why)) => [Err(*why); N],
        Err(Not::Due) => {
            return table.iter().for_each(|row| fill.keep(row.1, instance));
        }
    };
    for ((_, metric, unit), mean) in table.iter().zip(means) {
        // A share of all that there is may come out a little above it, since two counters make it.
        let is_whole = metric.spec().unit == Unit::Percent && mean.is_ok_and(is_about_all);
        let mean = mean.map(|mean| if is_whole { 100.0 } else { rounded(mean) * unit });
        fill.put_instance(*metric, instance, mean);
    }
}

/// The mean with the digits that mean something.
fn rounded(mean: f64) -> f64 {
    (mean * 1000.0).round() / 1000.0
}

fn is_about_all(percent: f64) -> bool {
    (100.0..101.0).contains(&percent)
}
