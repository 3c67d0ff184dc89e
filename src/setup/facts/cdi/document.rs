//! The part of a CDI document that is looked at. Fields that are not known are passed over.

use std::path::Path;

use serde::Deserialize;
use serde::Deserializer;

use super::yaml;

/// A document as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) cdi_version: String,
    pub(super) kind: String,
    #[serde(default, deserialize_with = "nothing_is_empty")]
    pub(super) devices: Vec<Device>,
    #[serde(default, deserialize_with = "nothing_is_empty")]
    pub(super) container_edits: Edits,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    pub(super) name: String,
    #[serde(default, deserialize_with = "nothing_is_empty")]
    pub(super) container_edits: Edits,
}

/// What is done to a container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Edits {
    #[serde(default, deserialize_with = "nothing_is_empty")]
    pub(super) device_nodes: Vec<DeviceNode>,
    #[serde(default, deserialize_with = "nothing_is_empty")]
    pub(super) mounts: Vec<Mount>,
    #[serde(default, deserialize_with = "nothing_is_empty")]
    pub(super) hooks: Vec<Hook>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceNode {
    pub(super) path: String,
    /// Where it lies on the host, if elsewhere than in the container.
    #[serde(default)]
    pub(super) host_path: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mount {
    pub(super) host_path: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Hook {
    pub(super) path: String,
}

/// `null` is how some writers spell an empty list.
fn nothing_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// As many letters of a parser's words as are kept: they may quote the file.
const MOST_LETTERS: usize = 300;

/// Reads a document, as JSON or YAML by the ending of its name.
///
/// # Errors
/// The parser's own words, with the line where it has one.
pub(super) fn parse(path: &str, bytes: &[u8]) -> Result<Document, String> {
    let is_json = Path::new(path).extension().is_some_and(|ending| ending == "json");
    let document = if is_json { parse_json(bytes) } else { parse_yaml(bytes) };
    document.map_err(|words| words.chars().take(MOST_LETTERS).collect())
}

fn parse_json(bytes: &[u8]) -> Result<Document, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn parse_yaml(bytes: &[u8]) -> Result<Document, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let value = yaml::parse(text).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Document, parse};
    use proptest::prelude::*;

    const JSON: &str = r#"{"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "annotations": {"a": [1]},
        "devices": [{"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0", "major": 195}],
        "mounts": null}}], "containerEdits": {"env": ["A=b"], "mounts": [{"hostPath": "/a", "containerPath": "/b"}],
        "hooks": [{"hookName": "createContainer", "path": "/bin/hook", "args": ["x"]}]}}"#;
    const YAML: &str = "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: \"0\"\n  containerEdits:\n    \
        deviceNodes:\n    - path: /dev/nvidia0\n      major: 195\ncontainerEdits:\n  mounts:\n  - hostPath: /a\n    \
        containerPath: /b\n    options: [ro, bind]\n  hooks:\n  - hookName: createContainer\n    path: /bin/hook\n";

    #[test]
    fn json_and_yaml_say_the_same() {
        for document in [parse("/x.json", JSON.as_bytes()), parse("/x.yaml", YAML.as_bytes())] {
            let Document { cdi_version, kind, devices, container_edits } = document.unwrap();
            assert_eq!((cdi_version.as_str(), kind.as_str()), ("0.5.0", "nvidia.com/gpu"));
            assert_eq!(devices[0].name, "0");
            assert_eq!(devices[0].container_edits.device_nodes[0].path, "/dev/nvidia0");
            assert_eq!(container_edits.mounts[0].host_path, "/a");
            assert_eq!(container_edits.hooks[0].path, "/bin/hook");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let words = parse("/x.json", &JSON.as_bytes()[..JSON.len() - 1]).unwrap_err();
        assert!(words.contains("line 4"), "{words}");
        let words = parse("/x.yaml", b"kind: nvidia.com/gpu\ndevices: [\n").unwrap_err();
        assert!(words.contains("line"), "{words}");
        let words = parse("/x.yaml", b"kind: nvidia.com/gpu\n").unwrap_err();
        assert!(words.contains("cdiVersion"), "{words}");
        let words = parse("/x.yaml", "x ".repeat(1000).as_bytes()).unwrap_err();
        assert!(words.len() <= 300, "{words}");
        assert!(parse("/x.yaml", b"\xff").is_err());
        assert!(parse("/x.json", b"").is_err());
        assert!(parse("/x.json", "[".repeat(100_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn a_cut_document_is_survived(length in 0..YAML.len()) {
            let _ = parse("/x.yaml", &YAML.as_bytes()[..length]);
            let _ = parse("/x.json", &JSON.as_bytes()[..length]);
        }
    }
}
