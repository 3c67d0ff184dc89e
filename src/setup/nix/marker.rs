//! The comment line that tells the program's own files from the user's, and whether somebody has changed one since.

use std::fmt;

/// What the line begins with.
const START: &str = "# nvsdk-top:model v1 ";

/// Whose options a written file sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Those of nixpkgs alone.
    Standalone,
    /// `hardware.nvidia-sdk`, which the upstream flake's module declares.
    Snippet,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 2] = [Mode::Standalone, Mode::Snippet];

    /// The word that names it in files and arguments.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Mode::Standalone => "standalone",
            Mode::Snippet => "snippet",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What the marker of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// Whose options the file sets.
    pub mode: Mode,
    /// Whether the file is no longer as it was written: it is the user's from then on.
    pub is_hand_edited: bool,
}

impl Marker {
    /// Looks for the marker in the comment lines that a file begins with. A file without one, or with that of another
    /// version of the program, is the user's.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut start = 0;
        for line in text.split_inclusive('\n').take_while(|line| line.starts_with('#')) {
            if let Some(rest) = line.strip_prefix(START) {
                let (before, after) = (&text[..start], &text[start + line.len()..]);
                return Self::parse(rest.trim_end(), &hash(before, after));
            }
            start += line.len();
        }
        None
    }

    /// `rest` is the line behind its start, `hash` that of the other lines as they are now. A marker that does not tell
    /// its hash vouches for nothing.
    fn parse(rest: &str, hash: &str) -> Option<Self> {
        let word =
            |key: &str| rest.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let mode = word("mode")?;
        let mode = Mode::ALL.into_iter().find(|known| known.word() == mode)?;
        Some(Marker { mode, is_hand_edited: word("body") != Some(hash) })
    }
}

/// A file with its marker between the comment lines and the rest. Nothing in it tells the time, so that the same model
/// gives the same bytes.
pub(super) fn marked(mode: Mode, comments: &str, rest: &str) -> String {
    format!("{comments}{START}mode={mode} body={}\n{rest}", hash(comments, rest))
}

/// Of all lines but the marker itself: a remark above it is the user's, too.
fn hash(before: &str, after: &str) -> String {
    let mut hash = hmac_sha256::Hash::new();
    hash.update(before);
    hash.update(after);
    let digits = hash.finalize().into_iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> String {
        marked(Mode::Snippet, "# What this is.\n", "{ ... }:\n{ }\n")
    }

    #[test]
    fn the_line_carries_the_hash_of_the_others() {
        // sha256sum of the text without its second line.
        let hash = "712544261c076d2c0f06cedef212b31b59a4e73c509c1fbebdd08d1f6151d828";
        let marker = format!("# nvsdk-top:model v1 mode=snippet body=sha256:{hash}\n");
        assert_eq!(written(), format!("# What this is.\n{marker}{{ ... }}:\n{{ }}\n"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for mode in Mode::ALL {
            let marker = Marker { mode, is_hand_edited: false };
            assert_eq!(Marker::read(&marked(mode, "", "{ }\n")), Some(marker));
            assert_eq!(Marker::read(&marked(mode, "# a\n# b\n", "{ }\n")), Some(marker));
        }
    }

    #[test]
    fn every_change_by_hand_is_seen() {
        let edited = Some(Marker { mode: Mode::Snippet, is_hand_edited: true });
        let text = written();
        for changed in [
            text.replace("{ }", "{ a = 1; }"),
            text.replace("What", "what"),
            text.replace('\n', "\r\n"),
            format!("# My own remark.\n{text}"),
            format!("{text}\n"),
            text.trim_end().to_owned(),
            text.replace(" body=sha256:", " body=sha512:"),
            text.replace(" body=sha256:", " body=sha256:0"),
        ] {
            assert_eq!(Marker::read(&changed), edited, "{changed:?}");
        }
        assert_eq!(Marker::read("# nvsdk-top:model v1 mode=snippet\n{ }\n"), edited, "no hash");
    }

    #[test]
    fn a_file_without_a_marker_is_the_users() {
        let text = written();
        for foreign in [
            String::new(),
            "# A comment.\n{ }\n".to_owned(),
            text.replace(" v1 ", " v2 "),
            text.replace("mode=snippet", "mode=other"),
            text.replace("mode=snippet ", ""),
            text.replace("# nvsdk-top", " # nvsdk-top"),
            format!("{{ }}\n{text}"),
        ] {
            assert_eq!(Marker::read(&foreign), None, "{foreign:?}");
        }
    }
}
