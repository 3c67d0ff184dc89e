//! The action table: one row for everything that a key can do. Keymap, help and the footer are made from the rows.

/// Declares [`Context`] from one row per context: variant, section of the keymap file, title, and where a key is looked
/// up that means nothing in it.
macro_rules! contexts {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $id:literal, $title:literal $(-> $outer:ident)?; )+) => {
        /// What takes the keys.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Context { $( $(#[doc = $doc])+ $variant, )+ }

        impl Context {
            /// Every context, in the order of the table.
            pub const ALL: &[Self] = &[$( Self::$variant ),+];

            /// The section of a keymap file.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $( Self::$variant => $id, )+ }
            }

            /// The title over its keys in the help.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $( Self::$variant => $title, )+ }
            }

            /// Where a key is looked up that means nothing here.
            #[must_use]
            pub const fn outer(self) -> Option<Self> {
                match self { $( Self::$variant => outer!($( $outer )?), )+ }
            }
        }
    };
}

macro_rules! outer {
    () => {
        None
    };
    ($context:ident) => {
        Some(Context::$context)
    };
}

contexts! {
    /// Everywhere.
    Global = "global", "Everywhere";
    /// The list of processes.
    Processes = "processes", "Processes" -> Global;
    /// All GPUs, with their processes beneath.
    Overview = "overview", "Overview" -> Processes;
    /// One GPU.
    Gpu = "gpu", "GPU" -> Global;
    /// What happened to the GPUs.
    Health = "health", "Health" -> Global;
    /// The setup of the machine.
    Setup = "setup", "Setup" -> Global;
    /// What the numbers are.
    Explain = "explain", "What the numbers are" -> Global;
    /// A menu.
    Menu = "menu", "In a menu" -> Global;
    /// A line to type into; what is typed comes before every other key.
    Entry = "entry", "In a line to type" -> Menu;
    /// A question that is answered by yes or no.
    Confirm = "confirm", "In a question" -> Global;
    /// A text over the tab.
    Report = "report", "In a text" -> Global;
    /// The help.
    Help = "help", "In the help" -> Global;
    /// What is shown instead of GPUs where there is no driver.
    NoDriver = "no_driver", "Without a driver" -> Global;
}

impl Context {
    /// The context with this section.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|context| context.id() == id)
    }

    /// This context and those in which a key is looked up after it.
    pub fn chain(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |context| context.outer())
    }
}

/// One row of the action table.
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// The name in a keymap file.
    pub id: &'static str,
    /// A word or two for the footer.
    pub label: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Where it does something.
    pub context: Context,
}

/// Declares [`Action`] from one row per action: variant, name in the keymap file, label and context.
macro_rules! actions {
    ($( $context:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $id:literal, $label:literal; )+ } )+) => {
        /// Something that a key can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $( $( $(#[doc = $doc])+ $variant, )+ )+ }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &[Self] = &[$( $( Self::$variant ),+ ),+];

            const SPECS: &[ActionSpec] = &[$( $( ActionSpec {
                id: $id,
                label: $label,
                doc: concat!($( $doc ),+).trim_ascii_start(),
                context: Context::$context,
            } ),+ ),+];

            /// The action's row.
            #[must_use]
            pub const fn spec(self) -> &'static ActionSpec {
                &Self::SPECS[self as usize]
            }
        }
    };
}

actions! {
    Global {
        /// Leave the program.
        Quit = "quit", "quit";
        /// Show what the keys do.
        Help = "help", "help";
        /// Close what was opened last; this never leaves the program.
        Back = "back", "back";
        /// Show the next tab.
        NextTab = "next_tab", "next tab";
        /// Show the previous tab.
        PreviousTab = "previous_tab", "previous tab";
        /// Show all GPUs.
        TabOverview = "tab_overview", "overview";
        /// Show everything about one GPU.
        TabGpu = "tab_gpu", "GPU";
        /// Show the processes of all GPUs.
        TabProcesses = "tab_processes", "processes";
        /// Show what happened to the GPUs.
        TabHealth = "tab_health", "health";
        /// Show the setup of the machine.
        TabSetup = "tab_setup", "setup";
        /// Go one line up; without processes, one GPU back.
        Up = "up", "up";
        /// Go one line down; without processes, one GPU on.
        Down = "down", "down";
        /// Go one page up.
        PageUp = "page_up", "page up";
        /// Go one page down.
        PageDown = "page_down", "page down";
        /// Go to the first line.
        First = "first", "first";
        /// Go to the last line.
        Last = "last", "last";
        /// Select the previous GPU or panel, or scroll the commands back.
        Left = "left", "left";
        /// Select the next GPU or panel, or scroll the commands.
        Right = "right", "right";
        /// Show one panel alone, or all of them again.
        Zoom = "zoom", "zoom";
        /// Hold the picture, or let it go on; sampling goes on in any case.
        Pause = "pause", "pause";
        /// Sample more often.
        Faster = "faster", "faster";
        /// Sample less often.
        Slower = "slower", "slower";
        /// Sample now, and draw everything anew.
        Refresh = "refresh", "refresh";
        /// Show more time in the charts.
        LongerSpan = "longer_span", "longer span";
        /// Show less time in the charts.
        ShorterSpan = "shorter_span", "shorter span";
        /// Show temperatures in °C or °F.
        ToggleTemperature = "toggle_temperature", "°C/°F";
        /// Show what taking the samples costs.
        Cost = "cost", "own cost";
        /// Read the GPUs that are left to sleep too, which wakes them.
        Wake = "wake", "wake";
        /// Stop the program until the shell continues it.
        Suspend = "suspend", "suspend";
        /// Say what each number is: its meaning, unit and source, and why it is absent.
        Explain = "explain", "explain";
    }
    Processes {
        /// Show the GPU (or the process's GPU) that was selected last.
        Details = "details", "details";
        /// Choose the column that the processes are sorted by.
        SortMenu = "sort_menu", "sort";
        /// Sort by the next column.
        SortNext = "sort_next", "next column";
        /// Sort by the previous column.
        SortPrevious = "sort_previous", "previous column";
        /// Sort the other way round.
        SortReverse = "sort_reverse", "reverse";
    }
    Gpu {
        /// Show the next GPU.
        NextGpu = "next_gpu", "next GPU";
        /// Show the previous GPU.
        PreviousGpu = "previous_gpu", "previous GPU";
    }
    Health {
        /// Put a mark with the time into the timeline.
        SetMark = "set_mark", "mark";
        /// List everything, only warnings and worse, or only what is critical.
        Filter = "filter", "filter";
    }
    Setup {
        /// Change the selected option.
        Change = "change", "change";
        /// Show what would be written, line by line.
        Diff = "diff", "diff";
        /// Write the module, after showing it and asking.
        Write = "write", "write";
        /// Take the last change back.
        Undo = "undo", "undo";
        /// Let the selected option be as it is declared.
        TakeBack = "take_back", "take back";
        /// Write for the options of nixpkgs, or for the upstream module.
        SwitchMode = "switch_mode", "mode";
        /// Write for the next release of NixOS.
        SwitchRelease = "switch_release", "release";
        /// Read the machine and its configuration again.
        ReadAgain = "read_again", "read again";
    }
    Menu {
        /// Take the selected line, or all that are marked.
        Choose = "choose", "choose";
        /// Mark the selected line, or take its mark away.
        Mark = "mark", "mark";
    }
    Entry {
        /// Take the last letter back.
        Erase = "erase", "erase";
    }
    Confirm {
        /// Do it.
        Yes = "yes", "yes";
        /// Leave it.
        No = "no", "no";
    }
    NoDriver {
        /// Show simulated GPUs.
        Demo = "demo", "demo";
    }
}

impl Action {
    /// The action of this name.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.spec().id == id)
    }

    /// Whether it changes nothing that is seen where there are no GPUs to show.
    #[must_use]
    pub fn needs_gpus(self) -> bool {
        let without =
            [Self::Quit, Self::Help, Self::Back, Self::Refresh, Self::Suspend, Self::Demo];
        !without.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Context};

    #[test]
    fn names_are_unique_and_docs_are_sentences() {
        for &action in Action::ALL {
            let spec = action.spec();
            assert_eq!(Action::named(spec.id), Some(action));
            assert!(spec.doc.ends_with('.') && spec.doc.len() < 80, "{action:?}");
        }
        for &context in Context::ALL {
            assert_eq!(Context::named(context.id()), Some(context));
            assert_eq!(context.chain().last(), Some(Context::Global));
        }
    }
}
