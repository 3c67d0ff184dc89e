//! Which GPUs the user wants to see.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::model::{Gpu, PciAddress};

/// A choice among the GPUs of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GpuSelection {
    /// All of them.
    #[default]
    All,
    /// Those that a CUDA program started here would see.
    Visible,
    /// Those with these names.
    Named(Vec<GpuName>),
}

/// One way to name a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuName {
    /// By NVML's index.
    Index(u32),
    /// By its UUID or the beginning of it, in small letters.
    Uuid(String),
    /// By its place on the PCI bus.
    Pci(PciAddress),
}

/// What a selection comes to on one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picked {
    /// The positions of the GPUs in the inventory, ascending.
    pub positions: Vec<usize>,
    /// What was named and is not there.
    pub missing: Vec<String>,
}

impl GpuSelection {
    /// Picks from `gpus`; `visible` is the value of `CUDA_VISIBLE_DEVICES`, where it is set.
    #[must_use]
    pub fn pick(&self, gpus: &[Gpu], visible: Option<&str>) -> Picked {
        match (self, visible) {
            (Self::All, _) | (Self::Visible, None) => {
                Picked { positions: (0..gpus.len()).collect(), missing: Vec::new() }
            }
            (Self::Visible, Some(list)) => pick_visible(list, gpus),
            (Self::Named(names), _) => pick_named(names, gpus),
        }
    }
}

fn pick_named(names: &[GpuName], gpus: &[Gpu]) -> Picked {
    let is_there = |name: &GpuName| gpus.iter().any(|gpu| name.fits(gpu));
    let is_wanted = |gpu: &Gpu| names.iter().any(|name| name.fits(gpu));
    Picked {
        positions: (0..gpus.len()).filter(|position| is_wanted(&gpus[*position])).collect(),
        missing: names.iter().filter(|name| !is_there(name)).map(ToString::to_string).collect(),
    }
}

/// As CUDA reads it: what stands behind the first name that is not one GPU counts no more, and a GPU named twice hides
/// all. Indices are NVML's, which are CUDA's under `CUDA_DEVICE_ORDER=PCI_BUS_ID`.
fn pick_visible(list: &str, gpus: &[Gpu]) -> Picked {
    let mut picked = Picked::default();
    for word in list.split(',').map(str::trim).take_while(|word| !word.is_empty()) {
        match only_gpu(word, gpus) {
            Some(twice) if picked.positions.contains(&twice) => return Picked::default(),
            Some(position) => picked.positions.push(position),
            None => {
                // -1 is how people write "none".
                picked.missing.extend((word != "-1").then(|| word.to_owned()));
                break;
            }
        }
    }
    picked.positions.sort_unstable();
    picked
}

/// The position of the one GPU of this name. `MIG-GPU-…/1/0` names an instance by its GPU.
fn only_gpu(word: &str, gpus: &[Gpu]) -> Option<usize> {
    let parent = word.strip_prefix("MIG-").filter(|parent| parent.starts_with("GPU-"));
    let name: GpuName = parent.map_or(word, until_slash).parse().ok()?;
    let mut fitting = (0..gpus.len()).filter(|position| name.fits(&gpus[*position]));
    fitting.next().filter(|_| fitting.next().is_none())
}

fn until_slash(text: &str) -> &str {
    text.split('/').next().unwrap_or(text)
}

impl GpuName {
    fn fits(&self, gpu: &Gpu) -> bool {
        match self {
            Self::Index(index) => gpu.index == *index,
            Self::Uuid(start) => {
                let uuid = gpu.uuid.as_ref().map(|uuid| uuid.to_ascii_lowercase());
                uuid.is_ok_and(|uuid| uuid.starts_with(start))
            }
            Self::Pci(address) => {
                gpu.pci_bus_id.as_ref().is_ok_and(|id| id.parse() == Ok(*address))
            }
        }
    }
}

/// A text that names no GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no GPU; write all, visible, or with commas between them indices such as 0 or 0-3, UUIDs such as \
     GPU-8932f937 and PCI addresses such as 18:00.0"
)]
pub struct GpuSelectionError(String);

impl FromStr for GpuSelection {
    type Err = GpuSelectionError;

    fn from_str(text: &str) -> Result<Self, GpuSelectionError> {
        match text.trim() {
            "all" => Ok(Self::All),
            "visible" => Ok(Self::Visible),
            list => {
                let mut names = Vec::new();
                for word in list.split(',') {
                    match range(word) {
                        Some(indices) => names.extend(indices.map(GpuName::Index)),
                        None => names.push(word.parse()?),
                    }
                }
                Ok(Self::Named(names))
            }
        }
    }
}

/// The most GPUs that a range names.
const WIDEST_RANGE: u32 = 1024;

/// The indices of a range such as `0-3`.
fn range(word: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = word.trim().split_once('-')?;
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let [first, last]: [u32; 2] =
        match (is_plain(first) && is_plain(last), first.parse(), last.parse()) {
            (true, Ok(first), Ok(last)) => [first, last],
            _ => return None,
        };
    last.checked_sub(first).filter(|more| *more < WIDEST_RANGE).map(|_| first..=last)
}

impl FromStr for GpuName {
    type Err = GpuSelectionError;

    fn from_str(text: &str) -> Result<Self, GpuSelectionError> {
        let word = text.trim().to_ascii_lowercase();
        let pci = || whole_address(&word).parse().ok().map(Self::Pci);
        let name = match word.strip_prefix("gpu-") {
            Some("") => None,
            Some(_) => Some(Self::Uuid(word)),
            // Only digits: `+1` would be read as a number, too.
            None if word.bytes().all(|byte| byte.is_ascii_digit()) => {
                word.parse().ok().map(Self::Index)
            }
            None => pci(),
        };
        name.ok_or_else(|| GpuSelectionError(text.to_owned()))
    }
}

/// A PCI address with its domain and its function, which people leave out.
fn whole_address(text: &str) -> String {
    let domain = if text.matches(':').count() == 1 { "0000:" } else { "" };
    let function = if text.contains('.') { "" } else { ".0" };
    format!("{domain}{text}{function}")
}

impl fmt::Display for GpuName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Uuid(start) => write!(f, "GPU-{}", start.trim_start_matches("gpu-")),
            Self::Pci(address) => address.fmt(f),
        }
    }
}

super::deserialize_from_text!(GpuSelection, "a text such as \"0,3\", \"visible\" or \"all\"");

#[cfg(test)]
mod tests {
    use super::{GpuSelection, Picked};
    use crate::model::{Absent, Gpu};
    use proptest::prelude::*;

    fn gpus() -> Vec<Gpu> {
        let rows = ["GPU-8932f937-d72c", "GPU-8932aaaa-0001", "GPU-1b2c3d4e-0002"];
        let gpu = |(index, uuid): (u32, &str)| Gpu {
            uuid: Ok(uuid.to_owned()),
            pci_bus_id: Ok(format!("0000:{:02x}:00.0", 0x18 + index)),
            ..Gpu::unknown(index, Absent::NotSupported)
        };
        let asleep = Gpu::unknown(3, Absent::Asleep);
        (0..).zip(rows).map(gpu).chain([asleep]).collect()
    }

    fn pick(selection: &str, visible: Option<&str>) -> (Vec<usize>, Vec<String>) {
        let Picked { positions, missing } =
            selection.parse::<GpuSelection>().unwrap().pick(&gpus(), visible);
        (positions, missing)
    }

    #[test]
    fn gpus_are_named_by_index_uuid_and_place() {
        assert_eq!(pick("all", Some("0")).0, [0, 1, 2, 3]);
        assert_eq!(pick("3, 0", None).0, [0, 3]);
        assert_eq!(pick("1-3", None).0, [1, 2, 3]);
        assert_eq!(pick("0, 2-2", None).0, [0, 2]);
        assert_eq!(pick("3-4", None), (vec![3], vec!["4".to_owned()]));
        assert_eq!(pick("GPU-8932F937", None).0, [0]);
        assert_eq!(pick("gpu-8932", None).0, [0, 1]);
        assert_eq!(pick("18:00.0,0000:19:00,00000000:1A:00.0", None).0, [0, 1, 2]);
        assert_eq!(
            pick("0,7,GPU-ff,99:00.0", None),
            (vec![0], vec!["7".to_owned(), "GPU-ff".to_owned(), "0000:99:00.0".to_owned()])
        );
    }

    #[test]
    fn visible_is_what_cuda_would_see() {
        let visible = |list| pick("visible", list).0;
        assert_eq!(visible(None), [0, 1, 2, 3]);
        assert_eq!(visible(Some("2,0")), [0, 2]);
        assert_eq!(visible(Some("0, 1")), [0, 1]);
        assert_eq!(visible(Some("GPU-1b,GPU-8932f")), [0, 2]);
        assert_eq!(visible(Some("MIG-GPU-1b2c3d4e-0002/1/0")), [2]);
        for none in ["", "-1", "-1,0", "7,0", "GPU-8932", "0,0", "MIG-3c1a", "x"] {
            assert_eq!(visible(Some(none)), [0; 0], "{none}");
        }
        assert_eq!(visible(Some("1,-1,2")), [1]);
        assert_eq!(pick("visible", Some("1,9,2")), (vec![1], vec!["9".to_owned()]));
    }

    #[test]
    fn what_names_no_gpu_is_an_error() {
        for wrong in [
            "3-0",
            "0-",
            "0-4294967295",
            "0-1-2",
            "+0-1",
            "",
            "0,",
            "GPU-",
            "+1",
            "-1",
            "first",
            "18:",
            ":00.0",
            "18:00.0.0",
            "1ff:00",
        ] {
            assert!(wrong.parse::<GpuSelection>().is_err(), "{wrong}");
        }
        let message = "0,x\u{1b}".parse::<GpuSelection>().unwrap_err().to_string();
        assert!(message.starts_with("\"x\\u{1b}\" names no GPU; write all"), "{message}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), visible in any::<Option<String>>()) {
            let selection = text.parse().unwrap_or(GpuSelection::Visible);
            let picked = selection.pick(&gpus(), visible.as_deref());
            prop_assert!(picked.positions.is_sorted_by(|a, b| a < b));
        }
    }
}
