//! What names tell: those of store paths, libraries and packages.

use std::path::Path;

/// The letters of a store path's hash.
const HASH_LETTERS: usize = 32;

/// The name of the store path that a path leads into: `linux-6.12.40` of `/nix/store/HASH-linux-6.12.40/bzImage`.
pub(super) fn store_name(path: &Path) -> Option<&str> {
    let entry = path.strip_prefix("/nix/store").ok()?.iter().next()?.to_str()?;
    let (hash, name) = (entry.get(..HASH_LETTERS)?, entry.get(HASH_LETTERS..)?);
    let name = name.strip_prefix('-')?;
    hash.bytes().all(|letter| letter.is_ascii_alphanumeric()).then_some(name)
}

/// The store path itself, without what lies in it.
pub(super) fn store_path(path: &Path) -> Option<&Path> {
    store_name(path)?;
    path.ancestors().find(|above| above.parent() == Some(Path::new("/nix/store")))
}

/// Whether a word is a version of NVIDIA's driver: two or three numbers, the first of three digits.
pub(super) fn is_driver_version(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    let is_number =
        |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (2..=3).contains(&parts.len()) && parts.iter().all(is_number) && parts[0].len() == 3
}

/// The driver's version in the name of a package, which may hold the kernel's too.
pub(super) fn driver_version(name: &str) -> Option<&str> {
    name.split('-').find(|word| is_driver_version(word))
}

/// The driver's version at the end of a library's name: `libcuda.so.580.95.05`.
pub(super) fn library_version(file_name: &str) -> Option<&str> {
    let (_, version) = file_name.rsplit_once(".so.")?;
    is_driver_version(version).then_some(version)
}

/// The version in a package's name: from the first word that begins with a digit. What follows it, such as the name of
/// an output, is left out.
pub(super) fn package_version(name: &str) -> Option<&str> {
    let words = name.split('-').skip(1);
    words.into_iter().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "0123456789abcdfghijklmnpqrsvwxyz";

    #[test]
    fn the_name_of_a_store_path() {
        let path = format!("/nix/store/{HASH}-linux-6.12.40/bzImage");
        assert_eq!(store_name(Path::new(&path)), Some("linux-6.12.40"));
        let whole = format!("/nix/store/{HASH}-linux-6.12.40");
        assert_eq!(store_path(Path::new(&path)), Some(Path::new(&whole)));
        for path in ["/nix/store", "/nix/store/short-name", "/usr/lib/a", "", "/nix/store/é"] {
            assert_eq!(store_name(Path::new(path)), None, "{path}");
            assert_eq!(store_path(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn the_drivers_version_is_told_from_the_kernels() {
        assert_eq!(driver_version("nvidia-x11-580.95.05-6.12.40"), Some("580.95.05"));
        assert_eq!(driver_version("nvidia-open-6.12.40-580.95.05"), Some("580.95.05"));
        assert_eq!(driver_version("nvidia-dc-570.124-6.12.40-hardened1-bin"), Some("570.124"));
        assert_eq!(driver_version("linux-6.12.40-modules"), None);
        for word in ["580", "580.", "58.95.05", "5800.1", "580.95.05.1", "580.x", "580.12345"] {
            assert!(!is_driver_version(word), "{word}");
        }
    }

    #[test]
    fn the_version_of_a_library() {
        assert_eq!(library_version("libcuda.so.580.95.05"), Some("580.95.05"));
        assert_eq!(library_version("libcuda.so.1"), None);
        assert_eq!(library_version("libnvidia-egl-gbm.so.1.1.2"), None);
        assert_eq!(library_version("libcuda.so"), None);
    }

    #[test]
    fn the_version_of_a_package() {
        assert_eq!(package_version("docker-27.5.1"), Some("27.5.1"));
        assert_eq!(package_version("cuda-merged-12.8"), Some("12.8"));
        assert_eq!(package_version("podman-5.4.1-bin"), Some("5.4.1"));
        assert_eq!(package_version("docker"), None);
    }

    proptest! {
        #[test]
        fn any_name_is_survived(name in any::<String>()) {
            store_name(Path::new(&name));
            store_path(Path::new(&format!("/nix/store/{name}")));
            driver_version(&name);
            library_version(&name);
            package_version(&name);
        }
    }
}
