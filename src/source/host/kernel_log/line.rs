//! One line of the kernel log: the errors of NVIDIA's driver, told from everything else.

use crate::model::{EventKind, PciAddress};

/// An error that the driver wrote into the kernel log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelError {
    /// When, in microseconds since the machine started, without the time that it was suspended.
    pub uptime_us: u64,
    /// Whose error it is.
    pub device: Device,
    /// An Xid, or that of a switch.
    pub kind: EventKind,
    /// The process that is blamed.
    pub pid: Option<u32>,
    /// That process's name, as the kernel knows it.
    pub process: Option<String>,
    /// What follows the number, without the process.
    pub message: String,
}

/// A device as the kernel log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// By its place on the bus.
    Pci(PciAddress),
    /// By its UUID.
    Uuid(String),
}

/// What stands before an error, and what makes its number a kind.
type Mark = (&'static str, fn(u32) -> EventKind);
/// Those of a GPU and of a switch.
const MARKS: [Mark; 2] = [(": Xid (", EventKind::Xid), (": SXid (", EventKind::SwitchXid)];
/// The kernel cuts its lines long before.
const LONGEST_MESSAGE: usize = 500;

/// The error in a record of the log, `priority,number,microseconds,flags;text`; `None` of every other record.
///
/// What a program wrote into the log is not the driver's word: only the kernel's records have the facility 0.
pub(super) fn parse(record: &str) -> Option<KernelError> {
    let (prefix, text) = record.split_once(';')?;
    let (mark, kind) = MARKS.iter().find(|(mark, _)| text.contains(mark))?;
    let (writer, rest) = text.split_once(mark)?;
    if !(writer == "NVRM" || writer.starts_with("nvidia-nvswitch")) {
        return None;
    }
    let mut fields = prefix.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let uptime_us = fields.nth(1)?.parse().ok()?;
    let (device, rest) = rest.split_once("):")?;
    let device = device_of(device)?;
    let rest = rest.trim();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (code, rest) = rest.split_at(digits);
    let code = code.parse().ok()?;
    let (pid, process, message) = blamed(rest.trim_start_matches([',', ' ']));
    let message = message.chars().take(LONGEST_MESSAGE).collect();
    let is_kernel = priority >> 3 == 0;
    is_kernel.then_some(KernelError { uptime_us, device, kind: kind(code), pid, process, message })
}

/// `PCI:0000:61:00`, the same with a function or without `PCI:`, or a UUID.
fn device_of(text: &str) -> Option<Device> {
    if text.starts_with("GPU-") {
        return Some(Device::Uuid(text.to_owned()));
    }
    let address = text.strip_prefix("PCI:").unwrap_or(text);
    let function = if address.contains('.') { "" } else { ".0" };
    format!("{address}{function}").parse().ok().map(Device::Pci)
}

/// The process at the start of a message, and what follows it. `'<unknown>'` and `<unknown>` are nobody.
fn blamed(text: &str) -> (Option<u32>, Option<String>, &str) {
    let (pid, text) = value_of("pid=", text);
    let (name, text) = value_of("name=", text);
    let pid = pid.and_then(|pid| pid.parse().ok());
    let name = name.map(|name| name.trim_matches('\''));
    let name = name.filter(|name| !name.is_empty() && *name != "<unknown>");
    (pid, name.map(str::to_owned), text)
}

/// The value behind `key` where the text begins with it, and what follows.
fn value_of<'t>(key: &str, text: &'t str) -> (Option<&'t str>, &'t str) {
    match text.strip_prefix(key) {
        Some(rest) => {
            let (value, rest) = rest.split_once(", ").unwrap_or((rest, ""));
            (Some(value), rest)
        }
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Device, KernelError, parse};
    use crate::model::EventKind;
    use proptest::prelude::*;

    fn error(text: &str) -> KernelError {
        parse(&format!("3,812,5140900,-;{text}")).unwrap()
    }

    fn pci(address: &str) -> Device {
        Device::Pci(address.parse().unwrap())
    }

    #[test]
    fn an_error_with_its_process() {
        let error = error("NVRM: Xid (PCI:0000:61:00): 45, pid=1496200, name=prog, Ch 0000000a");
        let expected = KernelError {
            uptime_us: 5_140_900,
            device: pci("0000:61:00.0"),
            kind: EventKind::Xid(45),
            pid: Some(1_496_200),
            process: Some("prog".to_owned()),
            message: "Ch 0000000a".to_owned(),
        };
        assert_eq!(error, expected);
    }

    #[test]
    fn an_error_of_nobody() {
        for unknown in
            ["pid='<unknown>', name=<unknown>, ", "pid=<unknown>, name='<unknown>', ", ""]
        {
            let error = error(&format!(
                "NVRM: Xid (PCI:0000:61:00): 79, {unknown}GPU has fallen off the bus."
            ));
            assert_eq!((error.pid, error.process), (None, None), "{unknown}");
            assert_eq!(error.message, "GPU has fallen off the bus.");
            assert_eq!(error.kind, EventKind::Xid(79));
        }
    }

    #[test]
    fn every_form_of_a_device() {
        let device = |text: &str| error(&format!("NVRM: Xid ({text}): 79, words")).device;
        assert_eq!(device("PCI:0000:61:00"), pci("0000:61:00.0"));
        assert_eq!(device("0000:61:00"), pci("0000:61:00.0"));
        assert_eq!(device("PCI:0000:61:00.0"), pci("0000:61:00.0"));
        assert_eq!(device("GPU-4c7a"), Device::Uuid("GPU-4c7a".to_owned()));
        let bare = error("NVRM: Xid (PCI:0000:61:00): 79");
        assert_eq!((bare.kind, bare.message.as_str()), (EventKind::Xid(79), ""));
    }

    #[test]
    fn an_error_of_a_switch() {
        let error = error(
            "nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 20034, Non-fatal, Link 30 LTSSM Fault Up",
        );
        assert_eq!(error.kind, EventKind::SwitchXid(20034));
        assert_eq!(error.device, pci("0000:c1:00.0"));
        assert_eq!(error.message, "Non-fatal, Link 30 LTSSM Fault Up");
    }

    #[test]
    fn everything_else_is_passed_over() {
        for record in [
            "",
            "6,1,2,-;usb 1-1: new device",
            "3,1,2,-;NVRM: GPU at PCI:0000:61:00: GPU-4c7a",
            "3,1,2,-;NVRM: Xid (PCI:0000:61:00): soon",
            "3,1,2,-;NVRM: Xid (nowhere): 79",
            "NVRM: Xid (PCI:0000:61:00): 79",
            // Written by a program: facility 1, or another name before it.
            "11,1,2,-;NVRM: Xid (PCI:0000:61:00): 79, words",
            "3,1,2,-;somebody says: NVRM: Xid (PCI:0000:61:00): 79, words",
        ] {
            assert_eq!(parse(record), None, "{record}");
        }
    }

    proptest! {
        #[test]
        fn any_record_is_survived(text in any::<String>(), tail in any::<String>()) {
            parse(&text);
            parse(&format!("3,1,2,-;NVRM: Xid (PCI:0000:61:00): {text}, {tail}"));
            parse(&format!("3,1,2,-;NVRM: Xid ({text}): 45, pid={tail}"));
        }

        #[test]
        fn what_is_written_is_read(code in any::<u32>(), pid in any::<u32>(), at in any::<u64>(), name in "[a-z)(:.;-]{1,15}") {
            let record = format!("3,7,{at},-;NVRM: Xid (PCI:0000:61:00): {code}, pid={pid}, name={name}, Ch 1");
            let error = parse(&record).unwrap();
            prop_assert_eq!(error.kind, EventKind::Xid(code));
            prop_assert_eq!((error.pid, error.process), (Some(pid), Some(name)));
            prop_assert_eq!((error.uptime_us, error.message.as_str()), (at, "Ch 1"));
        }
    }
}
