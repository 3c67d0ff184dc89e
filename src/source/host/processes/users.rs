//! Names of users.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::Sysroot;

/// Names by user id, each looked up once.
pub(super) struct Users {
    passwd: PathBuf,
    names: HashMap<u32, Option<Arc<str>>>,
}

impl Users {
    pub(super) fn new(sysroot: &Sysroot) -> Self {
        Self { passwd: sysroot.path("/etc/passwd"), names: HashMap::new() }
    }

    /// The name of a user, if it has one. The first look at a user may ask the machine's directory service.
    pub(super) fn name(&mut self, id: u32) -> Option<Arc<str>> {
        self.names.entry(id).or_insert_with(|| look_up(&self.passwd, id)).clone()
    }
}

/// Looks into the file first: it is cheap, and sysinfo leaves out the users that may not log in, which are those
/// that services run as. sysinfo, which always asks the real machine, has the users that no file names.
fn look_up(passwd: &std::path::Path, id: u32) -> Option<Arc<str>> {
    if let Ok(text) = crate::source::host::read_text(passwd)
        && let Some(name) = name_in(&text, id)
    {
        return Some(name.into());
    }
    let users = sysinfo::Users::new_with_refreshed_list();
    users.iter().find(|user| **user.id() == id).map(|user| user.name().into())
}

/// The first name that `passwd` has for a user id.
fn name_in(passwd: &str, id: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::{Users, name_in};
    use crate::model::Sysroot;
    use proptest::prelude::*;
    use std::fs;

    const PASSWD: &str = "ada:x:1815:100:Ada:/home/ada:/bin/sh\n\
                          broken\n\
                          :x:7:7::/:\n\
                          second:x:1815:100::/:/bin/false\n\
                          service:x:99:99::/:/bin/false\n";

    #[test]
    fn the_first_name_of_an_id_counts() {
        assert_eq!(name_in(PASSWD, 1815), Some("ada"));
        assert_eq!(name_in(PASSWD, 99), Some("service"));
        assert_eq!(name_in(PASSWD, 7), None);
        assert_eq!(name_in("", 0), None);
    }

    #[test]
    fn names_and_their_absence_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        fs::create_dir(sysroot.path("/etc")).unwrap();
        fs::write(sysroot.path("/etc/passwd"), PASSWD).unwrap();
        let mut users = Users::new(&sysroot);
        assert_eq!(users.name(99).as_deref(), Some("service"));
        assert_eq!(users.name(u32::MAX), None);

        let renamed = format!("{}late:x:{}:0::/:\n", PASSWD.replace("service", "other"), u32::MAX);
        fs::write(sysroot.path("/etc/passwd"), renamed).unwrap();
        assert_eq!(users.name(99).as_deref(), Some("service"));
        assert_eq!(users.name(u32::MAX), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), id in any::<u32>()) {
            name_in(&text, id);
        }
    }
}
