//! The lines of the GPU tab: every number, and behind them what lasts about the GPU.

use super::State;
use crate::model::{Gpu, GpuFact, GpuPair, MigDevice, Slot};

/// A line that can be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuLine {
    /// A number.
    Number(Slot),
    /// A lasting fact.
    Fact(GpuFact),
    /// A MIG device, by its place in the list.
    MigDevice(usize),
    /// What joins it to another GPU, by its place in the topology.
    Pair(usize),
}

impl State {
    /// The lines of the GPU tab: the numbers in the order of the table, but with each group in one piece; then the facts,
    /// the MIG devices and the other GPUs.
    #[must_use]
    pub fn gpu_lines(&self) -> Vec<GpuLine> {
        let gpu = self.selected_gpu();
        let Some(((inventory, sample), position)) = self.shown().zip(gpu) else {
            return Vec::new();
        };
        let layout = sample.gpus.get(position).map(|gpu| gpu.values.layout());
        let mut slots = layout.map_or(Vec::new(), |layout| layout.slots().collect());
        slots.sort_by_key(|slot| slot.metric.spec().group);
        let devices = inventory.gpus.get(position).map_or(0, |gpu| mig_devices(gpu).len());
        let pairs = inventory.topology.iter().enumerate();
        let with_it = pairs.filter(|(_, pair)| pair.other(position).is_some());
        let numbers = slots.into_iter().map(GpuLine::Number);
        numbers
            .chain(GpuFact::ALL.iter().copied().map(GpuLine::Fact))
            .chain((0..devices).map(GpuLine::MigDevice))
            .chain(with_it.map(|(place, _)| GpuLine::Pair(place)))
            .collect()
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
