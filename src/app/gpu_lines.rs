//! The lines of the GPU tab: every number, and behind them what lasts about the GPU.

use super::State;
use crate::model::{
    Absent, Gpu, GpuFact, GpuPair, GpuSample, Group, Kind, Metric, MigDevice, Per, Reading, Slot,
};

/// A line that can be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuLine {
    /// A number.
    Number(Slot),
    /// A number of all NVLinks.
    Links(Metric),
    /// The numbers of a group that this GPU will not have.
    Missing(Group),
    /// A lasting fact.
    Fact(GpuFact),
    /// A MIG device, by its place in the list.
    MigDevice(usize),
    /// What joins it to another GPU, by its place in the topology.
    Pair(usize),
}

/// The most NVLinks that have a line each.
const MOST_LINKS: usize = 4;

impl State {
    /// The lines of the GPU tab: the numbers in the order of the table, but with each group in one piece and what is
    /// missing at its end; then the facts, the MIG devices and the other GPUs.
    #[must_use]
    pub fn gpu_lines(&self) -> Vec<GpuLine> {
        let gpu = self.selected_gpu();
        let Some(((inventory, sample), position)) = self.shown().zip(gpu) else {
            return Vec::new();
        };
        let devices = inventory.gpus.get(position).map_or(0, |gpu| mig_devices(gpu).len());
        let pairs = inventory.topology.iter().enumerate();
        let with_it = pairs.filter(|(_, pair)| pair.other(position).is_some());
        let numbers = sample.gpus.get(position).map_or(Vec::new(), number_lines);
        numbers
            .into_iter()
            .chain(GpuFact::ALL.iter().copied().map(GpuLine::Fact))
            .chain((0..devices).map(GpuLine::MigDevice))
            .chain(with_it.map(|(place, _)| GpuLine::Pair(place)))
            .collect()
    }

    /// Every number of the selected GPU with its reading, in the order of the groups.
    #[must_use]
    pub fn gpu_numbers(&self) -> Vec<(Slot, Reading)> {
        let gpu = self.shown().zip(self.selected_gpu());
        let gpu = gpu.and_then(|((_, sample), position)| sample.gpus.get(position));
        gpu.map_or(Vec::new(), grouped)
    }

    /// The numbers of a group that the selected GPU will not have, and why.
    #[must_use]
    pub fn missing_numbers(&self, group: Group) -> Vec<(Slot, Absent)> {
        let of_group = self.gpu_numbers().into_iter();
        let of_group = of_group.filter(|(slot, _)| slot.metric.spec().group == group);
        of_group.filter_map(|(slot, reading)| Some((slot, missing(reading)?))).collect()
    }

    /// The readings of a number of all NVLinks.
    #[must_use]
    pub fn link_readings(&self, metric: Metric) -> &[Reading] {
        let gpu = self.shown().zip(self.selected_gpu());
        let gpu = gpu.and_then(|((_, sample), position)| sample.gpus.get(position));
        gpu.map_or(&[], |gpu| gpu.values.instances(metric))
    }

    /// Where the selected line's number, or the first one of several, stands among [`State::gpu_numbers`].
    #[must_use]
    pub(super) fn selected_number(&self) -> Option<usize> {
        let line = self.selected_gpu_line()?;
        self.gpu_numbers().iter().position(|(slot, reading)| match line {
            GpuLine::Number(selected) => *slot == selected,
            GpuLine::Links(metric) => slot.metric == metric,
            GpuLine::Missing(group) => {
                slot.metric.spec().group == group && missing(*reading).is_some()
            }
            GpuLine::Fact(_) | GpuLine::MigDevice(_) | GpuLine::Pair(_) => false,
        })
    }

    /// Selects a line again where lines came or went above it.
    pub(super) fn keep_gpu_line(&mut self, line: Option<GpuLine>) {
        let lines = self.gpu_lines();
        if let Some(cursor) = lines.iter().position(|known| Some(*known) == line) {
            self.gpu_rows.cursor = cursor;
        }
    }

    /// The selected line of the GPU tab.
    #[must_use]
    pub fn selected_gpu_line(&self) -> Option<GpuLine> {
        let lines = self.gpu_lines();
        lines.get(self.gpu_rows.cursor.min(lines.len().saturating_sub(1))).copied()
    }

    /// A MIG device of the selected GPU, with how many processes are in it.
    #[must_use]
    pub fn mig_device(&self, place: usize) -> Option<(&MigDevice, usize)> {
        let ((inventory, sample), position) = self.shown().zip(self.selected_gpu())?;
        let device = mig_devices(inventory.gpus.get(position)?).get(place)?;
        let is_in = |process: &&crate::model::Process| {
            process.gpu == position
                && process.gpu_instance == device.gpu_instance.ok()
                && process.compute_instance == device.compute_instance.ok()
        };
        Some((device, sample.processes.iter().filter(is_in).count()))
    }

    /// What joins the selected GPU to another one, with the other one's index.
    #[must_use]
    pub fn gpu_pair(&self, place: usize) -> Option<(&GpuPair, u32)> {
        let ((inventory, _), position) = self.shown().zip(self.selected_gpu())?;
        let pair = inventory.topology.get(place)?;
        let other = inventory.gpus.get(pair.other(position)?)?;
        Some((pair, other.index))
    }
}

fn mig_devices(gpu: &Gpu) -> &[MigDevice] {
    gpu.mig_devices.as_deref().unwrap_or_default()
}

fn grouped(gpu: &GpuSample) -> Vec<(Slot, Reading)> {
    let mut numbers: Vec<_> = gpu.values.iter().collect();
    numbers.sort_by_key(|(slot, _)| slot.metric.spec().group);
    numbers
}

/// Why the GPU will not have a number, if that is so.
fn missing(reading: Reading) -> Option<Absent> {
    reading.value.err().filter(|why| why.lasts() || *why == Absent::NotMig)
}

fn number_lines(gpu: &GpuSample) -> Vec<GpuLine> {
    let mut lines = Vec::new();
    for group in
        grouped(gpu).chunk_by(|(a, _), (b, _)| a.metric.spec().group == b.metric.spec().group)
    {
        let (absent, there): (Vec<_>, Vec<_>) =
            group.iter().partition(|(_, reading)| missing(*reading).is_some());
        let there = there.iter().filter(|(slot, _)| !stands_behind_another(slot.metric));
        lines.extend(there.map(|(slot, _)| line_of(gpu, *slot)));
        lines.extend(absent.first().map(|(slot, _)| GpuLine::Missing(slot.metric.spec().group)));
    }
    // Of all links there is one line.
    lines.dedup();
    lines
}

/// Whether a number is told in the line of the one that is a share of it or is made from it.
fn stands_behind_another(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::ClockGraphicsMaximum
            | Metric::ClockSmMaximum
            | Metric::ClockMemoryMaximum
            | Metric::ClockVideoMaximum
    ) || metric.spec().kind == Kind::Counter
        && Metric::ALL.iter().any(|other| other.spec().kind == Kind::ShareOf(metric))
}

fn line_of(gpu: &GpuSample, slot: Slot) -> GpuLine {
    let is_of_many = slot.metric.spec().per == Per::NvLink
        && gpu.values.instances(slot.metric).len() > MOST_LINKS;
    if is_of_many { GpuLine::Links(slot.metric) } else { GpuLine::Number(slot) }
}
