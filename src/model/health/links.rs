//! Rules about PCIe and NVLink.

use super::view::{Edge, View, edge};
use crate::model::{GpuSample, Metric, fixed};

/// A link falls to a lower generation while there is nothing to do, so only a busy GPU's says something.
pub(super) const UNDER_LOAD: Edge = edge(50.0, 40.0);
/// PCIe packets that are sent again in a minute; a sound link loses one now and then.
pub(super) const MANY_REPLAYS: Edge = edge(8.0, 1.0);
/// What NVLink does not repair in passing, in a minute: each one is felt by whoever sends.
pub(super) const SEVERE_ERRORS: Edge = edge(1.0, 1.0);
/// What NVLink repairs in passing, in a minute: fast links have some.
pub(super) const REPAIRED_ERRORS: Edge = edge(100.0, 10.0);

/// A value and its maximum, where it stays below.
fn below(view: &View<'_>, now: Metric, most: Metric) -> Option<(f64, f64)> {
    // The maximum is that of the GPU and its slot together: a slot that can do no more is not at fault.
    view.value(now).zip(view.value(most)).filter(|(now, most)| now < most)
}

pub(super) fn pcie_width(view: &View<'_>) -> Option<String> {
    let (now, most) = below(view, Metric::PcieLinkWidth, Metric::PcieLinkWidthMaximum)?;
    Some(format!("PCIe x{} of x{}", fixed(now, 0), fixed(most, 0)))
}

pub(super) fn pcie_generation(view: &View<'_>) -> Option<String> {
    let busy = view.value(Metric::Busy).filter(|busy| view.is_over(*busy, UNDER_LOAD))?;
    let (now, most) = below(view, Metric::PcieLinkGeneration, Metric::PcieLinkGenerationMaximum)?;
    Some(format!(
        "PCIe generation {} of {} while {} % busy",
        fixed(now, 0),
        fixed(most, 0),
        fixed(busy, 0)
    ))
}

pub(super) fn pcie_replays(view: &View<'_>) -> Option<String> {
    let grown = view.growth(Metric::PcieReplays)?;
    view.is_over(grown, MANY_REPLAYS)
        .then(|| format!("PCIe sent {} packets again in the last minute", fixed(grown, 0)))
}

/// How many NVLinks of a GPU are up, and how many it has; `None` where that is not known of each.
fn nvlinks_up(gpu: &GpuSample) -> Option<(usize, usize)> {
    let links = gpu.values.instances(Metric::NvLinkUp);
    let known: Option<Vec<_>> = links.iter().map(|link| link.value.ok()).collect();
    let known = known?;
    Some((known.iter().filter(|up| **up > 0.0).count(), known.len()))
}

/// Fewer links than another GPU with as many has: one that has no bridge has no link that could be up.
pub(super) fn nvlink_down(view: &View<'_>) -> Option<String> {
    let (up, all) = nvlinks_up(view.now)?;
    let others = view.scene.sample.gpus.iter().filter_map(nvlinks_up);
    let most = others.filter(|(_, links)| *links == all).map(|(up, _)| up).max()?;
    (up < most).then(|| format!("NVLink: {up} of {all} links up, another GPU has {most}"))
}

pub(super) fn nvlink_errors(view: &View<'_>) -> Option<String> {
    let grown = |metric| view.growth(metric).unwrap_or(0.0);
    let severe =
        [(Metric::NvLinkRecoveries, "recoveries"), (Metric::NvLinkDataErrors, "broken packets")];
    let repaired = [
        (Metric::NvLinkReplays, "replays"),
        (Metric::NvLinkFlitErrors, "broken flits"),
        (Metric::NvLinkReceiveErrors, "errors received"),
    ];
    let over = |counts: &[(Metric, &'static str)], edge| {
        let counts = counts.iter().map(|(metric, words)| (grown(*metric), *words));
        let most = counts.max_by(|one, other| one.0.total_cmp(&other.0));
        most.filter(|(count, _)| view.is_over(*count, edge))
    };
    let (count, words) =
        over(&severe, SEVERE_ERRORS).or_else(|| over(&repaired, REPAIRED_ERRORS))?;
    Some(format!("NVLink errors: {} {words} in the last minute", fixed(count, 0)))
}
