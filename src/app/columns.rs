//! The columns of the process list, one row each: the list, its sorting and its help are made from the rows.

use std::cmp::Ordering;

use crate::model::{Inventory, Process, ProcessMetric};

/// On which side of its column a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Declares [`ProcessColumn`] from one row per column.
macro_rules! columns {
    ($( $(#[doc = $help:literal])+ $variant:ident = $title:literal, $width:literal, $align:ident, $first:ident, $order:expr; )+) => {
        /// A column of the process list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ProcessColumn { $( $(#[doc = $help])+ $variant, )+ }

        /// Every column, from left to right.
        pub const PROCESS_COLUMNS: &[ProcessColumn] = &[$( ProcessColumn::$variant ),+];

        impl ProcessColumn {
            /// What stands above the column.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $( Self::$variant => $title, )+ }
            }

            /// What the column shows.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $( Self::$variant => concat!($( $help ),+).trim_ascii_start(), )+ }
            }

            /// Its cells; 0 for the column that takes what is left.
            #[must_use]
            pub fn width(self) -> u16 {
                match self { $( Self::$variant => $width, )+ }
            }

            /// On which side its values stand.
            #[must_use]
            pub fn align(self) -> Align {
                match self { $( Self::$variant => Align::$align, )+ }
            }

            /// Whether the largest value comes first when the list is sorted by it.
            #[must_use]
            pub fn largest_first(self) -> bool {
                match self { $( Self::$variant => columns!(@ $first), )+ }
            }

            /// The order of two processes by this column, smallest first; an absent value is smaller than every other.
            #[must_use]
            pub fn order(self, inventory: &Inventory, a: &Process, b: &Process) -> Ordering {
                let order: fn(&Inventory, &Process, &Process) -> Ordering = match self { $( Self::$variant => $order, )+ };
                order(inventory, a, b)
            }
        }
    };
    (@ largest) => { true };
    (@ smallest) => { false };
}

columns! {
    /// Index of the GPU, and its MIG instance.
    Gpu = "GPU", 4, Right, smallest, |_, a, b| a.gpu.cmp(&b.gpu);
    /// Process id.
    Pid = "PID", 7, Right, smallest, |_, a, b| a.pid.cmp(&b.pid);
    /// The user that it runs as.
    User = "USER", 9, Left, smallest, |_, a, b| user(a).cmp(&user(b));
    /// What it does on the GPU: C computes, G draws, M computes through MPS.
    Type = "TYPE", 4, Left, smallest, |_, a, b| a.kinds.letters().cmp(b.kinds.letters());
    /// GPU memory that it holds.
    Memory = "MEMORY", 10, Right, largest, |_, a, b| number(ProcessMetric::GpuMemory, a, b);
    /// Share of time with kernels on the streaming multiprocessors.
    Sm = "SM%", 4, Right, largest, |_, a, b| number(ProcessMetric::Sm, a, b);
    /// Share of the encoders.
    Encoder = "ENC%", 4, Right, largest, |_, a, b| number(ProcessMetric::Encoder, a, b);
    /// Share of the decoders.
    Decoder = "DEC%", 4, Right, largest, |_, a, b| number(ProcessMetric::Decoder, a, b);
    /// Processor time; 100 is one core.
    Cpu = "CPU%", 5, Right, largest, |_, a, b| number(ProcessMetric::Cpu, a, b);
    /// Resident memory of the host.
    Resident = "RSS", 10, Right, largest, |_, a, b| number(ProcessMetric::ResidentMemory, a, b);
    /// Time since it started.
    Time = "TIME", 8, Right, largest, |_, a, b| number(ProcessMetric::RunTime, a, b);
    /// Its command line.
    Command = "COMMAND", 0, Left, smallest, |_, a, b| command(a).cmp(&command(b));
}

fn number(metric: ProcessMetric, a: &Process, b: &Process) -> Ordering {
    let value = |process: &Process| process.get(metric).unwrap_or(f64::NEG_INFINITY);
    value(a).total_cmp(&value(b))
}

fn user(process: &Process) -> Option<&str> {
    process.identity.as_ref().ok()?.user.as_deref()
}

fn command(process: &Process) -> Option<&str> {
    process.identity.as_ref().ok().map(|identity| &*identity.command)
}

/// The columns that fit into so many cells, each with where it begins and how wide it is. The last ones before the command leave first.
#[must_use]
pub fn placed_columns(room: u16) -> Vec<(ProcessColumn, u16, u16)> {
    const COMMAND: u16 = 12;
    let mut kept: Vec<_> = PROCESS_COLUMNS.to_vec();
    let needed = |kept: &[ProcessColumn]| {
        kept.iter()
            .map(|column| if column.width() == 0 { COMMAND } else { column.width() } + 1)
            .sum::<u16>()
    };
    while needed(&kept) > room {
        let Some(last) = LEAVING.iter().find(|leaving| kept.contains(leaving)) else { break };
        kept.retain(|column| column != last);
    }
    let mut x = 0;
    let mut places = Vec::new();
    for column in kept {
        let width = match column.width() {
            0 => room.saturating_sub(x),
            width => width.min(room.saturating_sub(x)),
        };
        places.push((column, x, width));
        x = x.saturating_add(width + 1).min(room);
    }
    places
}

/// Which columns are given up in a narrow place, the first first.
const LEAVING: &[ProcessColumn] = &[
    ProcessColumn::Decoder,
    ProcessColumn::Encoder,
    ProcessColumn::Resident,
    ProcessColumn::Type,
    ProcessColumn::Time,
    ProcessColumn::Cpu,
    ProcessColumn::User,
    ProcessColumn::Sm,
];

#[cfg(test)]
mod tests {
    use super::{ProcessColumn, placed_columns};

    #[test]
    fn a_narrow_list_keeps_what_matters() {
        let columns = |width| {
            let places = placed_columns(width);
            assert!(places.iter().all(|(_, x, column)| x + column <= width), "{width}");
            places.into_iter().map(|(column, ..)| column).collect::<Vec<_>>()
        };
        assert_eq!(columns(200).len(), 12);
        for width in 0..200 {
            columns(width);
        }
        let narrow = columns(40);
        for kept in
            [ProcessColumn::Gpu, ProcessColumn::Pid, ProcessColumn::Memory, ProcessColumn::Command]
        {
            assert!(narrow.contains(&kept));
        }
    }
}
