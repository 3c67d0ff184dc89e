//! Where the built shared library lies.

use std::path::PathBuf;

use crate::fake::FakeError;

const FILE: &str = "libfake_nvml.so";

/// The shared library that Cargo built with the running test.
pub fn library_path() -> Result<PathBuf, FakeError> {
    let program = std::env::current_exe().map_err(FakeError::NoProgram)?;
    // A test lies in `deps` beside the library; a program lies one folder above.
    let beside = program.ancestors().skip(1).take(2).map(|folder| folder.join(FILE));
    let below = program.with_file_name("deps").join(FILE);
    let found = beside.chain([below]).find(|path| path.is_file());
    found.ok_or(FakeError::NotBuilt { program })
}
