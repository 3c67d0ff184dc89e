//! Where a device sits on the PCI bus.

use std::fmt;
use std::str::FromStr;

/// Where a device sits on the PCI bus.
///
/// It is read in the forms of the kernel (`0000:18:00.0`) and of NVML (`00000000:18:00.0`), in capitals or not, and
/// written in the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

/// The text is not `DOMAIN:BUS:DEVICE.FUNCTION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a PCI address")]
pub struct PciAddressError;

impl FromStr for PciAddress {
    type Err = PciAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (domain, rest) = text.split_once(':')?;
            let (bus, rest) = rest.split_once(':')?;
            let (device, function) = rest.split_once('.')?;
            Some(Self {
                domain: hexadecimal(domain, 8)?,
                bus: u8::try_from(hexadecimal(bus, 2)?).ok()?,
                device: u8::try_from(hexadecimal(device, 2)?).ok()?,
                function: u8::try_from(hexadecimal(function, 1)?).ok()?,
            })
        };
        parse().ok_or(PciAddressError)
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bus, device, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function:x}")
    }
}

impl PciAddress {
    /// The address as X.Org and the PRIME options of NixOS take it, in decimal: `PCI:bus@domain:device:function`.
    #[must_use]
    pub fn prime(&self) -> String {
        let Self { domain, bus, device, function } = self;
        format!("PCI:{bus}@{domain}:{device}:{function}")
    }
}

/// A number of at most `digits` hexadecimal digits, without the sign that the standard library would take.
fn hexadecimal(text: &str, digits: usize) -> Option<u32> {
    let is_plain = text.len() <= digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_plain.then(|| u32::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::PciAddress;
    use proptest::prelude::*;

    #[test]
    fn prime_counts_in_decimal() {
        let address: PciAddress = "10000:c1:1f.7".parse().unwrap();
        assert_eq!(address.prime(), "PCI:193@65536:31:7");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "0000:18:00",
            "0000:18:00.",
            "+000:18:00.0",
            "0000:118:00.0",
            "0000:18:00.0 ",
            "PCI:0000:18:00.0",
        ] {
            assert!(text.parse::<PciAddress>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_forms_of_the_kernel_and_of_nvml_are_one_address(
            domain in any::<u32>(), bus in any::<u8>(), device in 0u8..32, function in 0u8..8,
        ) {
            let address = PciAddress { domain, bus, device, function };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
            let nvml = format!("{domain:08X}:{bus:02X}:{device:02X}.{function:X}");
            prop_assert_eq!(nvml.parse(), Ok(address));
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = text.parse::<PciAddress>();
        }
    }
}
