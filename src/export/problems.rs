//! What could not be had, as sentences.

use std::borrow::Cow;

use crate::source::Snapshot;

/// A GPU's index in NVML, where the problem is one of a GPU, and what is the matter.
pub(super) type Problem<'a> = (Option<u32>, Cow<'a, str>);

/// Every GPU that does not answer, then what else the source could not have.
pub(super) fn problems(snapshot: &Snapshot) -> impl Iterator<Item = Problem<'_>> {
    let Snapshot { inventory, sample, .. } = snapshot;
    let silent = inventory.gpus.iter().zip(&sample.gpus).filter(|(_, gpu)| gpu.state.is_trouble());
    let errors = sample.errors.iter().map(|error| {
        let gpu = error.gpu.and_then(|position| inventory.gpus.get(position));
        (gpu.map(|gpu| gpu.index), Cow::from(&error.message))
    });
    silent.map(|(gpu, now)| (Some(gpu.index), now.state.to_string().into())).chain(errors)
}
