//! The Xid table: what the driver's error numbers mean, whose fault they are likely to be, and what to do.

use std::fmt;

use crate::model::Severity;

/// Who is likely to have caused an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// The program that used the GPU.
    Application,
    /// The board, its memory or its power supply.
    Hardware,
    /// The driver or the GPU's firmware.
    Driver,
    /// `NVLink`, PCIe or another connection.
    Link,
}

impl Culprit {
    /// The culprit in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Application => "the application",
            Self::Hardware => "the hardware",
            Self::Driver => "the driver or its firmware",
            Self::Link => "a link",
        }
    }
}

/// One row of the Xid table.
#[derive(Clone, Copy, Debug)]
pub struct Xid {
    /// The numbers that mean this.
    pub codes: &'static [u32],
    /// How much it should worry.
    pub severity: Severity,
    /// Who is likely to have caused it, the likeliest first; empty where nobody did.
    pub culprits: &'static [Culprit],
    /// What happened, in a few words.
    pub title: &'static str,
    /// What happened, in sentences.
    pub meaning: &'static str,
    /// What to do, in sentences.
    pub advice: &'static str,
}

/// An Xid with its number and its words: `Xid 31: memory page fault`.
impl fmt::Display for ShownXid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xid {}: {}", self.0, xid(self.0).title)
    }
}

/// A number to be shown with what it means.
#[derive(Clone, Copy, Debug)]
pub struct ShownXid(pub u32);

const INFO: Severity = Severity::Info;
const WARNING: Severity = Severity::Warning;
const CRITICAL: Severity = Severity::Critical;

const fn row(
    codes: &'static [u32],
    severity: Severity,
    culprits: &'static [Culprit],
    title: &'static str,
    meaning: &'static str,
    advice: &'static str,
) -> Xid {
    Xid { codes, severity, culprits, title, meaning, advice }
}

const UNKNOWN: Xid = row(
    &[],
    WARNING,
    &[],
    "not in this program's table",
    "The driver reported an error with a number that this program does not know.",
    "Look the number up in NVIDIA's Xid catalog.",
);

/// What an Xid means; of a number that no row has, where to look it up.
#[must_use]
pub fn xid(code: u32) -> &'static Xid {
    XIDS.iter().find(|xid| xid.codes.contains(&code)).unwrap_or(&UNKNOWN)
}

/// Declares [`XIDS`] from one row per meaning: numbers, severity, culprits, title; meaning; advice.
macro_rules! xids {
    ($( [$( $code:literal ),+] $severity:ident [$( $culprit:ident ),*] $title:literal: $meaning:literal, $advice:literal; )+) => {
        /// Every row, by its lowest number.
        pub const XIDS: &[Xid] = &[$( row(
            &[$( $code ),+],
            Severity::$severity,
            &[$( Culprit::$culprit ),*],
            $title,
            $meaning,
            $advice,
        ) ),+];
    };
}

xids! {
    [8] Warning [Application, Hardware] "channel timeout":
        "A channel of the GPU made no progress and was given up.",
        "Restart the application. If it comes again, contact support.";
    [11, 25, 32] Warning [Application, Driver] "corrupt command stream":
        "The GPU was given commands that are corrupt or not allowed.",
        "Restart the application, and check that it was built for this driver's CUDA.";
    [13] Warning [Application] "engine exception":
        "The program made the GPU do something illegal, such as an access out of bounds.",
        "Restart the application. If different programs cause it on the same GPU, test the hardware.";
    [31] Warning [Application] "memory page fault":
        "The program used an address in GPU memory that is not mapped.",
        "Restart the application and run it under compute-sanitizer. If different programs cause it on the same GPU, test the hardware.";
    [37] Info [Driver] "context-switch notice":
        "The firmware that switches contexts complained.",
        "Ignore it once. If it comes again, update the driver.";
    [38] Warning [Driver] "watchdog of the firmware":
        "The firmware's watchdog ran out.",
        "Ignore it once. If it comes again, update the driver.";
    [39, 40, 41, 70, 71, 72, 75, 76, 77, 85, 126, 127, 128, 129, 130, 131, 132, 133, 134, 135] Warning [Hardware, Driver] "copy engine exception":
        "A copy between memories failed.",
        "Restart the application. If it comes again, contact support.";
    [43] Info [Application] "channel reset":
        "The application's channel was reset after its own fault, and the GPU is well.",
        "Look at the Xid before it.";
    [44] Warning [Application, Driver] "fault during a context switch":
        "An engine failed while it switched between programs.",
        "Ignore it once. If it comes again, update the driver.";
    [45] Info [] "channel cleaned up":
        "The channels of a program that was killed or had failed were cleaned up.",
        "Look at the Xid before it. If it comes alone on a machine with NVSwitches, restart the fabric manager.";
    [46] Critical [Hardware, Driver] "GPU stopped processing":
        "The GPU did not answer in time and works on nothing.",
        "Stop what uses the GPU and reset it.";
    [48] Critical [Hardware] "uncorrectable memory error":
        "ECC found an error of two bits that it cannot correct.",
        "Look for Xid 63, 64, 94 or 95 beside it. Drain the GPU, reset it, and check whether rows wait to be remapped.";
    [54] Critical [Hardware] "power cable not connected":
        "The auxiliary power cable of the board is missing or loose.",
        "Shut the machine down and check the power cables.";
    [60] Warning [Application, Driver] "video processor exception":
        "The video or security processor failed.",
        "Restart the application.";
    [61, 62] Critical [Hardware, Driver] "micro-controller halted":
        "The micro-controller that manages power and clocks stopped.",
        "Reset the GPU. If it comes again, contact support.";
    [63] Warning [Hardware] "memory row remapped":
        "A failing row of memory was replaced, or its page retired.",
        "It takes effect at the next reset of the GPU. Watch whether more follow.";
    [64] Critical [Hardware] "row remapping failed":
        "A failing row of memory could not be replaced, or its page not retired.",
        "Reset the GPU. If it comes again, have the board replaced.";
    [66, 67] Warning [Driver] "register access refused":
        "The driver used a register that it may not use.",
        "Ignore it once. If it comes again, update the driver.";
    [68, 83, 84, 88, 89, 96, 97, 98] Warning [Application, Hardware] "video decoder exception":
        "A video decoder failed.",
        "Restart the application. If every video causes it, test the hardware.";
    [69] Warning [Application] "graphics class error":
        "The program called the graphics engine with wrong data.",
        "Restart the application and check its graphics calls.";
    [74] Critical [Link] "NVLink error":
        "A link between GPUs failed.",
        "Check the state of the links and that bridge and board sit well, then reset the GPU.";
    [78] Warning [Driver] "vGPU did not start":
        "A virtual GPU could not be started.",
        "Install matching drivers in the guest and on the host.";
    [79] Critical [Hardware] "fell off the bus":
        "The GPU does not answer on PCIe any more.",
        "Power-cycle the machine. Check slot, power supply and temperatures.";
    [80] Warning [Application, Link] "corrupt data arrived":
        "Data reached the GPU with a wrong checksum.",
        "Restart the application and look at the PCIe errors of the GPU.";
    [82, 99, 100, 101, 102, 103, 104, 105] Warning [Application, Hardware] "JPEG engine error":
        "An engine that decodes JPEG failed.",
        "Restart the application. If every picture causes it, test the hardware.";
    [86, 139] Warning [Application, Hardware] "optical flow engine error":
        "The optical flow engine failed.",
        "Restart the application.";
    [92] Warning [Hardware] "many corrected memory errors":
        "ECC corrects errors at a high rate.",
        "Keep running, and plan a check of the board.";
    [93] Info [Hardware] "InfoROM worn":
        "The memory that holds the board's facts is near the end of its writes.",
        "Note it for the next service.";
    [94] Warning [Hardware] "contained memory error":
        "A memory error hit one program, and no other is affected.",
        "Restart the application that was hit, and reset the GPU when convenient.";
    [95] Critical [Hardware] "uncontained memory error":
        "A memory error may have hit every program on the GPU.",
        "Stop everything on the GPU and reset it.";
    [106, 107] Info [] "management bus test":
        "A test message of the management bus was seen.",
        "Nothing is to be done.";
    [109] Critical [Driver, Hardware] "context-switch timeout":
        "The GPU did not finish a switch between programs.",
        "Reset the GPU. If it comes again, update the driver.";
    [110] Critical [Driver] "security fault":
        "A security check of the GPU failed.",
        "Reset the GPU, and find out which software caused it.";
    [119] Critical [Driver] "GSP firmware does not answer":
        "A call to the GPU's firmware timed out, and calls to the driver may hang now.",
        "Reset the GPU or reboot the machine, and update the driver.";
    [120] Critical [Driver] "GSP firmware error":
        "The GPU's firmware failed.",
        "Reset the GPU and update the driver.";
    [121] Warning [Link] "C2C link error":
        "The link between processor and GPU had an error.",
        "Watch it. If it comes again, contact support.";
    [122, 123, 124, 125] Warning [Hardware] "board flash not accessible":
        "The flash memory or the InfoROM of the board could not be used.",
        "Contact support.";
    [136] Critical [Link] "NVLink training failed":
        "A link between GPUs did not come up.",
        "Reset the GPU, and check cables and connectors.";
    [137] Warning [Application, Link] "NVLink access refused":
        "An access to the memory of another GPU was not allowed.",
        "Look for the application that runs on both GPUs, and restart it.";
    [140] Critical [Hardware] "unrecovered memory error":
        "An ECC error could not be recovered from.",
        "Reset the GPU and contact support.";
    [141] Warning [Driver] "CUDA fast path error":
        "The short way for CUDA's commands failed.",
        "Ignore it once. If it comes again, update the driver.";
    [143] Critical [Driver, Hardware] "GPU did not start":
        "The GPU could not be initialised.",
        "Reset the GPU or reboot the machine. If it comes again, test the hardware.";
    [144, 145, 146, 147, 148, 149, 150] Critical [Link] "NVLink unit error":
        "A part of the NVLink hardware failed, and the sub-code in the kernel's message says which.",
        "Look the sub-code up in NVIDIA's NVLink 5 workflow. It ends in a reset of the link or of the GPU.";
    [151] Critical [Driver] "key rotation error":
        "The keys of confidential computing could not be renewed.",
        "Restart the virtual machine.";
    [152, 153] Warning [Driver] "DLA engine error":
        "The deep-learning accelerator failed.",
        "Ignore it once. If it comes again, update the driver.";
    [154] Info [] "recovery action changed":
        "The driver says anew what the GPU needs to be well again.",
        "Do what the kernel's message names.";
    [155] Critical [Link] "NVLink error found by software":
        "The driver found a link between GPUs in error.",
        "Reset the GPU.";
    [156] Warning [Hardware] "part of the GPU retired":
        "A failing part of the GPU was taken out of use.",
        "Reset the GPU so that it takes effect.";
    [157] Warning [Hardware] "retirement failed":
        "A failing part of the GPU could not be taken out of use.",
        "Contact support.";
    [158] Critical [Hardware, Driver] "fatal GPU timeout":
        "The GPU did not answer in time and cannot go on.",
        "Reset the GPU.";
    [159] Critical [Link, Hardware] "CHI interconnect error":
        "The coherent connection to the processor failed.",
        "Look for messages about UVM in the kernel log, and contact support.";
    [160] Info [Hardware] "memory channel retired":
        "A channel of the GPU memory was taken out of use.",
        "Note it for the next service.";
    [161] Warning [Hardware] "channel retirement failed":
        "A channel of the GPU memory could not be taken out of use.",
        "Contact support.";
    [162, 163] Info [Hardware] "power smoothing changed":
        "The circuit that smooths the board's power was switched on or off.",
        "Note it for the next service.";
    [164, 165] Warning [Hardware] "power smoothing wears out":
        "The circuit that smooths the board's power is near its end or beyond it.",
        "Plan a service of the board.";
    [167] Critical [Hardware] "fatal PCIe timeout":
        "The GPU did not answer a transfer on PCIe.",
        "Reboot the machine and check the slot.";
    [168] Critical [Hardware] "GPU memory reduced":
        "An error in a protected region made some GPU memory unusable.",
        "Contact support.";
    [169] Critical [Driver] "security processor halted":
        "The GPU's SEC2 micro-controller stopped.",
        "Reset the GPU.";
    [171] Critical [Hardware] "uncorrectable error in DRAM":
        "The error of the Xid 48 beside it was in the GPU's DRAM.",
        "Reset the GPU, and check whether rows wait to be remapped.";
    [172] Critical [Hardware] "uncorrectable error in SRAM":
        "The error of the Xid 48 beside it was in the GPU's SRAM.",
        "Reset the GPU. If it comes again, have the board replaced.";
    [999] Warning [] "number not told":
        "The driver reported an error and did not say which.",
        "Look for lines with NVRM in the kernel log.";
}

/// One row of the table of recovery actions, NVML's `nvmlDeviceGpuRecoveryAction_t`.
#[derive(Clone, Copy, Debug)]
pub struct RecoveryAction {
    /// NVML's number.
    pub number: u64,
    /// What the GPU needs, in a few words.
    pub text: &'static str,
    /// How much it should worry.
    pub severity: Severity,
    /// What to do, in sentences.
    pub advice: &'static str,
}

const fn action(
    number: u64,
    text: &'static str,
    severity: Severity,
    advice: &'static str,
) -> RecoveryAction {
    RecoveryAction { number, text, severity, advice }
}

/// What a GPU may need to be well again.
pub const RECOVERY_ACTIONS: &[RecoveryAction] = &[
    action(0, "none", INFO, "Nothing is to be done."),
    action(1, "GPU reset", CRITICAL, "Stop what uses the GPU and reset it."),
    action(2, "node reboot", CRITICAL, "Reboot the machine."),
    action(3, "drain peer-to-peer", WARNING, "Stop what uses the GPU together with other GPUs."),
    action(4, "drain and reset", CRITICAL, "Let what uses the GPU come to its end, and reset it."),
    action(5, "IMEX restart", CRITICAL, "Restart the IMEX domain."),
    action(6, "bus reset", CRITICAL, "Stop what uses the GPU and reset its bus."),
    action(7, "system reboot", CRITICAL, "Reboot the system."),
];

/// The recovery action with this number.
#[must_use]
pub fn recovery_action(number: u64) -> Option<&'static RecoveryAction> {
    RECOVERY_ACTIONS.iter().find(|action| action.number == number)
}

#[cfg(test)]
mod tests {
    use super::{RECOVERY_ACTIONS, ShownXid, XIDS, recovery_action, xid};
    use crate::model::Severity;

    #[test]
    fn no_number_stands_twice_and_the_rows_are_in_order() {
        let mut codes: Vec<_> = XIDS.iter().flat_map(|xid| xid.codes).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        assert!(XIDS.is_sorted_by_key(|xid| xid.codes[0]));
        assert!(XIDS.iter().all(|xid| xid.codes.is_sorted()));
    }

    #[test]
    fn every_text_ends_well() {
        for xid in XIDS.iter().chain([xid(9999)]) {
            for sentence in [xid.meaning, xid.advice] {
                assert!(sentence.ends_with('.') && sentence.starts_with(char::is_uppercase));
            }
            let title = xid.title;
            assert!(!title.is_empty() && !title.ends_with('.') && title.len() <= 32, "{title}");
            assert!(xid.severity > Severity::None);
        }
        assert!(RECOVERY_ACTIONS.iter().all(|action| action.advice.ends_with('.')));
    }

    #[test]
    fn a_number_is_found_in_its_row_and_an_unknown_one_is_told_as_such() {
        assert_eq!(ShownXid(31).to_string(), "Xid 31: memory page fault");
        assert_eq!(xid(147).title, xid(144).title);
        assert_eq!(xid(79).severity, Severity::Critical);
        assert_eq!(ShownXid(7).to_string(), "Xid 7: not in this program's table");
        assert!(xid(7).advice.contains("catalog"));
        assert_eq!(recovery_action(2).unwrap().text, "node reboot");
        assert!(recovery_action(8).is_none());
        let known: Vec<_> = RECOVERY_ACTIONS.iter().map(|action| action.number).collect();
        let words = crate::model::RECOVERY_ACTION_WORDS.iter().map(|word| word.number.into());
        assert_eq!(known, words.collect::<Vec<u64>>(), "both tables know the same");
    }
}
