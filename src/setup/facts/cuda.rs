//! CUDA toolkits: in every place where one announces itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::environment::Environment;
use super::files::Files;
use super::versions::{package_version, store_name};
use super::{Evidence, Surroundings};
use crate::model::Absent;

/// Where toolkits lie on other distributions.
const PLACES: &[&str] = &["/usr/local/cuda", "/opt/cuda"];

/// The toolkits, and what the SDK's module wrote down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuda {
    /// `/etc/nvidia-sdk-version`, which the SDK's module writes.
    pub sdk_file: Evidence<SdkFile>,
    /// `/etc/cuda-version`, which its documentation names.
    pub cuda_file: Evidence<SdkFile>,
    /// The toolkits that the environment and the usual places lead to, the first as most programs would take it.
    pub toolkits: Vec<Toolkit>,
}

/// What such a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SdkFile {
    /// The version of CUDA.
    pub cuda_version: Option<String>,
    /// The version of the driver that it was made for.
    pub driver_version: Option<String>,
    /// The release of NVIDIA's containers that it matches.
    pub ngc_version: Option<String>,
}

/// A CUDA toolkit, or a place that names one that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolkit {
    /// Its folder in truth; the source is the variable or the path that leads to it.
    pub folder: Evidence<String>,
    /// Its version.
    pub version: Evidence<String>,
    /// The versions of its parts, as its version.json has them.
    pub components: BTreeMap<String, String>,
}

impl Cuda {
    /// The version of the first toolkit that tells one, else what the SDK's files say.
    #[must_use]
    pub fn version(&self) -> Option<Evidence<String>> {
        let told = |toolkit: &&Toolkit| toolkit.version.fact.is_ok();
        if let Some(toolkit) = self.toolkits.iter().find(told) {
            return Some(toolkit.version.clone());
        }
        [&self.sdk_file, &self.cuda_file].into_iter().find_map(|file| {
            let version = file.known()?.cuda_version.clone()?;
            Some(Evidence::new(&file.source, Ok(version)))
        })
    }
}

pub(super) fn read(
    files: Files<'_>,
    surroundings: &Surroundings,
    environment: &Environment,
) -> Cuda {
    let named = ["CUDA_PATH", "CUDA_HOME"].into_iter().filter_map(|name| {
        let path = surroundings.variable(name).ok()?;
        Some((format!("${name}"), path.to_owned()))
    });
    let nvcc = environment.nvcc.known().and_then(|found| found.first()).and_then(|path| {
        let real = files.resolve(path).ok()?;
        let folder = real.parent()?.parent()?;
        Some((path.clone(), folder.to_string_lossy().into_owned()))
    });
    let usual = PLACES.iter().filter(|place| files.exists(place) != Ok(false));
    let usual = usual.map(|place| ((*place).to_owned(), (*place).to_owned()));
    let places = named.chain(nvcc).chain(usual);
    Cuda {
        sdk_file: files.read("/etc/nvidia-sdk-version", sdk_file),
        cuda_file: files.read("/etc/cuda-version", sdk_file),
        toolkits: places.map(|(source, path)| toolkit(files, source, &path)).collect(),
    }
}

fn toolkit(files: Files<'_>, source: String, path: &str) -> Toolkit {
    let is_rooted = path.starts_with('/');
    let folder = if is_rooted { files.resolve(path) } else { Err(Absent::Malformed) };
    let json = format!("{path}/version.json");
    let components = files.read(&json, components);
    let by_name = folder.as_ref().map_err(|why| *why).and_then(|folder| {
        let version = store_name(folder).and_then(package_version);
        version.map(str::to_owned).ok_or(Absent::NotFound)
    });
    let in_json = components.fact.as_ref().map_err(|why| *why);
    let in_json = in_json.and_then(|found| found.get("cuda").cloned().ok_or(Absent::NotFound));
    let version = Evidence::new(json, in_json)
        .or_else(|| files.read(&format!("{path}/version.txt"), version_text))
        .or_else(|| Evidence::new(&source, by_name));
    Toolkit {
        folder: Evidence::new(source, folder.map(|path| path.to_string_lossy().into_owned())),
        version,
        components: components.fact.unwrap_or_default(),
    }
}

/// Lines of `KEY: value`, or a version and nothing else.
fn sdk_file(text: &str) -> Option<SdkFile> {
    let mut file = SdkFile::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (key, value) = line.split_once(':').unwrap_or(("CUDA", line));
        let value = value.trim();
        let field = match key.trim() {
            "NVIDIA SDK" | "CUDA" | "CUDA Version" | "CUDA version" => &mut file.cuda_version,
            "Driver" => &mut file.driver_version,
            "NGC" => &mut file.ngc_version,
            _ => continue,
        };
        if is_version(value) {
            *field = Some(value.to_owned());
        }
    }
    (file != SdkFile::default()).then_some(file)
}

fn is_version(word: &str) -> bool {
    word.len() <= 32
        && word.starts_with(|first: char| first.is_ascii_digit())
        && word.bytes().all(|letter| letter.is_ascii_alphanumeric() || b".-_+".contains(&letter))
}

/// NVIDIA writes an object for each part, `{"cuda": {"version": "13.0.2"}}`; the SDK's packages `{"cuda": "13.1"}`.
fn components(text: &str) -> Option<BTreeMap<String, String>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let version =
        |part: &Value| part.as_str().or_else(|| part.get("version")?.as_str()).map(str::to_owned);
    let parts = value.as_object()?.iter();
    Some(parts.filter_map(|(name, part)| Some((name.clone(), version(part)?))).collect())
}

/// `CUDA Version 10.2.89`.
fn version_text(text: &str) -> Option<String> {
    let word = text.trim().strip_prefix("CUDA Version")?.split_whitespace().next()?;
    is_version(word).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_styles_of_version_json() {
        let nvidia = r#"{"cuda": {"name": "CUDA SDK", "version": "13.0.2"}, "nvcc": {"version": "13.0.88"}}"#;
        assert_eq!(components(nvidia).unwrap()["cuda"], "13.0.2");
        let flat = r#"{"cuda": "13.1", "cudnn": "9.17.0", "odd": 1}"#;
        assert_eq!(components(flat).unwrap()["cudnn"], "9.17.0");
        assert_eq!(components(flat).unwrap().len(), 2);
        assert_eq!(components("[]"), None);
        assert_eq!(components("{"), None);
    }

    #[test]
    fn the_sdks_file_and_a_bare_version() {
        let file = sdk_file("NVIDIA SDK: 13.1\nDriver: 590.44.01\nNGC: 25.12\n").unwrap();
        assert_eq!(file.cuda_version.as_deref(), Some("13.1"));
        assert_eq!(file.driver_version.as_deref(), Some("590.44.01"));
        assert_eq!(file.ngc_version.as_deref(), Some("25.12"));
        assert_eq!(sdk_file("13.0.2\n").unwrap().cuda_version.as_deref(), Some("13.0.2"));
        for text in ["", "\n", "hello", "Driver: none", "Other: 1.0"] {
            assert_eq!(sdk_file(text), None, "{text:?}");
        }
    }

    #[test]
    fn version_txt_of_old_toolkits() {
        assert_eq!(version_text("CUDA Version 10.2.89\n").as_deref(), Some("10.2.89"));
        assert_eq!(version_text("CUDA Version"), None);
        assert_eq!(version_text("10.2"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            sdk_file(&text);
            components(&text);
            version_text(&format!("CUDA Version {text}"));
        }
    }
}
