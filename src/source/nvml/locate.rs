//! Where NVML may lie, and which of the libraries found there is the driver's.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::raw::{Library, OpenError, code, version_of_library};
use crate::model::Sysroot;
use crate::source::SourceError;
use crate::source::host::kernel_driver;

/// The name by which the dynamic linker knows the driver's library.
const SONAME: &str = "libnvidia-ml.so.1";
/// WSL's, which a distribution's own package of the driver may hide.
const WSL: &str = "/usr/lib/wsl/lib/libnvidia-ml.so.1";

/// Where to look, in this order, when no library is named.
fn candidates(sysroot: &Sysroot) -> Vec<OsString> {
    let wsl_first = sysroot.path("/dev/dxg").exists().then_some(WSL);
    let usual = [
        SONAME,
        "/run/opengl-driver/lib/libnvidia-ml.so.1",
        WSL,
        "/usr/lib/x86_64-linux-gnu/nvidia/current/libnvidia-ml.so.1",
        "/usr/lib/aarch64-linux-gnu/nvidia/current/libnvidia-ml.so.1",
        "libnvidia-ml.so",
    ];
    wsl_first.into_iter().chain(usual).map(OsString::from).collect()
}

/// Loads and initialises the driver's NVML.
///
/// With `named` only that library is tried. Without, the first that initialises is taken; the CUDA toolkit's stubs
/// and libraries of another driver fail at that and are passed over.
pub(super) fn open(
    named: Option<&Path>,
    sysroot: &Sysroot,
    attach: bool,
) -> Result<(Library, String), SourceError> {
    let paths = match named {
        Some(path) => vec![path.as_os_str().to_owned()],
        None => candidates(sysroot),
    };
    let mut failures = Vec::new();
    for path in paths {
        match Library::open(&path, attach) {
            Ok(library) => return Ok((library, path.to_string_lossy().into_owned())),
            Err(error) => failures.push((path, error)),
        }
    }
    Err(explain(named.is_some(), &failures, sysroot))
}

/// The one sentence about all the failures: what a library that loaded has to say outweighs those that are not there.
fn explain(named: bool, failures: &[(OsString, OpenError)], sysroot: &Sysroot) -> SourceError {
    let stub = |error: &OpenError| {
        matches!(
            error,
            OpenError::NotNvml
                | OpenError::Init(code::LIBRARY_NOT_FOUND | code::FUNCTION_NOT_FOUND)
        )
    };
    let loaded = |error: &OpenError| !matches!(error, OpenError::Load(_));
    let telling = failures
        .iter()
        .find(|(_, error)| loaded(error) && !stub(error))
        .or_else(|| failures.iter().find(|(_, error)| loaded(error)))
        .or_else(|| failures.first().filter(|_| named));
    match telling {
        Some((path, error)) => explain_one(path, error, sysroot),
        None => SourceError::NothingFound {
            tried: failures.iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect(),
        },
    }
}

fn explain_one(path: &OsStr, error: &OpenError, sysroot: &Sysroot) -> SourceError {
    let library = path.display();
    match error {
        OpenError::Load(words) => {
            // The linker's words begin with the path, unless they are about another library that this one needs.
            let words = words.strip_prefix(&format!("{library}: ")).unwrap_or(words);
            SourceError::NoLibrary(format!(
                "cannot load {library}: {words}; name the driver's libnvidia-ml.so.1 with --nvml-lib or NVSDK_TOP_NVML"
            ))
        }
        OpenError::NotNvml => SourceError::NoLibrary(format!(
            "{library} is not an NVML library: it has no nvmlInit; name the driver's libnvidia-ml.so.1 with --nvml-lib"
        )),
        OpenError::Init(code::LIBRARY_NOT_FOUND | code::FUNCTION_NOT_FOUND) => {
            SourceError::NoLibrary(format!(
                "{library} is only a stub of NVML; install the NVIDIA driver, or name its libnvidia-ml.so.1 with --nvml-lib"
            ))
        }
        OpenError::Init(code::DRIVER_NOT_LOADED) => SourceError::NoDriver(format!(
            "the NVIDIA kernel driver is not loaded ({library} is there{}); load it with modprobe nvidia, or reboot after an installation",
            version_of_library(path)
                .map(|version| format!(", version {version}"))
                .unwrap_or_default()
        )),
        OpenError::Init(code::LIB_RM_VERSION_MISMATCH) => {
            SourceError::NoDriver(explain_mismatch(path, sysroot))
        }
        OpenError::Init(code::NO_PERMISSION) => SourceError::Driver(format!(
            "this user may not use the NVIDIA driver (nvmlInit of {library}); look at the permissions of /dev/nvidiactl"
        )),
        OpenError::Init(code::UNKNOWN) => SourceError::Driver(format!(
            "nvmlInit of {library} failed without a reason; in a container, start it anew: a reload of systemd takes its device access away"
        )),
        OpenError::Init(code) => SourceError::Driver(format!(
            "nvmlInit of {library} answered with error {code}; look at the kernel log (dmesg) for lines with NVRM"
        )),
    }
}

fn explain_mismatch(path: &OsStr, sysroot: &Sysroot) -> String {
    let library = version_of_library(path);
    let library = library.as_deref().map_or("another", driver_part);
    let driver = kernel_driver(sysroot);
    let driver = driver.as_ref().map_or("another", |driver| &driver.version);
    format!(
        "the NVML library belongs to driver {library} and the loaded kernel driver is {driver}; reboot, or unload and load the nvidia modules"
    )
}

/// NVML's version is that of its driver behind CUDA's major version: `13.580.95.05`.
fn driver_part(nvml_version: &str) -> &str {
    match nvml_version.split_once('.') {
        Some((cuda, driver)) if cuda.len() <= 2 && driver.contains('.') => driver,
        _ => nvml_version,
    }
}

#[cfg(test)]
mod tests {
    use super::{OpenError, OsString, SourceError, candidates, driver_part, explain};
    use crate::model::Sysroot;

    fn failure(path: &str, error: OpenError) -> (OsString, OpenError) {
        (path.into(), error)
    }

    #[test]
    fn the_drivers_version_stands_in_nvmls() {
        assert_eq!(driver_part("12.535.309.01"), "535.309.01");
        assert_eq!(driver_part("13.580.142"), "580.142");
        assert_eq!(driver_part("470.256.02"), "470.256.02");
    }

    #[test]
    fn on_wsl_its_own_library_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        assert_eq!(candidates(&sysroot)[0], "libnvidia-ml.so.1");
        std::fs::create_dir(folder.path().join("dev")).unwrap();
        std::fs::write(folder.path().join("dev/dxg"), "").unwrap();
        assert_eq!(candidates(&sysroot)[0], "/usr/lib/wsl/lib/libnvidia-ml.so.1");
    }

    #[test]
    fn a_driver_that_is_down_outweighs_libraries_that_are_not_there_and_stubs() {
        let failures = [
            failure("a", OpenError::Load("no such file".to_owned())),
            failure("stubs/b", OpenError::Init(12)),
            failure("c", OpenError::Init(9)),
        ];
        let error = explain(false, &failures, &Sysroot::new("/nonexistent"));
        assert!(
            matches!(&error, SourceError::NoDriver(words) if words.contains("not loaded")),
            "{error}"
        );
        let error = explain(false, &failures[..2], &Sysroot::new("/nonexistent"));
        assert!(
            matches!(&error, SourceError::NoLibrary(words) if words.contains("stub")),
            "{error}"
        );
        let error = explain(false, &failures[..1], &Sysroot::new("/nonexistent"));
        assert!(
            matches!(&error, SourceError::NothingFound { tried } if *tried == ["a"]),
            "{error}"
        );
    }
}
