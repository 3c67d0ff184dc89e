//! The role table: one row for each thing that a theme can give a look of its own.

use crate::model::Severity;

/// One row of the role table.
#[derive(Clone, Copy, Debug)]
pub struct RoleSpec {
    /// The key in a theme file.
    pub id: &'static str,
    /// What has this role, in one line.
    pub doc: &'static str,
    /// Whose look it has in a theme that says nothing about it.
    pub fallback: Option<Role>,
    /// The least contrast with its background that a shipped theme owes it.
    pub contrast: f64,
}

/// Declares [`Role`] from one row per role: variant, key, least contrast and fallback.
macro_rules! roles {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $id:literal, $contrast:ident $(-> $fallback:ident)?; )+) => {
        /// What a part of the screen is, which says how it looks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role { $( $(#[doc = $doc])+ $variant, )+ }

        impl Role {
            /// Every role, in the order of the table.
            pub const ALL: &[Self] = &[$( Self::$variant ),+];
            /// How many roles there are.
            pub const COUNT: usize = Self::ALL.len();

            const SPECS: &[RoleSpec] = &[$( RoleSpec {
                id: $id,
                doc: concat!($( $doc ),+).trim_ascii_start(),
                fallback: fallback!($( $fallback )?),
                contrast: $contrast,
            } ),+];

            /// The role's row.
            #[must_use]
            pub const fn spec(self) -> &'static RoleSpec {
                &Self::SPECS[self as usize]
            }
        }
    };
}

macro_rules! fallback {
    () => {
        None
    };
    ($role:ident) => {
        Some(Role::$role)
    };
}

/// Words must be read: WCAG's contrast for text.
const READ: f64 = 4.5;
/// Bars and marks must be seen: WCAG's contrast for graphics.
const SEEN: f64 = 3.0;
/// Lines that part things stay in the background.
const FAINT: f64 = 1.3;
/// Nothing is drawn with it but a background.
const GROUND: f64 = 1.0;

// A fallback stands above the roles that use it, so that one pass resolves them all.
roles! {
    /// What lies behind everything; without a background the terminal's own shows.
    Screen = "screen", GROUND;
    /// Plain text and numbers.
    Text = "text", READ;
    /// Labels, units and what is only there to be complete.
    TextDim = "text.dim", READ -> Text;
    /// What a line is about.
    TextStrong = "text.strong", READ -> Text;

    /// The title of a panel.
    Title = "title", READ -> TextStrong;
    /// The frame of a panel.
    Border = "border", FAINT -> TextDim;
    /// The frame of the panel that takes the keys.
    BorderFocus = "border.focus", SEEN -> Border;
    /// What lies behind a dialog.
    Popup = "popup", GROUND -> Screen;
    /// The frame of a dialog.
    PopupBorder = "popup.border", SEEN -> BorderFocus;

    /// All is well.
    Ok = "ok", READ -> Text;
    /// Worth knowing, and nobody's fault.
    Notice = "notice", READ -> Text;
    /// Something holds a GPU back.
    Warning = "warning", READ -> TextStrong;
    /// Something is broken or about to be.
    Critical = "critical", READ -> Warning;
    /// A value that is not there, and why.
    Absent = "absent", READ -> TextDim;
    /// A value that is older than it should be.
    Stale = "stale", READ -> Absent;

    /// The facts at the top: host, driver, interval.
    Header = "header", READ -> TextDim;
    /// The program's name.
    HeaderName = "header.name", READ -> TextStrong;
    /// A tab that is not shown.
    Tab = "tab", READ -> TextDim;
    /// The tab that is shown.
    TabActive = "tab.active", READ -> TextStrong;
    /// The label that the GPUs are simulated.
    Demo = "demo", READ -> Warning;
    /// The label that the picture is held.
    Paused = "paused", READ -> Warning;
    /// A key at the bottom or in the help.
    FooterKey = "footer.key", READ -> TextStrong;
    /// What the key does.
    FooterText = "footer.text", READ -> TextDim;

    /// The head of a column.
    Column = "column", READ -> TextDim;
    /// The head of the column that the rows are sorted by.
    ColumnSorted = "column.sorted", READ -> TextStrong;
    /// The selected row.
    Selection = "selection", READ -> Text;

    /// How busy a GPU is.
    Busy = "busy", SEEN -> Text;
    /// What of its memory is used.
    Memory = "memory", SEEN -> Text;
    /// What of its memory the driver keeps for itself.
    MemoryReserved = "memory.reserved", SEEN -> TextDim;
    /// Watts.
    Power = "power", SEEN -> Text;
    /// Degrees.
    Heat = "heat", SEEN -> Text;

    /// The empty part of a bar.
    BarTrack = "bar.track", FAINT -> Border;
    /// The numbers along a chart.
    GraphLabel = "graph.label", READ -> TextDim;
}

impl Role {
    /// The role with this key.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.spec().id == id)
    }
}

impl From<Severity> for Role {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::None => Self::Ok,
            Severity::Info => Self::Notice,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn keys_are_unique_and_a_fallback_comes_first() {
        for &role in Role::ALL {
            assert_eq!(Role::named(role.spec().id), Some(role));
            assert!(role.spec().fallback.is_none_or(|fallback| fallback < role), "{role:?}");
            assert!(role.spec().doc.ends_with('.'), "{role:?}");
        }
    }
}
