//! What joins the GPUs: each is asked once about those that were found before it, behind its first sample.

use std::sync::{Mutex, MutexGuard, PoisonError};

use nvml_wrapper_sys::bindings::nvmlPciInfo_t;

use super::device::Device;
use super::raw::{COMMON_ANCESTOR, Function, Handle, IndexedGetter, code, function};
use crate::model::{Absent, CommonAncestor, Fact, GpuPair, Instances, LinksBetween};

/// NVML's number for a switch at the other end of a link.
const SWITCH: u32 = 2;

const LINK_STATE: Function<IndexedGetter<u32>> = function!(nvmlDeviceGetNvLinkState);
const REMOTE_PCI: Function<IndexedGetter<nvmlPciInfo_t>> =
    function!(nvmlDeviceGetNvLinkRemotePciInfo_v2);
const REMOTE_KIND: Function<IndexedGetter<u32>> = function!(nvmlDeviceGetNvLinkRemoteDeviceType);

/// What is at the other end of a link that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Switch,
    /// A device by its address.
    Device(String),
    Unknown,
}

/// One GPU of the session.
#[derive(Default)]
struct Peer {
    found: Option<(Handle, Fact<String>)>,
    links: Option<Fact<Vec<End>>>,
}

#[derive(Default)]
struct Known {
    peers: Vec<Peer>,
    /// The positions of two GPUs, the smaller first, and the answer.
    ancestors: Vec<([usize; 2], Fact<CommonAncestor>)>,
    /// Whether something was learned since it was last told.
    news: bool,
}

/// What the GPUs of a session know of one another. It is never locked during a call to the driver.
#[derive(Default)]
pub(super) struct Peers(Mutex<Known>);

impl Peers {
    /// For so many GPUs.
    pub(super) fn new(count: usize) -> Self {
        let peers = (0..count).map(|_| Peer::default()).collect();
        Self(Mutex::new(Known { peers, ancestors: Vec::new(), news: true }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The GPU at this position was found, or found anew, and has this address.
    pub(super) fn found(&self, position: usize, handle: Handle, pci_bus_id: Fact<String>) {
        let mut known = self.known();
        known.ancestors.retain(|(pair, _)| !pair.contains(&position));
        if let Some(peer) = known.peers.get_mut(position) {
            *peer = Peer { found: Some((handle, pci_bus_id)), links: None };
        }
    }

    /// Whether the GPU has still to be asked for its links or about another one.
    pub(super) fn owes(&self, position: usize) -> bool {
        let known = self.known();
        let unasked = known.peers.get(position).is_some_and(|peer| peer.links.is_none());
        unasked || !known.unasked_by(position).is_empty()
    }

    /// Asks the GPU for its links, and for what lies between it and each one that was found.
    pub(super) fn read(&self, position: usize, device: &mut Device) {
        let unasked = self.known().peers.get(position).is_some_and(|peer| peer.links.is_none());
        if unasked {
            let links = ends_of_links(device);
            let mut known = self.known();
            if let Some(peer) = known.peers.get_mut(position) {
                peer.links = Some(links);
                known.news = true;
            }
        }
        let others = self.known().claim(position);
        for (other, handle) in others {
            let which = u32::try_from(other).unwrap_or(u32::MAX);
            let level = device.call(COMMON_ANCESTOR.name, which, |gpu, library| {
                gpu.common_ancestor(library, handle)
            });
            let pair = [position.min(other), position.max(other)];
            let mut known = self.known();
            known.ancestors.retain(|(known, _)| *known != pair);
            known.ancestors.push((pair, level.map(CommonAncestor)));
            known.news = true;
        }
    }

    /// What joins each two GPUs, if something was learned since it was last told.
    pub(super) fn take_news(&self) -> Option<Vec<GpuPair>> {
        let mut known = self.known();
        std::mem::take(&mut known.news).then(|| known.pairs())
    }
}

impl Known {
    /// The GPUs that were found and that neither side has been asked about.
    fn unasked_by(&self, position: usize) -> Vec<(usize, Handle)> {
        let is_asked = |other| {
            let pair = [position.min(other), position.max(other)];
            self.ancestors.iter().any(|(known, _)| *known == pair)
        };
        let others = self.peers.iter().enumerate().filter(|(other, _)| *other != position);
        let found = others.filter_map(|(other, peer)| Some((other, peer.found.as_ref()?.0)));
        found.filter(|(other, _)| !is_asked(*other)).collect()
    }

    /// The same, which nobody else is to ask about meanwhile.
    fn claim(&mut self, position: usize) -> Vec<(usize, Handle)> {
        let unasked = self.unasked_by(position);
        let pair = |(other, _): &(usize, Handle)| [position.min(*other), position.max(*other)];
        self.ancestors.extend(unasked.iter().map(|it| (pair(it), Err(Absent::NotReadYet))));
        unasked
    }

    fn pairs(&self) -> Vec<GpuPair> {
        let count = self.peers.len();
        let each =
            (0..count).flat_map(|first| (first + 1..count).map(move |second| [first, second]));
        let pair = |gpus| GpuPair {
            gpus,
            common_ancestor: self.ancestor(gpus),
            nvlinks: self.links_between(gpus),
        };
        each.map(pair).collect()
    }

    fn ancestor(&self, gpus: [usize; 2]) -> Fact<CommonAncestor> {
        let known = self.ancestors.iter().find(|(pair, _)| *pair == gpus);
        known.map_or(Err(Absent::NotReadYet), |(_, level)| *level)
    }

    /// Direct links are counted from the first GPU; where there are none, both may have links to switches.
    fn links_between(&self, [first, second]: [usize; 2]) -> Fact<LinksBetween> {
        let links = |gpu: usize| match &self.peers[gpu].links {
            Some(Ok(links)) => Ok(links),
            Some(Err(why)) => Err(*why),
            None => Err(Absent::NotReadYet),
        };
        let (ours, theirs) = (links(first)?, links(second)?);
        let count = |links: &[End], is_so: &dyn Fn(&End) -> bool| {
            u32::try_from(links.iter().filter(|end| is_so(end)).count()).unwrap_or(u32::MAX)
        };
        let address =
            self.peers[second].found.as_ref().and_then(|(_, address)| address.as_ref().ok());
        let is_direct = |end: &End| matches!(end, End::Device(at) if Some(at) == address);
        let is_switch = |end: &End| *end == End::Switch;
        let (direct, switched) =
            (count(ours, &is_direct), count(ours, &is_switch).min(count(theirs, &is_switch)));
        let through_switch = direct == 0 && switched > 0;
        let count = if through_switch { switched } else { direct };
        Ok(LinksBetween { count, through_switch })
    }
}

/// What is at the other end of each NVLink that is up; nothing where the GPU has none.
fn ends_of_links(device: &mut Device) -> Fact<Vec<End>> {
    const NO_SUCH_LINK: u32 = code::INVALID_ARGUMENT;
    let mut ends = Vec::new();
    for link in 0..u32::from(Instances::MOST.nvlinks) {
        match device.get_indexed(&LINK_STATE, link) {
            Ok(0) => {}
            Ok(_) => ends.push(end_of_link(device, link)),
            Err(Absent::NvmlError(NO_SUCH_LINK) | Absent::NotSupported) => break,
            Err(why) => return Err(why),
        }
    }
    Ok(ends)
}

fn end_of_link(device: &mut Device, link: u32) -> End {
    if device.get_indexed(&REMOTE_KIND, link) == Ok(SWITCH) {
        return End::Switch;
    }
    let info = device.get_indexed(&REMOTE_PCI, link);
    let address = info.and_then(|info| super::identity::address_of(&info));
    address.map_or(End::Unknown, End::Device)
}

#[cfg(test)]
mod tests {
    use super::{End, Known, Peer};
    use crate::model::{Absent, LinksBetween};

    fn known(links: [Option<Vec<End>>; 2]) -> Known {
        let peer = |links: Option<Vec<End>>| Peer { found: None, links: links.map(Ok) };
        Known { peers: links.map(peer).into(), ancestors: Vec::new(), news: false }
    }

    #[test]
    fn links_to_switches_join_as_many_as_both_have() {
        let known = known([Some(vec![End::Switch; 18]), Some(vec![End::Switch; 17])]);
        let expected = LinksBetween { count: 17, through_switch: true };
        assert_eq!(known.links_between([0, 1]), Ok(expected));
    }

    #[test]
    fn what_was_not_asked_is_not_zero() {
        let one_sided = known([Some(Vec::new()), None]);
        assert_eq!(one_sided.links_between([0, 1]), Err(Absent::NotReadYet));
        let none = known([Some(Vec::new()), Some(vec![End::Unknown])]);
        assert_eq!(
            none.links_between([0, 1]),
            Ok(LinksBetween { count: 0, through_switch: false })
        );
    }
}
