//! The file in which the draft outlives the program.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::shelf::Shelf;
use super::temporary::{Temporary, open_folder};
use crate::config::ConfigError;
use crate::setup::Plan;
use crate::setup::draft::Draft;

/// The longest draft that is read; all options together are a hundredth of it.
const MOST_BYTES: u64 = 1 << 20;

/// The draft's file, `draft.toml` in the program's state folder.
#[derive(Clone, Debug)]
pub struct DraftFile {
    state: PathBuf,
    path: PathBuf,
}

/// What the draft's file says.
#[derive(Debug)]
pub struct Loaded {
    /// The draft; empty where there is none that can be read.
    pub draft: Draft,
    /// What is wrong with the file.
    pub warning: Option<ConfigError>,
}

/// The draft cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the draft {} cannot be written: {source}; {}", path.display(), remedy(source))]
pub struct DraftFileError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::PermissionDenied => {
            "make its folder yours, or name another one with XDG_STATE_HOME"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space there",
        _ => "mend what is in the way, or name another folder with XDG_STATE_HOME",
    }
}

impl DraftFile {
    /// The draft in this state folder, which need not exist.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self { state: state.to_owned(), path: state.join("draft.toml") }
    }

    /// Reads the draft. Nothing is changed, so that what is wrong in the file can be mended.
    #[must_use]
    pub fn load(&self) -> Loaded {
        match self.read() {
            Ok(draft) => Loaded { draft, warning: None },
            Err(warning) => Loaded { draft: Draft::default(), warning: Some(warning) },
        }
    }

    fn read(&self) -> Result<Draft, ConfigError> {
        let path = self.path.clone();
        match self.bytes() {
            Ok(None) => Ok(Draft::default()),
            Ok(Some(bytes)) => parse(&bytes, path),
            Err(source) => Err(ConfigError::Unreadable { path, source }),
        }
    }

    /// What the file holds, if there is one.
    fn bytes(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(io::Error::other("it is no file")),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut bytes = Vec::new();
        fs::File::open(&self.path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(Some(bytes))
    }

    /// Replaces the draft. A file that cannot be understood is kept among the backups first, and where is the answer.
    pub fn save(&self, draft: &Draft) -> Result<Option<PathBuf>, DraftFileError> {
        self.try_save(draft).map_err(|source| self.error(source))
    }

    fn try_save(&self, draft: &Draft) -> io::Result<Option<PathBuf>> {
        let text = toml::to_string(draft).map_err(io::Error::other)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.state)?;
        let aside = self.keep_aside()?;
        let folder = open_folder(&self.state)?;
        let mut file = Temporary::create(&folder, 0o600)?;
        file.write(text.as_bytes())?;
        file.replace("draft.toml".as_ref())?;
        folder.sync_all()?;
        Ok(aside)
    }

    /// Removes the draft. A file that cannot be understood is kept as in [`Self::save`].
    pub fn discard(&self) -> Result<Option<PathBuf>, DraftFileError> {
        let aside = self.keep_aside().map_err(|source| self.error(source))?;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.error(error)),
            _ => Ok(aside),
        }
    }

    /// Forgets the choices that `plan` wrote: what is declared now is no choice any more. What is left to the user stays.
    pub fn forget_written(&self, plan: &Plan) {
        if plan.not_written().next().is_none() {
            // A draft that stays chooses what is declared, which changes nothing.
            drop(self.discard());
        }
    }

    fn keep_aside(&self) -> io::Result<Option<PathBuf>> {
        let broken = self.bytes()?.filter(|bytes| parse(bytes, self.path.clone()).is_err());
        broken.map(|bytes| Shelf::backups(&self.state).keep(&self.path, &bytes)).transpose()
    }

    fn error(&self, source: io::Error) -> DraftFileError {
        DraftFileError { path: self.path.clone(), source }
    }
}

fn parse(bytes: &[u8], path: PathBuf) -> Result<Draft, ConfigError> {
    match str::from_utf8(bytes) {
        Ok(text) => {
            toml::from_str(text).map_err(|error| ConfigError::from_toml(path, text, &error))
        }
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let message = "the text is not UTF-8".to_owned();
            Err(ConfigError::after(path, &String::from_utf8_lossy(good), message))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::os::unix::fs::PermissionsExt as _;

    use proptest::prelude::*;

    use super::DraftFile;
    use crate::setup::draft::{Draft, Value};

    fn draft() -> Draft {
        let values = [
            ("driver.open", Value::Bool(true)),
            ("driver.package", Value::Text("production".to_owned())),
            ("systemPackages", Value::List(vec!["a\"b\\${c}\n\0".to_owned(), String::new()])),
        ];
        let values = values.map(|(path, value)| (path.to_owned(), value)).into();
        Draft { entry: Some("/etc/nixos#box".to_owned()), values }
    }

    #[test]
    fn an_error_says_what_helps() {
        let said = |kind: io::ErrorKind| super::remedy(&kind.into());
        assert!(said(io::ErrorKind::PermissionDenied).contains("make its folder yours"));
        assert!(said(io::ErrorKind::StorageFull).contains("free some space"));
        assert!(said(io::ErrorKind::NotADirectory).contains("mend what is in the way"));
    }

    #[test]
    fn a_draft_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/state");
        let file = DraftFile::new(&state);
        assert!(file.load().draft.is_empty());
        assert!(file.load().warning.is_none());
        assert_eq!(file.save(&draft()).unwrap(), None);
        assert_eq!(file.load().draft, draft());
        let first = fs::read(state.join("draft.toml")).unwrap();
        file.save(&draft()).unwrap();
        assert_eq!(fs::read(state.join("draft.toml")).unwrap(), first);
        let mode = fs::metadata(state.join("draft.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(file.discard().unwrap(), None);
        assert_eq!(file.discard().unwrap(), None);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
    }

    #[test]
    fn a_broken_draft_says_where_and_is_not_lost() {
        for (text, place) in [
            (
                &b"entry = \"x\"\n[values]\n\"a.b\" = 5\n"[..],
                "line 3, column 9: invalid type: integer",
            ),
            (b"[values]\n\"a\" = [true]\n", "line 2, column 8: invalid type: boolean"),
            (b"what = 1\n", "line 1, column 1: unknown field `what`"),
            (b"[values]\na = true\na = true\n", "line 3, column 1: duplicate key"),
            (b"[values\n", "line 1, column 8: "),
            (b"# \xc3\xa4\n \xff\n", "line 2, column 2: the text is not UTF-8"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("draft.toml");
            fs::write(&path, text).unwrap();
            let file = DraftFile::new(folder.path());
            let loaded = file.load();
            assert_eq!(loaded.draft, Draft::default());
            let warning = loaded.warning.unwrap().to_string();
            assert!(warning.contains(&format!("draft.toml, {place}")), "{warning}");
            assert_eq!(fs::read(&path).unwrap(), text);
            let aside = file.save(&draft()).unwrap().unwrap();
            assert_eq!(fs::read(aside).unwrap(), text);
            assert_eq!(file.load().draft, draft());
        }
    }

    #[test]
    fn a_broken_draft_that_is_discarded_is_kept_too() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("draft.toml"), "x").unwrap();
        let file = DraftFile::new(folder.path());
        assert_eq!(fs::read(file.discard().unwrap().unwrap()).unwrap(), b"x");
        assert!(file.load().warning.is_none());
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("draft.toml");
        fs::create_dir(&path).unwrap();
        let file = DraftFile::new(folder.path());
        assert!(file.load().warning.unwrap().to_string().contains("it is no file"));
        let error = file.save(&draft()).unwrap_err().to_string();
        assert!(error.contains("draft.toml cannot be written: it is no file; "), "{error}");
        assert!(file.discard().is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{path:?} alone");
    }

    #[test]
    fn a_draft_that_cannot_be_kept_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("state"), "").unwrap();
        let error = DraftFile::new(&folder.path().join("state")).save(&draft()).unwrap_err();
        assert!(error.to_string().contains("state/draft.toml cannot be written: "), "{error}");
    }

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<String>().prop_map(Value::Text),
            prop::collection::vec(any::<String>(), 0..4).prop_map(Value::List),
        ]
    }

    proptest! {
        #[test]
        fn every_draft_reads_back(
            entry in any::<Option<String>>(),
            values in prop::collection::btree_map(any::<String>(), values(), 0..6),
        ) {
            let draft = Draft { entry, values };
            let text = toml::to_string(&draft).unwrap();
            prop_assert_eq!(toml::from_str::<Draft>(&text).unwrap(), draft);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = super::parse(&bytes, "draft.toml".into());
        }
    }
}
